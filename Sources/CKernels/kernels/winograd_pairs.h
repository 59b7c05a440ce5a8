// Winograd's convolution in bfloat16: the transforms of maps, as in winograd.h, with what they give rounded to pairs, so
// that planes are sides of products of pairs. Filters are transformed as floats and packed.

#include "pairs.h"
#include "winograd_walk.h"

/// Pairs of neighboring channels: tile first + r is row r.
INLINE void map_to_channel_pairs(
    tile_transform *transform, const ck_winograd_map *map, int32_t side, int32_t border, int32_t points,
    const float *pixels, size_t channels, size_t first, size_t count, float *out, const ck_winograd_planes *planes) {
  const places source = map_places(map, side);
  const tile_cut all = whole(points);
  for (size_t row = 0; row < count; row++) {
    const placed_tile placed = place_tile(map, side, border, first + row);
    for (size_t channel = 0; channel < channels; channel += LANES) {
      const size_t size = smaller(LANES, channels - channel);
      lanes made[MOST_PLACES];
      transform_channels(
          transform, &placed.cut, pixels + placed.start + (ptrdiff_t)channel, &source, &all, (float *)made, &packed,
          size);
      pair *to = (pair *)out + row * planes->row + channel / 2;
      for (int32_t i = 0; i < points * points; i++, to += planes->plane) {
        const float *from = (const float *)&made[i];
        if (size == LANES) pair_up(from, from + 1, 2, LANES / 2, to);
        else pair_up(from, from + 1, 2, size / 2, to);
      }
    }
  }
}

/// Pairs of neighboring tiles: tiles first + 2 r and the next, zero behind the last, are row r.
INLINE void map_to_tile_pairs(
    tile_transform *transform, const ck_winograd_map *map, int32_t side, int32_t border, int32_t points,
    const float *pixels, size_t channels, size_t first, size_t count, float *out, const ck_winograd_planes *planes) {
  const places source = map_places(map, side);
  const tile_cut all = whole(points);
  for (size_t tile = 0; tile < count; tile += 2) {
    const placed_tile earlier = place_tile(map, side, border, first + tile);
    const int is_alone = tile + 1 == count;
    const placed_tile later = is_alone ? earlier : place_tile(map, side, border, first + tile + 1);
    pair *const row_out = (pair *)out + tile / 2 * planes->row;
    for (column_group group = {0}; group.column < channels; group = next_group(planes, group, channels)) {
      const size_t size = group_size(planes, group, channels);
      lanes made[2][MOST_PLACES];
      transform_channels(
          transform, &earlier.cut, pixels + earlier.start + (ptrdiff_t)group.column, &source, &all,
          (float *)made[0], &packed, size);
      if (is_alone)
        memset(made[1], 0, sizeof made[1]);
      else
        transform_channels(
            transform, &later.cut, pixels + later.start + (ptrdiff_t)group.column, &source, &all,
            (float *)made[1], &packed, size);
      pair *to = row_out + group.at;
      for (int32_t i = 0; i < points * points; i++, to += planes->plane) {
        if (size == LANES) pair_up((const float *)&made[0][i], (const float *)&made[1][i], 1, LANES, to);
        else pair_up((const float *)&made[0][i], (const float *)&made[1][i], 1, size, to);
      }
    }
  }
}

WIDE static void KERNEL(winograd_input_pairs)(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, int of_tiles, float *out,
    const ck_winograd_planes *planes) {
  if (map->tile == 4) {
    if (of_tiles) map_to_tile_pairs(input_4_tile, map, 6, 1, 6, x, channels, first, count, out, planes);
    else map_to_channel_pairs(input_4_tile, map, 6, 1, 6, x, channels, first, count, out, planes);
  } else {
    if (of_tiles) map_to_tile_pairs(input_2_tile, map, 4, 1, 4, x, channels, first, count, out, planes);
    else map_to_channel_pairs(input_2_tile, map, 4, 1, 4, x, channels, first, count, out, planes);
  }
}

WIDE static void KERNEL(winograd_output_gradient_pairs)(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  if (map->tile == 4)
    map_to_tile_pairs(output_gradient_4_tile, map, 4, 0, 6, dy, channels, first, count, out, planes);
  else
    map_to_tile_pairs(output_gradient_2_tile, map, 2, 0, 4, dy, channels, first, count, out, planes);
}
