// Lines of an image with zeros around them: nothing but copies, so one version serves all processors.

#include "include/CKernels.h"

#include <string.h>

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

void ck_pad_byte_lines(
    const uint8_t *image, size_t height, size_t width, size_t channels, ptrdiff_t first, size_t step, size_t lines,
    size_t before, size_t after, uint8_t fill, uint8_t *padded) {
  const size_t row = width * channels, left = before * channels, right = after * channels;
  for (size_t line = 0; line < lines; line++, padded += left + row + right) {
    const ptrdiff_t y = first + (ptrdiff_t)(line * step);
    if (y < 0 || y >= (ptrdiff_t)height) {
      memset(padded, fill, left + row + right);
    } else {
      memset(padded, fill, left);
      memcpy(padded + left, image + (size_t)y * row, row);
      memset(padded + left + row, fill, right);
    }
  }
}
