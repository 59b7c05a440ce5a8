// The tiles of products for one instruction set. Whoever includes this has defined TILE_LANES (floats in a vector),
// TILE_ROWS (6 or 14, what the registers hold), TILE(name), which tells kinds of products apart, ELEMENT, what A
// and B are made of (float, or pair: two neighboring steps in bfloat16), and MULTIPLY_ADD(sums, value, b), which
// gives sums + value * b: all vectors, the value an element of A in every lane.
//
// A tile is a piece of the result, up to TILE_ROWS rows by one or two vectors, that stays in registers while the
// steps go by. A step loads one or two vectors of B and multiplies them with one value of each row of A: twice as
// many fused multiply-adds as loads, which is what lets the multipliers work all the time.

typedef float TILE(vector) __attribute__((vector_size(4 * TILE_LANES)));
typedef float TILE(unaligned_vector) __attribute__((vector_size(4 * TILE_LANES), aligned(4)));
typedef ELEMENT TILE(elements) __attribute__((vector_size(4 * TILE_LANES), aligned(4)));
#define VECTOR TILE(vector)
#define UNALIGNED TILE(unaligned_vector)
#define ELEMENTS TILE(elements)

INLINE WIDE void TILE(store)(
    float *out, VECTOR sums, size_t columns, int accumulate) {
  if (columns >= TILE_LANES) {
    UNALIGNED *target = (UNALIGNED *)out;
    *target = accumulate ? *target + sums : sums;
  } else {
    float values[TILE_LANES];
    memcpy(values, &sums, sizeof values);
    for (size_t c = 0; c < columns; c++) out[c] = accumulate ? out[c] + values[c] : values[c];
  }
}

// Sums with what follows the product. bias, addend: NULL for none.
INLINE WIDE void TILE(finish)(
    float *out, VECTOR sums, size_t columns, int accumulate, const ck_finish *finish, const float *bias,
    const float *addend) {
  if (columns >= TILE_LANES) {
    UNALIGNED *target = (UNALIGNED *)out;
    if (accumulate) sums += *target;
    if (bias != NULL) sums += *(const UNALIGNED *)bias;
    if (addend != NULL) sums += *(const UNALIGNED *)addend;
    // A NaN is not below zero, and stays one.
    if (finish->relu) sums = (VECTOR)(~(sums < 0) & (__typeof__(sums < 0))sums);
    *target = sums;
  } else {
    float values[TILE_LANES];
    memcpy(values, &sums, sizeof values);
    for (size_t c = 0; c < columns; c++) {
      float value = accumulate ? out[c] + values[c] : values[c];
      if (bias != NULL) value += bias[c];
      if (addend != NULL) value += addend[c];
      out[c] = finish->relu && value < 0 ? 0 : value;
    }
  }
}

// The same for tiles of whole vectors, where what follows is decided once: + bias, + bias + addend, or + what is there
// already. Then no less than `low`, which is minus infinity without a ReLU.
#define CLAMP(value) { \
    const __typeof__(value < low) below = value < low; \
    value = (VECTOR)((below & (__typeof__(below))low) | (~below & (__typeof__(below))value)); \
  }
#define AT(pointer, r, c) (*(UNALIGNED *)(pointer + r * out_row + c * TILE_LANES))
#define BIASED(r, c) { VECTOR value = s##r##_##c + bias##c; CLAMP(value) AT(out, r, c) = value; }
#define ADDED(r, c) { \
    VECTOR value = s##r##_##c + bias##c + *(const UNALIGNED *)(addend + r * out_row + c * TILE_LANES); \
    CLAMP(value) \
    AT(out, r, c) = value; \
  }
#define ACCUMULATED(r, c) { VECTOR value = s##r##_##c + AT(out, r, c); CLAMP(value) AT(out, r, c) = value; }
#define BIASED1(r) BIASED(r, 0)
#define BIASED2(r) BIASED(r, 0) BIASED(r, 1)
#define ADDED1(r) ADDED(r, 0)
#define ADDED2(r) ADDED(r, 0) ADDED(r, 1)
#define ACCUMULATED1(r) ACCUMULATED(r, 0)
#define ACCUMULATED2(r) ACCUMULATED(r, 0) ACCUMULATED(r, 1)
#define LOAD_BIAS1 const VECTOR bias0 = *(const UNALIGNED *)finish->bias;
#define LOAD_BIAS2 LOAD_BIAS1 const VECTOR bias1 = *(const UNALIGNED *)(finish->bias + TILE_LANES);
#define FINISH_WHOLE(ROWS, VECTORS) \
  if (finish != NULL && columns >= VECTORS * TILE_LANES && (finish->bias != NULL) != (accumulate != 0)) { \
    const VECTOR low = (VECTOR){0} - (finish->relu ? 0.0f : __builtin_inff()); \
    if (!accumulate) { \
      LOAD_BIAS##VECTORS \
      if (addend == NULL) { ROWS_##ROWS(BIASED##VECTORS) } else { ROWS_##ROWS(ADDED##VECTORS) } \
      return; \
    } \
    if (addend == NULL) { \
      ROWS_##ROWS(ACCUMULATED##VECTORS) \
      return; \
    } \
  }

// The sums are variables s<row>_<vector>: an array of them would be written to memory before its loops are unrolled.
#define ZERO1(r) VECTOR s##r##_0 = {0};
#define ZERO2(r) ZERO1(r) VECTOR s##r##_1 = {0};
#define LOAD1 const ELEMENTS b0 = *(const ELEMENTS *)b;
#define LOAD2 LOAD1 const ELEMENTS b1 = *(const ELEMENTS *)(b + TILE_LANES);
// Subtracting a vector of zeros is how C spells "in every lane"; it costs nothing.
#define STEP1(r) { const ELEMENTS value = VALUE(r) - (ELEMENTS){0}; s##r##_0 = MULTIPLY_ADD(s##r##_0, value, b0); }
#define STEP2(r) { \
    const ELEMENTS value = VALUE(r) - (ELEMENTS){0}; \
    s##r##_0 = MULTIPLY_ADD(s##r##_0, value, b0); \
    s##r##_1 = MULTIPLY_ADD(s##r##_1, value, b1); \
  }
#define STORE1(r) TILE(store)(out + r * out_row, s##r##_0, columns, accumulate);
#define STORE2(r) STORE1(r) TILE(store)(out + r * out_row + TILE_LANES, s##r##_1, columns - TILE_LANES, accumulate);
#define BESIDE(r, c) (addend == NULL ? NULL : addend + r * out_row + c)
#define BIAS(c) (finish->bias == NULL ? NULL : finish->bias + c)
#define FINISH1(r) \
  TILE(finish)(out + r * out_row, s##r##_0, columns, accumulate, finish, BIAS(0), BESIDE(r, 0));
#define FINISH2(r) \
  FINISH1(r) \
  TILE(finish)( \
      out + r * out_row + TILE_LANES, s##r##_1, columns - TILE_LANES, accumulate, finish, BIAS(TILE_LANES), \
      BESIDE(r, TILE_LANES));
// addend: beside `out`. finish: its bias begins at the tile's first column; NULL where the sums go on. ahead: see
// FETCH_AHEAD.
#define TILE_PARAMETERS \
  size_t b_row, float *out, size_t out_row, size_t columns, int accumulate, const ck_finish *finish, \
      const float *addend, size_t ahead
// What the end of a tile reads and writes comes from afar meanwhile.
#define FETCH1(r) __builtin_prefetch(out + r * out_row, 1); if (addend != NULL) __builtin_prefetch(addend + r * out_row);
#define FETCH2(r) FETCH1(r) \
  __builtin_prefetch(out + r * out_row + TILE_LANES, 1); \
  if (addend != NULL) __builtin_prefetch(addend + r * out_row + TILE_LANES);
#define FETCH(ROWS, VECTORS) if (finish != NULL) { ROWS_##ROWS(FETCH##VECTORS) }
#define STORE_OR_FINISH(ROWS, VECTORS) \
  FINISH_WHOLE(ROWS, VECTORS) \
  if (finish == NULL) { ROWS_##ROWS(STORE##VECTORS) } else { ROWS_##ROWS(FINISH##VECTORS) }

// The values of B that are so far ahead come to the second cache meanwhile.
#define FETCH_AHEAD1 __builtin_prefetch(b + ahead, 0, 2);
#define FETCH_AHEAD2 FETCH_AHEAD1 __builtin_prefetch(b + ahead + TILE_LANES, 0, 2);
#define FETCH_NOTHING1 (void)ahead;
#define FETCH_NOTHING2 (void)ahead;

// Rows of A at a distance, steps next to each other: five pointers that are never more than two rows off.
#define TILE_ALONG_STEPS(NAME, FETCH_B, ROWS, VECTORS) \
  WIDE static void TILE(NAME##_##ROWS##x##VECTORS)( \
      const ck_operand *a, const ELEMENT *p0, const ELEMENT *b, TILE_PARAMETERS) { \
    FETCH(ROWS, VECTORS) \
    ROWS_##ROWS(ZERO##VECTORS) \
    const size_t row = a->row_stride, skip = a->segment_stride - a->steps; \
    const ELEMENT *p1 = p0 + 3 * row, *p2 = p1 + 3 * row, *p3 = p2 + 3 * row, *p4 = p3 + 3 * row; \
    for (size_t segment = 0; segment < a->segments; segment++) { \
      for (size_t step = 0; step < a->steps; step++) { \
        FETCH_B##VECTORS \
        LOAD##VECTORS ROWS_##ROWS(STEP##VECTORS) \
        b += b_row; \
        p0++, p1++, p2++, p3++, p4++; \
      } \
      p0 += skip, p1 += skip, p2 += skip, p3 += skip, p4 += skip; \
    } \
    (void)p1, (void)p2, (void)p3, (void)p4; \
    STORE_OR_FINISH(ROWS, VECTORS) \
  }
#define TILE_OF_STEPS(ROWS, VECTORS) TILE_ALONG_STEPS(steps, FETCH_NOTHING, ROWS, VECTORS)
#define TILE_FETCHING(ROWS, VECTORS) TILE_ALONG_STEPS(fetching, FETCH_AHEAD, ROWS, VECTORS)

// Rows of A next to each other, steps at a distance.
#define TILE_ALONG_ROWS(ROWS, VECTORS) \
  WIDE static void TILE(rows_##ROWS##x##VECTORS)( \
      const ck_operand *a, const ELEMENT *p, const ELEMENT *b, TILE_PARAMETERS) { \
    (void)ahead; \
    FETCH(ROWS, VECTORS) \
    ROWS_##ROWS(ZERO##VECTORS) \
    const size_t step_stride = a->step_stride, skip = a->segment_stride - a->steps * step_stride; \
    for (size_t segment = 0; segment < a->segments; segment++) { \
      for (size_t step = 0; step < a->steps; step++) { \
        LOAD##VECTORS ROWS_##ROWS(STEP##VECTORS) \
        b += b_row; \
        p += step_stride; \
      } \
      p += skip; \
    } \
    STORE_OR_FINISH(ROWS, VECTORS) \
  }

#define BOTH_WIDTHS(USE, ROWS) USE(ROWS, 1) USE(ROWS, 2)
#define EACH_UP_TO_6(USE) \
  BOTH_WIDTHS(USE, 1) BOTH_WIDTHS(USE, 2) BOTH_WIDTHS(USE, 3) BOTH_WIDTHS(USE, 4) BOTH_WIDTHS(USE, 5) BOTH_WIDTHS(USE, 6)
#if TILE_ROWS > 6
#define EACH_TILE(USE) \
  EACH_UP_TO_6(USE) \
  BOTH_WIDTHS(USE, 7) BOTH_WIDTHS(USE, 8) BOTH_WIDTHS(USE, 9) BOTH_WIDTHS(USE, 10) BOTH_WIDTHS(USE, 11) \
  BOTH_WIDTHS(USE, 12) BOTH_WIDTHS(USE, 13) BOTH_WIDTHS(USE, 14)
#else
#define EACH_TILE(USE) EACH_UP_TO_6(USE)
#endif

#define VALUE(r) ROW_VALUE_##r
EACH_TILE(TILE_OF_STEPS)
EACH_TILE(TILE_FETCHING)
#undef VALUE
#define VALUE(r) p[r]
EACH_TILE(TILE_ALONG_ROWS)
#undef VALUE

typedef void (*TILE(tile))(
    const ck_operand *, const ELEMENT *, const ELEMENT *, size_t, float *, size_t, size_t, int, const ck_finish *,
    const float *, size_t);
#define STEPS_ENTRY(ROWS, VECTORS) TILE(steps_##ROWS##x##VECTORS),
#define ROWS_ENTRY(ROWS, VECTORS) TILE(rows_##ROWS##x##VECTORS),
#define FETCHING_ENTRY(ROWS, VECTORS) TILE(fetching_##ROWS##x##VECTORS),
static const TILE(tile) TILE(tiles)[3][2 * TILE_ROWS] = {
    {EACH_TILE(STEPS_ENTRY)}, {EACH_TILE(ROWS_ENTRY)}, {EACH_TILE(FETCHING_ENTRY)}};

// All lines and rows for the steps that `a` has. ahead: from B's values to those that are needed next; 0 for none.
WIDE static void TILE(panel)(
    const ck_operand *a, const ELEMENT *b, size_t b_row, size_t columns, float *out, const ck_result *result,
    int accumulate, const ck_finish *finish, size_t ahead) {
  const int along_rows = a->row_stride == 1, kind = along_rows ? 1 : ahead > 0 ? 2 : 0;
  // Rows 4 KB apart share the few places that the first cache has for such addresses: take no more rows than those.
  const size_t most = TILE_ROWS > 8 && !along_rows && a->row_stride % 1024 == 0 ? 7 : TILE_ROWS;
  const size_t tiles = (a->rows + most - 1) / most, vectors = columns > TILE_LANES ? 2 : 1;
  for (size_t line = 0; line < a->lines; line++)
    for (size_t tile = 0; tile < tiles; tile++) {
      const size_t from = a->rows * tile / tiles, to = a->rows * (tile + 1) / tiles;
      const size_t at = line * result->line_stride + from * result->row_stride;
      TILE(tiles)[kind][2 * (to - from) - 3 + vectors](
          a, (const ELEMENT *)a->base + line * a->line_stride + from * a->row_stride, b, b_row, out + at,
          result->row_stride, columns, accumulate, finish,
          finish == NULL || finish->addend == NULL ? NULL : finish->addend + at, ahead);
    }
}

// The steps of a part for one panel of columns; `last` where no part follows.
INLINE void TILE(part)(
    const ck_operand *part, const ck_panels *b, size_t done, size_t column, size_t columns, const ck_result *result,
    int accumulate, const ck_finish *finish, int last, int panels_in_part) {
  const ELEMENT *panel =
      (const ELEMENT *)b->base + column / (2 * TILE_LANES) * b->panel_stride + b->row * done;
  // What is added comes with the first part, because it may stand where the result goes.
  ck_finish end = {NULL, NULL, 0};
  if (finish != NULL && done == 0)
    end = (ck_finish){
        finish->bias == NULL ? NULL : finish->bias + column,
        finish->addend == NULL ? NULL : finish->addend + column, 0};
  if (finish != NULL && last) end.relu = finish->relu;
  TILE(panel)(
      part, panel, b->row, columns - column, result->base + column, result, accumulate || done > 0,
      end.bias != NULL || end.addend != NULL || end.relu ? &end : NULL,
      // What is used for a few rows alone takes as long to come as they take: it comes while those before it are used.
      panels_in_part ? 0 : part->segments * part->steps * b->row);
}

WIDE static void TILE(product)(
    const ck_operand *a, const ck_panels *b, size_t columns, const ck_result *result, int accumulate,
    const ck_finish *finish) {
  // Of what is finished, many rows are asked for at a time: their part of A stays in the second cache while all panels
  // go by. Either way a number of the result is added up in the same order.
  const int panels_in_part = finish != NULL && a->lines * a->rows >= MANY_ROWS;
  for (size_t column = 0; column < columns; column += panels_in_part ? columns : 2 * TILE_LANES) {
    const size_t end = panels_in_part ? columns : column + 1;
    ck_operand part = *a;
    size_t done = 0;
    for (size_t segment = 0; segment < a->segments; segment += part.segments) {
      part.segments = segments_at_once(a, segment);
      for (size_t step = 0; step < a->steps; step += part.steps) {
        part.steps = steps_at_once(a, step);
        part.base = a->base + segment * a->segment_stride + step * a->step_stride;
        const int last = segment + part.segments == a->segments && step + part.steps == a->steps;
        for (size_t at = column; at < end; at += 2 * TILE_LANES)
          TILE(part)(&part, b, done, at, columns, result, accumulate, finish, last, panels_in_part);
        done += part.segments * part.steps;
      }
    }
  }
}

#undef VECTOR
#undef UNALIGNED
#undef ELEMENTS
#undef ZERO1
#undef ZERO2
#undef LOAD1
#undef LOAD2
#undef STEP1
#undef STEP2
#undef STORE1
#undef STORE2
#undef BESIDE
#undef BIAS
#undef FINISH1
#undef FINISH2
#undef TILE_PARAMETERS
#undef STORE_OR_FINISH
#undef CLAMP
#undef AT
#undef BIASED
#undef BIASED1
#undef BIASED2
#undef ADDED
#undef ADDED1
#undef ADDED2
#undef ACCUMULATED
#undef ACCUMULATED1
#undef ACCUMULATED2
#undef LOAD_BIAS1
#undef LOAD_BIAS2
#undef FINISH_WHOLE
#undef FETCH_AHEAD1
#undef FETCH_AHEAD2
#undef FETCH_NOTHING1
#undef FETCH_NOTHING2
#undef TILE_ALONG_STEPS
#undef TILE_OF_STEPS
#undef TILE_FETCHING
#undef TILE_ALONG_ROWS
#undef BOTH_WIDTHS
#undef EACH_UP_TO_6
#undef EACH_TILE
#undef STEPS_ENTRY
#undef FETCHING_ENTRY
#undef ROWS_ENTRY
#undef ELEMENT
#undef MULTIPLY_ADD
#undef TILE
