// CRC-32C with the instruction that x86-64 has for it since 2008.

#include "include/CKernels.h"

#include <string.h>

#if defined(__x86_64__)

int ck_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2")))
uint32_t ck_crc32c(uint32_t remainder, const void *bytes, size_t count) {
  const unsigned char *at = bytes;
  uint64_t crc = remainder;
  for (; count >= 8; at += 8, count -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  for (; count > 0; at++, count--) crc = __builtin_ia32_crc32qi((uint32_t)crc, *at);
  return (uint32_t)crc;
}

#else

int ck_has_crc32c(void) { return 0; }

uint32_t ck_crc32c(uint32_t remainder, const void *bytes, size_t count) {
  (void)bytes;
  (void)count;
  return remainder;
}

#endif
