// libpng and libjpeg report errors by longjmp, which may not cross Swift frames. Here both are wrapped up in calls
// that return: open, read the header, read the pixels, close. Which sizes are allowed, orientation and the wording
// of errors are decided in Swift.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Why a picture could not be read.
typedef enum {
  image_fault_none,
  /// The bytes end before the picture does.
  image_fault_cut_short,
  image_fault_damaged,
  /// It follows the format's specification, but the library cannot read this kind.
  image_fault_unsupported,
  /// The library got no memory: nothing is known of the picture.
  image_fault_no_memory,
} image_fault;

/// Inflates a zlib stream (RFC 1950) into target[capacity]; one that ends early gives what there is. Returns the
/// number of bytes, or -1 for a damaged stream, one that is longer, or for want of memory.
long image_inflate(const uint8_t *bytes, size_t count, uint8_t *target, size_t capacity);

// MARK: Zip archives

/// Inflates deflated bytes without a wrapper (RFC 1951) into target[capacity]. Returns the number of bytes, or -1 for a
/// damaged stream, one that ends early, is longer or is followed by something, or for want of memory.
long zip_inflate(const uint8_t *bytes, size_t count, uint8_t *target, size_t capacity);

/// Goes on with a CRC-32 (ISO 3309) that begins with 0.
uint32_t zip_crc32(uint32_t checksum, const void *bytes, size_t count);

// MARK: PNG

/// A PNG file in memory that is being read. The bytes must stay until it is closed.
typedef struct image_png image_png;

typedef struct {
  uint32_t width;
  uint32_t height;
  /// Bits a sample as stored: 1, 2, 4, 8 or 16.
  uint8_t bit_depth;
  /// The color type of the header chunk: 0 gray, 2 RGB, 3 palette, 4 gray with alpha, 6 RGB with alpha.
  uint8_t color_type;
  /// Whether pixels may be transparent: by an alpha channel, or by a chunk that says which colors are.
  bool has_alpha;
} image_png_header;

/// Returns NULL if there is no memory. No side may be longer than `maximum_side` pixels. Without
/// `keeps_transparency`, the chunk that makes colors transparent is skipped unread.
image_png *image_png_open(const uint8_t *bytes, size_t count, uint32_t maximum_side, bool keeps_transparency);

/// Reads all that stands before the pixels; first call. Returns false on a fault.
bool image_png_read_header(image_png *image, image_png_header *header);

/// Reads the pixels into pixels[height][width][channels]; second call. Samples of 16 bits give their high byte; of
/// three channels alpha and the transparent color are dropped, the fourth is alpha, not multiplied into the others.
/// Gamma and color profiles are not applied. Returns false on a fault.
bool image_png_read_pixels(image_png *image, int channels, uint8_t *pixels);

image_fault image_png_fault(const image_png *image);

/// libpng's text for the fault; valid until the image is closed.
const char *image_png_message(const image_png *image);

void image_png_close(image_png *image);

// MARK: JPEG

/// A JPEG file in memory that is being read. The bytes must stay until it is closed.
typedef struct image_jpeg image_jpeg;

typedef struct {
  uint32_t width;
  uint32_t height;
  /// 1 gray, 3 color, 4 CMYK or YCCK.
  uint8_t components;
  /// The memory for coefficients that reading takes beside the pixels: 0 for a file of one scan.
  uint64_t coefficient_bytes;
} image_jpeg_header;

/// Returns NULL if there is no memory. Files of more than `maximum_scans` scans are refused: each costs a pass over
/// the whole picture.
image_jpeg *image_jpeg_open(const uint8_t *bytes, size_t count, int maximum_scans);

/// Reads all that stands before the first scan; first call. Returns false on a fault.
bool image_jpeg_read_header(image_jpeg *image, image_jpeg_header *header);

/// Reads the pixels, divided in size by `divisor` (1, 2, 4 or 8) and rounded up, into rgb[height][width][3]; second
/// call. CMYK is taken as inverted, as Photoshop writes it. Returns false on a fault.
bool image_jpeg_read_pixels(image_jpeg *image, int divisor, uint32_t width, uint32_t height, uint8_t *rgb);

image_fault image_jpeg_fault(const image_jpeg *image);

/// libjpeg's text for the fault; valid until the image is closed.
const char *image_jpeg_message(const image_jpeg *image);

void image_jpeg_close(image_jpeg *image);
