// Grouped convolutions of few channels a group, sixteen neighboring outputs at a time, whichever groups they are of.
// Each of sixteen outputs has channels of its own that it is made from. So the input is first spread: in the place of a
// pixel stand as many vectors as a group has inputs, and lane l of vector c is what output l multiplies with its c-th
// weight. Then all lanes work, though a group has four outputs or one, and each load serves one fused multiply-add.

// Lane l has channel l - l % GROUP + c: input c of the group that output l is of, where groups have GROUP outputs too.
#define SPREAD_8(c) c, c, c, c, c, c, c, c, 8 + c, 8 + c, 8 + c, 8 + c, 8 + c, 8 + c, 8 + c, 8 + c
#define SPREAD_4(c) c, c, c, c, 4 + c, 4 + c, 4 + c, 4 + c, 8 + c, 8 + c, 8 + c, 8 + c, 12 + c, 12 + c, 12 + c, 12 + c
#define SPREAD_2(c) c, c, 2 + c, 2 + c, 4 + c, 4 + c, 6 + c, 6 + c, 8 + c, 8 + c, 10 + c, 10 + c, 12 + c, 12 + c, 14 + c, 14 + c
#define SPREAD_TO(GROUP, c) *(unaligned_lanes *)(out + (c) * LANES) = __builtin_shufflevector(v, v, SPREAD_##GROUP(c));

static void KERNEL(spread_groups)(const ck_groups *g, const float *pixels, size_t count, float *restrict out) {
  const size_t inputs = g->inputs, present = smaller(LANES, g->outputs - g->first);
  if (inputs == g->outputs_in_group && LANES % inputs == 0 && inputs < LANES) {
    // As many inputs as outputs: the sixteen channels at the outputs' own place.
    const float *from = pixels + g->first;
    for (size_t pixel = 0; pixel < count; pixel++, from += g->pixel_stride, out += inputs * LANES) {
      lanes v = {0};
      if (present == LANES) v = *(const unaligned_lanes *)from;
      else memcpy(&v, from, present * sizeof(float));
      switch (inputs) {
      case 1: *(unaligned_lanes *)out = v; break;
      case 2: SPREAD_TO(2, 0) SPREAD_TO(2, 1) break;
      case 4: SPREAD_TO(4, 0) SPREAD_TO(4, 1) SPREAD_TO(4, 2) SPREAD_TO(4, 3) break;
      default:
        SPREAD_TO(8, 0) SPREAD_TO(8, 1) SPREAD_TO(8, 2) SPREAD_TO(8, 3)
        SPREAD_TO(8, 4) SPREAD_TO(8, 5) SPREAD_TO(8, 6) SPREAD_TO(8, 7)
      }
    }
    return;
  }
  size_t start[LANES];
  for (size_t l = 0; l < present; l++) start[l] = (g->first + l) / g->outputs_in_group * inputs;
  for (size_t pixel = 0; pixel < count; pixel++, pixels += g->pixel_stride)
    for (size_t c = 0; c < inputs; c++, out += LANES) {
      for (size_t l = 0; l < present; l++) out[l] = pixels[start[l] + c];
      for (size_t l = present; l < LANES; l++) out[l] = 0;
    }
}

// A tile is TILE_ROWS results or weights by one or two vectors, as a matrix product's.
#define VECTOR KERNEL(float_vector)
#define UNALIGNED KERNEL(float_unaligned_vector)
#define AT(p) (*(const UNALIGNED *)(p))
// LANES is no macro.
#if TILE_LANES == 16
enum { KERNEL(group_width) = TILE_LANES };
#define ZERO(r) VECTOR s##r##_0 = {0};
#define LOAD(p) const VECTOR b0 = AT(p);
#define ADD_PRODUCT(r, p) s##r##_0 = s##r##_0 + AT(p) * b0;
#define PUT(r, p, accumulate) KERNEL(float_store)(p, s##r##_0, columns, accumulate);
#else
enum { KERNEL(group_width) = 2 * TILE_LANES };
#define ZERO(r) VECTOR s##r##_0 = {0}, s##r##_1 = {0};
#define LOAD(p) const VECTOR b0 = AT(p), b1 = AT((p) + TILE_LANES);
#define ADD_PRODUCT(r, p) \
  s##r##_0 = s##r##_0 + AT(p) * b0; \
  s##r##_1 = s##r##_1 + AT((p) + TILE_LANES) * b1;
#define PUT(r, p, accumulate) \
  KERNEL(float_store)(p, s##r##_0, columns, accumulate); \
  if (columns > TILE_LANES) KERNEL(float_store)((p) + TILE_LANES, s##r##_1, columns - TILE_LANES, accumulate);
#endif

// Neighboring results of a line.
#define RESULT_STEP(r) ADD_PRODUCT(r, &ROW_VALUE_##r)
#define RESULT_PUT(r) PUT(r, out + r * out_row, 0)
#define RESULTS(ROWS) \
  WIDE static void KERNEL(group_results_##ROWS)( \
      const ck_spread *a, const float *p0, const float *w, float *out, size_t out_row, size_t columns) { \
    ROWS_##ROWS(ZERO) \
    const size_t row = a->pixel_stride, skip = a->line_stride - a->steps * LANES; \
    const float *p1 = p0 + 3 * row, *p2 = p1 + 3 * row, *p3 = p2 + 3 * row, *p4 = p3 + 3 * row; \
    for (size_t line = 0; line < a->lines; line++) { \
      for (size_t step = 0; step < a->steps; step++) { \
        LOAD(w) ROWS_##ROWS(RESULT_STEP) \
        w += LANES; \
        p0 += LANES, p1 += LANES, p2 += LANES, p3 += LANES, p4 += LANES; \
      } \
      p0 += skip, p1 += skip, p2 += skip, p3 += skip, p4 += skip; \
    } \
    (void)p1, (void)p2, (void)p3, (void)p4; \
    ROWS_##ROWS(RESULT_PUT) \
  }

// The gradients of neighboring weights of a kernel's line, from a line of the output gradient.
#define GRADIENT_STEP(r) ADD_PRODUCT(r, p + r * LANES)
#define GRADIENT_PUT(r) PUT(r, sums + r * LANES, 1)
#define GRADIENTS(ROWS) \
  WIDE static void KERNEL(group_gradients_##ROWS)( \
      const ck_spread *a, const float *p, size_t pixels, const float *dy, size_t dy_row, float *sums) { \
    const size_t columns = LANES; \
    ROWS_##ROWS(ZERO) \
    for (size_t pixel = 0; pixel < pixels; pixel++, p += a->pixel_stride, dy += dy_row) { \
      LOAD(dy) ROWS_##ROWS(GRADIENT_STEP) \
    } \
    ROWS_##ROWS(GRADIENT_PUT) \
  }

#define BOTH(ROWS) RESULTS(ROWS) GRADIENTS(ROWS)
BOTH(1) BOTH(2) BOTH(3) BOTH(4) BOTH(5) BOTH(6)
#if TILE_ROWS > 6
BOTH(7) BOTH(8) BOTH(9) BOTH(10) BOTH(11) BOTH(12) BOTH(13) BOTH(14)
#define EACH_ENTRY(E) E(1) E(2) E(3) E(4) E(5) E(6) E(7) E(8) E(9) E(10) E(11) E(12) E(13) E(14)
#else
#define EACH_ENTRY(E) E(1) E(2) E(3) E(4) E(5) E(6)
#endif

#define RESULTS_ENTRY(ROWS) KERNEL(group_results_##ROWS),
#define GRADIENTS_ENTRY(ROWS) KERNEL(group_gradients_##ROWS),
static void (*const KERNEL(group_results_of)[])(const ck_spread *, const float *, const float *, float *, size_t, size_t) = {
    EACH_ENTRY(RESULTS_ENTRY)};
static void (*const KERNEL(group_gradients_of)[])(const ck_spread *, const float *, size_t, const float *, size_t, float *) = {
    EACH_ENTRY(GRADIENTS_ENTRY)};

static void KERNEL(group_products)(
    const ck_spread *a, const float *weights, size_t pixels, size_t columns, float *out, size_t out_stride) {
  const size_t tiles = (pixels + TILE_ROWS - 1) / TILE_ROWS;
  for (size_t tile = 0; tile < tiles; tile++) {
    const size_t from = pixels * tile / tiles, to = pixels * (tile + 1) / tiles;
    for (size_t lane = 0; lane < columns; lane += KERNEL(group_width))
      KERNEL(group_results_of)[to - from - 1](
          a, a->base + from * a->pixel_stride + lane, weights + lane, out + from * out_stride + lane, out_stride,
          columns - lane);
  }
}

static void KERNEL(group_weight_gradient)(
    const ck_spread *a, size_t pixels, size_t columns, const float *dy, size_t dy_stride, float *sums) {
  // A vector of the output gradient can be loaded whole, but for the last few channels.
  enum { BLOCK = 64 };
  float whole[BLOCK * LANES];
  const size_t size = columns < LANES ? BLOCK : pixels;
  for (size_t start = 0; start < pixels; start += size) {
    const size_t count = smaller(size, pixels - start);
    const float *gradient = dy + start * dy_stride;
    size_t stride = dy_stride;
    if (columns < LANES) {
      for (size_t pixel = 0; pixel < count; pixel++)
        for (size_t l = 0; l < LANES; l++)
          whole[pixel * LANES + l] = l < columns ? gradient[pixel * dy_stride + l] : 0;
      gradient = whole;
      stride = LANES;
    }
    const size_t tiles = (a->steps + TILE_ROWS - 1) / TILE_ROWS;
    for (size_t line = 0; line < a->lines; line++)
      for (size_t tile = 0; tile < tiles; tile++) {
        const size_t from = a->steps * tile / tiles, to = a->steps * (tile + 1) / tiles;
        const float *p = a->base + start * a->pixel_stride + line * a->line_stride + from * LANES;
        for (size_t lane = 0; lane < LANES; lane += KERNEL(group_width))
          KERNEL(group_gradients_of)[to - from - 1](
              a, p + lane, count, gradient + lane, stride, sums + (line * a->steps + from) * LANES + lane);
      }
  }
}

#undef VECTOR
#undef UNALIGNED
#undef AT
#undef ZERO
#undef LOAD
#undef ADD_PRODUCT
#undef PUT
