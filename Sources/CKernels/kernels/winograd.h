// Winograd's convolution in float32: maps to planes and back, filters to planes and back. The matrix products between
// them are the caller's, and so is every decision about blocks.

#include "winograd_walk.h"

// -- Tiles of a map ------------------------------------------------------------------------------------------

/// Walks over tiles first ..< first + count and transforms each from the map to the planes.
INLINE void map_to_planes(
    tile_transform *transform, const ck_winograd_map *map, int32_t side, int32_t border, int32_t points,
    const float *pixels, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  const places source = map_places(map, side);
  const places target = grid_places(points, (size_t)points * planes->plane, planes->plane);
  const tile_cut all = whole(points);
  for (size_t tile = first; tile < first + count; tile++) {
    const placed_tile placed = place_tile(map, side, border, tile);
    float *const row_out = out + (tile - first) * planes->row;
    for (column_group group = {0}; group.column < channels; group = next_group(planes, group, channels))
      transform_channels(
          transform, &placed.cut, pixels + placed.start + (ptrdiff_t)group.column, &source, &all,
          row_out + group.at, &target, group_size(planes, group, channels));
  }
}

WIDE static void KERNEL(winograd_input)(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  if (map->tile == 4)
    map_to_planes(input_4_tile, map, 6, 1, 6, x, channels, first, count, out, planes);
  else
    map_to_planes(input_2_tile, map, 4, 1, 4, x, channels, first, count, out, planes);
}

WIDE static void KERNEL(winograd_output_gradient)(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  if (map->tile == 4)
    map_to_planes(output_gradient_4_tile, map, 4, 0, 6, dy, channels, first, count, out, planes);
  else
    map_to_planes(output_gradient_2_tile, map, 2, 0, 4, dy, channels, first, count, out, planes);
}

/// The squares of a tile of its own that exist on a map, with what follows: out = activation(tile + bias + addend). The
/// addend lies beside `to`; NULL for none.
INLINE void finish_squares(
    const tile_cut *cut, const lanes *tile, const float *bias, const float *addend, int relu, float *to,
    const places *target, size_t count) {
  lanes shift = {0};
  memcpy(&shift, bias, count * sizeof(float));
  for (int32_t i = cut->first_row; i < cut->end_row; i++)
    for (int32_t j = cut->first_column; j < cut->end_column; j++) {
      const size_t at = target->at[i * cut->side + j];
      lanes value = tile[i * cut->side + j] + shift, added = {0};
      if (addend != NULL) {
        if (count == LANES) added = *(const unaligned_lanes *)(addend + at);
        else memcpy(&added, addend + at, count * sizeof(float));
        value += added;
      }
      // A NaN is not below zero, and stays one.
      if (relu) value = (lanes)(~(choice)(value < 0) & (choice)value);
      if (count == LANES) *(unaligned_lanes *)(to + at) = value;
      else memcpy(to + at, &value, count * sizeof(float));
    }
}

INLINE void planes_to_map(
    tile_transform *transform, const ck_winograd_map *map, int32_t points, const float *in,
    const ck_winograd_planes *planes, size_t channels, size_t first, size_t count, float *pixels,
    const ck_finish *finish) {
  const int32_t side = map->tile;
  const int32_t tile_rows = (map->height + side - 1) / side, tile_columns = (map->width + side - 1) / side;
  const size_t pixel = map->pixel_stride, line = (size_t)map->width * pixel;
  const places source = grid_places(points, (size_t)points * planes->plane, planes->plane);
  const places target = grid_places(side, line, pixel);
  const tile_cut all = whole(points);
  for (size_t tile = first; tile < first + count; tile++) {
    const size_t row = tile / (size_t)tile_columns;
    const int32_t left = (int32_t)(tile % (size_t)tile_columns) * side;
    const int32_t top = (int32_t)(row % (size_t)tile_rows) * side;
    const size_t image = row / (size_t)tile_rows;
    const tile_cut cut = {side, 0, least(side, map->height - top), 0, least(side, map->width - left)};
    const size_t at = (image * (size_t)map->height + (size_t)top) * line + (size_t)left * pixel;
    float *const start = pixels + at;
    const float *const row_in = in + (tile - first) * planes->row;
    for (column_group group = {0}; group.column < channels; group = next_group(planes, group, channels)) {
      const size_t size = group_size(planes, group, channels);
      if (finish == NULL) {
        transform_channels(
            transform, &all, row_in + group.at, &source, &cut, start + group.column, &target, size);
        continue;
      }
      const tile_cut own = whole(side);
      lanes made[MOST_PLACES];
      transform_channels(transform, &all, row_in + group.at, &source, &own, (float *)made, &packed, size);
      finish_squares(
          &cut, made, finish->bias + group.column,
          finish->addend == NULL ? NULL : finish->addend + at + group.column, finish->relu, start + group.column,
          &target, size);
    }
  }
}

WIDE static void KERNEL(winograd_output)(
    const ck_winograd_map *map, const float *in, const ck_winograd_planes *planes, size_t channels, size_t first,
    size_t count, float *y, const ck_finish *finish) {
  if (map->tile == 4)
    planes_to_map(output_4_tile, map, 6, in, planes, channels, first, count, y, finish);
  else
    planes_to_map(output_2_tile, map, 4, in, planes, channels, first, count, y, finish);
}

// -- Filters -------------------------------------------------------------------------------------------------

/// Where the 9 taps of a filter [3, 3, rows, columns] lie.
INLINE places tap_places(const ck_winograd_taps *taps) { return grid_places(3, 3 * taps->tap, taps->tap); }

INLINE void filter_to_planes(
    tile_transform *transform, int32_t points, const float *w, const ck_winograd_taps *taps, size_t rows,
    size_t columns, float *out, const ck_winograd_planes *planes) {
  const places source = tap_places(taps);
  const places target = grid_places(points, (size_t)points * planes->plane, planes->plane);
  const tile_cut filter = whole(3), all = whole(points);
  for (size_t r = 0; r < rows; r++)
    for (column_group group = {0}; group.column < columns; group = next_group(planes, group, columns))
      transform_channels(
          transform, &filter, w + r * taps->row + group.column, &source, &all, out + r * planes->row + group.at,
          &target, group_size(planes, group, columns));
}

INLINE void planes_to_filter(
    tile_transform *transform, int32_t points, const float *in, const ck_winograd_planes *planes, size_t rows,
    size_t columns, float *dw, const ck_winograd_taps *taps) {
  const places source = grid_places(points, (size_t)points * planes->plane, planes->plane);
  const places target = tap_places(taps);
  const tile_cut all = whole(points), filter = whole(3);
  for (size_t r = 0; r < rows; r++)
    for (column_group group = {0}; group.column < columns; group = next_group(planes, group, columns))
      transform_channels(
          transform, &all, in + r * planes->row + group.at, &source, &filter, dw + r * taps->row + group.column,
          &target, group_size(planes, group, columns));
}

WIDE static void KERNEL(winograd_filter)(
    int32_t tile, const float *w, const ck_winograd_taps *taps, size_t rows, size_t columns, float *out,
    const ck_winograd_planes *planes) {
  if (tile == 4)
    filter_to_planes(filter_4_tile, 6, w, taps, rows, columns, out, planes);
  else
    filter_to_planes(filter_2_tile, 4, w, taps, rows, columns, out, planes);
}

WIDE static void KERNEL(winograd_filter_gradient)(
    int32_t tile, const float *in, const ck_winograd_planes *planes, size_t rows, size_t columns, float *dw,
    const ck_winograd_taps *taps) {
  if (tile == 4)
    planes_to_filter(filter_gradient_4_tile, 6, in, planes, rows, columns, dw, taps);
  else
    planes_to_filter(filter_gradient_2_tile, 4, in, planes, rows, columns, dw, taps);
}

WIDE static void KERNEL(winograd_flip)(
    const float *w, size_t inputs, size_t outputs, size_t first, size_t count, float *out) {
  // In squares, so that the lines that are written to stay in cache.
  for (size_t tap = 0; tap < 9; tap++) {
    const float *from = w + (8 - tap) * inputs * outputs;
    float *to = out + tap * outputs * count;
    for (size_t c0 = 0; c0 < count; c0 += LANES)
      for (size_t o0 = 0; o0 < outputs; o0 += LANES) {
        const size_t c1 = c0 + LANES < count ? c0 + LANES : count;
        const size_t o1 = o0 + LANES < outputs ? o0 + LANES : outputs;
        for (size_t o = o0; o < o1; o++)
          for (size_t c = c0; c < c1; c++) to[o * count + c] = from[(first + c) * outputs + o];
      }
  }
}
