// Matrix products A B for the shapes of convolutions: B is small (the weights) and packed beforehand into the order
// in which it is read; A is read where it lies, so that a convolution needs no matrix of columns. The inner loops are
// in product_tiles.h, once an instruction set.
//
// Both can be rounded to bfloat16 (the upper half of a float), two neighbouring steps to a pair in the place of a
// float: then one instruction multiplies both and adds to sums that are floats as before.

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "../internal.h"

// Two bfloat16, the earlier step in the lower half; lies in arrays that are declared as floats.
typedef uint32_t __attribute__((may_alias)) pair;

// ROWS_n(X) is X(0) X(1) ... X(n - 1).
#define ROWS_1(X) X(0)
#define ROWS_2(X) ROWS_1(X) X(1)
#define ROWS_3(X) ROWS_2(X) X(2)
#define ROWS_4(X) ROWS_3(X) X(3)
#define ROWS_5(X) ROWS_4(X) X(4)
#define ROWS_6(X) ROWS_5(X) X(5)
#define ROWS_7(X) ROWS_6(X) X(6)
#define ROWS_8(X) ROWS_7(X) X(7)
#define ROWS_9(X) ROWS_8(X) X(8)
#define ROWS_10(X) ROWS_9(X) X(9)
#define ROWS_11(X) ROWS_10(X) X(10)
#define ROWS_12(X) ROWS_11(X) X(11)
#define ROWS_13(X) ROWS_12(X) X(12)
#define ROWS_14(X) ROWS_13(X) X(13)

// Where the value of a row stands: an address that the processor forms by itself.
#define ROW_VALUE_0 p0[0]
#define ROW_VALUE_1 p0[row]
#define ROW_VALUE_2 p0[2 * row]
#define ROW_VALUE_3 p1[0]
#define ROW_VALUE_4 p1[row]
#define ROW_VALUE_5 p1[2 * row]
#define ROW_VALUE_6 p2[0]
#define ROW_VALUE_7 p2[row]
#define ROW_VALUE_8 p2[2 * row]
#define ROW_VALUE_9 p3[0]
#define ROW_VALUE_10 p3[row]
#define ROW_VALUE_11 p3[2 * row]
#define ROW_VALUE_12 p4[0]
#define ROW_VALUE_13 p4[row]

// A sum of many steps is added up in parts of about so many: the rounding errors are those of shorter sums, and the
// part of the panel stays in the cache.
enum { DEPTH = 512 };

static inline size_t steps_at_once(const ck_operand *a, size_t done) {
  const size_t left = a->steps - done, parts = (left + DEPTH - 1) / DEPTH;
  return (left + parts - 1) / parts;
}

static inline size_t segments_at_once(const ck_operand *a, size_t done) {
  const size_t left = a->segments - done, most = a->steps < DEPTH ? DEPTH / a->steps : 1;
  return left < most ? left : most;
}

#define FLOAT_MULTIPLY_ADD(sums, value, b) ((sums) + (value) * (b))

#if defined(__x86_64__)
// The compiler would by itself use half of AVX-512's width.
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define LANES 16
#define TILE_ROWS 14
#define LEVEL(name) v4_##name
#define ELEMENT float
#define MULTIPLY_ADD FLOAT_MULTIPLY_ADD
#include "product_tiles.h"
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512))), apply_to = function)
#define LANES 16
#define TILE_ROWS 14
#define LEVEL(name) bf16_pairs_##name
#define ELEMENT pair
#define MULTIPLY_ADD(sums, value, b) \
  ((bf16_pairs_vector)_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(value), (__m512bh)(b)))
#include "product_tiles.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LANES 8
#define TILE_ROWS 6
#define LEVEL(name) v3_##name
#define ELEMENT float
#define MULTIPLY_ADD FLOAT_MULTIPLY_ADD
#include "product_tiles.h"
#pragma clang attribute pop
#endif

#define LANES 4
#define TILE_ROWS 6
#define LEVEL(name) plain_##name
#define ELEMENT float
#define MULTIPLY_ADD FLOAT_MULTIPLY_ADD
#include "product_tiles.h"

// What the dot-product instruction does, in four instructions: for processors without it, and to compare with.
#define LANES 4
#define TILE_ROWS 6
#define LEVEL(name) plain_pairs_##name
#define ELEMENT pair
#define MULTIPLY_ADD(sums, value, b) \
  ((sums) + (plain_pairs_vector)((value) << 16) * (plain_pairs_vector)((b) << 16) \
   + (plain_pairs_vector)((value) & 0xffff0000) * (plain_pairs_vector)((b) & 0xffff0000))
#include "product_tiles.h"

size_t ck_lanes(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) return 16;
  if (__builtin_cpu_supports("x86-64-v3")) return 8;
#endif
  return 4;
}

size_t ck_pair_lanes(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16")) return 16;
#endif
  return 4;
}

// A panel's row; full ones, nearly all, have one of few sizes, which the compiler turns into vector moves.
static inline __attribute__((always_inline)) void copy_row(float *to, const float *from, size_t present, size_t width) {
  if (present == 32) {
    memcpy(to, from, 32 * sizeof(float));
  } else if (present == width && width == 16) {
    memcpy(to, from, 16 * sizeof(float));
  } else {
    for (size_t c = 0; c < present; c++) to[c] = from[c];
    for (size_t c = present; c < width; c++) to[c] = 0;
  }
}

VECTOR_VERSIONS
void ck_pack(
    const float *restrict source, size_t depth, size_t columns, size_t row_stride, size_t column_stride,
    size_t first, size_t panel_width, size_t panel_stride, float *restrict packed) {
  for (size_t column = 0; column < columns; column += panel_width, packed += panel_stride) {
    const size_t present = columns - column < panel_width ? columns - column : panel_width;
    float *panel = packed + first * panel_width;
    const float *from = source + column * column_stride;
    if (column_stride == 1) {
      for (size_t d = 0; d < depth; d++) copy_row(panel + d * panel_width, from + d * row_stride, present, panel_width);
    } else {
      // Sixteen rows at a time: what is read and what is written stay in the first cache.
      for (size_t start = 0; start < depth; start += 16) {
        const size_t end = depth - start < 16 ? depth : start + 16;
        for (size_t c = 0; c < present; c++)
          for (size_t d = start; d < end; d++)
            panel[d * panel_width + c] = from[d * row_stride + c * column_stride];
        for (size_t c = present; c < panel_width; c++)
          for (size_t d = start; d < end; d++) panel[d * panel_width + c] = 0;
      }
    }
  }
}

void ck_product(
    const ck_operand *a, const ck_panels *b, size_t columns, size_t lanes, const ck_result *out, int accumulate) {
  if (a->rows == 0) return;
  switch (lanes) {
#if defined(__x86_64__)
    case 16: v4_product(a, b, columns, out, accumulate); break;
    case 8: v3_product(a, b, columns, out, accumulate); break;
#endif
    default: plain_product(a, b, columns, out, accumulate);
  }
}

void ck_product_pairs(
    const ck_operand *a, const ck_panels *b, size_t columns, size_t lanes, const ck_result *out, int accumulate) {
  if (a->rows == 0) return;
  switch (lanes) {
#if defined(__x86_64__)
    case 16: bf16_pairs_product(a, b, columns, out, accumulate); break;
#endif
    default: plain_pairs_product(a, b, columns, out, accumulate);
  }
}

// The nearest bfloat16, the even one of two equally near, in the upper half; a NaN stays one.
static inline __attribute__((always_inline)) uint32_t rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t nearest = bits + 0x7fff + (bits >> 16 & 1);
  return value != value ? bits | 0x00400000 : nearest;
}

static inline __attribute__((always_inline)) uint32_t pair_of(float earlier, float later) {
  return rounded(earlier) >> 16 | (rounded(later) & 0xffff0000);
}

VECTOR_VERSIONS
static void plain_pair_up(const float *earlier, const float *later, size_t step, size_t count, pair *out) {
  for (size_t i = 0; i < count; i++) out[i] = pair_of(earlier[step * i], later[step * i]);
}

#if defined(__x86_64__)
// Two vectors become one, the second's numbers behind the first's; rows that are apart are then shuffled together.
__attribute__((target("arch=x86-64-v4,avx512bf16"), min_vector_width(512)))
static void bf16_pair_up(const float *earlier, const float *later, size_t step, size_t count, pair *out) {
  static const uint16_t shuffled[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i order = _mm512_loadu_si512(shuffled);
  size_t i = 0;
  for (; step == 1 && i + 16 <= count; i += 16) {
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(later + i), _mm512_loadu_ps(earlier + i));
    _mm512_storeu_si512(out + i, _mm512_permutexvar_epi16(order, both));
  }
  for (; step == 2 && i + 16 <= count; i += 16)
    _mm512_storeu_si512(
        out + i,
        (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(earlier + 2 * i + 16), _mm512_loadu_ps(earlier + 2 * i)));
  for (; i < count; i++) out[i] = pair_of(earlier[step * i], later[step * i]);
}
#endif

// out[i] = the pair of earlier[step * i] and later[step * i]. A step of 2 means that later is earlier + 1.
static void pair_up(const float *earlier, const float *later, size_t step, size_t count, pair *out) {
#if defined(__x86_64__)
  if (ck_pair_lanes() == 16) return bf16_pair_up(earlier, later, step, count, out);
#endif
  plain_pair_up(earlier, later, step, count, out);
}

void ck_round_pairs(const float *source, size_t pairs, float *rounded_pairs) {
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

void ck_pack_pairs(
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

void ck_pad_lines(
    const float *image, size_t height, size_t width, size_t channels, ptrdiff_t first, size_t step, size_t lines,
    size_t before, size_t after, float *padded) {
  const size_t row = width * channels, left = before * channels, right = after * channels;
  for (size_t line = 0; line < lines; line++, padded += left + row + right) {
    const ptrdiff_t y = first + (ptrdiff_t)(line * step);
    if (y < 0 || y >= (ptrdiff_t)height) {
      memset(padded, 0, (left + row + right) * sizeof(float));
    } else {
      memset(padded, 0, left * sizeof(float));
      memcpy(padded + left, image + (size_t)y * row, row * sizeof(float));
      memset(padded + left + row, 0, right * sizeof(float));
    }
  }
}
