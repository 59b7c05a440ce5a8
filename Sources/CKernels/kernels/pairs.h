// Products of numbers rounded to bfloat16 (the upper half of a float), two neighboring steps to a pair in the place
// of a float. PAIR_INSTRUCTIONS: the processor multiplies both of a pair and adds them to a float in one instruction
// (AVX512-BF16); without it the same is done in four.

#pragma once

#include "gemm_steps.h"

// Two bfloat16, the earlier step in the lower half; lies in arrays that are declared as floats.
typedef uint32_t __attribute__((may_alias)) pair;

#define TILE(name) KERNEL(pairs_##name)
#define ELEMENT pair
#if defined(PAIR_INSTRUCTIONS)
#define MULTIPLY_ADD(sums, value, b) \
  ((KERNEL(pairs_vector))_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(value), (__m512bh)(b)))
#else
#define MULTIPLY_ADD(sums, value, b) \
  ((sums) + (KERNEL(pairs_vector))((value) << 16) * (KERNEL(pairs_vector))((b) << 16) \
   + (KERNEL(pairs_vector))((value) & 0xffff0000) * (KERNEL(pairs_vector))((b) & 0xffff0000))
#endif
#include "gemm_tiles.h"

// The nearest bfloat16, the even one of two equally near, in the upper half; a NaN stays one.
INLINE uint32_t rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t nearest = bits + 0x7fff + (bits >> 16 & 1);
  return value != value ? bits | 0x00400000 : nearest;
}

INLINE uint32_t pair_of(float earlier, float later) {
  return rounded(earlier) >> 16 | (rounded(later) & 0xffff0000);
}

// out[i] = the pair of earlier[step * i] and later[step * i]. A step of 2 means that later is earlier + 1.
INLINE void pair_up(const float *earlier, const float *later, size_t step, size_t count, pair *out) {
  size_t i = 0;
#if defined(PAIR_INSTRUCTIONS)
  // Two vectors become one, the second's numbers behind the first's; rows that are apart are then shuffled together.
  static const uint16_t shuffled[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i order = _mm512_loadu_si512(shuffled);
  for (; step == 1 && i + 16 <= count; i += 16) {
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(later + i), _mm512_loadu_ps(earlier + i));
    _mm512_storeu_si512(out + i, _mm512_permutexvar_epi16(order, both));
  }
  for (; step == 2 && i + 16 <= count; i += 16)
    _mm512_storeu_si512(
        out + i,
        (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(earlier + 2 * i + 16), _mm512_loadu_ps(earlier + 2 * i)));
  for (; step == 2 && i + 8 <= count; i += 8)
    _mm256_storeu_si256((__m256i *)(out + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(earlier + 2 * i)));
#endif
  for (; i < count; i++) out[i] = pair_of(earlier[step * i], later[step * i]);
}

static void KERNEL(round_pairs)(const float *source, size_t pairs, float *rounded_pairs) {
  pair_up(source, source + 1, 2, pairs, (pair *)rounded_pairs);
}

// Sixteen columns of sixteen pairs at a time: rounded as they lie, then turned.
static void pack_transposed(
    const float *source, size_t pairs, size_t columns, size_t column_stride, size_t panel_width, pair *panel) {
  pair block[16][16];
  for (size_t start = 0; start < pairs; start += 16)
    for (size_t column = 0; column < columns; column += 16) {
      const size_t deep = pairs - start < 16 ? pairs - start : 16;
      const size_t wide = columns - column < 16 ? columns - column : 16;
      for (size_t c = 0; c < wide; c++) {
        const float *from = source + (column + c) * column_stride + 2 * start;
        pair_up(from, from + 1, 2, deep, block[c]);
      }
      for (size_t p = 0; p < deep; p++)
        for (size_t c = 0; c < wide; c++) panel[(start + p) * panel_width + column + c] = block[c][p];
    }
}

static void KERNEL(pack_pairs)(
    const float *source, size_t depth, size_t columns, size_t row_stride, size_t column_stride, size_t first,
    size_t panel_width, size_t panel_stride, float *packed) {
  const size_t whole = depth / 2;
  for (size_t column = 0; column < columns; column += panel_width, packed += panel_stride) {
    const size_t present = columns - column < panel_width ? columns - column : panel_width;
    pair *panel = (pair *)packed + first * panel_width;
    const float *from = source + column * column_stride;
    if (column_stride == 1) {
      for (size_t p = 0; p < whole; p++)
        pair_up(from + 2 * p * row_stride, from + (2 * p + 1) * row_stride, 1, present, panel + p * panel_width);
    } else {
      pack_transposed(from, whole, present, column_stride, panel_width, panel);
    }
    if (depth % 2 == 1)
      for (size_t c = 0; c < present; c++)
        panel[whole * panel_width + c] = pair_of(from[2 * whole * row_stride + c * column_stride], 0);
    if (present < panel_width)
      for (size_t p = 0; p < whole + depth % 2; p++)
        for (size_t c = present; c < panel_width; c++) panel[p * panel_width + c] = 0;
  }
}
