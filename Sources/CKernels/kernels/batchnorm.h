// Batch norm's trips through memory: statistics, the affine map with what may follow it, and the two trips of the
// backward pass. Each array is read or written once a trip; everything else stays in registers or in the first cache.
//
// A matrix [rows, channels] is walked as one of groups: as many rows as fill whole vectors, so that 3 channels are as
// fast as 64. What is given a channel is spread over the lanes of a group first.

#include "batchnorm_groups.h"

enum {
  // Sums are kept of so many lanes at one time.
  PANEL = NORM_PANEL,
  // Floats are added up over about so many numbers, and so many groups at least, before doubles take over.
  BLOCK = 16384,
  FEWEST_GROUPS = 32,
  // Sums read a block at so many places at once, each going forward. That shares a reading of what is given a lane,
  // and the places lie in pages of their own: streams that share a page are lost on the processor's prefetcher.
  STREAMS = 4,
};

// What forward and backward pass must both take for positive: one expression, so that a compiler which fuses the
// multiplication with the addition does so in both.
#define AFFINE(x, weight, bias) ((x) * (weight) + (bias))

// The first n lanes of v; lanes behind are zero, and are not read from memory.
INLINE void load(lanes *v, const float *x, size_t n) {
  if (n == LANES) {
    *v = *(const unaligned_lanes *)x;
  } else {
    *v = (lanes){0};
    memcpy(v, x, n * sizeof(float));
  }
}

INLINE void store(float *y, const lanes *v, size_t n, int streaming) {
  if (n < LANES)
    memcpy(y, v, n * sizeof(float));
  else if (streaming)
    __builtin_nontemporal_store(*v, (lanes *)__builtin_assume_aligned(y, sizeof(lanes)));
  else
    *(unaligned_lanes *)y = *v;
}

INLINE void unpack(choice *which, const uint16_t *mask) {
  bits b;
  memcpy(&b, mask, sizeof b);
  *which = -__builtin_convertvector(b, choice);
}

// A matrix cut into groups. The rows that are left over are a last group, shorter than the others.
typedef struct {
  size_t channels, width, groups, rest;
} grouping;

static grouping grouped(size_t rows, size_t channels) {
  const size_t group = norm_group(channels);
  return (grouping){channels, group * channels, rows / group, rows % group * channels};
}

// Values [channels] for each lane of a group: themselves where a group is a row, else copies in `room`.
static const float *spread(const float *values, const grouping *g, float *room) {
  if (values == NULL || g->width == g->channels) return values;
  for (size_t at = 0; at < g->width; at += g->channels) memcpy(room + at, values, g->channels * sizeof(float));
  return room;
}

// -- Statistics ----------------------------------------------------------------------------------------------

// Of what moments_of adds up: the numbers, or the squares of their deviations.
enum { NUMBERS, SQUARES };

INLINE void moments_step(
    const int of, const float *x, size_t distance, size_t streams, size_t n, const float *mean, float *sum) {
  lanes total, center = {0}, v;
  load(&total, sum, n);
  if (of == SQUARES) load(&center, mean, n);
  for (size_t s = 0; s < streams; s++) {
    load(&v, x + s * distance, n);
    if (of == SQUARES) {
      v -= center;
      v *= v;
    }
    total += v;
  }
  store(sum, &total, n, 0);
}

// Adds to the sums of a panel over groups of a block.
INLINE void moments_of(
    const int of, const float *x, size_t groups, size_t stride, size_t panel, const float *mean, float *sums) {
  const size_t each = groups / STREAMS, whole = panel - panel % LANES, left = panel % LANES;
  for (size_t r = 0; r < each; r++) {
    const float *row = x + r * stride;
    for (size_t c = 0; c < whole; c += LANES)
      moments_step(of, row + c, each * stride, STREAMS, LANES, mean + c, sums + c);
    if (left > 0) moments_step(of, row + whole, each * stride, STREAMS, left, mean + whole, sums + whole);
  }
  for (size_t r = STREAMS * each; r < groups; r++) {
    const float *row = x + r * stride;
    for (size_t c = 0; c < whole; c += LANES) moments_step(of, row + c, 0, 1, LANES, mean + c, sums + c);
    if (left > 0) moments_step(of, row + whole, 0, 1, left, mean + whole, sums + whole);
  }
}

// Adds to totals[c] the sums of the lanes that belong to channel c.
static void fold(const float *sums, size_t width, size_t channels, double *totals) {
  for (size_t at = 0; at < width; at += channels)
    for (size_t c = 0; c < channels; c++) totals[c] += (double)sums[at + c];
}

// Mean and squares of a block in two passes, the second of which finds it in cache.
INLINE void block_moments(
    const float *x, const grouping *g, size_t groups, size_t rest, double before, double *mean, double *squares) {
  const double rows = (double)(groups * (g->width / g->channels) + rest / g->channels);
  float sums[PANEL], means[PANEL];
  double totals[PANEL];
  for (size_t from = 0; from < g->width; from += PANEL) {
    const size_t panel = smaller(PANEL, g->width - from), own = smaller(g->channels, panel);
    const float *last = x + groups * g->width + from;
    memset(sums, 0, sizeof sums);
    moments_of(NUMBERS, x + from, groups, g->width, panel, means, sums);
    for (size_t i = 0; i < rest; i++) sums[i] += last[i];
    memset(totals, 0, own * sizeof(double));
    fold(sums, panel, own, totals);
    for (size_t c = 0; c < own; c++) means[c] = (float)(totals[c] / rows);
    for (size_t at = own; at < panel; at += own) memcpy(means + at, means, own * sizeof(float));
    memset(sums, 0, sizeof sums);
    moments_of(SQUARES, x + from, groups, g->width, panel, means, sums);
    for (size_t i = 0; i < rest; i++) sums[i] += (last[i] - means[i]) * (last[i] - means[i]);
    memset(totals, 0, own * sizeof(double));
    fold(sums, panel, own, totals);
    // Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances".
    const double share = rows / (before + rows), weight = before * share;
    for (size_t c = 0; c < own; c++) {
      const double difference = (double)means[c] - mean[from + c];
      mean[from + c] += difference * share;
      squares[from + c] += totals[c] + difference * difference * weight;
    }
  }
}

static size_t groups_of_block(const grouping *g) {
  const size_t groups = BLOCK / g->width;
  return groups < FEWEST_GROUPS ? FEWEST_GROUPS : groups;
}

static void KERNEL(batchnorm_moments)(
    const float *x, size_t rows, size_t channels, size_t rows_before, double *mean, double *squares) {
  const grouping g = grouped(rows, channels);
  const size_t block = groups_of_block(&g), group = g.width / channels;
  for (size_t at = 0; at < g.groups || (at == 0 && g.rest > 0); at += block) {
    const size_t groups = smaller(block, g.groups - at);
    const size_t rest = at + groups == g.groups ? g.rest : 0;
    block_moments(x + at * g.width, &g, groups, rest, (double)(rows_before + at * group), mean, squares);
  }
}

// -- Forward -------------------------------------------------------------------------------------------------

typedef struct {
  float *y;
  const float *x, *addend, *weight, *bias;
  uint16_t *mask;
} forward;

INLINE void apply_step(
    const forward *f, size_t at, size_t c, size_t n, uint16_t *mask, const int adds, const int relu,
    const int streaming) {
  lanes x, weight, bias;
  load(&x, f->x + at, n);
  load(&weight, f->weight + c, n);
  load(&bias, f->bias + c, n);
  lanes z = AFFINE(x, weight, bias);
  if (adds) {
    load(&x, f->addend + at, n);
    z += x;
  }
  if (relu && adds && mask != NULL) {
    const bits positive = __builtin_convertvector(z > 0, bits);
    memcpy(mask, &positive, sizeof positive);
  }
  // `z < 0` is false for a NaN, which therefore passes.
  if (relu) z = CHOSEN(~(choice)(z < 0), z);
  store(f->y + at, &z, n, streaming);
}

INLINE void apply(const forward *f, const grouping *g, const int adds, const int relu, const int streaming) {
  const size_t whole = g->width - g->width % LANES, words = (g->width + LANES - 1) / LANES;
  for (size_t r = 0; r <= g->groups; r++) {
    const size_t width = r < g->groups ? g->width : g->rest, at = r * g->width;
    const size_t full = r < g->groups ? whole : width - width % LANES;
    uint16_t *mask = f->mask == NULL ? NULL : f->mask + r * words;
    for (size_t c = 0; c < full; c += LANES)
      apply_step(f, at + c, c, LANES, mask == NULL ? NULL : mask + c / LANES, adds, relu, streaming);
    if (full < width)
      apply_step(
          f, at + full, full, width - full, mask == NULL ? NULL : mask + full / LANES, adds, relu, streaming);
  }
}

INLINE void apply_kind(const forward *f, const grouping *g, int relu, const int streaming) {
  if (f->addend != NULL) {
    if (relu) apply(f, g, 1, 1, streaming);
    else apply(f, g, 1, 0, streaming);
  } else {
    if (relu) apply(f, g, 0, 1, streaming);
    else apply(f, g, 0, 0, streaming);
  }
}

static void KERNEL(batchnorm_apply)(
    float *y, const float *x, const float *addend, size_t rows, size_t channels, const float *weight,
    const float *bias, int relu, uint16_t *mask, int streaming) {
  const grouping g = grouped(rows, channels);
  float weights[PANEL], biases[PANEL];
  const forward f = {y, x, addend, spread(weight, &g, weights), spread(bias, &g, biases), mask};
  // A store past the caches needs whole lines.
  if (streaming && (uintptr_t)y % sizeof(lanes) == 0 && g.width % LANES == 0) {
    apply_kind(&f, &g, relu, 1);
#if defined(__x86_64__)
    // Such stores are ordered by nothing else, and other threads read them next.
    __builtin_ia32_sfence();
#endif
  } else {
    apply_kind(&f, &g, relu, 0);
  }
}

// -- Backward ------------------------------------------------------------------------------------------------

// How a gradient is held back where the forward pass gave zero.
typedef enum { NOWHERE, RECOMPUTED, RECORDED } held_back;

typedef struct {
  float *dy;
  const float *x, *mean, *weight, *bias;
  const uint16_t *mask;
} backward;

INLINE void sums_step(
    const backward *b, size_t at, size_t distance, size_t streams, size_t n, size_t c, size_t word,
    size_t word_distance, const held_back held, float *sum, float *product) {
  lanes total, products, mean, weight = {0}, bias = {0}, x, g;
  load(&total, sum, n);
  load(&products, product, n);
  load(&mean, b->mean + c, n);
  if (held == RECOMPUTED) {
    load(&weight, b->weight + c, n);
    load(&bias, b->bias + c, n);
  }
  for (size_t s = 0; s < streams; s++) {
    const size_t place = at + s * distance;
    load(&x, b->x + place, n);
    load(&g, b->dy + place, n);
    if (held == RECOMPUTED) {
      const lanes z = AFFINE(x, weight, bias);
      g = CHOSEN(z > 0, g);
    } else if (held == RECORDED) {
      choice positive;
      unpack(&positive, b->mask + word + s * word_distance);
      g = CHOSEN(positive, g);
      store(b->dy + place, &g, n, 0);
    }
    total += g;
    products += g * (x - mean);
  }
  store(sum, &total, n, 0);
  store(product, &products, n, 0);
}

// Adds to the sums of one panel over groups from ..< to.
INLINE void sums_of(
    const backward *b, const grouping *g, size_t from, size_t to, size_t first, size_t panel, const held_back held,
    float *sums, float *products) {
  const size_t each = (to - from) / STREAMS, distance = each * g->width;
  const size_t words = (g->width + LANES - 1) / LANES;
  const size_t whole = panel - panel % LANES, left = panel % LANES;
  for (size_t r = from; r < from + each; r++) {
    const size_t at = r * g->width + first, word = r * words + first / LANES;
    for (size_t c = 0; c < whole; c += LANES)
      sums_step(
          b, at + c, distance, STREAMS, LANES, first + c, word + c / LANES, each * words, held, sums + c,
          products + c);
    if (left > 0)
      sums_step(
          b, at + whole, distance, STREAMS, left, first + whole, word + whole / LANES, each * words, held,
          sums + whole, products + whole);
  }
  for (size_t r = from + STREAMS * each; r < to; r++) {
    const size_t at = r * g->width + first, word = r * words + first / LANES;
    for (size_t c = 0; c < panel; c += LANES)
      sums_step(
          b, at + c, 0, 1, smaller(LANES, panel - c), first + c, word + c / LANES, 0, held, sums + c, products + c);
  }
}

INLINE void sums(
    const backward *b, const grouping *g, const held_back held, double *sum_dy, double *sum_dy_x) {
  const size_t block = groups_of_block(g), words = (g->width + LANES - 1) / LANES;
  float sums[PANEL], products[PANEL];
  for (size_t at = 0; at < g->groups || (at == 0 && g->rest > 0); at += block) {
    const size_t to = smaller(at + block, g->groups);
    for (size_t first = 0; first < g->width; first += PANEL) {
      const size_t panel = smaller(PANEL, g->width - first), own = smaller(g->channels, panel);
      memset(sums, 0, sizeof sums);
      memset(products, 0, sizeof products);
      sums_of(b, g, at, to, first, panel, held, sums, products);
      if (to == g->groups)
        for (size_t c = 0; c < g->rest; c += LANES)
          sums_step(
              b, to * g->width + c, 0, 1, smaller(LANES, g->rest - c), c, to * words + c / LANES, 0, held, sums + c,
              products + c);
      fold(sums, panel, own, sum_dy + first);
      fold(products, panel, own, sum_dy_x + first);
    }
  }
}

static void KERNEL(batchnorm_backward_sums)(
    float *dy, const float *x, size_t rows, size_t channels, const float *mean, const float *weight,
    const float *bias, const uint16_t *mask, double *sum_dy, double *sum_dy_x) {
  const grouping g = grouped(rows, channels);
  float means[PANEL], weights[PANEL], biases[PANEL];
  const backward b = {
      dy, x, spread(mean, &g, means), spread(weight, &g, weights), spread(bias, &g, biases), mask};
  if (mask != NULL) sums(&b, &g, RECORDED, sum_dy, sum_dy_x);
  else if (weight != NULL) sums(&b, &g, RECOMPUTED, sum_dy, sum_dy_x);
  else sums(&b, &g, NOWHERE, sum_dy, sum_dy_x);
}

typedef struct {
  float *dx;
  const float *dy, *x, *addend, *mean, *a, *b, *d, *weight, *bias;
} gradient;

INLINE void gradient_step(
    const gradient *f, size_t at, size_t c, size_t n, const int adds, const held_back held) {
  lanes g, x, mean, a, b, d;
  load(&g, f->dy + at, n);
  load(&x, f->x + at, n);
  load(&mean, f->mean + c, n);
  load(&a, f->a + c, n);
  load(&b, f->b + c, n);
  load(&d, f->d + c, n);
  if (held == RECOMPUTED) {
    lanes weight, bias;
    load(&weight, f->weight + c, n);
    load(&bias, f->bias + c, n);
    const lanes z = AFFINE(x, weight, bias);
    g = CHOSEN(z > 0, g);
  }
  g = a * g + (b * (x - mean) + d);
  if (adds) {
    load(&x, f->addend + at, n);
    g += x;
  }
  store(f->dx + at, &g, n, 0);
}

INLINE void gradients(const gradient *f, const grouping *g, const int adds, const held_back held) {
  for (size_t r = 0; r <= g->groups; r++) {
    const size_t width = r < g->groups ? g->width : g->rest, at = r * g->width, full = width - width % LANES;
    for (size_t c = 0; c < full; c += LANES) gradient_step(f, at + c, c, LANES, adds, held);
    if (full < width) gradient_step(f, at + full, full, width - full, adds, held);
  }
}

static void KERNEL(batchnorm_backward_apply)(
    float *dx, const float *dy, const float *x, const float *addend, size_t rows, size_t channels, const float *mean,
    const float *a, const float *b, const float *d, const float *weight, const float *bias) {
  const grouping g = grouped(rows, channels);
  float lanes_of[6][PANEL];
  const gradient f = {
      dx,
      dy,
      x,
      addend,
      spread(mean, &g, lanes_of[0]),
      spread(a, &g, lanes_of[1]),
      spread(b, &g, lanes_of[2]),
      spread(d, &g, lanes_of[3]),
      spread(weight, &g, lanes_of[4]),
      spread(bias, &g, lanes_of[5])};
  if (addend != NULL) {
    if (weight != NULL) gradients(&f, &g, 1, RECOMPUTED);
    else gradients(&f, &g, 1, NOWHERE);
  } else {
    if (weight != NULL) gradients(&f, &g, 0, RECOMPUTED);
    else gradients(&f, &g, 0, NOWHERE);
  }
}

// -- Biases --------------------------------------------------------------------------------------------------

static void KERNEL(column_sums)(const float *restrict x, size_t rows, size_t channels, float *restrict sums) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) sums[c] += x[r * channels + c];
}

static void KERNEL(add_bias)(float *restrict x, size_t rows, size_t channels, const float *restrict bias) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < channels; c++) x[r * channels + c] += bias[c];
}
