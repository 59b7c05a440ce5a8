// How batch norm's kernels cut a matrix into groups of rows.
#pragma once

#include "../simd.h"

/// The most lanes that a group of several rows may have.
enum { NORM_PANEL = 1024 };

INLINE size_t norm_group(size_t channels) {
  size_t rows = 1;
  while (rows * channels % LANES != 0 || rows * channels < 4 * LANES) rows++;
  return rows * channels <= NORM_PANEL ? rows : 1;
}

INLINE size_t norm_mask_words(size_t channels) { return (norm_group(channels) * channels + LANES - 1) / LANES; }
