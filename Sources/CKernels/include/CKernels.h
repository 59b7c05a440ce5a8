// The vector loops that Swift compiles to half the width the processor has: plain C loops that the compiler turns
// into vector code, built several times over and chosen by processor when the program is loaded. Each has a naive
// Swift twin in the tests.
//
// Arrays are channels last. Letters: rows = pixels of all images together, channels = C. No function allocates,
// none is given overlapping arrays unless it says so, and all counts may be zero.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ck_window;

// -- Processor -----------------------------------------------------------------------------------------------

/// The instruction set of the versions of the functions below that run: `avx512`, `avx2` or `sse2`, `neon` on 64-bit
/// ARM, else `portable`. The best that the processor has, or the one that SKIPLINE_KERNELS in the environment names.
const char *ck_level(void);
/// Has another version run from now on, one that this processor has. To be called before anything is computed, by a program
/// that has no other thread that could.
/// Returns 0 where it has none of this name.
int ck_choose_level(const char *name);
/// Those that this processor has, the best first; NULL behind the last.
const char *ck_level_at(size_t index);
/// What SKIPLINE_KERNELS names where this processor has no such version; else NULL.
const char *ck_refused_level(void);

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

// Of matrices [rows, channels]. Functions that are called for parts of one must be given whole groups of rows, but for
// the last part; then a mask's words are those of the groups before.

/// Rows in a group: as many as fill whole vectors, 1 where that would be too many.
size_t ck_batchnorm_group(size_t channels);
/// Words of a mask that a group takes.
size_t ck_batchnorm_mask_words(size_t channels);
/// Goes on with mean[c] and squares[c] (the sum of squared deviations) of rows_before rows through these rows.
void ck_batchnorm_moments(
    const float *x, size_t rows, size_t channels, size_t rows_before, double *mean, double *squares);
/// y = x * weight[c] + bias[c] + addend, and no less than 0 where relu is set; a NaN stays a NaN.
/// addend: NULL for none. mask: NULL, or with an addend and relu a bit an element, set where y > 0.
/// y may be x or addend. streaming: y will not be read soon and need not stay in the caches.
void ck_batchnorm_apply(
    float *y, const float *x, const float *addend, size_t rows, size_t channels, const float *weight,
    const float *bias, int relu, uint16_t *mask, int streaming);
/// sum_dy[c] += sum of g; sum_dy_x[c] += sum of g * (x - mean[c]).
/// With a mask g is dy where its bit is set, else 0, and replaces dy; with a weight g is dy where
/// x * weight[c] + bias[c] > 0, else 0; with neither (NULL) g is dy.
void ck_batchnorm_backward_sums(
    float *dy, const float *x, size_t rows, size_t channels, const float *mean, const float *weight,
    const float *bias, const uint16_t *mask, double *sum_dy, double *sum_dy_x);
/// dx = a[c] * g + b[c] * (x - mean[c]) + d[c] + addend. With a weight g is dy where x * weight[c] + bias[c] > 0, else
/// 0. addend: NULL for none. dx may be dy or x or addend.
void ck_batchnorm_backward_apply(
    float *dx, const float *dy, const float *x, const float *addend, size_t rows, size_t channels, const float *mean,
    const float *a, const float *b, const float *d, const float *weight, const float *bias);
/// sums[c] += sum of x[:, c]
void ck_column_sums(const float *x, size_t rows, size_t channels, float *sums);
/// x[r, c] += bias[c]
void ck_add_bias(float *x, size_t rows, size_t channels, const float *bias);

/// y[r, c] = x[r, c] * factors[c] + shifts[c]. shifts: NULL for none. y may be x.
void ck_scale_channels(
    float *y, const float *x, size_t rows, size_t channels, const float *factors, const float *shifts);
/// sums[c] += sum of x[:, c] * y[:, c]
void ck_column_products(const float *x, const float *y, size_t rows, size_t channels, float *sums);

// -- Products ------------------------------------------------------------------------------------------------
// out = A B, or out += A B. A is described by how to get from value to value; B lies in panels of neighboring
// columns, so that a step's values are next to each other.

/// The left-hand side: value [line, row] at step (segment, step) is base[line * line_stride + row * row_stride +
/// segment * segment_stride + step * step_stride]. The depth is segments * steps. Either row_stride or step_stride
/// is 1.
typedef struct {
  const float *base;
  size_t lines, line_stride;
  size_t rows, row_stride;
  size_t segments, segment_stride;
  size_t steps, step_stride;
} ck_operand;

/// The right-hand side: panels of 2 * lanes columns, the value of step d in column c of a panel at base[panel *
/// panel_stride + d * row + c]. The last panel's vectors can be read whole, whatever stands in missing columns.
typedef struct {
  const float *base;
  size_t panel_stride, row;
} ck_panels;

/// The result: value [line, row, column] at base[line * line_stride + row * row_stride + column].
typedef struct {
  float *base;
  size_t line_stride, row_stride;
} ck_result;

/// What follows a product, while it is in registers: + bias[column], + the number that stands in the addend where the
/// result stands in its memory, and no less than 0 where relu is set; a NaN stays a NaN. bias, addend: NULL for none; the
/// addend may be the result.
typedef struct {
  const float *bias, *addend;
  int relu;
} ck_finish;

/// Floats in the vectors of the products that run: 16, 8 or 4.
size_t ck_lanes(void);
/// Packs source[d * row_stride + c * column_stride], where one of the strides is 1, into steps first ..< first + depth of
/// panels [panel][d][width], zero in missing columns.
void ck_pack(
    const float *source, size_t depth, size_t columns, size_t row_stride, size_t column_stride, size_t first,
    size_t panel_width, size_t panel_stride, float *packed);
/// lanes: what the panels are made for; no more than the processor has. Sums are in the order of the steps, in parts of
/// a few hundred. finish: NULL for nothing.
void ck_gemm(
    const ck_operand *a, const ck_panels *b, size_t columns, size_t lanes, const ck_result *out, int accumulate,
    const ck_finish *finish);

/// The same of numbers rounded to bfloat16: in the place of each float of A and B stands a pair, two neighboring
/// steps of bfloat16, the earlier one in the lower half. So all strides and counts of A and B are in pairs; the result
/// is floats. lanes: 4, or ck_pair_lanes().
void ck_gemm_pairs(
    const ck_operand *a, const ck_panels *b, size_t columns, size_t lanes, const ck_result *out, int accumulate,
    const ck_finish *finish);
/// 16 where the processor multiplies pairs by an instruction of its own (AVX512-BF16), else 4: then it is slower than
/// ck_gemm.
size_t ck_pair_lanes(void);
/// ck_pack, rounding to pairs of steps: fills first ..< first + (depth + 1) / 2, in pairs; after an odd depth the last
/// pair's later half is zero.
void ck_pack_pairs(
    const float *source, size_t depth, size_t columns, size_t row_stride, size_t column_stride, size_t first,
    size_t panel_width, size_t panel_stride, float *packed);
/// Rounds floats 2 i and 2 i + 1 to pair i. The pairs may lie in the place of the floats.
void ck_round_pairs(const float *source, size_t pairs, float *rounded_pairs);
/// Every step-th line of an image [height, width, channels] from line `first` on, with `before` and `after` pixels
/// of zeros at their ends; lines outside are zeros: padded [lines, before + width + after, channels].
void ck_pad_lines(
    const float *image, size_t height, size_t width, size_t channels, ptrdiff_t first, size_t step, size_t lines,
    size_t before, size_t after, float *padded);

// -- Products of bytes -----------------------------------------------------------------------------------------
// Of quantized maps and weights. All levels give the same bytes.

/// The left-hand side, unsigned bytes: row [line, row] has at base + line * line_stride + row * row_stride + segment *
/// segment_stride so many quads of four bytes next to each other, of each segment. Strides are in bytes.
typedef struct {
  const uint8_t *base;
  size_t lines, line_stride;
  size_t rows, row_stride;
  size_t segments, segment_stride;
  size_t quads;
} ck_byte_operand;

/// What becomes of sums: value = sum * scale[column] + bias[column] + addend * addend_scale, no less than 0 where relu is
/// set. Then, where there is `bytes`, the nearest integer to value, plus zero, between 0 and 255; else value itself in
/// `floats`. Of the addends, which are laid out as the result, one or none; NULL for none. line_stride and row_stride are
/// the result's, in elements. is_bounded: every value is a number between -2^31 and 2^31, by whatever bytes are there;
/// results are the same, and come faster.
typedef struct {
  const float *scale, *bias;
  const uint8_t *byte_addend;
  const float *float_addend;
  float addend_scale;
  int32_t relu, zero;
  uint8_t *bytes;
  float *floats;
  size_t line_stride, row_stride;
  int32_t is_bounded;
} ck_byte_finish;

/// Columns of a panel of the right-hand side: signed bytes [panel][quad][column][4], zero where there is no step or no
/// column.
size_t ck_byte_panel(void);
/// Whether the processor multiplies a quad by one instruction (AVX512-VNNI), for the level that is chosen.
int ck_has_quads(void);
/// Columns first ..< columns of a product; `first` is where a panel begins. A depth of more than 65,000 may overflow.
void ck_byte_product(
    const ck_byte_operand *a, const int8_t *panels, size_t first, size_t columns, const ck_byte_finish *finish);
/// out = the nearest integer to x * factor, plus zero, between 0 and 255
void ck_round_bytes(const float *x, size_t count, float factor, int32_t zero, uint8_t *out);
/// out = (x - zero) * scale
void ck_unround_bytes(const uint8_t *x, size_t count, float scale, int32_t zero, float *out);
/// ck_pad_lines of bytes, with `fill` where that has zeros.
void ck_pad_byte_lines(
    const uint8_t *image, size_t height, size_t width, size_t channels, ptrdiff_t first, size_t step, size_t lines,
    size_t before, size_t after, uint8_t fill, uint8_t *padded);
/// The maximum of each window of bytes; padding never wins.
void ck_max_pool_bytes(const struct ck_window *w, const uint8_t *image, uint8_t *out);

// -- Grouped convolution ---------------------------------------------------------------------------------------
// Of groups of few channels, sixteen neighboring outputs at a time, a lane each.

/// Which outputs, of how many in all, and the groups: `inputs` are those of one group. pixel_stride: floats from pixel
/// to pixel of the map.
typedef struct {
  size_t pixel_stride, first, outputs, inputs, outputs_in_group;
} ck_groups;

/// A spread map where windows lie: from one window to the next pixel_stride floats, from one of its lines to the next
/// line_stride; a line has `steps` vectors of sixteen floats next to each other, an input of a pixel each.
typedef struct {
  const float *base;
  size_t lines, line_stride, steps, pixel_stride;
} ck_spread;

/// out [count, inputs, 16]: in lane l input c of the group that output `first` + l is of; zero where there is none.
void ck_spread_groups(const ck_groups *g, const float *pixels, size_t count, float *out);
/// out[pixel * out_stride + l] = the sum over the window's lines and steps of its lane l times that of weights
/// [lines, steps, 16], for l below columns, 16 at most.
void ck_group_products(
    const ck_spread *a, const float *weights, size_t pixels, size_t columns, float *out, size_t out_stride);
/// sums [lines, steps, 16] += the sum over the pixels of the window times dy[pixel * dy_stride + l], lane by lane.
void ck_group_weight_gradient(
    const ck_spread *a, size_t pixels, size_t columns, const float *dy, size_t dy_stride, float *sums);

// -- Winograd convolution ------------------------------------------------------------------------------------
// 3x3, padding 1, in tiles of outputs. Tiles are numbered through the batch, row by row; the last of a row or column may
// reach over the map's edge. A tile of the input, the filter and a tile of the output each become square numbers of
// planes, one number a plane:
//
//                      stride   tile of      input    input    filter   output
//                               the output   pixels   planes   planes   planes
//     F2                  1      2 x 2        4 x 4     16       16       16
//     F4                  1      4 x 4        6 x 6     36       36       36
//     STRIDED             2      2 x 2        5 x 5     25       25        9
//     STRIDED_GRADIENT    -      4 x 4        3 x 3     16       25       25
//
// STRIDED_GRADIENT is the gradient of STRIDED by the input, made from the output's and the turned filter: its input is
// dy, its output dx. In F2 and F4 plane i of the input is multiplied by plane i of the filter, which gives plane i of the
// output.

enum { CK_WINOGRAD_F2, CK_WINOGRAD_F4, CK_WINOGRAD_STRIDED, CK_WINOGRAD_STRIDED_GRADIENT };

/// Images [height, width, channels] of which some channels are worked on, pixel_stride floats from one pixel to the
/// next. form: of the above.
typedef struct {
  int32_t height, width, form;
  size_t pixel_stride;
} ck_winograd_map;

/// Along one direction, STRIDED makes of pixels 0 ... 4 the numbers 0 - 2, 1, 2, 4 - 2, 3. Multiplied by those of the
/// filter, the first two are added up to output number 0, the next is number 1, the last two are number 2. Number (i, j)
/// of a tile or filter is in plane ck_winograd_strided_order(i, j) of 25, so that what is added up is in neighboring
/// planes: 4, 2, 4, 2, 1, 2, 4, 2 and 4 of them for the nine of the output.
static inline int32_t ck_winograd_strided_order(int32_t i, int32_t j) {
  const int32_t output[5] = {0, 0, 1, 2, 2}, first[3] = {0, 2, 3}, count[3] = {2, 1, 2};
  const int32_t row = output[i], column = output[j];
  return 5 * first[row] + count[row] * first[column] + (i - first[row]) * count[column] + j - first[column];
}

/// Matrices (planes), in panels of neighboring columns: element (r, c) of plane i lies at
/// i * plane + (c / panel) * panel_stride + r * row + c % panel. With a panel not narrower than the matrix it is
/// row-major.
typedef struct {
  size_t plane, panel, panel_stride, row;
} ck_winograd_planes;

/// Some rows and columns of a filter [3, 3, rows, columns]: floats from one tap, and from one row, to the next.
typedef struct {
  size_t tap, row;
} ck_winograd_taps;

/// B^T d B of tiles first ..< first + count, one a row: out [planes][count, channels]. d: the pixels that a tile of outputs
/// is made of, zero outside of the map.
void ck_winograd_input(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes);
/// A^T M A of tiles first ..< first + count: sets those pixels of y that lie in the map. in [planes][count,
/// channels]. finish: its bias and addend begin at the first of the channels; NULL for nothing.
void ck_winograd_output(
    const ck_winograd_map *map, const float *in, const ck_winograd_planes *planes, size_t channels, size_t first,
    size_t count, float *y, const ck_finish *finish);
/// A dY A^T of tiles first ..< first + count of dy, zero outside of the map: out [planes][count, channels]. Not of
/// STRIDED_GRADIENT.
void ck_winograd_output_gradient(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes);
/// ck_winograd_input and ck_winograd_output_gradient of F2 and F4 as sides of products of pairs: rounded to bfloat16, with
/// planes measured in pairs. of_tiles: whether a pair is of tiles first + 2 r and the next one, zero behind the last, in
/// row r, for sums along tiles; else it is of two neighboring channels, of which there is an even number, in row-major
/// planes, for sums along channels. Output gradients are pairs of tiles.
void ck_winograd_input_pairs(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, int of_tiles, float *out,
    const ck_winograd_planes *planes);
void ck_winograd_output_gradient_pairs(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes);
/// G g G^T: w [3 * 3][rows, columns] to out [planes][rows, columns].
void ck_winograd_filter(
    int32_t form, const float *w, const ck_winograd_taps *taps, size_t rows, size_t columns, float *out,
    const ck_winograd_planes *planes);
/// G^T M G: in [planes][rows, columns] to dw [3 * 3][rows, columns], which it sets. Not of STRIDED_GRADIENT.
void ck_winograd_filter_gradient(
    int32_t form, const float *in, const ck_winograd_planes *planes, size_t rows, size_t columns, float *dw,
    const ck_winograd_taps *taps);
/// The filter of the gradient by the input: w [3, 3, inputs, outputs] turned by half a circle and with inputs and
/// outputs exchanged, of inputs first ..< first + count: out [3, 3, outputs, count].
void ck_winograd_flip(const float *w, size_t inputs, size_t outputs, size_t first, size_t count, float *out);

// -- Pooling -------------------------------------------------------------------------------------------------

/// The geometry of a pooling of one image [height, width, channels].
typedef struct ck_window {
  int32_t height, width, channels;
  int32_t out_height, out_width;
  int32_t kernel, stride, padding;
} ck_window;

/// Maximum of each window and which of its kernel * kernel places had it (the first of equal ones). Padding never
/// wins; a NaN wins over every number. argmax: NULL where nobody asks.
void ck_max_pool(const ck_window *w, const float *image, float *out, uint8_t *argmax);
/// gradient = at each pixel the sum of the output gradients whose maximum it was; the whole image is set.
void ck_max_pool_backward(const ck_window *w, const float *out_gradient, const uint8_t *argmax, float *gradient);

// -- Optimizers ----------------------------------------------------------------------------------------------

/// One step of SGD with momentum: g = gradient * scale + decay * value; v = momentum * v + g (v = g at the first
/// step); value -= rate * (nesterov ? g + momentum * v : v).
void ck_sgd(
    float *value, float *velocity, const float *gradient, size_t count, float rate, float momentum, float decay,
    float gradient_scale, int nesterov);

/// The numbers of a step of AdamW. mean_share and square_share are 1 - beta1 and 1 - beta2, square_kept is beta2;
/// rate is the learning rate over mean's bias correction, root_scale 1 over the root of square's.
typedef struct {
  float rate, mean_share, square_kept, square_share, root_scale, epsilon, value_kept, gradient_scale;
} ck_adamw_step;

/// g = gradient * gradient_scale; mean += mean_share * (g - mean); square = square_kept * square + square_share * g^2;
/// value = value_kept * value - rate * mean / (sqrt(square) * root_scale + epsilon).
void ck_adamw(
    float *value, float *mean, float *square, const float *gradient, size_t count, const ck_adamw_step *step);

/// y += share * (x - y)
void ck_approach(float *y, const float *x, float share, size_t count);

// -- Images --------------------------------------------------------------------------------------------------
// Bytes, three a pixel, rows from the top. Weights are fixed point, 1 is 2^22, and those of one result add up to
// about 1; sums are rounded to 8 bits.

/// Each pixel of a row becomes a weighted sum of neighbors: target [rows, columns, 3], source [rows, width, 3].
/// source_count: the bytes that may be read from source on, rows * width * 3 or more.
/// starts: the first neighbor of each column. weights: [columns, pairs, 8], two neighbors at a time as
/// w0 w0 w0 w1 w1 w1 0 0; zero where there is no neighbor.
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
