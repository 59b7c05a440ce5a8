// The arithmetic units' own speed: independent chains of multiply-adds, enough of them to hide an instruction's
// latency (4 or 5 cycles, two units) and few enough to stay in registers.

#include "CMeasuring.h"

// The result of a chain has to go somewhere, or the compiler drops the chain.
static volatile float sink;

#define CHAINS(NAME, BYTES, COUNT, TARGET)                                                                    \
  TARGET static double NAME(uint64_t turns) {                                                                  \
    typedef float lanes __attribute__((vector_size(BYTES)));                                                   \
    lanes chain[COUNT], factor, term;                                                                          \
    for (size_t lane = 0; lane < BYTES / 4; lane++) factor[lane] = 0.999f + 1e-6f * (float)lane, term[lane] = 1e-3f; \
    for (size_t c = 0; c < COUNT; c++) chain[c] = term * (float)c;                                             \
    for (uint64_t turn = 0; turn < turns; turn++) {                                                            \
      _Pragma("clang loop unroll(full)") for (size_t c = 0; c < COUNT; c++) chain[c] = chain[c] * factor + term; \
    }                                                                                                          \
    float total = 0;                                                                                           \
    for (size_t c = 0; c < COUNT; c++)                                                                         \
      for (size_t lane = 0; lane < BYTES / 4; lane++) total += chain[c][lane];                                 \
    sink = total;                                                                                              \
    return 2.0 * (BYTES / 4) * COUNT * (double)turns;                                                          \
  }

CHAINS(chains_of_16, 16, 12, )
#if defined(__x86_64__)
CHAINS(chains_of_32, 32, 12, __attribute__((target("avx2,fma"))))
CHAINS(chains_of_64, 64, 16, __attribute__((target("avx512f,fma"))))
#endif

double cm_multiply_adds(uint64_t turns) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return chains_of_64(turns);
  if (__builtin_cpu_supports("fma")) return chains_of_32(turns);
#endif
  return chains_of_16(turns);
}
