// An open file's number and the duty to close it. It neither reads nor writes.

import Foundation

/// A file that is open until nobody needs it any more.
final class FileDescriptor: Sendable {
  let number: Int32

  /// - Parameter number: an open file's, which nobody else closes.
  init(_ number: Int32) { self.number = number }

  deinit { close(number) }
}
