// Whether memory is there before it is taken: where an array of Swift's finds none, the process ends.

import Glibc

package enum Memory {
  /// What is smaller is not worth asking for: without that, nothing works any more.
  private static let least = 1 << 20
  /// What should be left: for what is small, and for other threads.
  private static let rest = 4 << 20

  /// Whether so many bytes can be had now, and a few more: what is small is not asked for, and another thread may take
  /// some in between.
  package static func has(_ bytes: Int) -> Bool {
    guard bytes >= least else { return true }
    guard bytes <= Int.max - rest else { return false }
    // Not malloc and free: the optimizer knows these, takes the pair out and the memory for granted.
    guard let block = mmap(nil, bytes + rest, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      block != MAP_FAILED
    else { return false }
    munmap(block, bytes + rest)
    return true
  }
}
