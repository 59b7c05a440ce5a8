// The vector loops that Swift compiles to half the width the processor has: plain C loops that the compiler turns
// into vector code, built several times over and chosen by processor when the program is loaded. Each has a naive
// Swift twin in the tests.
//
// Arrays are channels last. Letters: rows = pixels of all images together, channels = C. No function allocates,
// none is given overlapping arrays unless it says so, and all counts may be zero.
#pragma once

#include <stddef.h>
#include <stdint.h>

// -- Processor -----------------------------------------------------------------------------------------------

/// The instruction set of the versions below that this processor runs: `x86-64-v3`. A constant string.
const char *ck_processor_level(void);

/// Tells the processor that this thread only looks whether something has changed: saves power, and lets the other
/// thread of a core run. Some tens of nanoseconds.
static inline void ck_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ volatile("yield");
#endif
}

// -- Elementwise ---------------------------------------------------------------------------------------------

/// y[i] += x[i]
void ck_add(float *y, const float *x, size_t count);
/// y[i] = max(y[i], 0); a NaN stays a NaN, so that it is seen in the loss.
void ck_relu(float *y, size_t count);
/// dy[i] = 0 where the forward output y[i] <= 0
void ck_relu_backward(float *dy, const float *y, size_t count);
/// y[i] *= factor
void ck_scale(float *y, float factor, size_t count);
/// Sum of x[i]^2 in double precision.
double ck_sum_of_squares(const float *x, size_t count);

// -- Batch norm ----------------------------------------------------------------------------------------------

/// Mean and sum of squared deviations of each channel of x [rows, channels], in two passes (meant for blocks that
/// stay in cache). work: [channels].
void ck_moments(const float *x, size_t rows, size_t channels, float *mean, float *squares);
/// y = x * scale[c] + shift[c]
void ck_scale_shift(float *y, const float *x, size_t rows, size_t channels, const float *scale, const float *shift);
/// sum_dy[c] += sum of dy; sum_dy_x[c] += sum of dy * (x - mean[c])
void ck_norm_backward_sums(
    const float *dy, const float *x, const float *mean, size_t rows, size_t channels, float *sum_dy,
    float *sum_dy_x);
/// dy = a[c] * dy + b[c] * x + d[c], in place
void ck_norm_backward_apply(
    float *dy, const float *x, size_t rows, size_t channels, const float *a, const float *b, const float *d);
/// sums[c] += sum of x[:, c]
void ck_column_sums(const float *x, size_t rows, size_t channels, float *sums);
/// x[r, c] += bias[c]
void ck_add_bias(float *x, size_t rows, size_t channels, const float *bias);

// -- Convolution ---------------------------------------------------------------------------------------------

/// The geometry of a convolution or pooling of one image [height, width, channels].
typedef struct {
  int32_t height, width, channels;
  int32_t out_height, out_width;
  int32_t kernel, stride, padding;
} ck_window;

/// Output rows first ..< first + rows of one image as a matrix [rows * out_width, kernel * kernel * channels]:
/// each row the window of one output pixel, zero where it reaches outside.
void ck_windows_to_columns(const ck_window *w, const float *image, int32_t first, int32_t rows, float *columns);
/// The transpose: adds each column entry to the image pixel it came from.
void ck_columns_to_windows(const ck_window *w, const float *columns, int32_t first, int32_t rows, float *image);

// -- Pooling -------------------------------------------------------------------------------------------------

/// Maximum of each window and which of its kernel * kernel places had it (the first of equal ones). Padding never
/// wins; a NaN wins over every number.
void ck_max_pool(const ck_window *w, const float *image, float *out, uint8_t *place);
/// Adds each output gradient to the place that had the maximum.
void ck_max_pool_backward(const ck_window *w, const float *out_gradient, const uint8_t *place, float *gradient);

// -- Optimiser -----------------------------------------------------------------------------------------------

/// One step of SGD with momentum: g = gradient * scale + decay * value; v = momentum * v + g (v = g at the first
/// step); value -= rate * (nesterov ? g + momentum * v : v).
void ck_sgd(
    float *value, float *velocity, const float *gradient, size_t count, float rate, float momentum, float decay,
    float gradient_scale, int nesterov);

// -- Images --------------------------------------------------------------------------------------------------
// Bytes, three a pixel, rows from the top. Weights are fixed point, 1 is 2^22, and those of one result add up to
// about 1; sums are rounded to 8 bits.

/// Each pixel of a row becomes a weighted sum of neighbours: target [rows, columns, 3], source [rows, width, 3].
/// source_count: the bytes that may be read from source on, rows * width * 3 or more.
/// starts: the first neighbour of each column. weights: [columns, pairs, 8], two neighbours at a time as
/// w0 w0 w0 w1 w1 w1 0 0; zero where there is no neighbour.
void ck_resample_rows(
    const uint8_t *source, size_t source_count, size_t width, size_t rows, const int32_t *starts,
    const int32_t *weights, size_t pairs, size_t columns, uint8_t *target);
/// A row as the weighted sum of `taps` rows of row_length bytes that follow each other: target [row_length].
void ck_resample_columns(
    const uint8_t *source, size_t row_length, const int32_t *weights, size_t taps, uint8_t *target);

// -- Checksum ------------------------------------------------------------------------------------------------

/// Whether the processor has an instruction for CRC-32C; without it ck_crc32c must not be called.
int ck_has_crc32c(void);
/// The remainder after more bytes; initial value and final complement are the caller's.
uint32_t ck_crc32c(uint32_t remainder, const void *bytes, size_t count);
