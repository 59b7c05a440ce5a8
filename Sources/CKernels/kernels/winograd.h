// Winograd's convolution in float32: maps to planes and back, filters to planes and back. The matrix products between
// them are the caller's, and so is every decision about blocks.

#include "winograd_walk.h"

// -- Tiles of a map ------------------------------------------------------------------------------------------

/// Walks over tiles first ..< first + count and transforms each from the map to [points, points] places in planes.
INLINE void map_to_planes(
    tile_transform *transform, const ck_winograd_map *map, tile_grid grid, int32_t points, places target,
    const float *pixels, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  const places source = map_places(map, grid.side);
  const tile_cut all = whole(points);
  for (size_t tile = first; tile < first + count; tile++) {
    const placed_tile placed = place_tile(map, grid, tile);
    float *const row_out = out + (tile - first) * planes->row;
    for (column_group group = {0}; group.column < channels; group = next_group(planes, group, channels))
      transform_channels(
          transform, &placed.cut, pixels + placed.start + (ptrdiff_t)group.column, &source, &all,
          row_out + group.at, &target, group_size(planes, group, channels));
  }
}

// map_to_planes of one form, whose transform is LINE both ways, by the parameters of the functions below.
#define TO_PLANES(LINE, SIDE, STEP, BORDER, POINTS, PLACES, pixels)                                             \
  map_to_planes(                                                                                                \
      LINE##_tile, map, (tile_grid){SIDE, STEP, BORDER}, POINTS, PLACES, pixels, channels, first, count, out, planes)

WIDE static void KERNEL(winograd_input)(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  const size_t plane = planes->plane;
  switch (map->form) {
  case CK_WINOGRAD_F2: TO_PLANES(input_2, 4, 2, 1, 4, plane_places(4, plane), x); break;
  case CK_WINOGRAD_F4: TO_PLANES(input_4, 6, 4, 1, 6, plane_places(6, plane), x); break;
  case CK_WINOGRAD_STRIDED: TO_PLANES(input_strided, 5, 4, 1, 5, strided_places(plane), x); break;
  default: TO_PLANES(input_strided_gradient, 3, 2, 0, 4, plane_places(4, plane), x);
  }
}

WIDE static void KERNEL(winograd_output_gradient)(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  const size_t plane = planes->plane;
  switch (map->form) {
  case CK_WINOGRAD_F2: TO_PLANES(output_gradient_2, 2, 2, 0, 4, plane_places(4, plane), dy); break;
  case CK_WINOGRAD_F4: TO_PLANES(output_gradient_4, 4, 4, 0, 6, plane_places(6, plane), dy); break;
  default: TO_PLANES(output_gradient_strided, 2, 2, 0, 3, plane_places(3, plane), dy);
  }
}
#undef TO_PLANES

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

/// Walks over tiles first ..< first + count and transforms each from [points, points] places in planes to [side, side]
/// squares of the map.
INLINE void planes_to_map(
    tile_transform *transform, const ck_winograd_map *map, int32_t points, places source, int32_t side,
    const float *in, const ck_winograd_planes *planes, size_t channels, size_t first, size_t count, float *pixels,
    const ck_finish *finish) {
  const int32_t tile_rows = (map->height + side - 1) / side, tile_columns = (map->width + side - 1) / side;
  const size_t pixel = map->pixel_stride, line = (size_t)map->width * pixel;
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
  const size_t plane = planes->plane;
#define FROM_PLANES(LINE, POINTS, PLACES, SIDE) \
  planes_to_map(LINE##_tile, map, POINTS, PLACES, SIDE, in, planes, channels, first, count, y, finish)
  switch (map->form) {
  case CK_WINOGRAD_F2: FROM_PLANES(output_2, 4, plane_places(4, plane), 2); break;
  case CK_WINOGRAD_F4: FROM_PLANES(output_4, 6, plane_places(6, plane), 4); break;
  case CK_WINOGRAD_STRIDED: FROM_PLANES(output_strided, 3, plane_places(3, plane), 2); break;
  default: FROM_PLANES(output_strided_gradient, 5, strided_places(plane), 4);
  }
#undef FROM_PLANES
}

// -- Filters -------------------------------------------------------------------------------------------------

/// Where the 9 taps of a filter [3, 3, rows, columns] lie.
INLINE places tap_places(const ck_winograd_taps *taps) { return grid_places(3, 3 * taps->tap, taps->tap); }

INLINE void filter_to_planes(
    tile_transform *transform, int32_t points, places target, const float *w, const ck_winograd_taps *taps,
    size_t rows, size_t columns, float *out, const ck_winograd_planes *planes) {
  const places source = tap_places(taps);
  const tile_cut filter = whole(3), all = whole(points);
  for (size_t r = 0; r < rows; r++)
    for (column_group group = {0}; group.column < columns; group = next_group(planes, group, columns))
      transform_channels(
          transform, &filter, w + r * taps->row + group.column, &source, &all, out + r * planes->row + group.at,
          &target, group_size(planes, group, columns));
}

INLINE void planes_to_filter(
    tile_transform *transform, int32_t points, places source, const float *in, const ck_winograd_planes *planes,
    size_t rows, size_t columns, float *dw, const ck_winograd_taps *taps) {
  const places target = tap_places(taps);
  const tile_cut all = whole(points), filter = whole(3);
  for (size_t r = 0; r < rows; r++)
    for (column_group group = {0}; group.column < columns; group = next_group(planes, group, columns))
      transform_channels(
          transform, &all, in + r * planes->row + group.at, &source, &filter, dw + r * taps->row + group.column,
          &target, group_size(planes, group, columns));
}

WIDE static void KERNEL(winograd_filter)(
    int32_t form, const float *w, const ck_winograd_taps *taps, size_t rows, size_t columns, float *out,
    const ck_winograd_planes *planes) {
  const size_t plane = planes->plane;
  if (form == CK_WINOGRAD_F2)
    filter_to_planes(filter_2_tile, 4, plane_places(4, plane), w, taps, rows, columns, out, planes);
  else if (form == CK_WINOGRAD_F4)
    filter_to_planes(filter_4_tile, 6, plane_places(6, plane), w, taps, rows, columns, out, planes);
  else
    filter_to_planes(filter_strided_tile, 5, strided_places(plane), w, taps, rows, columns, out, planes);
}

WIDE static void KERNEL(winograd_filter_gradient)(
    int32_t form, const float *in, const ck_winograd_planes *planes, size_t rows, size_t columns, float *dw,
    const ck_winograd_taps *taps) {
  const size_t plane = planes->plane;
  if (form == CK_WINOGRAD_F2)
    planes_to_filter(filter_gradient_2_tile, 4, plane_places(4, plane), in, planes, rows, columns, dw, taps);
  else if (form == CK_WINOGRAD_F4)
    planes_to_filter(filter_gradient_4_tile, 6, plane_places(6, plane), in, planes, rows, columns, dw, taps);
  else
    planes_to_filter(
        filter_gradient_strided_tile, 5, strided_places(plane), in, planes, rows, columns, dw, taps);
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
