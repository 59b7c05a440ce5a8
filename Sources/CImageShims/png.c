// PNG by libpng's full read interface (libpng manual, section III). Nothing is allocated here but the handle; libpng
// itself takes a few rows and its decompressor.

#include "CImageShims.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct image_png {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count;
  size_t offset;
  uint32_t height;
  /// Whether the library asked for memory in vain.
  bool lacks_memory;
  image_fault fault;
  char message[128];
  jmp_buf escape;
};

/// No chunk that libpng keeps may take more: the palette, at most 768 bytes, is the only one.
static const png_alloc_size_t chunk_limit = 65536;

/// What the pixels do not need is skipped unread: gamma and profiles would change them; texts may be bombs. EXIF is
/// found by other means. Transparency stands last, to be left out where it is wanted.
static const png_byte skipped_chunks[] =
    "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0zTXt\0tRNS";

static void leave(png_structp png, png_const_charp message) {
  image_png *image = png_get_error_ptr(png);
  if (image->fault == image_fault_none) {
    image->fault = image->lacks_memory ? image_fault_no_memory : image_fault_damaged;
  }
  strncpy(image->message, message, sizeof image->message - 1);
  longjmp(image->escape, 1);
}

static void ignore_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

/// What libpng allocates with, zlib's memory included: its errors do not tell a lack of memory from damage.
static png_voidp allocate(png_structp png, png_alloc_size_t size) {
  void *memory = malloc(size);
  image_png *image = png_get_mem_ptr(png);
  if (memory == NULL && image != NULL) image->lacks_memory = true;
  return memory;
}

static void release(png_structp png, png_voidp memory) {
  (void)png;
  free(memory);
}

static void read_bytes(png_structp png, png_bytep target, size_t length) {
  image_png *image = png_get_io_ptr(png);
  if (length > image->count - image->offset) {
    image->fault = image_fault_cut_short;
    png_error(png, "the data end early");
  }
  memcpy(target, image->bytes + image->offset, length);
  image->offset += length;
}

image_png *image_png_open(const uint8_t *bytes, size_t count, uint32_t maximum_side, bool keeps_transparency) {
  image_png *image = calloc(1, sizeof *image);
  if (image == NULL) return NULL;
  image->bytes = bytes;
  image->count = count;
  // Both return NULL without memory; an error of theirs finds the way out prepared.
  if (setjmp(image->escape) == 0) {
    image->png = png_create_read_struct_2(
        PNG_LIBPNG_VER_STRING, image, leave, ignore_warning, image, allocate, release);
    if (image->png != NULL) image->info = png_create_info_struct(image->png);
  }
  if (image->info == NULL) {
    image_png_close(image);
    return NULL;
  }
  png_set_read_fn(image->png, image, read_bytes);
  png_set_user_limits(image->png, maximum_side, maximum_side);
  png_set_chunk_malloc_max(image->png, chunk_limit);
  const int skipped = (int)(sizeof skipped_chunks / 5) - (keeps_transparency ? 1 : 0);
  png_set_keep_unknown_chunks(image->png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, skipped);
  return image;
}

bool image_png_read_header(image_png *image, image_png_header *header) {
  if (setjmp(image->escape) != 0) return false;
  png_read_info(image->png, image->info);
  header->width = png_get_image_width(image->png, image->info);
  header->height = image->height = png_get_image_height(image->png, image->info);
  header->bit_depth = png_get_bit_depth(image->png, image->info);
  header->color_type = png_get_color_type(image->png, image->info);
  header->has_alpha = (header->color_type & PNG_COLOR_MASK_ALPHA) != 0
                      || png_get_valid(image->png, image->info, PNG_INFO_tRNS) != 0;
  return true;
}

bool image_png_read_pixels(image_png *image, int channels, uint8_t *pixels) {
  png_structp png = image->png;
  if (setjmp(image->escape) != 0) return false;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_gray_to_rgb(png);
  if (channels == 3) {
    png_set_strip_alpha(png);
  } else {
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
  }
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, image->info);
  const size_t row_length = (size_t)png_get_image_width(png, image->info) * (size_t)channels;
  if (png_get_rowbytes(png, image->info) != row_length) png_error(png, "the rows are not RGB");
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t row = 0; row < image->height; row++) png_read_row(png, pixels + row * row_length, NULL);
  }
  // What follows the pixels, the end chunk included, is not needed.
  return true;
}

image_fault image_png_fault(const image_png *image) { return image->fault; }

const char *image_png_message(const image_png *image) { return image->message; }

void image_png_close(image_png *image) {
  png_destroy_read_struct(&image->png, &image->info, NULL);
  free(image);
}
