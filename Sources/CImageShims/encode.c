// Pictures of our own as PNG and JPEG: thumbnails of reports, images of TensorBoard. Sizes are chosen in Swift, and small.

#include "CImageShims.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <png.h>

uint8_t *image_encode_png(const uint8_t *rgb, uint32_t width, uint32_t height, size_t *count) {
  png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  uint8_t *bytes = malloc(size);
  // The simplified interface returns from its own errors.
  if (bytes == NULL || !png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL)) {
    png_image_free(&image);
    free(bytes);
    return NULL;
  }
  *count = size;
  return bytes;
}

struct encoder {
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  unsigned char *bytes;
  unsigned long count;
  jmp_buf escape;
};

static void leave(j_common_ptr common) { longjmp(((struct encoder *)common->client_data)->escape, 1); }

static void stay_silent(j_common_ptr common) { (void)common; }

uint8_t *image_encode_jpeg(const uint8_t *rgb, uint32_t width, uint32_t height, int quality, size_t *count) {
  // On the heap: what changes between setjmp and longjmp must not be in a register.
  struct encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) return NULL;
  struct jpeg_compress_struct *jpeg = &encoder->jpeg;
  jpeg->err = jpeg_std_error(&encoder->errors);
  encoder->errors.error_exit = leave;
  encoder->errors.output_message = stay_silent;
  jpeg->client_data = encoder;
  if (setjmp(encoder->escape) != 0) {
    jpeg_destroy_compress(jpeg);
    free(encoder->bytes);
    free(encoder);
    return NULL;
  }
  jpeg_create_compress(jpeg);
  jpeg_mem_dest(jpeg, &encoder->bytes, &encoder->count);
  jpeg->image_width = width;
  jpeg->image_height = height;
  jpeg->input_components = 3;
  jpeg->in_color_space = JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, quality, TRUE);
  jpeg->optimize_coding = TRUE;
  jpeg_start_compress(jpeg, TRUE);
  while (jpeg->next_scanline < height) {
    JSAMPROW row = (JSAMPROW)(rgb + (size_t)jpeg->next_scanline * width * 3);
    jpeg_write_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_compress(jpeg);
  jpeg_destroy_compress(jpeg);
  uint8_t *bytes = encoder->bytes;
  *count = encoder->count;
  free(encoder);
  return bytes;
}
