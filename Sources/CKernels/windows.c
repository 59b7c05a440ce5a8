// Loops over the sliding windows of one image: columns for the matrix product of a convolution. With channels last,
// the pixels of one kernel row are neighbours in memory, so a window is a few copies.

#include <string.h>

#include "internal.h"

// Where the window of output column ox begins in the image, and its columns that lie inside: from ..< to.
typedef struct {
  int32_t left, from, to;
} span;

static inline span columns_inside(const ck_window *w, int32_t ox) {
  const int32_t left = ox * w->stride - w->padding;
  return (span){
      left, left < 0 ? -left : 0, left + w->kernel > w->width ? w->width - left : w->kernel};
}

void ck_windows_to_columns(const ck_window *w, const float *image, int32_t first, int32_t rows, float *columns) {
  const size_t channels = (size_t)w->channels, run = (size_t)w->kernel * channels;
  for (int32_t oy = first; oy < first + rows; oy++)
    for (int32_t ox = 0; ox < w->out_width; ox++) {
      const span inside = columns_inside(w, ox);
      const int32_t left = inside.left, from = inside.from, to = inside.to;
      for (int32_t ky = 0; ky < w->kernel; ky++, columns += run) {
        const int32_t y = oy * w->stride - w->padding + ky;
        if (y < 0 || y >= w->height || from >= to) {
          memset(columns, 0, run * sizeof(float));
          continue;
        }
        const float *source = image + ((size_t)y * (size_t)w->width + (size_t)(left + from)) * channels;
        if (from > 0) memset(columns, 0, (size_t)from * channels * sizeof(float));
        memcpy(columns + (size_t)from * channels, source, (size_t)(to - from) * channels * sizeof(float));
        if (to < w->kernel)
          memset(columns + (size_t)to * channels, 0, (size_t)(w->kernel - to) * channels * sizeof(float));
      }
    }
}

VECTOR_VERSIONS
void ck_columns_to_windows(
    const ck_window *w, const float *restrict columns, int32_t first, int32_t rows, float *restrict image) {
  const size_t channels = (size_t)w->channels, run = (size_t)w->kernel * channels;
  for (int32_t oy = first; oy < first + rows; oy++)
    for (int32_t ox = 0; ox < w->out_width; ox++) {
      const span inside = columns_inside(w, ox);
      const int32_t left = inside.left, from = inside.from, to = inside.to;
      for (int32_t ky = 0; ky < w->kernel; ky++, columns += run) {
        const int32_t y = oy * w->stride - w->padding + ky;
        if (y < 0 || y >= w->height || from >= to) continue;
        float *target = image + ((size_t)y * (size_t)w->width + (size_t)(left + from)) * channels;
        const float *source = columns + (size_t)from * channels;
        const size_t count = (size_t)(to - from) * channels;
        for (size_t i = 0; i < count; i++) target[i] += source[i];
      }
    }
}
