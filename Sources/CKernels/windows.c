// Loops over the sliding windows of one image: columns for the matrix product of a convolution, and max pooling.
// With channels last, the pixels of one kernel row are neighbours in memory, so a window is a few copies.

#include <float.h>
#include <math.h>
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

VECTOR_VERSIONS
void ck_max_pool(const ck_window *w, const float *restrict image, float *restrict out, uint8_t *restrict place) {
  const size_t channels = (size_t)w->channels;
  for (int32_t oy = 0; oy < w->out_height; oy++)
    for (int32_t ox = 0; ox < w->out_width; ox++, out += channels, place += channels) {
      for (size_t c = 0; c < channels; c++) {
        out[c] = -INFINITY;
        place[c] = UINT8_MAX;
      }
      for (int32_t k = 0; k < w->kernel * w->kernel; k++) {
        const int32_t y = oy * w->stride - w->padding + k / w->kernel;
        const int32_t x = ox * w->stride - w->padding + k % w->kernel;
        if (y < 0 || y >= w->height || x < 0 || x >= w->width) continue;
        const float *pixel = image + ((size_t)y * (size_t)w->width + (size_t)x) * channels;
        for (size_t c = 0; c < channels; c++) {
          // The first place is taken whatever it holds (it may be minus infinity); then only a larger one, or a NaN.
          const int better = place[c] == UINT8_MAX || pixel[c] > out[c] || pixel[c] != pixel[c];
          out[c] = better ? pixel[c] : out[c];
          place[c] = better ? (uint8_t)k : place[c];
        }
      }
    }
}

void ck_max_pool_backward(
    const ck_window *w, const float *restrict out_gradient, const uint8_t *restrict place,
    float *restrict gradient) {
  const size_t channels = (size_t)w->channels;
  for (int32_t oy = 0; oy < w->out_height; oy++)
    for (int32_t ox = 0; ox < w->out_width; ox++, out_gradient += channels, place += channels)
      for (size_t c = 0; c < channels; c++) {
        const int32_t y = oy * w->stride - w->padding + place[c] / w->kernel;
        const int32_t x = ox * w->stride - w->padding + place[c] % w->kernel;
        gradient[((size_t)y * (size_t)w->width + (size_t)x) * channels + c] += out_gradient[c];
      }
}
