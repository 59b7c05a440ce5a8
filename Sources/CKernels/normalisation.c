// Sums and affine maps a channel: the loops of batch norm and of biases.

#include "internal.h"

VECTOR_VERSIONS
void ck_moments(
    const float *restrict x, size_t rows, size_t channels, float *restrict mean, float *restrict squares) {
  for (size_t c = 0; c < channels; c++) mean[c] = squares[c] = 0;
  if (rows == 0) return;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) mean[c] += x[r * channels + c];
  const float share = 1.0f / (float)rows;
  for (size_t c = 0; c < channels; c++) mean[c] *= share;
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) {
      const float deviation = x[r * channels + c] - mean[c];
      squares[c] += deviation * deviation;
    }
}

VECTOR_VERSIONS
void ck_scale_shift(
    float *restrict y, const float *restrict x, size_t rows, size_t channels, const float *restrict scale,
    const float *restrict shift) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) y[r * channels + c] = x[r * channels + c] * scale[c] + shift[c];
}

VECTOR_VERSIONS
void ck_norm_backward_sums(
    const float *restrict dy, const float *restrict x, const float *restrict mean, size_t rows, size_t channels,
    float *restrict sum_dy, float *restrict sum_dy_x) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) {
      const float g = dy[r * channels + c];
      sum_dy[c] += g;
      sum_dy_x[c] += g * (x[r * channels + c] - mean[c]);
    }
}

VECTOR_VERSIONS
void ck_norm_backward_apply(
    float *restrict dy, const float *restrict x, size_t rows, size_t channels, const float *restrict a,
    const float *restrict b, const float *restrict d) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) {
      const size_t i = r * channels + c;
      dy[i] = a[c] * dy[i] + b[c] * x[i] + d[c];
    }
}

VECTOR_VERSIONS
void ck_column_sums(const float *restrict x, size_t rows, size_t channels, float *restrict sums) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) sums[c] += x[r * channels + c];
}

VECTOR_VERSIONS
void ck_add_bias(float *restrict x, size_t rows, size_t channels, const float *restrict bias) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) x[r * channels + c] += bias[c];
}
