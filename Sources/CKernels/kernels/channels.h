// Maps whose channels are multiplied by numbers of their own, as squeeze-and-excitation does, and the sums for the way
// back.

static void KERNEL(scale_channels)(
    float *y, const float *x, size_t rows, size_t channels, const float *restrict factors, const float *restrict shifts) {
  for (size_t r = 0; r < rows; r++, y += channels, x += channels)
    if (shifts != NULL)
      for (size_t c = 0; c < channels; c++) y[c] = x[c] * factors[c] + shifts[c];
    else
      for (size_t c = 0; c < channels; c++) y[c] = x[c] * factors[c];
}

static void KERNEL(column_products)(
    const float *restrict x, const float *restrict y, size_t rows, size_t channels, float *restrict sums) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) sums[c] += x[r * channels + c] * y[r * channels + c];
}
