// What the tiles of products are made of: how a row of A is found, and how many steps are added up at a time.
#pragma once

// ROWS_n(X) is X(0) X(1) ... X(n - 1).
#define ROWS_1(X) X(0)
#define ROWS_2(X) ROWS_1(X) X(1)
#define ROWS_3(X) ROWS_2(X) X(2)
#define ROWS_4(X) ROWS_3(X) X(3)
#define ROWS_5(X) ROWS_4(X) X(4)
#define ROWS_6(X) ROWS_5(X) X(5)
#define ROWS_7(X) ROWS_6(X) X(6)
#define ROWS_8(X) ROWS_7(X) X(7)
#define ROWS_9(X) ROWS_8(X) X(8)
#define ROWS_10(X) ROWS_9(X) X(9)
#define ROWS_11(X) ROWS_10(X) X(10)
#define ROWS_12(X) ROWS_11(X) X(11)
#define ROWS_13(X) ROWS_12(X) X(12)
#define ROWS_14(X) ROWS_13(X) X(13)

// Where the value of a row stands: an address that the processor forms by itself.
#define ROW_VALUE_0 p0[0]
#define ROW_VALUE_1 p0[row]
#define ROW_VALUE_2 p0[2 * row]
#define ROW_VALUE_3 p1[0]
#define ROW_VALUE_4 p1[row]
#define ROW_VALUE_5 p1[2 * row]
#define ROW_VALUE_6 p2[0]
#define ROW_VALUE_7 p2[row]
#define ROW_VALUE_8 p2[2 * row]
#define ROW_VALUE_9 p3[0]
#define ROW_VALUE_10 p3[row]
#define ROW_VALUE_11 p3[2 * row]
#define ROW_VALUE_12 p4[0]
#define ROW_VALUE_13 p4[row]

// A sum of many steps is added up in parts of about so many: the rounding errors are those of shorter sums, and the
// part of the panel stays in the cache.
enum { DEPTH = 512 };

// From so many rows on, of a product that is finished, all panels of a part come before the next part.
enum { MANY_ROWS = 128 };

static inline size_t steps_at_once(const ck_operand *a, size_t done) {
  const size_t left = a->steps - done, parts = (left + DEPTH - 1) / DEPTH;
  return (left + parts - 1) / parts;
}

static inline size_t segments_at_once(const ck_operand *a, size_t done) {
  const size_t left = a->segments - done, most = a->steps < DEPTH ? DEPTH / a->steps : 1;
  return left < most ? left : most;
}
