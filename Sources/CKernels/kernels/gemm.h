// Matrix products A B for the shapes of convolutions: B is small (the weights) and packed beforehand into the order
// in which it is read; A is read where it lies, so that a convolution needs no matrix of columns. The inner loops are
// in gemm_tiles.h; products of numbers rounded to bfloat16 in pairs.h.

#include "gemm_steps.h"

#define TILE(name) KERNEL(float_##name)
#define ELEMENT float
#define MULTIPLY_ADD(sums, value, b) ((sums) + (value) * (b))
#include "gemm_tiles.h"

// A panel's row; full ones, nearly all, have one of few sizes, which the compiler turns into vector moves.
INLINE void copy_row(float *to, const float *from, size_t present, size_t width) {
  if (present == 32) {
    memcpy(to, from, 32 * sizeof(float));
  } else if (present == width && width == 16) {
    memcpy(to, from, 16 * sizeof(float));
  } else {
    for (size_t c = 0; c < present; c++) to[c] = from[c];
    for (size_t c = present; c < width; c++) to[c] = 0;
  }
}

typedef float KERNEL(four) __attribute__((vector_size(16)));
typedef float KERNEL(unaligned_four) __attribute__((vector_size(16), aligned(4), may_alias));

// to[d * to_row + c] = from[c * column + d] of four times four.
INLINE void KERNEL(transpose_square)(const float *from, size_t column, float *to, size_t to_row) {
  KERNEL(four) in[4], out[4];
  for (size_t c = 0; c < 4; c++) in[c] = *(const KERNEL(unaligned_four) *)(from + c * column);
  const KERNEL(four) low01 = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
  const KERNEL(four) low23 = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
  const KERNEL(four) high01 = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
  const KERNEL(four) high23 = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
  out[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  out[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  out[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  out[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
  for (size_t d = 0; d < 4; d++) *(KERNEL(unaligned_four) *)(to + d * to_row) = out[d];
}

// panel[d * panel_width + c] = from[c * column + d]
INLINE void KERNEL(transpose)(
    const float *from, size_t depth, size_t columns, size_t column, size_t panel_width, float *panel) {
  const size_t whole_depth = depth / 4 * 4, whole_columns = columns / 4 * 4;
  for (size_t c = 0; c < whole_columns; c += 4)
    for (size_t d = 0; d < whole_depth; d += 4)
      KERNEL(transpose_square)(from + c * column + d, column, panel + d * panel_width + c, panel_width);
  for (size_t c = 0; c < columns; c++)
    for (size_t d = c < whole_columns ? whole_depth : 0; d < depth; d++) panel[d * panel_width + c] = from[c * column + d];
}

static void KERNEL(pack)(
    const float *restrict source, size_t depth, size_t columns, size_t row_stride, size_t column_stride,
    size_t first, size_t panel_width, size_t panel_stride, float *restrict packed) {
  for (size_t column = 0; column < columns; column += panel_width, packed += panel_stride) {
    const size_t present = columns - column < panel_width ? columns - column : panel_width;
    float *panel = packed + first * panel_width;
    const float *from = source + column * column_stride;
    if (column_stride == 1) {
      for (size_t d = 0; d < depth; d++) copy_row(panel + d * panel_width, from + d * row_stride, present, panel_width);
    } else {
      // Neighboring steps are neighbors in memory: row_stride is 1. Sixteen at a time: what is read and what is written stay in the first cache.
      for (size_t start = 0; start < depth; start += 16) {
        const size_t end = depth - start < 16 ? depth : start + 16;
        KERNEL(transpose)(from + start, end - start, present, column_stride, panel_width, panel + start * panel_width);
        for (size_t c = present; c < panel_width; c++)
          for (size_t d = start; d < end; d++) panel[d * panel_width + c] = 0;
      }
    }
  }
}
