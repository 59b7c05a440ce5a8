// What the machine can do at best, and what the program asks of the allocator: the two things that have to be written
// in C. Everything else about measuring is in Measuring.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Multiply-adds of registers alone, `turns` turns of them: no memory is touched, so that nothing but the arithmetic
/// units limits it. Uses the widest vectors of this processor.
/// Returns the floating-point operations that were made, two for each multiply-add and lane.
double cm_multiply_adds(uint64_t turns);
