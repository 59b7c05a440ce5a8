// Which version of the kernels runs: the best that the processor has, or the one that SKIPLINE_KERNELS names, chosen
// once when the program is loaded, or before anything is computed where several machines have to agree.

#include "levels.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/batchnorm_groups.h"

#if defined(__x86_64__)
#define BASE_NAME "sse2"
#elif defined(__aarch64__)
#define BASE_NAME "neon"
#else
#define BASE_NAME "portable"
#endif

typedef struct {
  const char *name;
  size_t lanes;
  const ck_kernels *kernels;
} level;

// The best first.
static const level levels[] = {
#if defined(__x86_64__)
    {"avx512", 16, &ck_avx512_kernels},
    {"avx2", 8, &ck_avx2_kernels},
#endif
    {BASE_NAME, 4, &ck_base_kernels},
};
enum { LEVELS = sizeof levels / sizeof *levels };

static int runs_here(const level *candidate) {
#if defined(__x86_64__)
  if (candidate->lanes == 16) return __builtin_cpu_supports("x86-64-v4") != 0;
  if (candidate->lanes == 8) return __builtin_cpu_supports("x86-64-v3") != 0;
#endif
  return candidate->lanes == 4;
}

static const level *chosen = &levels[LEVELS - 1];
static const char *refused = NULL;

__attribute__((constructor)) static void choose(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  const level *best = levels;
  while (!runs_here(best)) best++;
  chosen = best;
  const char *wanted = getenv("SKIPLINE_KERNELS");
  if (wanted == NULL || *wanted == 0) return;
  for (const level *candidate = best; candidate < levels + LEVELS; candidate++)
    if (strcmp(candidate->name, wanted) == 0) {
      chosen = candidate;
      return;
    }
  refused = wanted;
}

const char *ck_level(void) { return chosen->name; }

int ck_choose_level(const char *name) {
  for (size_t at = 0; at < LEVELS; at++)
    if (strcmp(levels[at].name, name) == 0 && runs_here(&levels[at])) {
      chosen = &levels[at];
      return 1;
    }
  return 0;
}

const char *ck_level_at(size_t index) {
  for (size_t at = 0; at < LEVELS; at++)
    if (runs_here(&levels[at]) && index-- == 0) return levels[at].name;
  return NULL;
}

const char *ck_refused_level(void) { return refused; }

size_t ck_lanes(void) { return chosen->lanes; }

size_t ck_batchnorm_group(size_t channels) { return norm_group(channels); }

size_t ck_batchnorm_mask_words(size_t channels) { return norm_mask_words(channels); }

#define FORWARD(result, name, parameters, arguments) \
  result ck_##name parameters { return chosen->kernels->name arguments; }
EACH_KERNEL(FORWARD)

// Panels are made for a number of lanes, which need not be the chosen one's.
void ck_gemm(
    const ck_operand *a, const ck_panels *b, size_t columns, size_t lanes, const ck_result *out, int accumulate,
    const ck_finish *finish) {
  if (a->rows == 0) return;
  for (size_t at = 0; at < LEVELS; at++)
    if (levels[at].lanes == lanes) return levels[at].kernels->product(a, b, columns, out, accumulate, finish);
}

static const ck_pair_kernels *pair_kernels(size_t lanes) {
#if defined(__x86_64__)
  if (lanes == 16) return &ck_avx512bf16_pair_kernels;
#endif
  (void)lanes;
  return &ck_base_pair_kernels;
}

int ck_has_quads(void) {
#if defined(__x86_64__)
  if (chosen->lanes == 16) return __builtin_cpu_supports("avx512vnni") != 0;
#endif
  return 0;
}

static const ck_quad_kernels *quad_kernels(void) {
#if defined(__x86_64__)
  if (chosen->lanes == 16) return ck_has_quads() ? &ck_avx512vnni_quad_kernels : &ck_avx512_quad_kernels;
  if (chosen->lanes == 8) return &ck_avx2_quad_kernels;
#endif
  return &ck_base_quad_kernels;
}

size_t ck_byte_panel(void) { return 2 * chosen->lanes; }

void ck_byte_product(
    const ck_byte_operand *a, const int8_t *panels, size_t first, size_t columns, const ck_byte_finish *finish) {
  if (a->rows > 0) quad_kernels()->product(a, panels, first, columns, finish);
}

void ck_round_bytes(const float *x, size_t count, float factor, int32_t zero, uint8_t *out) {
  quad_kernels()->round_bytes(x, count, factor, zero, out);
}

void ck_unround_bytes(const uint8_t *x, size_t count, float scale, int32_t zero, float *out) {
  quad_kernels()->unround_bytes(x, count, scale, zero, out);
}

size_t ck_pair_lanes(void) {
#if defined(__x86_64__)
  if (chosen->lanes == 16 && __builtin_cpu_supports("avx512bf16")) return 16;
#endif
  return 4;
}

void ck_gemm_pairs(
    const ck_operand *a, const ck_panels *b, size_t columns, size_t lanes, const ck_result *out, int accumulate,
    const ck_finish *finish) {
  if (a->rows > 0) pair_kernels(lanes)->product(a, b, columns, out, accumulate, finish);
}

void ck_pack_pairs(
    const float *source, size_t depth, size_t columns, size_t row_stride, size_t column_stride, size_t first,
    size_t panel_width, size_t panel_stride, float *packed) {
  pair_kernels(ck_pair_lanes())
      ->pack_pairs(source, depth, columns, row_stride, column_stride, first, panel_width, panel_stride, packed);
}

void ck_round_pairs(const float *source, size_t pairs, float *rounded_pairs) {
  pair_kernels(ck_pair_lanes())->round_pairs(source, pairs, rounded_pairs);
}

void ck_winograd_input_pairs(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, int of_tiles, float *out,
    const ck_winograd_planes *planes) {
  pair_kernels(ck_pair_lanes())->winograd_input(map, x, channels, first, count, of_tiles, out, planes);
}

void ck_winograd_output_gradient_pairs(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  pair_kernels(ck_pair_lanes())->winograd_output_gradient(map, dy, channels, first, count, out, planes);
}
