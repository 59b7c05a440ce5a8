// The kernels for processors with AVX-512 (x86-64-v4: its F, BW, CD, DQ and VL parts).

#include "levels.h"
#include "simd.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define KERNEL(name) ck_avx512_##name
// The compiler would by itself use half of AVX-512's width.
#define WIDE __attribute__((min_vector_width(512)))
#define TILE_LANES 16
#define TILE_ROWS 14
#include "kernels/all.h"
#include "kernels/quads.h"
#pragma clang attribute pop
#endif
