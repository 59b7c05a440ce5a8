// An open file's number and the duty to close it. It neither reads nor writes.

import Glibc

/// A file that is open until nobody needs it any more.
final class FileDescriptor: Sendable {
  let number: Int32

  /// - Parameter number: an open file's, which nobody else closes.
  init(_ number: Int32) { self.number = number }

  deinit { close(number) }

  /// Opens a file, and where there are no descriptors left waits a little for other threads to close theirs: an image
  /// that could not be opened for a moment is no bad image.
  /// - Parameter open: answers the descriptor or the negative error number.
  /// - Returns: the same.
  static func patiently(_ open: () -> Int32) -> Int32 {
    for _ in 0..<100 {
      let number = open()
      if number != -EMFILE && number != -ENFILE { return number }
      usleep(10_000)
    }
    return open()
  }
}
