// How one C function becomes several machine versions.
#pragma once

#include "CKernels.h"

// The loader picks the widest version that the processor runs. Elsewhere the plain version stands alone: on ARM the
// base instruction set already has vectors, and under a sanitizer the picking runs before the sanitizer is ready.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define CK_SANITIZED 1
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(CK_SANITIZED)
#define VECTOR_VERSIONS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_VERSIONS
#endif
