// Products of bytes for quantized convolutions: A of unsigned ones is read where it lies, B of signed ones is packed
// beforehand. Four neighboring steps, a quad, are multiplied and added to one 32-bit sum at a time; integers, so every
// instruction set gives the same sums. What follows is done in float while the sums are in registers, in a fixed order of
// multiplications and additions, none of them fused, so that the results are the same everywhere too.
//
// Whoever includes this has defined KERNEL, WIDE, TILE_LANES and TILE_ROWS as for gemm_tiles.h, and QUAD_INSTRUCTIONS
// where the processor does a quad in one instruction (AVX512-VNNI).

#include "gemm_steps.h"

#define QUAD(name) KERNEL(quads_##name)

typedef int32_t QUAD(sums) __attribute__((vector_size(4 * TILE_LANES)));
typedef uint32_t QUAD(quads) __attribute__((vector_size(4 * TILE_LANES)));
typedef uint32_t QUAD(unaligned_quads) __attribute__((vector_size(4 * TILE_LANES), aligned(1), may_alias));
typedef float QUAD(floats) __attribute__((vector_size(4 * TILE_LANES)));
typedef float QUAD(unaligned_floats) __attribute__((vector_size(4 * TILE_LANES), aligned(4), may_alias));
typedef uint8_t QUAD(bytes) __attribute__((vector_size(TILE_LANES)));
typedef uint8_t QUAD(unaligned_bytes) __attribute__((vector_size(TILE_LANES), aligned(1), may_alias));
#define SUMS QUAD(sums)
#define QUADS QUAD(quads)
#define FLOATS QUAD(floats)

// sums + the products of each lane's four bytes. Without the instruction: in two halves of 16 bits, whose products are
// added in pairs, which cannot overflow.
INLINE WIDE SUMS QUAD(add)(SUMS sums, QUADS value, QUADS b) {
#if defined(QUAD_INSTRUCTIONS)
  return (SUMS)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)value, (__m512i)b);
#elif defined(__x86_64__)
  typedef int16_t halves __attribute__((vector_size(4 * TILE_LANES)));
  const QUADS low = value & 0x00ff00ff, high = (value >> 8) & 0x00ff00ff;
  const halves b_low = (halves)((halves)(b << 8) >> 8), b_high = (halves)b >> 8;
#if TILE_LANES == 16
  return sums + (SUMS)_mm512_madd_epi16((__m512i)low, (__m512i)b_low) +
         (SUMS)_mm512_madd_epi16((__m512i)high, (__m512i)b_high);
#elif TILE_LANES == 8
  return sums + (SUMS)_mm256_madd_epi16((__m256i)low, (__m256i)b_low) +
         (SUMS)_mm256_madd_epi16((__m256i)high, (__m256i)b_high);
#else
  return sums + (SUMS)_mm_madd_epi16((__m128i)low, (__m128i)b_low) +
         (SUMS)_mm_madd_epi16((__m128i)high, (__m128i)b_high);
#endif
#else
  return sums + (SUMS)(value & 255) * ((SUMS)(b << 24) >> 24) + (SUMS)(value >> 8 & 255) * ((SUMS)(b << 16) >> 24) +
         (SUMS)(value >> 16 & 255) * ((SUMS)(b << 8) >> 24) + (SUMS)(value >> 24) * ((SUMS)b >> 24);
#endif
}

INLINE WIDE FLOATS QUAD(load)(const float *from, size_t columns) {
  if (columns >= TILE_LANES) return *(const QUAD(unaligned_floats) *)from;
  float values[TILE_LANES] = {0};
  for (size_t c = 0; c < columns; c++) values[c] = from[c];
  return *(const QUAD(unaligned_floats) *)values;
}

INLINE WIDE FLOATS QUAD(widen)(const uint8_t *from, size_t columns) {
  QUAD(bytes) bytes = {0};
  if (columns >= TILE_LANES) bytes = *(const QUAD(unaligned_bytes) *)from;
  else for (size_t c = 0; c < columns; c++) bytes[c] = from[c];
  return __builtin_convertvector(__builtin_convertvector(bytes, SUMS), FLOATS);
}

// The nearest integer, the even one of two equally near, of numbers between -2^22 and 2^22.
INLINE WIDE SUMS QUAD(nearest)(FLOATS value) {
  return (SUMS)(value + 12582912.0f) - 0x4b400000;
}

// low: no result is less, or what is not a number; between -zero and 255 - zero.
INLINE WIDE void QUAD(put_bytes)(uint8_t *out, FLOATS value, float low, int32_t zero, size_t columns) {
#if TILE_LANES == 16
  // What is too large becomes the largest unsigned integer on the way.
  const __m512i nearest = _mm512_cvtps_epi32(_mm512_max_ps((__m512)value, _mm512_set1_ps(low)));
  const QUAD(bytes) bytes = (QUAD(bytes))_mm512_cvtusepi32_epi8(_mm512_add_epi32(nearest, _mm512_set1_epi32(zero)));
#else
  const FLOATS least = (FLOATS){0} + low, high = (FLOATS){0} + (float)(255 - zero);
  const SUMS enough = value >= least;
  value = (FLOATS)((enough & (SUMS)value) | (~enough & (SUMS)least));
  const SUMS above = value > high;
  value = (FLOATS)((above & (SUMS)high) | (~above & (SUMS)value));
  const QUAD(bytes) bytes = __builtin_convertvector(QUAD(nearest)(value) + zero, QUAD(bytes));
#endif
  if (columns >= TILE_LANES) *(QUAD(unaligned_bytes) *)out = bytes;
  else for (size_t c = 0; c < columns; c++) out[c] = bytes[c];
}

// f: a copy, so that a byte that is written cannot be a part of it. at: the place of the vector in the result and in what
// is added, in elements.
INLINE WIDE void QUAD(finish)(
    const ck_byte_finish *f, size_t at, SUMS sums, FLOATS scale, FLOATS bias, float low, size_t columns) {
#pragma clang fp contract(off)
  FLOATS value = __builtin_convertvector(sums, FLOATS) * scale;
  value = value + bias;
  if (f->byte_addend != NULL) {
    const FLOATS product = QUAD(widen)(f->byte_addend + at, columns) * f->addend_scale;
    value = value + product;
  } else if (f->float_addend != NULL) {
    const FLOATS product = QUAD(load)(f->float_addend + at, columns) * f->addend_scale;
    value = value + product;
  }
  if (f->bytes != NULL) {
    QUAD(put_bytes)(f->bytes + at, value, low, f->zero, columns);
    return;
  }
  if (f->relu) value = (FLOATS)(~(value < 0) & (SUMS)value);
  if (columns >= TILE_LANES) *(QUAD(unaligned_floats) *)(f->floats + at) = value;
  else for (size_t c = 0; c < columns; c++) f->floats[at + c] = value[c];
}

#if TILE_LANES == 16
// Two vectors of a row to words, zero added, the same as QUAD(finish) has before they become bytes where what is out of
// range is cut by saturation alone. addend: NULL for none.
INLINE WIDE __m512i QUAD(words)(
    const uint8_t *addend, SUMS sums0, SUMS sums1, const ck_byte_finish *f, size_t column) {
#pragma clang fp contract(off)
  // Without this the compiler converts all sums of a tile before it is known what follows, and they go through memory.
  __asm__ volatile("" : "+v"(sums0), "+v"(sums1));
  FLOATS value0 = __builtin_convertvector(sums0, FLOATS) * QUAD(load)(f->scale + column, TILE_LANES);
  FLOATS value1 = __builtin_convertvector(sums1, FLOATS) * QUAD(load)(f->scale + column + TILE_LANES, TILE_LANES);
  value0 = value0 + QUAD(load)(f->bias + column, TILE_LANES);
  value1 = value1 + QUAD(load)(f->bias + column + TILE_LANES, TILE_LANES);
  if (addend != NULL) {
    const FLOATS product0 = QUAD(widen)(addend, TILE_LANES) * f->addend_scale;
    const FLOATS product1 = QUAD(widen)(addend + TILE_LANES, TILE_LANES) * f->addend_scale;
    value0 = value0 + product0;
    value1 = value1 + product1;
  }
  const __m512i words = _mm512_packs_epi32(_mm512_cvtps_epi32((__m512)value0), _mm512_cvtps_epi32((__m512)value1));
  return _mm512_adds_epi16(words, _mm512_set1_epi16((int16_t)f->zero));
}

// The words of two rows, or of one twice, as their bytes.
INLINE WIDE __m512i QUAD(in_order)(__m512i words0, __m512i words1) {
  // Of each 128 bits, four bytes of each vector of the first row and of the second.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(words0, words1));
}
INLINE WIDE void QUAD(put_row)(uint8_t *out, __m512i words) {
  _mm256_storeu_si256((__m256i *)out, _mm512_castsi512_si256(QUAD(in_order)(words, words)));
}
INLINE WIDE void QUAD(put_rows)(uint8_t *out0, uint8_t *out1, __m512i words0, __m512i words1) {
  const __m512i bytes = QUAD(in_order)(words0, words1);
  _mm256_storeu_si256((__m256i *)out0, _mm512_castsi512_si256(bytes));
  _mm256_storeu_si256((__m256i *)out1, _mm512_extracti64x4_epi64(bytes, 1));
}
#define QUAD_PLACE(r) own.bytes + at + r * out_row
#define QUAD_WORDS(r) QUAD(words)(NULL, s##r##_0, s##r##_1, &own, column)
#define QUAD_WORDS_ADDING(r) QUAD(words)(own.byte_addend + at + r * out_row, s##r##_0, s##r##_1, &own, column)
#define QUAD_ROW(WORDS, r) QUAD(put_row)(QUAD_PLACE(r), WORDS(r));
#define QUAD_PAIR(WORDS, r, t) QUAD(put_rows)(QUAD_PLACE(r), QUAD_PLACE(t), WORDS(r), WORDS(t));
#define QUAD_ROWS_1(W) QUAD_ROW(W, 0)
#define QUAD_ROWS_2(W) QUAD_PAIR(W, 0, 1)
#define QUAD_ROWS_3(W) QUAD_ROWS_2(W) QUAD_ROW(W, 2)
#define QUAD_ROWS_4(W) QUAD_ROWS_2(W) QUAD_PAIR(W, 2, 3)
#define QUAD_ROWS_5(W) QUAD_ROWS_4(W) QUAD_ROW(W, 4)
#define QUAD_ROWS_6(W) QUAD_ROWS_4(W) QUAD_PAIR(W, 4, 5)
#define QUAD_ROWS_7(W) QUAD_ROWS_6(W) QUAD_ROW(W, 6)
#define QUAD_ROWS_8(W) QUAD_ROWS_6(W) QUAD_PAIR(W, 6, 7)
#define QUAD_ROWS_9(W) QUAD_ROWS_8(W) QUAD_ROW(W, 8)
#define QUAD_ROWS_10(W) QUAD_ROWS_8(W) QUAD_PAIR(W, 8, 9)
#define QUAD_ROWS_11(W) QUAD_ROWS_10(W) QUAD_ROW(W, 10)
#define QUAD_ROWS_12(W) QUAD_ROWS_10(W) QUAD_PAIR(W, 10, 11)
#define QUAD_ROWS_13(W) QUAD_ROWS_12(W) QUAD_ROW(W, 12)
#define QUAD_ROWS_14(W) QUAD_ROWS_12(W) QUAD_PAIR(W, 12, 13)
#define QUAD_ROWS2(ROWS) \
  if (own.bytes != NULL && own.is_bounded && own.float_addend == NULL && columns >= 2 * TILE_LANES && \
      (!own.relu || own.zero == 0)) { \
    if (own.byte_addend == NULL) { QUAD_ROWS_##ROWS(QUAD_WORDS) } else { QUAD_ROWS_##ROWS(QUAD_WORDS_ADDING) } \
    return; \
  }
#else
#define QUAD_ROWS2(ROWS)
#endif
#define QUAD_ROWS1(ROWS)

#define QUAD_ZERO1(r) SUMS s##r##_0 = {0};
#define QUAD_ZERO2(r) QUAD_ZERO1(r) SUMS s##r##_1 = {0};
#define QUAD_LOAD1 const QUADS b0 = *(const QUAD(unaligned_quads) *)b;
#define QUAD_LOAD2 QUAD_LOAD1 const QUADS b1 = *(const QUAD(unaligned_quads) *)(b + 4 * TILE_LANES);
#define QUAD_VALUE(r) uint32_t quad; memcpy(&quad, &ROW_VALUE_##r, 4); const QUADS value = (QUADS){0} + quad;
#define QUAD_STEP1(r) { QUAD_VALUE(r) s##r##_0 = QUAD(add)(s##r##_0, value, b0); }
#define QUAD_STEP2(r) { \
    QUAD_VALUE(r) \
    s##r##_0 = QUAD(add)(s##r##_0, value, b0); \
    s##r##_1 = QUAD(add)(s##r##_1, value, b1); \
  }
#define QUAD_FINISH1(r) QUAD(finish)(&own, at + r * out_row, s##r##_0, scale0, bias0, low, columns);
#define QUAD_FINISH2(r) \
  QUAD_FINISH1(r) \
  QUAD(finish)(&own, at + r * out_row + TILE_LANES, s##r##_1, scale1, bias1, low, columns - TILE_LANES);
#define QUAD_FACTORS1 \
  const FLOATS scale0 = QUAD(load)(own.scale + column, columns), bias0 = QUAD(load)(own.bias + column, columns);
#define QUAD_FACTORS2 \
  QUAD_FACTORS1 \
  const FLOATS scale1 = QUAD(load)(own.scale + column + TILE_LANES, columns - TILE_LANES); \
  const FLOATS bias1 = QUAD(load)(own.bias + column + TILE_LANES, columns - TILE_LANES);
// What the end of a tile reads and writes comes from afar meanwhile.
#define QUAD_FETCH_ADDEND(r) __builtin_prefetch(f->byte_addend + at + r * out_row);
#define QUAD_FETCH_BYTES(r) __builtin_prefetch(f->bytes + at + r * out_row, 1);

// Five pointers that are never more than two rows off, as in gemm_tiles.h; `row` in bytes.
#define QUAD_TILE(ROWS, VECTORS) \
  WIDE static void QUAD(tile_##ROWS##x##VECTORS)( \
      const ck_byte_operand *a, const uint8_t *p0, const uint8_t *b, const ck_byte_finish *f, size_t at, \
      size_t out_row, size_t column, size_t columns) { \
    at += column; \
    if (f->byte_addend != NULL) { ROWS_##ROWS(QUAD_FETCH_ADDEND) } \
    if (f->bytes != NULL) { ROWS_##ROWS(QUAD_FETCH_BYTES) } \
    ROWS_##ROWS(QUAD_ZERO##VECTORS) \
    const size_t row = a->row_stride, skip = a->segment_stride - 4 * a->quads; \
    const uint8_t *p1 = p0 + 3 * row, *p2 = p1 + 3 * row, *p3 = p2 + 3 * row, *p4 = p3 + 3 * row; \
    for (size_t segment = 0; segment < a->segments; segment++) { \
      for (size_t quads = 0; quads < a->quads; quads++) { \
        QUAD_LOAD##VECTORS ROWS_##ROWS(QUAD_STEP##VECTORS) \
        b += 4 * TILE_LANES * QUAD_PANEL; \
        p0 += 4, p1 += 4, p2 += 4, p3 += 4, p4 += 4; \
      } \
      p0 += skip, p1 += skip, p2 += skip, p3 += skip, p4 += skip; \
    } \
    (void)p1, (void)p2, (void)p3, (void)p4; \
    const ck_byte_finish own = *f; \
    QUAD_ROWS##VECTORS(ROWS) \
    const float low = own.relu ? 0 : (float)-own.zero; \
    QUAD_FACTORS##VECTORS \
    ROWS_##ROWS(QUAD_FINISH##VECTORS) \
  }

// Vectors of a panel: always two, so that a panel is read whole.
#define QUAD_PANEL 2
#define QUAD_WIDTHS(USE, ROWS) USE(ROWS, 1) USE(ROWS, 2)
#define QUAD_UP_TO_6(USE) \
  QUAD_WIDTHS(USE, 1) QUAD_WIDTHS(USE, 2) QUAD_WIDTHS(USE, 3) QUAD_WIDTHS(USE, 4) QUAD_WIDTHS(USE, 5) \
  QUAD_WIDTHS(USE, 6)
#if TILE_ROWS > 6
#define QUAD_EACH(USE) \
  QUAD_UP_TO_6(USE) \
  QUAD_WIDTHS(USE, 7) QUAD_WIDTHS(USE, 8) QUAD_WIDTHS(USE, 9) QUAD_WIDTHS(USE, 10) QUAD_WIDTHS(USE, 11) \
  QUAD_WIDTHS(USE, 12) QUAD_WIDTHS(USE, 13) QUAD_WIDTHS(USE, 14)
#else
#define QUAD_EACH(USE) QUAD_UP_TO_6(USE)
#endif

QUAD_EACH(QUAD_TILE)

typedef void (*QUAD(tile))(
    const ck_byte_operand *, const uint8_t *, const uint8_t *, const ck_byte_finish *, size_t, size_t, size_t, size_t);
#define QUAD_ENTRY(ROWS, VECTORS) QUAD(tile_##ROWS##x##VECTORS),
static const QUAD(tile) QUAD(tiles)[2 * TILE_ROWS] = {QUAD_EACH(QUAD_ENTRY)};

WIDE static void QUAD(product)(
    const ck_byte_operand *a, const int8_t *panels, size_t first, size_t columns, const ck_byte_finish *finish) {
  const size_t panel_bytes = a->segments * a->quads * 4 * TILE_LANES * QUAD_PANEL;
  const size_t tiles = (a->rows + TILE_ROWS - 1) / TILE_ROWS;
  for (size_t column = first; column < columns; column += QUAD_PANEL * TILE_LANES) {
    const uint8_t *panel = (const uint8_t *)panels + column / (QUAD_PANEL * TILE_LANES) * panel_bytes;
    const size_t vectors = columns - column > TILE_LANES ? 2 : 1;
    for (size_t line = 0; line < a->lines; line++)
      for (size_t tile = 0; tile < tiles; tile++) {
        const size_t from = a->rows * tile / tiles, to = a->rows * (tile + 1) / tiles;
        QUAD(tiles)[2 * (to - from) - 3 + vectors](
            a, a->base + line * a->line_stride + from * a->row_stride, panel, finish,
            line * finish->line_stride + from * finish->row_stride, finish->row_stride, column, columns - column);
      }
  }
}

WIDE static void QUAD(round)(const float *x, size_t count, float factor, int32_t zero, uint8_t *out) {
#pragma clang fp contract(off)
  for (size_t i = 0; i < count; i += TILE_LANES) {
    const size_t left = count - i;
    QUAD(put_bytes)(out + i, QUAD(load)(x + i, left) * factor, (float)-zero, zero, left);
  }
}

WIDE static void QUAD(unround)(const uint8_t *x, size_t count, float scale, int32_t zero, float *out) {
#pragma clang fp contract(off)
  for (size_t i = 0; i < count; i += TILE_LANES) {
    const size_t left = count - i;
    const FLOATS value = (QUAD(widen)(x + i, left) - (float)zero) * scale;
    if (left >= TILE_LANES) *(QUAD(unaligned_floats) *)(out + i) = value;
    else for (size_t c = 0; c < left; c++) out[i + c] = value[c];
  }
}

const ck_quad_kernels KERNEL(quad_kernels) = {
    .product = QUAD(product), .round_bytes = QUAD(round), .unround_bytes = QUAD(unround)};

#undef SUMS
#undef QUADS
#undef FLOATS
