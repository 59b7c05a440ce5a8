// Whether memory is there before it is taken: where an array of Swift's finds none, the process ends.

import Foundation

enum Memory {
  /// What is smaller is not worth asking for: without that, nothing works any more.
  private static let least = 1 << 20

  /// Whether so many bytes can be had now. Another thread may take them in between: ask for more than is needed.
  static func has(_ bytes: Int) -> Bool {
    guard bytes >= least else { return true }
    guard let block = malloc(bytes) else { return false }
    free(block)
    return true
  }
}
