// What the kernels share: vectors of sixteen lanes, which the compiler splits into what the instruction set has, and
// how a kernel is named for the instruction set that it is compiled for.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "include/CKernels.h"

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

/// Sixteen floats.
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
/// The same where memory is only aligned for floats.
typedef float unaligned_lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(sizeof(float)), may_alias));
/// All bits of a lane set, or none.
typedef int32_t choice __attribute__((vector_size(LANES * sizeof(int32_t))));
/// A bit a lane.
typedef _Bool bits __attribute__((ext_vector_type(LANES)));
/// A byte a lane.
typedef uint8_t byte_lanes __attribute__((vector_size(LANES), aligned(1)));

// A macro, because a vector argument wider than the registers would change how functions are called.
/// The lanes of v that are chosen, zero in the others.
#define CHOSEN(which, v) ((lanes)((which) & (choice)(v)))

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
INLINE int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
INLINE int32_t greatest(int32_t a, int32_t b) { return a > b ? a : b; }
