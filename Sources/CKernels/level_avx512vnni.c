// Products of bytes for processors with an instruction for quads of them, AVX512-VNNI.

#include "levels.h"
#include "simd.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define QUAD_INSTRUCTIONS
#define KERNEL(name) ck_avx512vnni_##name
#define WIDE __attribute__((min_vector_width(512)))
#define TILE_LANES 16
#define TILE_ROWS 14
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,avx512vnni"), min_vector_width(512))), apply_to = function)
#include "kernels/quads.h"
#pragma clang attribute pop
#endif
