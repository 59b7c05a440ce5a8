// Holds the kernels against loops that anybody can read, without Swift: so that they can be tried where there is no
// Swift, compiled for another processor and run under an emulator. scripts/kernel-check builds and runs it.
//
// Prints a line a kernel with the largest difference, relative to the largest value, and exits with status 1 where one
// is beyond its bound.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static int failures = 0;

static void report(const char *name, double difference, double bound) {
  const int bad = !(difference <= bound);
  failures += bad;
  printf("%-28s %8.1e  at most %.0e%s\n", name, difference, bound, bad ? "  FAILED" : "");
}

// Numbers in -1 ..< 1, the same everywhere (Knuth's MMIX generator).
static uint64_t state = 1;
static float number(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (float)((double)(state >> 11) / 4503599627370496.0 - 1.0);
}

static float *numbers(size_t count) {
  // Not on a boundary of a vector, as in the middle of a larger array.
  float *values = (float *)malloc((count + 17) * sizeof(float)) + 1;
  for (size_t i = 0; i < count + 16; i++) values[i] = number();
  return values;
}

static float *copy(const float *values, size_t count) {
  float *other = (float *)malloc((count + 17) * sizeof(float)) + 1;
  memcpy(other, values, (count + 16) * sizeof(float));
  return other;
}

static double difference(const float *found, const double *wanted, size_t count) {
  double largest = 0, scale = 1e-30;
  for (size_t i = 0; i < count; i++) {
    if (!(fabs((double)found[i] - wanted[i]) <= largest)) largest = fabs((double)found[i] - wanted[i]);
    if (fabs(wanted[i]) > scale) scale = fabs(wanted[i]);
  }
  return largest / scale;
}

static void elementwise(void) {
  enum { N = 1003 };
  double wanted[N];
  float *x = numbers(N), *y = numbers(N), *z;

  z = copy(y, N);
  ck_add(z, x, N);
  for (int i = 0; i < N; i++) wanted[i] = (double)y[i] + x[i];
  report("add", difference(z, wanted, N), 1e-7);

  z = copy(y, N);
  ck_relu(z, N);
  for (int i = 0; i < N; i++) wanted[i] = y[i] > 0 ? y[i] : 0;
  report("relu", difference(z, wanted, N), 0);

  z = copy(y, N);
  ck_relu_backward(z, x, N);
  for (int i = 0; i < N; i++) wanted[i] = x[i] > 0 ? y[i] : 0;
  report("relu_backward", difference(z, wanted, N), 0);

  z = copy(y, N);
  ck_scale(z, 3.5f, N);
  for (int i = 0; i < N; i++) wanted[i] = 3.5 * y[i];
  report("scale", difference(z, wanted, N), 1e-7);

  double sum = 0;
  for (int i = 0; i < N; i++) sum += (double)x[i] * x[i];
  report("sum_of_squares", fabs(ck_sum_of_squares(x, N) - sum) / sum, 1e-14);

  float *value = copy(x, N), *velocity = copy(y, N), *gradient = numbers(N);
  ck_sgd(value, velocity, gradient, N, 0.1f, 0.9f, 1e-3f, 0.5f, 1);
  for (int i = 0; i < N; i++) {
    const double g = 0.5 * gradient[i] + 1e-3 * x[i], v = 0.9 * y[i] + g;
    wanted[i] = x[i] - 0.1 * (g + 0.9 * v);
  }
  report("sgd", difference(value, wanted, N), 3e-7);

  z = copy(y, N);
  ck_approach(z, x, 0.25f, N);
  for (int i = 0; i < N; i++) wanted[i] = y[i] + 0.25 * ((double)x[i] - y[i]);
  report("approach", difference(z, wanted, N), 2e-7);

  float *square = numbers(N);
  for (int i = 0; i < N; i++) square[i] *= square[i];
  float *squares = copy(square, N);
  const ck_adamw_step step = {0.1f, 0.125f, 0.75f, 0.25f, 2, 1e-3f, 0.5f, 0.5f};
  value = copy(x, N), velocity = copy(y, N);
  ck_adamw(value, velocity, squares, gradient, N, &step);
  for (int i = 0; i < N; i++) {
    const double g = 0.5 * gradient[i], m = y[i] + 0.125 * (g - y[i]), v = 0.75 * square[i] + 0.25 * g * g;
    wanted[i] = 0.5 * x[i] - 0.1f * m / (2 * sqrt(v) + 1e-3f);
  }
  report("adamw", difference(value, wanted, N), 1e-6);
}

static void batch_norm(size_t rows, size_t channels) {
  const size_t count = rows * channels;
  float *x = numbers(count), *dy = numbers(count), *addend = numbers(count), *y = copy(x, count);
  float *scale = numbers(channels), *shift = numbers(channels), *mean = numbers(channels);
  double *wanted = malloc(count * sizeof(double)), *mean64 = calloc(channels, sizeof(double));
  double *squares = calloc(channels, sizeof(double)), worst = 0;
  char name[64];

  ck_batchnorm_moments(x, rows, channels, 0, mean64, squares);
  for (size_t c = 0; c < channels; c++) {
    double m = 0, s = 0;
    for (size_t r = 0; r < rows; r++) m += x[r * channels + c];
    m /= (double)rows;
    for (size_t r = 0; r < rows; r++) s += (x[r * channels + c] - m) * (x[r * channels + c] - m);
    worst = fmax(worst, fmax(fabs(mean64[c] - m), fabs(squares[c] - s) / s));
  }
  snprintf(name, sizeof name, "norm_moments %zux%zu", rows, channels);
  report(name, worst, 2e-6);

  uint16_t *mask = calloc(ck_batchnorm_mask_words(channels) * (rows / ck_batchnorm_group(channels) + 1), sizeof(uint16_t));
  ck_batchnorm_apply(y, x, addend, rows, channels, scale, shift, 1, mask, 0);
  for (size_t i = 0; i < count; i++) {
    const double z = (double)x[i] * scale[i % channels] + shift[i % channels] + addend[i];
    wanted[i] = z > 0 ? z : 0;
  }
  snprintf(name, sizeof name, "norm_apply %zux%zu", rows, channels);
  report(name, difference(y, wanted, count), 3e-7);

  double *sum_dy = calloc(channels, sizeof(double)), *sum_dy_x = calloc(channels, sizeof(double));
  float *held = copy(dy, count);
  ck_batchnorm_backward_sums(held, x, rows, channels, mean, NULL, NULL, mask, sum_dy, sum_dy_x);
  worst = 0;
  for (size_t c = 0; c < channels; c++) {
    double g = 0, gx = 0;
    for (size_t r = 0; r < rows; r++) {
      const size_t i = r * channels + c;
      if (y[i] > 0) g += dy[i], gx += (double)dy[i] * (x[i] - mean[c]);
    }
    worst = fmax(worst, fmax(fabs(sum_dy[c] - g), fabs(sum_dy_x[c] - gx)));
  }
  snprintf(name, sizeof name, "norm_backward_sums %zux%zu", rows, channels);
  report(name, worst / sqrt((double)rows), 2e-6);

  float *dx = copy(dy, count);
  ck_batchnorm_backward_apply(dx, dy, x, addend, rows, channels, mean, scale, shift, mean, NULL, NULL);
  for (size_t i = 0; i < count; i++) {
    const size_t c = i % channels;
    wanted[i] = (double)scale[c] * dy[i] + (double)shift[c] * (x[i] - mean[c]) + mean[c] + addend[i];
  }
  snprintf(name, sizeof name, "norm_backward_apply %zux%zu", rows, channels);
  report(name, difference(dx, wanted, count), 4e-7);
}

// out [rows, columns] = A [rows, depth] B [depth, columns]
static void product(size_t rows, size_t depth, size_t columns) {
  const size_t lanes = ck_lanes(), width = 2 * lanes, panels = (columns + width - 1) / width;
  float *a = numbers(rows * depth), *b = numbers(depth * columns);
  float *packed = numbers(panels * depth * width), *out = numbers(rows * columns);
  ck_pack(b, depth, columns, columns, 1, 0, width, depth * width, packed);
  const ck_operand left = {a, 1, 0, rows, depth, 1, 0, depth, 1};
  const ck_panels right = {packed, depth * width, width};
  const ck_result result = {out, 0, columns};
  ck_gemm(&left, &right, columns, lanes, &result, 0, NULL);
  double *wanted = calloc(rows * columns, sizeof(double));
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      for (size_t d = 0; d < depth; d++) wanted[r * columns + c] += (double)a[r * depth + d] * b[d * columns + c];
  char name[64];
  snprintf(name, sizeof name, "product %zux%zux%zu", rows, depth, columns);
  report(name, difference(out, wanted, rows * columns), 2e-6);

  // The same of numbers that bfloat16 holds exactly, so that the result is exact as well as the rounding.
  const size_t pair_lanes = ck_pair_lanes(), pair_width = 2 * pair_lanes, half = (depth + 1) / 2;
  const size_t pair_panels = (columns + pair_width - 1) / pair_width;
  for (size_t i = 0; i < rows * depth; i++) a[i] = (float)(int)(a[i] * 64) / 64;
  for (size_t i = 0; i < depth * columns; i++) b[i] = (float)(int)(b[i] * 64) / 64;
  float *pairs = numbers(rows * half), *pair_packed = numbers(pair_panels * half * pair_width);
  if (depth % 2 == 0) {
    ck_round_pairs(a, rows * half, pairs);
    ck_pack_pairs(b, depth, columns, columns, 1, 0, pair_width, half * pair_width, pair_packed);
    const ck_operand pair_left = {pairs, 1, 0, rows, half, 1, 0, half, 1};
    const ck_panels pair_right = {pair_packed, half * pair_width, pair_width};
    ck_gemm_pairs(&pair_left, &pair_right, columns, pair_lanes, &result, 0, NULL);
    memset(wanted, 0, rows * columns * sizeof(double));
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c++)
        for (size_t d = 0; d < depth; d++) wanted[r * columns + c] += (double)a[r * depth + d] * b[d * columns + c];
    snprintf(name, sizeof name, "product_pairs %zux%zux%zu", rows, depth, columns);
    report(name, difference(out, wanted, rows * columns), 2e-6);
  }
}

// The same with what follows, in the place of what is added; and of bytes, whose results are exact.
static void finished_product(size_t rows, size_t depth, size_t columns) {
  const size_t lanes = ck_lanes(), width = 2 * lanes, panels = (columns + width - 1) / width;
  float *a = numbers(rows * depth), *b = numbers(depth * columns), *bias = numbers(columns);
  float *packed = numbers(panels * depth * width), *out = numbers(rows * columns);
  double *wanted = calloc(rows * columns, sizeof(double));
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) {
      double sum = bias[c] + out[r * columns + c];
      for (size_t d = 0; d < depth; d++) sum += (double)a[r * depth + d] * b[d * columns + c];
      wanted[r * columns + c] = sum > 0 ? sum : 0;
    }
  ck_pack(b, depth, columns, columns, 1, 0, width, depth * width, packed);
  const ck_operand left = {a, 1, 0, rows, depth, 1, 0, depth, 1};
  const ck_panels right = {packed, depth * width, width};
  const ck_result result = {out, 0, columns};
  const ck_finish finish = {bias, out, 1};
  ck_gemm(&left, &right, columns, lanes, &result, 0, &finish);
  char name[64];
  snprintf(name, sizeof name, "product_finished %zux%zux%zu", rows, depth, columns);
  report(name, difference(out, wanted, rows * columns), 2e-6);

  // Of numbers that bfloat16 holds exactly.
  const size_t pair_lanes = ck_pair_lanes(), pair_width = 2 * pair_lanes, half = (depth + 1) / 2;
  const size_t pair_panels = (columns + pair_width - 1) / pair_width;
  if (depth % 2 == 0) {
    for (size_t i = 0; i < rows * depth; i++) a[i] = (float)(int)(a[i] * 64) / 64;
    for (size_t i = 0; i < depth * columns; i++) b[i] = (float)(int)(b[i] * 64) / 64;
    float *pairs = numbers(rows * half), *pair_packed = numbers(pair_panels * half * pair_width);
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c++) {
        double sum = bias[c] + out[r * columns + c];
        for (size_t d = 0; d < depth; d++) sum += (double)a[r * depth + d] * b[d * columns + c];
        wanted[r * columns + c] = sum > 0 ? sum : 0;
      }
    ck_round_pairs(a, rows * half, pairs);
    ck_pack_pairs(b, depth, columns, columns, 1, 0, pair_width, half * pair_width, pair_packed);
    const ck_operand pair_left = {pairs, 1, 0, rows, half, 1, 0, half, 1};
    const ck_panels pair_right = {pair_packed, half * pair_width, pair_width};
    ck_gemm_pairs(&pair_left, &pair_right, columns, pair_lanes, &result, 0, &finish);
    snprintf(name, sizeof name, "product_pairs_finished %zux%zux%zu", rows, depth, columns);
    report(name, difference(out, wanted, rows * columns), 2e-6);
  }

  const size_t quads = (depth + 3) / 4, panel = ck_byte_panel(), byte_panels = (columns + panel - 1) / panel;
  uint8_t *x = malloc(rows * depth + 4), *y = malloc(rows * columns);
  int8_t *w = calloc(byte_panels * quads * panel * 4, 1);
  float *scale = numbers(columns);
  for (size_t i = 0; i < rows * depth; i++) x[i] = (uint8_t)(i * 37 % 256);
  for (size_t c = 0; c < columns; c++) {
    scale[c] = 0.001f;
    for (size_t d = 0; d < depth; d++)
      w[(c / panel * quads + d / 4) * panel * 4 + c % panel * 4 + d % 4] = (int8_t)((d * 11 + c * 7) % 255 - 127);
  }
  const ck_byte_operand bytes = {x, 1, 0, rows, depth, 1, 0, quads};
  for (int bounded = 0; bounded < 2; bounded++) {
    const ck_byte_finish byte_finish = {scale, bias, NULL, NULL, 0, 0, 128, y, NULL, 0, columns, bounded};
    memset(y, 0x55, rows * columns);
    ck_byte_product(&bytes, w, 0, columns, &byte_finish);
    size_t wrong = 0;
    for (size_t r = 0; r < rows; r++)
      for (size_t c = 0; c < columns; c++) {
        int32_t sum = 0;
        for (size_t d = 0; d < depth; d++) sum += x[r * depth + d] * (int8_t)((d * 11 + c * 7) % 255 - 127);
        volatile float product = (float)sum * scale[c];
        const float value = rintf(product + bias[c]) + 128;
        wrong += y[r * columns + c] != (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
      }
    snprintf(name, sizeof name, "product_bytes %s%zux%zux%zu", bounded ? "b " : "", rows, depth, columns);
    report(name, (double)wrong, 0.5);
  }
}

// A convolution 3x3 of one channel each way by Winograd's algorithm, and its gradients by taps and, where that has a form of
// its own, by pixels, beside the sums that define them.
static void winograd(const char *form_name, int32_t form, int32_t height, int32_t width, size_t channels) {
  const int32_t stride = form == CK_WINOGRAD_STRIDED ? 2 : 1, side = form == CK_WINOGRAD_F4 ? 4 : 2;
  const int32_t rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride;
  const size_t points = form == CK_WINOGRAD_F2 ? 16 : form == CK_WINOGRAD_F4 ? 36 : 25;
  const size_t in_count = (size_t)(height * width) * channels, out_count = (size_t)(rows * columns) * channels;
  const size_t tiles = (size_t)((rows + side - 1) / side) * (size_t)((columns + side - 1) / side);
  const size_t plane = tiles * channels;
  float *x = numbers(in_count), *w = numbers(9 * channels), *y = numbers(out_count), *dx = numbers(in_count);
  float *dw = numbers(9 * channels), *data = numbers(points * plane), *filter = numbers(points * channels);
  float *sums = calloc(points * plane, sizeof(float)), *gradient = numbers(points * plane);
  float *filter_sums = calloc(points * channels, sizeof(float));
  const ck_winograd_map map = {height, width, form, channels}, out_map = {rows, columns, form, channels};
  const ck_winograd_planes planes = {plane, channels, 0, channels};
  const ck_winograd_planes filter_planes = {channels, channels, 0, channels};
  const ck_winograd_taps taps = {channels, channels};
  ck_winograd_input(&map, x, channels, 0, tiles, data, &planes);
  ck_winograd_filter(form, w, &taps, 1, channels, filter, &filter_planes);
  // Channel by channel: the product of the transforms, element by element, added up where several are of one sum.
  size_t from[36], to[36];
  const size_t sum_of[5] = {0, 0, 1, 2, 2};
  for (size_t p = 0; p < points; p++) {
    from[p] = stride == 1 ? p : (size_t)ck_winograd_strided_order((int32_t)p / 5, (int32_t)p % 5);
    to[p] = stride == 1 ? p : 3 * sum_of[p / 5] + sum_of[p % 5];
    for (size_t t = 0; t < tiles; t++)
      for (size_t c = 0; c < channels; c++)
        sums[to[p] * plane + t * channels + c] +=
            data[from[p] * plane + t * channels + c] * filter[from[p] * channels + c];
  }
  ck_winograd_output(&out_map, sums, &planes, channels, 0, tiles, y, NULL);
  // y once more, as the gradient by the output.
  ck_winograd_output_gradient(&out_map, y, channels, 0, tiles, gradient, &planes);
  for (size_t p = 0; p < points; p++)
    for (size_t t = 0; t < tiles; t++)
      for (size_t c = 0; c < channels; c++)
        filter_sums[from[p] * channels + c] +=
            data[from[p] * plane + t * channels + c] * gradient[to[p] * plane + t * channels + c];
  ck_winograd_filter_gradient(form, filter_sums, &filter_planes, 1, channels, dw, &taps);
  double *wanted = calloc(out_count, sizeof(double)), *wanted_dx = calloc(in_count, sizeof(double));
  double *wanted_dw = calloc(9 * channels, sizeof(double));
  for (int32_t i = 0; i < rows; i++)
    for (int32_t j = 0; j < columns; j++)
      for (int32_t ky = 0; ky < 3; ky++)
        for (int32_t kx = 0; kx < 3; kx++) {
          const int32_t yy = i * stride + ky - 1, xx = j * stride + kx - 1;
          if (yy < 0 || xx < 0 || yy >= height || xx >= width) continue;
          for (size_t c = 0; c < channels; c++) {
            const size_t in = (size_t)(yy * width + xx) * channels + c, out = (size_t)(i * columns + j) * channels + c;
            const size_t tap = (size_t)(ky * 3 + kx) * channels + c;
            wanted[out] += (double)x[in] * w[tap];
            wanted_dx[in] += (double)y[out] * w[tap];
            wanted_dw[tap] += (double)y[out] * x[in];
          }
        }
  char name[64];
  snprintf(name, sizeof name, "winograd %s %dx%dx%zu", form_name, height, width, channels);
  report(name, difference(y, wanted, out_count), 4e-6);
  snprintf(name, sizeof name, "winograd %s %dx%dx%zu, by taps", form_name, height, width, channels);
  report(name, difference(dw, wanted_dw, 9 * channels), 4e-6);
  if (stride == 1) return;
  const size_t gradient_of[5] = {0, 3, 1, 2, 1};
  ck_winograd_map dy_map = out_map, dx_map = map;
  dy_map.form = dx_map.form = CK_WINOGRAD_STRIDED_GRADIENT;
  float *turned = numbers(9 * channels);
  for (size_t k = 0; k < 9; k++) memcpy(turned + k * channels, w + (8 - k) * channels, channels * sizeof(float));
  ck_winograd_input(&dy_map, y, channels, 0, tiles, data, &planes);
  ck_winograd_filter(CK_WINOGRAD_STRIDED_GRADIENT, turned, &taps, 1, channels, filter, &filter_planes);
  for (size_t p = 0; p < points; p++) {
    const size_t source = 4 * gradient_of[p / 5] + gradient_of[p % 5];
    for (size_t t = 0; t < tiles; t++)
      for (size_t c = 0; c < channels; c++)
        sums[from[p] * plane + t * channels + c] =
            data[source * plane + t * channels + c] * filter[from[p] * channels + c];
  }
  ck_winograd_output(&dx_map, sums, &planes, channels, 0, tiles, dx, NULL);
  snprintf(name, sizeof name, "winograd %s %dx%dx%zu, by pixels", form_name, height, width, channels);
  report(name, difference(dx, wanted_dx, in_count), 4e-6);
}

// Both halves of pairs [rows, columns], the earlier row or column first: to rows 2 r and 2 r + 1, or columns so.
static void unpair(const float *pairs, size_t rows, size_t columns, int of_tiles, float *out) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++)
      for (size_t half = 0; half < 2; half++) {
        uint32_t both;
        memcpy(&both, pairs + r * columns + c, sizeof both);
        const uint32_t bits = half ? both & 0xffff0000 : both << 16;
        memcpy(out + (of_tiles ? (2 * r + half) * columns + c : (r * columns + c) * 2 + half), &bits, sizeof bits);
      }
}

// What Winograd's algorithm transforms, in pairs, beside the floats.
static void winograd_pairs(int32_t tile, int32_t height, int32_t width, size_t channels) {
  const size_t points = (size_t)((tile + 2) * (tile + 2)), map_floats = (size_t)(height * width) * channels;
  const size_t tiles = (size_t)((height + tile - 1) / tile) * (size_t)((width + tile - 1) / tile);
  const size_t rows = (tiles + 1) / 2, plane = tiles * channels, pair_plane = rows * channels;
  const ck_winograd_map map = {height, width, tile == 4 ? CK_WINOGRAD_F4 : CK_WINOGRAD_F2, channels};
  const ck_winograd_planes planes = {plane, channels, 0, channels};
  const ck_winograd_planes of_tiles = {pair_plane, channels, 0, channels};
  const ck_winograd_planes of_channels = {plane / 2, channels, 0, channels / 2};
  float *x = numbers(map_floats), *floats = numbers(points * plane), *out = numbers(points * 2 * pair_plane);
  float *pairs = numbers(points * 2 * pair_plane);
  double *wanted = calloc(points * 2 * pair_plane, sizeof(double));
  char name[64];
  for (int kind = 0; kind < 3; kind++) {
    const int in_tiles = kind > 0;
    if (kind < 2) ck_winograd_input(&map, x, channels, 0, tiles, floats, &planes);
    else ck_winograd_output_gradient(&map, x, channels, 0, tiles, floats, &planes);
    const ck_winograd_planes *target = in_tiles ? &of_tiles : &of_channels;
    if (kind < 2) ck_winograd_input_pairs(&map, x, channels, 0, tiles, in_tiles, pairs, target);
    else ck_winograd_output_gradient_pairs(&map, x, channels, 0, tiles, pairs, target);
    const size_t made = in_tiles ? 2 * pair_plane : plane;
    for (size_t p = 0; p < points; p++) {
      unpair(
          pairs + p * target->plane, in_tiles ? rows : tiles, in_tiles ? channels : channels / 2, in_tiles,
          out + p * made);
      for (size_t i = 0; i < made; i++) wanted[p * made + i] = i < plane ? (double)floats[p * plane + i] : 0;
    }
    snprintf(
        name, sizeof name, "winograd_pairs %s F(%d) %zu", kind == 0 ? "c" : kind == 1 ? "t" : "g", tile, channels);
    report(name, difference(out, wanted, points * made), 4e-3);
  }
}

// No smaller for a larger number.
static uint8_t byte_of(float number) { return (uint8_t)(number * 120 + 128); }

static void max_pool(int32_t side, int32_t channels) {
  const ck_window w = {side, side, channels, (side + 1) / 2, (side + 1) / 2, 3, 2, 1};
  const size_t in = (size_t)(side * side * channels), out = (size_t)(w.out_height * w.out_width * channels);
  float *x = numbers(in), *y = numbers(out), *dx = numbers(in), *dy = numbers(out);
  uint8_t *place = malloc(out);
  double *wanted = malloc(out * sizeof(double)), *gradient = calloc(in, sizeof(double));
  ck_max_pool(&w, x, y, place);
  ck_max_pool_backward(&w, dy, place, dx);
  uint8_t *bytes = malloc(in), *most = malloc(out);
  for (size_t i = 0; i < in; i++) bytes[i] = byte_of(x[i]);
  ck_max_pool_bytes(&w, bytes, most);
  for (int32_t oy = 0; oy < w.out_height; oy++)
    for (int32_t ox = 0; ox < w.out_width; ox++)
      for (int32_t c = 0; c < channels; c++) {
        const size_t at = (size_t)((oy * w.out_width + ox) * channels + c);
        size_t best = 0;
        wanted[at] = -INFINITY;
        for (int32_t yy = 2 * oy - 1; yy < 2 * oy + 2; yy++)
          for (int32_t xx = 2 * ox - 1; xx < 2 * ox + 2; xx++) {
            if (yy < 0 || xx < 0 || yy >= side || xx >= side) continue;
            const size_t from = (size_t)((yy * side + xx) * channels + c);
            if (x[from] > wanted[at]) wanted[at] = x[from], best = from;
          }
        gradient[best] += dy[at];
      }
  char name[64];
  snprintf(name, sizeof name, "max_pool %dx%dx%d", side, side, channels);
  report(name, difference(y, wanted, out), 0);
  snprintf(name, sizeof name, "max_pool_backward %dx%dx%d", side, side, channels);
  report(name, difference(dx, gradient, in), 2e-7);
  size_t wrong = 0;
  for (size_t i = 0; i < out; i++) wrong += most[i] != byte_of((float)wanted[i]);
  snprintf(name, sizeof name, "max_pool_bytes %dx%dx%d", side, side, channels);
  report(name, (double)wrong, 0.5);
}

// A line of windows of 3 lines and 3 pixels, with `inputs` and `width` outputs a group, of which sixteen or fewer are made.
static void groups(size_t inputs, size_t width, size_t outputs, size_t first, size_t pixels, size_t stride) {
  const size_t channels = (outputs + width - 1) / width * inputs, columns = outputs - first < 16 ? outputs - first : 16;
  const size_t places = (pixels - 1) * stride + 3, steps = 3 * inputs, row = places * inputs * 16;
  float *x = numbers(3 * places * channels), *w = numbers(3 * steps * 16), *spread = numbers(3 * row);
  float *y = numbers(pixels * outputs), *dy = numbers(pixels * outputs), *dw = numbers(3 * steps * 16);
  const ck_groups g = {channels, first, outputs, inputs, width};
  for (size_t line = 0; line < 3; line++)
    ck_spread_groups(&g, x + line * places * channels, places, spread + line * row);
  const ck_spread a = {spread, 3, row, steps, stride * inputs * 16};
  double *result = malloc(pixels * outputs * sizeof(double)), *gradient = malloc(3 * steps * 16 * sizeof(double));
  for (size_t i = 0; i < pixels * outputs; i++) result[i] = (double)y[i];
  for (size_t i = 0; i < 3 * steps * 16; i++) gradient[i] = (double)dw[i];
  ck_group_products(&a, w, pixels, columns, y + first, outputs);
  ck_group_weight_gradient(&a, pixels, columns, dy + first, outputs, dw);
  for (size_t p = 0; p < pixels; p++)
    for (size_t l = 0; l < columns; l++) {
      double sum = 0;
      for (size_t line = 0; line < 3; line++)
        for (size_t tap = 0; tap < 3; tap++)
          for (size_t c = 0; c < inputs; c++) {
            const size_t channel = (first + l) / width * inputs + c, step = tap * inputs + c;
            const double value = (double)x[(line * places + p * stride + tap) * channels + channel];
            sum += value * (double)w[(line * steps + step) * 16 + l];
            gradient[(line * steps + step) * 16 + l] += value * (double)dy[p * outputs + first + l];
          }
      result[p * outputs + first + l] = sum;
    }
  char name[64];
  snprintf(name, sizeof name, "groups %zu to %zu, %zu of %zu", inputs, width, columns, outputs);
  report(name, difference(y, result, pixels * outputs), 1e-6);
  report("  weight gradient", difference(dw, gradient, 3 * steps * 16), 1e-6);
}

static void channels(size_t rows, size_t count) {
  float *x = numbers(rows * count), *y = numbers(rows * count), *factors = numbers(count), *shifts = numbers(count);
  double *wanted = malloc(rows * count * sizeof(double)), *sums = malloc(count * sizeof(double));
  float *found = copy(shifts, count);
  for (size_t c = 0; c < count; c++) sums[c] = (double)shifts[c];
  for (size_t i = 0; i < rows * count; i++) sums[i % count] += (double)x[i] * (double)y[i];
  ck_column_products(x, y, rows, count, found);
  report("column_products", difference(found, sums, count), 1e-6);
  for (size_t i = 0; i < rows * count; i++) wanted[i] = (double)x[i] * (double)factors[i % count] + (double)shifts[i % count];
  ck_scale_channels(y, x, rows, count, factors, shifts);
  report("scale_channels", difference(y, wanted, rows * count), 2e-7);
  for (size_t i = 0; i < rows * count; i++) wanted[i] -= (double)shifts[i % count];
  ck_scale_channels(x, x, rows, count, factors, NULL);
  report("scale_channels in place", difference(x, wanted, rows * count), 2e-7);
}

static void resample_columns(void) {
  enum { N = 203, TAPS = 5 };
  uint8_t source[N * TAPS], target[N];
  const int32_t weights[TAPS] = {1 << 20, 1 << 20, 1 << 20, 1 << 19, 1 << 19};
  for (int i = 0; i < N * TAPS; i++) source[i] = (uint8_t)(127.5 * (number() + 1));
  ck_resample_columns(source, N, weights, TAPS, target);
  int worst = 0;
  for (int i = 0; i < N; i++) {
    int32_t sum = 1 << 21;
    for (int tap = 0; tap < TAPS; tap++) sum += source[tap * N + i] * weights[tap];
    const int wanted = sum >> 22 < 255 ? sum >> 22 : 255;
    worst = abs(target[i] - wanted) > worst ? abs(target[i] - wanted) : worst;
  }
  report("resample_columns", worst, 0);
}

int main(void) {
  if (ck_refused_level() != NULL) {
    fprintf(stderr, "kernel-check: this processor has no '%s' kernels\n", ck_refused_level());
    return 2;
  }
  printf("kernels: %s, %zu lanes, %zu for pairs\n", ck_level(), ck_lanes(), ck_pair_lanes());
  elementwise();
  const size_t shapes[][2] = {{1, 1}, {77, 3}, {50, 16}, {33, 64}, {9, 1500}};
  for (size_t i = 0; i < 5; i++) batch_norm(shapes[i][0] + 1, shapes[i][1]);
  product(1, 1, 1);
  product(13, 27, 16);
  product(49, 576, 70);
  finished_product(1, 4, 1);
  finished_product(13, 27, 16);
  finished_product(49, 576, 70);
  finished_product(140, 1300, 33);
  for (size_t width = 1; width <= 8; width *= 2) groups(width, width, 32, 16, 19, 1);
  groups(4, 4, 20, 16, 70, 2);
  groups(8, 8, 8, 0, 1, 1);
  groups(3, 5, 35, 16, 9, 2);
  groups(20, 1, 7, 0, 15, 1);
  channels(19, 35);
  winograd("F4", CK_WINOGRAD_F4, 9, 14, 19);
  winograd("F2", CK_WINOGRAD_F2, 5, 5, 16);
  winograd("strided", CK_WINOGRAD_STRIDED, 9, 14, 19);
  winograd("strided", CK_WINOGRAD_STRIDED, 15, 8, 48);
  winograd_pairs(4, 9, 14, 48);
  winograd_pairs(4, 9, 9, 34);
  winograd_pairs(2, 5, 5, 22);
  max_pool(9, 19);
  max_pool(8, 150);
  resample_columns();
  return failures > 0;
}
