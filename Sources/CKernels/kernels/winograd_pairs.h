// Winograd's convolution in bfloat16: the transforms of maps, as in winograd.h, with what they give rounded to pairs, so
// that planes are sides of products of pairs. Filters are transformed as floats and packed.

#include "pairs.h"
#include "winograd_walk.h"

// -- One tile ------------------------------------------------------------------------------------------------

/// A tile of LANES channels to pairs, from one square to the next `plane` of them: of its own neighboring channels, or
/// of its numbers behind those of the tile before it, which is transformed already.
typedef void pair_transform(const float *from, const places *source, const lanes *earlier, pair *to, size_t plane);

#define STORE_CHANNELS(square, value)                                                                           \
  {                                                                                                             \
    const lanes later = value;                                                                                  \
    pair_up((const float *)&later, (const float *)&later + 1, 2, LANES / 2, to + (square) * plane);             \
  }
#define STORE_TILES(square, value)                                                                              \
  {                                                                                                             \
    const lanes later = value;                                                                                  \
    pair_up((const float *)&earlier[square], (const float *)&later, 1, LANES, to + (square) * plane);           \
  }
#define CHANNEL_PAIRS(LINE, INPUTS, OUTPUTS)                                                                    \
  TRANSFORM(                                                                                                    \
      LINE##_channel_pairs, LINE, INPUTS, OUTPUTS, STORE_CHANNELS,                                              \
      const lanes *earlier __attribute__((unused)), pair *to, size_t plane)
#define TILE_PAIRS(LINE, INPUTS, OUTPUTS)                                                                       \
  TRANSFORM(                                                                                                    \
      LINE##_tile_pairs, LINE, INPUTS, OUTPUTS, STORE_TILES, const lanes *earlier, pair *to, size_t plane)

CHANNEL_PAIRS(input_4, 6, 6)
CHANNEL_PAIRS(input_2, 4, 4)
TILE_PAIRS(input_4, 6, 6)
TILE_PAIRS(input_2, 4, 4)
TILE_PAIRS(output_gradient_4, 4, 6)
TILE_PAIRS(output_gradient_2, 2, 4)

// -- Tiles of a map ------------------------------------------------------------------------------------------

/// What is transformed: by `transform` to floats, by `to_pairs` to pairs; from squares of the map to [points, points].
typedef struct {
  tile_transform *transform;
  pair_transform *to_pairs;
  tile_grid grid;
  int32_t points;
} paired_transform;

/// LANES channels at once, without a detour by floats.
INLINE void vector_to_pairs(
    const paired_transform *kind, const placed_tile *placed, const float *pixels, const places *source,
    const lanes *earlier, pair *to, size_t plane) {
  lanes copy[MOST_PLACES];
  const int direct = is_whole(&placed->cut);
  if (!direct) copy_source(&placed->cut, pixels + placed->start, source, copy, LANES);
  kind->to_pairs(
      direct ? pixels + placed->start : (const float *)copy, direct ? source : &packed, earlier, to, plane);
}

/// Pairs of neighboring channels: tile first + r is row r.
INLINE void map_to_channel_pairs(
    paired_transform kind, const ck_winograd_map *map, const float *pixels, size_t channels, size_t first,
    size_t count, float *out, const ck_winograd_planes *planes) {
  const places source = map_places(map, kind.grid.side);
  const tile_cut all = whole(kind.points);
  for (size_t row = 0; row < count; row++) {
    const placed_tile placed = place_tile(map, kind.grid, first + row);
    pair *const row_out = (pair *)out + row * planes->row;
    size_t channel = 0;
    for (; channel + LANES <= channels; channel += LANES)
      vector_to_pairs(&kind, &placed, pixels + channel, &source, NULL, row_out + channel / 2, planes->plane);
    if (channel == channels) continue;
    lanes made[MOST_PLACES];
    transform_channels(
        kind.transform, &placed.cut, pixels + placed.start + (ptrdiff_t)channel, &source, &all, (float *)made, &packed,
        channels - channel);
    for (int32_t i = 0; i < kind.points * kind.points; i++) {
      const float *from = (const float *)&made[i];
      pair_up(from, from + 1, 2, (channels - channel) / 2, row_out + channel / 2 + (size_t)i * planes->plane);
    }
  }
}

/// Pairs of neighboring tiles: tiles first + 2 r and the next, zero behind the last, are row r.
INLINE void map_to_tile_pairs(
    paired_transform kind, const ck_winograd_map *map, const float *pixels, size_t channels, size_t first,
    size_t count, float *out, const ck_winograd_planes *planes) {
  const places source = map_places(map, kind.grid.side);
  const tile_cut all = whole(kind.points);
  for (size_t tile = 0; tile < count; tile += 2) {
    const int is_alone = tile + 1 == count;
    const placed_tile earlier = place_tile(map, kind.grid, first + tile);
    const placed_tile later = place_tile(map, kind.grid, first + tile + !is_alone);
    pair *const row_out = (pair *)out + tile / 2 * planes->row;
    for (column_group group = {0}; group.column < channels; group = next_group(planes, group, channels)) {
      const size_t size = group_size(planes, group, channels);
      lanes made[2][MOST_PLACES];
      transform_channels(
          kind.transform, &earlier.cut, pixels + earlier.start + (ptrdiff_t)group.column, &source, &all,
          (float *)made[0], &packed, size);
      if (size == LANES && !is_alone) {
        vector_to_pairs(
            &kind, &later, pixels + group.column, &source, made[0], row_out + group.at, planes->plane);
        continue;
      }
      if (is_alone)
        memset(made[1], 0, sizeof made[1]);
      else
        transform_channels(
            kind.transform, &later.cut, pixels + later.start + (ptrdiff_t)group.column, &source, &all,
            (float *)made[1], &packed, size);
      for (int32_t i = 0; i < kind.points * kind.points; i++)
        pair_up(
            (const float *)&made[0][i], (const float *)&made[1][i], 1, size,
            row_out + group.at + (size_t)i * planes->plane);
    }
  }
}

WIDE static void KERNEL(winograd_input_pairs)(
    const ck_winograd_map *map, const float *x, size_t channels, size_t first, size_t count, int of_tiles, float *out,
    const ck_winograd_planes *planes) {
  if (map->form == CK_WINOGRAD_F4 && of_tiles)
    map_to_tile_pairs(
        (paired_transform){input_4_tile, input_4_tile_pairs, {6, 4, 1}, 6}, map, x, channels, first, count, out, planes);
  else if (map->form == CK_WINOGRAD_F4)
    map_to_channel_pairs(
        (paired_transform){input_4_tile, input_4_channel_pairs, {6, 4, 1}, 6}, map, x, channels, first, count, out,
        planes);
  else if (of_tiles)
    map_to_tile_pairs(
        (paired_transform){input_2_tile, input_2_tile_pairs, {4, 2, 1}, 4}, map, x, channels, first, count, out, planes);
  else
    map_to_channel_pairs(
        (paired_transform){input_2_tile, input_2_channel_pairs, {4, 2, 1}, 4}, map, x, channels, first, count, out,
        planes);
}

WIDE static void KERNEL(winograd_output_gradient_pairs)(
    const ck_winograd_map *map, const float *dy, size_t channels, size_t first, size_t count, float *out,
    const ck_winograd_planes *planes) {
  if (map->form == CK_WINOGRAD_F4)
    map_to_tile_pairs(
        (paired_transform){output_gradient_4_tile, output_gradient_4_tile_pairs, {4, 4, 0}, 6}, map, dy, channels, first,
        count, out, planes);
  else
    map_to_tile_pairs(
        (paired_transform){output_gradient_2_tile, output_gradient_2_tile_pairs, {2, 2, 0}, 4}, map, dy, channels, first,
        count, out, planes);
}
