// The walk over the tiles of a map that Winograd's convolution transforms, and what happens at edges. The transforms of
// one tile are in winograd_tiles.h.
#pragma once

#include "winograd_tiles.h"

// -- One tile ------------------------------------------------------------------------------------------------

/// A tile cut to a map: squares first_row ..< end_row, first_column ..< end_column exist.
typedef struct {
  int32_t side, first_row, end_row, first_column, end_column;
} tile_cut;

INLINE int is_whole(const tile_cut *cut) {
  return cut->first_row == 0 && cut->first_column == 0 && cut->end_row == cut->side &&
         cut->end_column == cut->side;
}

/// The places of a tile of its own, [squares, LANES].
#define FOUR_PLACES(i) i * LANES, (i + 1) * LANES, (i + 2) * LANES, (i + 3) * LANES
static const places packed = {{
    FOUR_PLACES(0), FOUR_PLACES(4), FOUR_PLACES(8), FOUR_PLACES(12), FOUR_PLACES(16), FOUR_PLACES(20),
    FOUR_PLACES(24), FOUR_PLACES(28), FOUR_PLACES(32)}};

/// Places of square (i, j) at i * row + j * column.
INLINE places grid_places(int32_t side, size_t row, size_t column) {
  places grid;
  for (int32_t i = 0; i < side; i++)
    for (int32_t j = 0; j < side; j++) grid.at[i * side + j] = (size_t)i * row + (size_t)j * column;
  return grid;
}

/// Copies `count` channels of the squares that exist.
INLINE void copy_squares(
    const tile_cut *cut, const float *from, const places *source, float *to, const places *target, size_t count) {
  for (int32_t i = cut->first_row; i < cut->end_row; i++)
    for (int32_t j = cut->first_column; j < cut->end_column; j++) {
      const float *source_square = from + source->at[i * cut->side + j];
      float *target_square = to + target->at[i * cut->side + j];
      if (count == LANES)
        *(unaligned_lanes *)target_square = *(const unaligned_lanes *)source_square;
      else
        memcpy(target_square, source_square, count * sizeof(float));
    }
}

/// A tile of its own, in which what does not exist is zero.
INLINE void copy_source(
    const tile_cut *cut, const float *from, const places *source, lanes *copy, size_t count) {
  memset(copy, 0, (size_t)(cut->side * cut->side) * sizeof(lanes));
  copy_squares(cut, from, source, (float *)copy, &packed, count);
}

/// Transforms `count` channels, LANES or fewer, of a tile: directly where all of it exists, else by way of copies
/// in which what does not exist is zero.
INLINE void transform_channels(
    tile_transform *transform, const tile_cut *source_cut, const float *from, const places *source,
    const tile_cut *target_cut, float *to, const places *target, size_t count) {
  const int direct_source = count == LANES && is_whole(source_cut);
  const int direct_target = count == LANES && is_whole(target_cut);
  lanes source_copy[MOST_PLACES], target_copy[MOST_PLACES];
  if (!direct_source) copy_source(source_cut, from, source, source_copy, count);
  transform(
      direct_source ? from : (const float *)source_copy, direct_source ? source : &packed,
      direct_target ? to : (float *)target_copy, direct_target ? target : &packed);
  if (!direct_target) copy_squares(target_cut, (const float *)target_copy, &packed, to, target, count);
}

INLINE tile_cut whole(int32_t side) { return (tile_cut){side, 0, side, 0, side}; }

/// Neighboring columns of planes that are transformed together: LANES of them, unless the panel or the matrix ends
/// before. The first of them, its distance from the start of the row, and its place in the panel.
typedef struct {
  size_t column, at, in_panel;
} column_group;

INLINE size_t group_size(const ck_winograd_planes *planes, column_group group, size_t columns) {
  const size_t left = columns - group.column, in_panel = planes->panel - group.in_panel;
  const size_t most = in_panel < LANES ? in_panel : LANES;
  return left < most ? left : most;
}

INLINE column_group next_group(const ck_winograd_planes *planes, column_group group, size_t columns) {
  const size_t size = group_size(planes, group, columns);
  group.column += size;
  group.at += size;
  group.in_panel += size;
  if (group.in_panel < planes->panel) return group;
  return (column_group){group.column, group.at + planes->panel_stride - group.in_panel, 0};
}

// -- Tiles of a map ------------------------------------------------------------------------------------------

/// A tile's squares that lie in the map, and floats from the first pixel of the batch to its first square.
typedef struct {
  tile_cut cut;
  /// May lie before the map, where the cut lets nobody read.
  ptrdiff_t start;
} placed_tile;

/// How the tiles of a map that is transformed lie on it: [side, side] squares, the next one `step` further, the first
/// `border` above and left of the map.
typedef struct {
  int32_t side, step, border;
} tile_grid;

INLINE placed_tile place_tile(const ck_winograd_map *map, tile_grid grid, size_t tile) {
  const int32_t side = grid.side;
  const size_t tile_rows = (size_t)((map->height + grid.step - 1) / grid.step);
  const size_t tile_columns = (size_t)((map->width + grid.step - 1) / grid.step);
  const size_t row = tile / tile_columns;
  const int32_t left = (int32_t)(tile % tile_columns) * grid.step - grid.border;
  const int32_t top = (int32_t)(row % tile_rows) * grid.step - grid.border;
  const ptrdiff_t pixel = (ptrdiff_t)map->pixel_stride, line = map->width * pixel;
  return (placed_tile){
      {side, top < 0 ? -top : 0, least(side, map->height - top), left < 0 ? -left : 0,
       least(side, map->width - left)},
      ((ptrdiff_t)(row / tile_rows * (size_t)map->height) + top) * line + left * pixel};
}

/// Planes of n * n numbers, row by row.
INLINE places plane_places(int32_t points, size_t plane) {
  return grid_places(points, (size_t)points * plane, plane);
}

/// Planes of the 25 numbers of a strided convolution.
INLINE places strided_places(size_t plane) {
  places grid;
  for (int32_t i = 0; i < 5; i++)
    for (int32_t j = 0; j < 5; j++) grid.at[i * 5 + j] = (size_t)ck_winograd_strided_order(i, j) * plane;
  return grid;
}

INLINE places map_places(const ck_winograd_map *map, int32_t side) {
  return grid_places(side, (size_t)map->width * map->pixel_stride, map->pixel_stride);
}
