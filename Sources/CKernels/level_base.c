// The kernels for every processor of the architecture, whatever its vectors are.

#include "levels.h"
#include "simd.h"

#define KERNEL(name) ck_base_##name
#define WIDE
#define TILE_LANES 4
#define TILE_ROWS 6
#include "kernels/all.h"
#include "kernels/quads.h"
#include "kernels/winograd_pairs.h"

const ck_pair_kernels ck_base_pair_kernels = {
    .round_pairs = KERNEL(round_pairs),
    .pack_pairs = KERNEL(pack_pairs),
    .product = KERNEL(pairs_product),
    .winograd_input = KERNEL(winograd_input_pairs),
    .winograd_output_gradient = KERNEL(winograd_output_gradient_pairs)};
