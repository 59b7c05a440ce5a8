// How one C function becomes several machine versions.
#pragma once

#include "CKernels.h"

// The loader picks the widest version that the processor runs. Elsewhere the plain version stands alone: on ARM the
// base instruction set already has vectors.
#if defined(__x86_64__) && defined(__linux__)
#define VECTOR_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_VERSIONS
#endif
