// Entries of zip archives, by zlib: deflated bytes without a wrapper (RFC 1951) into memory of a given size and no more,
// and the checksum that archives have.

#include "CImageShims.h"

#include <zlib.h>

long zip_inflate(const uint8_t *bytes, size_t count, uint8_t *target, size_t capacity) {
  z_stream stream = {0};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return -1;
  size_t taken = 0, written = 0;
  int status = Z_OK;
  uint8_t none;
  // zlib counts in 32 bits.
  const size_t most = 1u << 30;
  while (status == Z_OK) {
    const size_t input = count - taken < most ? count - taken : most;
    const size_t room = capacity - written < most ? capacity - written : most;
    stream.next_in = (z_const Bytef *)(bytes ? bytes + taken : &none);
    stream.avail_in = (uInt)input;
    stream.next_out = target && room > 0 ? target + written : &none;
    stream.avail_out = (uInt)room;
    status = inflate(&stream, Z_NO_FLUSH);
    const size_t used = input - stream.avail_in, made = room - stream.avail_out;
    taken += used;
    written += made;
    // Neither input nor room is left, or the stream is broken.
    if (status == Z_OK && used == 0 && made == 0) status = Z_BUF_ERROR;
  }
  inflateEnd(&stream);
  return status == Z_STREAM_END && taken == count ? (long)written : -1;
}

uint32_t zip_crc32(uint32_t checksum, const void *bytes, size_t count) {
  return count == 0 ? checksum : (uint32_t)crc32_z(checksum, bytes, count);
}
