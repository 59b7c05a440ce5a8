// The transforms of Winograd's convolution of one tile (Lavin and Gray 2015, arXiv:1509.09308), on vectors of
// channels. Which tiles, from where and to where, is winograd_walk.h's.
//
// One-dimensional F(m, 3) gives m outputs of a filter of 3 from n = m + 2 products: y = A^T ((G g) * (B^T d)).
// Nested with itself it makes tiles of m x m outputs from n x n products, Y = A^T ((G g G^T) * (B^T d B)) A. The
// gradient by the filter is the transposed algorithm: dg = G^T ((B^T d B) * (A dY A^T)) G.
//
// F(2, 3) is the paper's. F(4, 3) is built (Cook, Toom) on the points 0, +-3/4, +-3/2 and infinity: the usual
// 0, +-1, +-2 times 3/4. Powers of the points then stay nearer to 1, which halves the rounding error, and all of A
// and B is still exact in binary. The constants follow from the points p = 3/4 and q = 3/2 by formula.
//
// With a stride of 2, outputs see odd and even pixels by filters of their own: y0 = d0 g0 + d1 g1 + d2 g2 and y1 = d2 g0 +
// d3 g1 + d4 g2 are F(2, 2) of the pixels 0, 2, 4 with the taps 0 and 2, by 3 products in place of 4,
//
//     m0 = (d0 - d2) g0    m1 = d2 (g0 + g2)    m2 = (d4 - d2) g2    y0 = m0 + m1    y1 = m1 + m2
//
// and as m0 is of y0 alone and m2 of y1, d1 g1 is added to m0 and d3 g1 to m2: 5 products of 6, and 25 of 36 of a tile.
#pragma once

enum { MOST_SIDE = 6, MOST_PLACES = MOST_SIDE * MOST_SIDE };

// -- One dimension -------------------------------------------------------------------------------------------
// Symmetric points share their even and odd parts.

static const float p = 0.75f, q = 1.5f;
#define P (0.75f * 0.75f)
#define Q (1.5f * 1.5f)
// The products of a point's differences from the others: of 0, of p and -p, of q and -q.
#define N0 (P * Q)
#define NP (2 * P * (P - Q))
#define NQ (2 * Q * (Q - P))

/// B^T of F(4, 3).
INLINE void input_4(const lanes d[6], lanes r[6]) {
  const lanes even_p = d[4] - Q * d[2], odd_p = d[3] - Q * d[1];
  const lanes even_q = d[4] - P * d[2], odd_q = d[3] - P * d[1];
  r[0] = (P * Q) * d[0] + (d[4] - (P + Q) * d[2]);
  r[1] = even_p + p * odd_p;
  r[2] = even_p - p * odd_p;
  r[3] = even_q + q * odd_q;
  r[4] = even_q - q * odd_q;
  r[5] = (P * Q) * d[1] + (d[5] - (P + Q) * d[3]);
}

/// A^T of F(4, 3).
INLINE void output_4(const lanes m[6], lanes y[4]) {
  const lanes even_p = m[1] + m[2], odd_p = m[1] - m[2];
  const lanes even_q = m[3] + m[4], odd_q = m[3] - m[4];
  y[0] = m[0] + even_p + even_q;
  y[1] = p * odd_p + q * odd_q;
  y[2] = P * even_p + Q * even_q;
  y[3] = (p * P) * odd_p + ((q * Q) * odd_q + m[5]);
}

/// A of F(4, 3).
INLINE void output_gradient_4(const lanes y[4], lanes r[6]) {
  const lanes even_p = y[0] + P * y[2], odd_p = y[1] + P * y[3];
  const lanes even_q = y[0] + Q * y[2], odd_q = y[1] + Q * y[3];
  r[0] = y[0];
  r[1] = even_p + p * odd_p;
  r[2] = even_p - p * odd_p;
  r[3] = even_q + q * odd_q;
  r[4] = even_q - q * odd_q;
  r[5] = y[3];
}

/// G of F(4, 3).
INLINE void filter_4(const lanes g[3], lanes r[6]) {
  const lanes even_p = (1 / NP) * g[0] + (P / NP) * g[2], odd_p = (p / NP) * g[1];
  const lanes even_q = (1 / NQ) * g[0] + (Q / NQ) * g[2], odd_q = (q / NQ) * g[1];
  r[0] = (1 / N0) * g[0];
  r[1] = even_p + odd_p;
  r[2] = even_p - odd_p;
  r[3] = even_q + odd_q;
  r[4] = even_q - odd_q;
  r[5] = g[2];
}

/// G^T of F(4, 3).
INLINE void filter_gradient_4(const lanes m[6], lanes g[3]) {
  const lanes even_p = m[1] + m[2], odd_p = m[1] - m[2];
  const lanes even_q = m[3] + m[4], odd_q = m[3] - m[4];
  g[0] = (1 / N0) * m[0] + (1 / NP) * even_p + (1 / NQ) * even_q;
  g[1] = (p / NP) * odd_p + (q / NQ) * odd_q;
  g[2] = (P / NP) * even_p + (Q / NQ) * even_q + m[5];
}

/// B^T of F(2, 3).
INLINE void input_2(const lanes d[4], lanes r[4]) {
  r[0] = d[0] - d[2];
  r[1] = d[1] + d[2];
  r[2] = d[2] - d[1];
  r[3] = d[1] - d[3];
}

/// A^T of F(2, 3).
INLINE void output_2(const lanes m[4], lanes y[2]) {
  y[0] = m[0] + (m[1] + m[2]);
  y[1] = (m[1] - m[2]) - m[3];
}

/// A of F(2, 3).
INLINE void output_gradient_2(const lanes y[2], lanes r[4]) {
  r[0] = y[0];
  r[1] = y[0] + y[1];
  r[2] = y[0] - y[1];
  r[3] = -y[1];
}

/// G of F(2, 3).
INLINE void filter_2(const lanes g[3], lanes r[4]) {
  const lanes even = 0.5f * (g[0] + g[2]), odd = 0.5f * g[1];
  r[0] = g[0];
  r[1] = even + odd;
  r[2] = even - odd;
  r[3] = g[2];
}

/// G^T of F(2, 3).
INLINE void filter_gradient_2(const lanes m[4], lanes g[3]) {
  const lanes even = 0.5f * (m[1] + m[2]);
  g[0] = m[0] + even;
  g[1] = 0.5f * (m[1] - m[2]);
  g[2] = even + m[3];
}

/// Pixels of a stride of 2 to what they are multiplied as.
INLINE void input_strided(const lanes d[5], lanes r[5]) {
  r[0] = d[0] - d[2];
  r[1] = d[1];
  r[2] = d[2];
  r[3] = d[4] - d[2];
  r[4] = d[3];
}

INLINE void output_strided(const lanes m[3], lanes y[2]) {
  y[0] = m[0] + m[1];
  y[1] = m[1] + m[2];
}

INLINE void output_gradient_strided(const lanes y[2], lanes r[3]) {
  r[0] = y[0];
  r[1] = y[0] + y[1];
  r[2] = y[1];
}

INLINE void filter_strided(const lanes g[3], lanes r[5]) {
  r[0] = g[0];
  r[1] = g[1];
  r[2] = g[0] + g[2];
  r[3] = g[2];
  r[4] = g[1];
}

INLINE void filter_gradient_strided(const lanes m[5], lanes g[3]) {
  g[0] = m[0] + m[2];
  g[1] = m[1] + m[4];
  g[2] = m[2] + m[3];
}

/// What the gradient by four pixels, an even one first, is made of: F(2, 2) of odd ones, and even ones by themselves.
INLINE void input_strided_gradient(const lanes d[3], lanes r[4]) {
  r[0] = d[0] - d[1];
  r[1] = d[1];
  r[2] = d[2] - d[1];
  r[3] = d[0];
}

/// From products with the turned filter.
INLINE void output_strided_gradient(const lanes m[5], lanes y[4]) {
  y[0] = m[1];
  y[1] = m[0] + m[2];
  y[2] = m[4];
  y[3] = m[2] + m[3];
}

// -- Two dimensions ------------------------------------------------------------------------------------------

/// Where the squares of a tile lie: distances in floats from a base, row by row.
typedef struct {
  size_t at[MOST_PLACES];
} places;

/// NAME: LINE down the columns of an [INPUTS, INPUTS] tile of LANES channels and then along the rows, which gives an
/// [OUTPUTS, OUTPUTS] tile. STORE(square, value) keeps a square of it, by what the further parameters say.
#define TRANSFORM(NAME, LINE, INPUTS, OUTPUTS, STORE, ...)                                                      \
  INLINE void NAME(const float *from, const places *source, __VA_ARGS__) {                                      \
    lanes half[OUTPUTS][INPUTS];                                                                                \
    _Pragma("clang loop unroll(full)") for (int j = 0; j < INPUTS; j++) {                                       \
      lanes line[INPUTS], result[OUTPUTS];                                                                      \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < INPUTS; i++) line[i] =                             \
          *(const unaligned_lanes *)(from + source->at[i * INPUTS + j]);                                        \
      LINE(line, result);                                                                                       \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < OUTPUTS; i++) half[i][j] = result[i];              \
    }                                                                                                           \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < OUTPUTS; i++) {                                      \
      lanes result[OUTPUTS];                                                                                    \
      LINE(half[i], result);                                                                                    \
      _Pragma("clang loop unroll(full)") for (int j = 0; j < OUTPUTS; j++) STORE(i * OUTPUTS + j, result[j]);   \
    }                                                                                                           \
  }

#define STORE_LANES(square, value) *(unaligned_lanes *)(to + target->at[square]) = value
#define TILE_TRANSFORM(LINE, INPUTS, OUTPUTS) \
  TRANSFORM(LINE##_tile, LINE, INPUTS, OUTPUTS, STORE_LANES, float *to, const places *target)

TILE_TRANSFORM(input_4, 6, 6)
TILE_TRANSFORM(output_4, 6, 4)
TILE_TRANSFORM(output_gradient_4, 4, 6)
TILE_TRANSFORM(filter_4, 3, 6)
TILE_TRANSFORM(filter_gradient_4, 6, 3)
TILE_TRANSFORM(input_2, 4, 4)
TILE_TRANSFORM(output_2, 4, 2)
TILE_TRANSFORM(output_gradient_2, 2, 4)
TILE_TRANSFORM(filter_2, 3, 4)
TILE_TRANSFORM(filter_gradient_2, 4, 3)
TILE_TRANSFORM(input_strided, 5, 5)
TILE_TRANSFORM(output_strided, 3, 2)
TILE_TRANSFORM(output_gradient_strided, 2, 3)
TILE_TRANSFORM(filter_strided, 3, 5)
TILE_TRANSFORM(filter_gradient_strided, 5, 3)
TILE_TRANSFORM(input_strided_gradient, 3, 4)
TILE_TRANSFORM(output_strided_gradient, 5, 4)

typedef void tile_transform(const float *from, const places *source, float *to, const places *target);
