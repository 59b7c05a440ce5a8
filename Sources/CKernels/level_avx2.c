// The kernels for processors with AVX2 and FMA (x86-64-v3: Intel since 2013, AMD since 2015).

#include "levels.h"
#include "simd.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define KERNEL(name) ck_avx2_##name
#define WIDE
#define TILE_LANES 8
#define TILE_ROWS 6
#include "kernels/all.h"
#include "kernels/quads.h"
#pragma clang attribute pop
#endif
