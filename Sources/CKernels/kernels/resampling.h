// The two passes of changing an image's size: weighted sums of bytes in fixed point.

// 1 is 2^22: with 8-bit samples and weights that add up to 1 a sum stays within 31 bits.
enum { FRACTION_BITS = 22, HALF = 1 << (FRACTION_BITS - 1) };

typedef uint8_t bytes4 __attribute__((vector_size(4)));
typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef int32_t ints4 __attribute__((vector_size(16)));
typedef int32_t ints8 __attribute__((vector_size(32)));

static inline uint8_t narrow(int32_t sum) {
  const int32_t value = sum >> FRACTION_BITS;
  return (uint8_t)(value < 255 ? value : 255);
}

// One pixel of one row, neighbor by neighbor and never beyond the source.
static void resample_pixel(
    const uint8_t *source, size_t count, const int32_t *weights, size_t pairs, uint8_t *target) {
  for (size_t channel = 0; channel < 3; channel++) {
    int32_t sum = HALF;
    for (size_t tap = 0; tap < 2 * pairs; tap++) {
      const size_t place = 3 * tap + channel;
      if (place < count) sum += source[place] * weights[8 * (tap / 2) + 3 * (tap % 2) + channel];
    }
    target[channel] = narrow(sum);
  }
}

// So many rows at once: their sums do not wait for one another, and share the weights.
enum { ROWS = 4 };

static void KERNEL(resample_rows)(
    const uint8_t *restrict source, size_t source_count, size_t width, size_t rows, const int32_t *restrict starts,
    const int32_t *restrict weights, size_t pairs, size_t columns, uint8_t *restrict target) {
  const size_t length = 3 * width;
  for (size_t row = 0; row < rows; row += ROWS) {
    const size_t block = rows - row < ROWS ? rows - row : ROWS;
    for (size_t column = 0; column < columns; column++) {
      const size_t from = row * length + 3 * (size_t)starts[column];
      const int32_t *weight = weights + column * pairs * 8;
      uint8_t *to = target + 3 * (row * columns + column);
      // The next pixel overwrites a fourth byte; after a row's last there may be nothing to overwrite it.
      if (block < ROWS || column + 1 == columns || from + (ROWS - 1) * length + 6 * pairs + 2 > source_count) {
        for (size_t r = 0; r < block; r++) {
          const size_t at = from + r * length;
          resample_pixel(source + at, source_count - at, weight, pairs, to + 3 * r * columns);
        }
        continue;
      }
      // Two neighbors at once: r g b r g b and two bytes that weigh nothing.
      ints8 sums[ROWS];
      for (size_t r = 0; r < ROWS; r++) sums[r] = (ints8){HALF, HALF, HALF};
#pragma clang loop unroll(disable)
      for (size_t pair = 0; pair < pairs; pair++) {
        ints8 factors;
        memcpy(&factors, weight + 8 * pair, sizeof factors);
        for (size_t r = 0; r < ROWS; r++) {
          bytes8 samples;
          memcpy(&samples, source + from + r * length + 6 * pair, sizeof samples);
          sums[r] += __builtin_convertvector(samples, ints8) * factors;
        }
      }
      for (size_t r = 0; r < ROWS; r++) {
        ints4 pixel =
            __builtin_shufflevector(sums[r], sums[r], 0, 1, 2, 3) + __builtin_shufflevector(sums[r], sums[r], 3, 4, 5, 6);
        pixel = __builtin_elementwise_min(pixel >> FRACTION_BITS, (ints4){255, 255, 255, 255});
        const bytes4 narrowed = __builtin_convertvector(pixel, bytes4);
        memcpy(to + 3 * r * columns, &narrowed, sizeof narrowed);
      }
    }
  }
}

static void KERNEL(resample_columns)(
    const uint8_t *restrict source, size_t row_length, const int32_t *restrict weights, size_t taps,
    uint8_t *restrict target) {
  size_t i = 0;
  for (; i + 32 <= row_length; i += 32) {
    ints8 a = {HALF, HALF, HALF, HALF, HALF, HALF, HALF, HALF}, b = a, c = a, d = a;
    for (size_t tap = 0; tap < taps; tap++) {
      bytes8 samples[4];
      memcpy(samples, source + tap * row_length + i, sizeof samples);
      a += __builtin_convertvector(samples[0], ints8) * weights[tap];
      b += __builtin_convertvector(samples[1], ints8) * weights[tap];
      c += __builtin_convertvector(samples[2], ints8) * weights[tap];
      d += __builtin_convertvector(samples[3], ints8) * weights[tap];
    }
    const ints8 sums[4] = {a, b, c, d};
    for (size_t part = 0; part < 4; part++) {
      ints8 values = sums[part] >> FRACTION_BITS;
      values = __builtin_elementwise_min(values, (ints8){255, 255, 255, 255, 255, 255, 255, 255});
      const bytes8 narrowed = __builtin_convertvector(values, bytes8);
      memcpy(target + i + 8 * part, &narrowed, sizeof narrowed);
    }
  }
  for (; i < row_length; i++) {
    int32_t sum = HALF;
    for (size_t tap = 0; tap < taps; tap++) sum += source[tap * row_length + i] * weights[tap];
    target[i] = narrow(sum);
  }
}
