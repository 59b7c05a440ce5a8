// Whether memory is there before it is taken: where an array of Swift's finds none, the process ends.

import Glibc

package enum Memory {
  /// What is smaller is not worth asking for: without that, nothing works any more.
  private static let least = 1 << 20

  /// Whether so many bytes can be had now. Another thread may take them in between: ask for more than is needed.
  package static func has(_ bytes: Int) -> Bool {
    guard bytes >= least else { return true }
    // Not malloc and free: the optimizer knows these, takes the pair out and the memory for granted.
    guard let block = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      block != MAP_FAILED
    else { return false }
    munmap(block, bytes)
    return true
  }
}
