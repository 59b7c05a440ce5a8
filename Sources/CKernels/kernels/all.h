// Every kernel, and the table of them, for the instruction set of the file that includes this. It has defined
// KERNEL(name), the name of a kernel of this instruction set, WIDE, an attribute for functions whose vectors shall be
// as wide as the registers, and TILE_LANES and TILE_ROWS, the shape of a product's tiles.

#include "batchnorm.h"
#include "channels.h"
#include "elementwise.h"
#include "pooling.h"
#include "gemm.h"
#include "groups.h"
#include "resampling.h"
#include "winograd.h"

#define ENTRY(result, name, parameters, arguments) .name = KERNEL(name),
const ck_kernels KERNEL(kernels) = {EACH_KERNEL(ENTRY).product = KERNEL(float_product)};
