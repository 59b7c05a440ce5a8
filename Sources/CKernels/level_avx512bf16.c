// Products of pairs of bfloat16, and what makes their sides, for processors with an instruction for them, AVX512-BF16.

#include "levels.h"
#include "simd.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define PAIR_INSTRUCTIONS
#define KERNEL(name) ck_avx512bf16_##name
#define WIDE __attribute__((min_vector_width(512)))
#define TILE_LANES 16
#define TILE_ROWS 14
#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))), apply_to = function)
#include "kernels/winograd_pairs.h"
#pragma clang attribute pop

const ck_pair_kernels ck_avx512bf16_pair_kernels = {
    .round_pairs = KERNEL(round_pairs),
    .pack_pairs = KERNEL(pack_pairs),
    .product = KERNEL(pairs_product),
    .winograd_input = KERNEL(winograd_input_pairs),
    .winograd_output_gradient = KERNEL(winograd_output_gradient_pairs)};
#endif
