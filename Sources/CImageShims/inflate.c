// Compressed texts of a PNG, by zlib (RFC 1950): into memory of a given size and no more, so that no text is a bomb.

#include "CImageShims.h"

#include <zlib.h>

long image_inflate(const uint8_t *bytes, size_t count, uint8_t *target, size_t capacity) {
  z_stream stream = {0};
  if (count > UINT32_MAX || capacity > UINT32_MAX || inflateInit(&stream) != Z_OK) return -1;
  stream.next_in = (z_const Bytef *)bytes;
  stream.avail_in = (uInt)count;
  stream.next_out = target;
  stream.avail_out = (uInt)capacity;
  const int status = inflate(&stream, Z_SYNC_FLUSH);
  const long written = (long)(capacity - stream.avail_out);
  inflateEnd(&stream);
  if (status == Z_STREAM_END) return written;
  // All input used up: the stream ends early. Room used up: there may be more.
  return (status == Z_OK || status == Z_BUF_ERROR) && stream.avail_out > 0 ? written : -1;
}
