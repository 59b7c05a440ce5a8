// JPEG by libjpeg's interface (libjpeg.txt of libjpeg-turbo). A file has a decompressor of its own: tables that one
// file lacks must never come from the file before.

#include "CImageShims.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

struct image_jpeg {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  struct jpeg_source_mgr source;
  struct jpeg_progress_mgr progress;
  int maximum_scans;
  /// Whether the library asked for more bytes than there are.
  bool ended;
  image_fault fault;
  char message[JMSG_LENGTH_MAX];
  jmp_buf escape;
};

/// What the library is given when the bytes are used up: the end marker.
static const JOCTET end_marker[] = {0xff, JPEG_EOI};

static void leave(j_common_ptr common) {
  image_jpeg *image = common->client_data;
  switch (common->err->msg_code) {
  case JERR_SOF_UNSUPPORTED:
  case JERR_BAD_PRECISION:
  case JERR_CONVERSION_NOTIMPL:
  case JERR_IMAGE_TOO_BIG:
    image->fault = image_fault_unsupported;
    break;
  case JERR_OUT_OF_MEMORY:
    image->fault = image_fault_no_memory;
    break;
  default:
    image->fault = image->ended ? image_fault_cut_short : image_fault_damaged;
  }
  common->err->format_message(common, image->message);
  longjmp(image->escape, 1);
}

/// Warnings, which the library numbers -1, say that data are damaged and are taken for errors, but for those that
/// leave every sample as it was written: stray bytes between markers, as some cameras write, and header segments
/// with odd versions.
static void judge_warning(j_common_ptr common, int level) {
  if (level >= 0) return;
  switch (common->err->msg_code) {
  case JWRN_EXTRANEOUS_DATA:
  case JWRN_JFIF_MAJOR:
  case JWRN_ADOBE_XFORM:
    return;
  default:
    leave(common);
  }
}

static void leave_unprinted(j_common_ptr common) { (void)common; }

static void begin_source(j_decompress_ptr jpeg) { (void)jpeg; }

static boolean end_source(j_decompress_ptr jpeg) {
  image_jpeg *image = jpeg->client_data;
  image->ended = true;
  image->source.next_input_byte = end_marker;
  image->source.bytes_in_buffer = sizeof end_marker;
  return TRUE;
}

static void skip_source(j_decompress_ptr jpeg, long length) {
  struct jpeg_source_mgr *source = jpeg->src;
  if (length <= 0) return;
  if ((size_t)length > source->bytes_in_buffer) {
    end_source(jpeg);
  } else {
    source->next_input_byte += length;
    source->bytes_in_buffer -= (size_t)length;
  }
}

static void finish_source(j_decompress_ptr jpeg) { (void)jpeg; }

static void count_scans(j_common_ptr common) {
  image_jpeg *image = common->client_data;
  if (image->jpeg.input_scan_number <= image->maximum_scans) return;
  image->fault = image_fault_unsupported;
  snprintf(image->message, sizeof image->message, "more than %d scans", image->maximum_scans);
  longjmp(image->escape, 1);
}

image_jpeg *image_jpeg_open(const uint8_t *bytes, size_t count, int maximum_scans) {
  image_jpeg *image = calloc(1, sizeof *image);
  if (image == NULL) return NULL;
  struct jpeg_decompress_struct *jpeg = &image->jpeg;
  jpeg->err = jpeg_std_error(&image->errors);
  image->errors.error_exit = leave;
  image->errors.emit_message = judge_warning;
  image->errors.output_message = leave_unprinted;
  jpeg->client_data = image;
  if (setjmp(image->escape) != 0) {
    image_jpeg_close(image);
    return NULL;
  }
  jpeg_create_decompress(jpeg);
  image->source = (struct jpeg_source_mgr){
      .next_input_byte = bytes,
      .bytes_in_buffer = count,
      .init_source = begin_source,
      .fill_input_buffer = end_source,
      .skip_input_data = skip_source,
      .resync_to_restart = jpeg_resync_to_restart,
      .term_source = finish_source,
  };
  jpeg->src = &image->source;
  image->maximum_scans = maximum_scans;
  image->progress.progress_monitor = count_scans;
  jpeg->progress = &image->progress;
  return image;
}

/// An upper bound: each component's blocks in whole units of its sampling, 64 coefficients of two bytes in each.
static uint64_t coefficient_bytes(const struct jpeg_decompress_struct *jpeg) {
  uint64_t blocks = 0;
  for (int i = 0; i < jpeg->num_components; i++) {
    const jpeg_component_info *component = &jpeg->comp_info[i];
    const uint64_t columns = (uint64_t)component->width_in_blocks + (uint64_t)component->h_samp_factor;
    const uint64_t rows = (uint64_t)component->height_in_blocks + (uint64_t)component->v_samp_factor;
    blocks += columns * rows;
  }
  return blocks * sizeof(JBLOCK);
}

bool image_jpeg_read_header(image_jpeg *image, image_jpeg_header *header) {
  struct jpeg_decompress_struct *jpeg = &image->jpeg;
  if (setjmp(image->escape) != 0) return false;
  jpeg_read_header(jpeg, TRUE);
  header->width = jpeg->image_width;
  header->height = jpeg->image_height;
  header->components = (uint8_t)jpeg->num_components;
  header->coefficient_bytes = jpeg_has_multiple_scans(jpeg) ? coefficient_bytes(jpeg) : 0;
  return true;
}

/// Photoshop writes CMYK inverted, and as good as every other program follows it: 255 is no ink.
static void convert_inverted_cmyk(const JSAMPLE *cmyk, uint8_t *rgb, uint32_t width) {
  for (uint32_t i = 0; i < width; i++, cmyk += 4, rgb += 3) {
    const int light = cmyk[3];
    for (int channel = 0; channel < 3; channel++) {
      const int shade = ((255 - cmyk[channel]) * light + 127) / 255;
      rgb[channel] = (uint8_t)(light - shade);
    }
  }
}

/// Whether the end marker is all that is missing. Of one scan by Huffman codes every sample was decoded, or there
/// would have been a warning; arithmetic decoding goes on with zeros in silence. Of a progressive file each
/// coefficient must have come in full.
static bool is_whole_without_end(struct jpeg_decompress_struct *jpeg) {
  if (jpeg->arith_code) return false;
  if (!jpeg_has_multiple_scans(jpeg)) return true;
  if (jpeg->coef_bits == NULL) return false;
  for (int component = 0; component < jpeg->num_components; component++) {
    for (int i = 0; i < DCTSIZE2; i++) {
      if (jpeg->coef_bits[component][i] != 0) return false;
    }
  }
  return true;
}

bool image_jpeg_read_pixels(image_jpeg *image, int divisor, uint32_t width, uint32_t height, uint8_t *rgb) {
  struct jpeg_decompress_struct *jpeg = &image->jpeg;
  if (setjmp(image->escape) != 0) return false;
  const bool is_cmyk = jpeg->num_components == 4;
  jpeg->scale_num = 1;
  jpeg->scale_denom = (unsigned)divisor;
  jpeg->out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(jpeg);
  if (jpeg->output_width != width || jpeg->output_height != height) ERREXIT(jpeg, JERR_NOTIMPL);
  JSAMPARRAY cmyk = NULL;
  if (is_cmyk) cmyk = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, width * 4, 1);
  while (jpeg->output_scanline < height) {
    JSAMPROW row = rgb + (size_t)jpeg->output_scanline * width * 3;
    jpeg_read_scanlines(jpeg, is_cmyk ? cmyk : &row, 1);
    if (is_cmyk) convert_inverted_cmyk(cmyk[0], row, width);
  }
  if (image->ended && !is_whole_without_end(jpeg)) ERREXIT(jpeg, JERR_INPUT_EOF);
  // The rest, up to the end marker and beyond, is not needed.
  return true;
}

image_fault image_jpeg_fault(const image_jpeg *image) { return image->fault; }

const char *image_jpeg_message(const image_jpeg *image) { return image->message; }

void image_jpeg_close(image_jpeg *image) {
  jpeg_destroy_decompress(&image->jpeg);
  free(image);
}
