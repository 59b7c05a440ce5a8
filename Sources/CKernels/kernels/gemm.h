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
