// The kernels of one instruction set as a table of functions, and which tables there are. A kernel that is added gets a
// row in EACH_KERNEL.
#pragma once

#include "include/CKernels.h"

/// K(result, name, (parameters), (arguments)) of each kernel that is compiled once an instruction set.
#define EACH_KERNEL(K)                                                                                             \
  K(void, add, (float *y, const float *x, size_t count), (y, x, count))                                            \
  K(void, relu, (float *y, size_t count), (y, count))                                                              \
  K(void, relu_backward, (float *dy, const float *y, size_t count), (dy, y, count))                                \
  K(void, scale, (float *y, float factor, size_t count), (y, factor, count))                                       \
  K(double, sum_of_squares, (const float *x, size_t count), (x, count))                                            \
  K(void, sgd,                                                                                                     \
    (float *value, float *velocity, const float *gradient, size_t count, float rate, float momentum, float decay,  \
     float gradient_scale, int nesterov),                                                                          \
    (value, velocity, gradient, count, rate, momentum, decay, gradient_scale, nesterov))                           \
  K(void, approach, (float *y, const float *x, float share, size_t count), (y, x, share, count))                   \
  K(void, adamw,                                                                                                   \
    (float *value, float *mean, float *square, const float *gradient, size_t count, const ck_adamw_step *step),    \
    (value, mean, square, gradient, count, step))                                                                  \
  K(void, batchnorm_moments,                                                                                       \
    (const float *x, size_t rows, size_t channels, size_t rows_before, double *mean, double *squares),             \
    (x, rows, channels, rows_before, mean, squares))                                                               \
  K(void, batchnorm_apply,                                                                                         \
    (float *y, const float *x, const float *addend, size_t rows, size_t channels, const float *weight,             \
     const float *bias, int relu, uint16_t *mask, int streaming),                                                  \
    (y, x, addend, rows, channels, weight, bias, relu, mask, streaming))                                           \
  K(void, batchnorm_backward_sums,                                                                                 \
    (float *dy, const float *x, size_t rows, size_t channels, const float *mean, const float *weight,              \
     const float *bias, const uint16_t *mask, double *sum_dy, double *sum_dy_x),                                   \
    (dy, x, rows, channels, mean, weight, bias, mask, sum_dy, sum_dy_x))                                           \
  K(void, batchnorm_backward_apply,                                                                                \
    (float *dx, const float *dy, const float *x, const float *addend, size_t rows, size_t channels,                \
     const float *mean, const float *a, const float *b, const float *d, const float *weight, const float *bias),   \
    (dx, dy, x, addend, rows, channels, mean, a, b, d, weight, bias))                                              \
  K(void, column_sums, (const float *x, size_t rows, size_t channels, float *sums), (x, rows, channels, sums))     \
  K(void, add_bias, (float *x, size_t rows, size_t channels, const float *bias), (x, rows, channels, bias))        \
  K(void, scale_channels,                                                                                          \
    (float *y, const float *x, size_t rows, size_t channels, const float *factors, const float *shifts),           \
    (y, x, rows, channels, factors, shifts))                                                                       \
  K(void, column_products,                                                                                         \
    (const float *x, const float *y, size_t rows, size_t channels, float *sums), (x, y, rows, channels, sums))     \
  K(void, pack,                                                                                                    \
    (const float *source, size_t depth, size_t columns, size_t row_stride, size_t column_stride, size_t first,     \
     size_t panel_width, size_t panel_stride, float *packed),                                                      \
    (source, depth, columns, row_stride, column_stride, first, panel_width, panel_stride, packed))                 \
  K(void, spread_groups, (const ck_groups *g, const float *pixels, size_t count, float *out),                      \
    (g, pixels, count, out))                                                                                       \
  K(void, group_products,                                                                                          \
    (const ck_spread *a, const float *weights, size_t pixels, size_t columns, float *out, size_t out_stride),      \
    (a, weights, pixels, columns, out, out_stride))                                                                \
  K(void, group_weight_gradient,                                                                                   \
    (const ck_spread *a, size_t pixels, size_t columns, const float *dy, size_t dy_stride, float *sums),           \
    (a, pixels, columns, dy, dy_stride, sums))                                                                     \
  K(void, winograd_input,                                                                                          \
    (const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, float *out,          \
     const ck_winograd_planes *planes),                                                                            \
    (map, x, channels, first, count, out, planes))                                                                 \
  K(void, winograd_output,                                                                                         \
    (const ck_winograd_map *map, const float *in, const ck_winograd_planes *planes, size_t channels,               \
     size_t first, size_t count, float *y, const ck_finish *finish),                                               \
    (map, in, planes, channels, first, count, y, finish))                                                          \
  K(void, winograd_output_gradient,                                                                                \
    (const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,         \
     const ck_winograd_planes *planes),                                                                            \
    (map, dy, channels, first, count, out, planes))                                                                \
  K(void, winograd_filter,                                                                                         \
    (int32_t form, const float *w, const ck_winograd_taps *taps, size_t rows, size_t columns, float *out,          \
     const ck_winograd_planes *planes),                                                                            \
    (form, w, taps, rows, columns, out, planes))                                                                   \
  K(void, winograd_filter_gradient,                                                                                \
    (int32_t form, const float *in, const ck_winograd_planes *planes, size_t rows, size_t columns, float *dw,      \
     const ck_winograd_taps *taps),                                                                                \
    (form, in, planes, rows, columns, dw, taps))                                                                   \
  K(void, winograd_flip,                                                                                           \
    (const float *w, size_t inputs, size_t outputs, size_t first, size_t count, float *out),                       \
    (w, inputs, outputs, first, count, out))                                                                       \
  K(void, max_pool, (const ck_window *w, const float *image, float *out, uint8_t *argmax), (w, image, out, argmax))\
  K(void, max_pool_backward,                                                                                       \
    (const ck_window *w, const float *out_gradient, const uint8_t *argmax, float *gradient),                       \
    (w, out_gradient, argmax, gradient))                                                                           \
  K(void, max_pool_bytes, (const struct ck_window *w, const uint8_t *image, uint8_t *out), (w, image, out))         \
  K(void, resample_rows,                                                                                           \
    (const uint8_t *source, size_t source_count, size_t width, size_t rows, const int32_t *starts,                 \
     const int32_t *weights, size_t pairs, size_t columns, uint8_t *target),                                       \
    (source, source_count, width, rows, starts, weights, pairs, columns, target))                                  \
  K(void, resample_columns,                                                                                        \
    (const uint8_t *source, size_t row_length, const int32_t *weights, size_t taps, uint8_t *target),              \
    (source, row_length, weights, taps, target))

typedef void ck_gemm_of_level(
    const ck_operand *a, const ck_panels *b, size_t columns, const ck_result *out, int accumulate,
    const ck_finish *finish);

#define MEMBER(result, name, parameters, arguments) result(*name) parameters;
typedef struct {
  EACH_KERNEL(MEMBER)
  ck_gemm_of_level *product;
} ck_kernels;
#undef MEMBER

/// Products of pairs of bfloat16, and what makes their sides.
typedef struct {
  void (*round_pairs)(const float *source, size_t pairs, float *rounded_pairs);
  void (*pack_pairs)(
      const float *source, size_t depth, size_t columns, size_t row_stride, size_t column_stride, size_t first,
      size_t panel_width, size_t panel_stride, float *packed);
  ck_gemm_of_level *product;
  void (*winograd_input)(
      const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, int of_tiles,
      float *out, const ck_winograd_planes *planes);
  void (*winograd_output_gradient)(
      const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
      const ck_winograd_planes *planes);
} ck_pair_kernels;

/// Products of bytes.
typedef struct {
  void (*product)(
      const ck_byte_operand *a, const int8_t *panels, size_t first, size_t columns, const ck_byte_finish *finish);
  void (*round_bytes)(const float *x, size_t count, float factor, int32_t zero, uint8_t *out);
  void (*unround_bytes)(const uint8_t *x, size_t count, float scale, int32_t zero, float *out);
} ck_quad_kernels;

/// What every processor of the architecture runs: SSE2 on x86-64, NEON on 64-bit ARM.
extern const ck_kernels ck_base_kernels;
extern const ck_pair_kernels ck_base_pair_kernels;
extern const ck_quad_kernels ck_base_quad_kernels;
#if defined(__x86_64__)
extern const ck_kernels ck_avx2_kernels, ck_avx512_kernels;
extern const ck_pair_kernels ck_avx512bf16_pair_kernels;
extern const ck_quad_kernels ck_avx2_quad_kernels, ck_avx512_quad_kernels, ck_avx512vnni_quad_kernels;
#endif
