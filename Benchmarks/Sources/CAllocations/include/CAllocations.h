// Counts what a program asks of the allocator, by standing in front of it: a program that links this has its own
// malloc, which counts and calls the C library's. With another C library than glibc nothing is counted.
#pragma once

#include <stdint.h>

typedef struct {
  /// Calls of malloc, calloc, realloc, posix_memalign, aligned_alloc and memalign, from any thread.
  uint64_t calls;
  /// The bytes that they asked for.
  uint64_t bytes;
} ca_counts;

/// Whether anything can be counted here.
int ca_can_count(void);
/// Begins counting from zero.
void ca_start(void);
/// Ends counting and returns what was counted.
ca_counts ca_stop(void);
