// One builder at a time: an advisory lock on a file beside the image cache. The system frees it when its holder ends,
// however it ends.

import Files
import Glibc
import Messages

/// A lock that is held for as long as the value exists.
final class ImageCacheLock {
  private let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// - Returns: nil while somebody else holds it.
  /// - Throws: why the lock file cannot be opened.
  static func attempt(path: String) throws(SystemError) -> ImageCacheLock? {
    while true {
      let descriptor: Int32
      do throws(FileOperationError) { descriptor = try openLockFile(path, creating: true) } catch {
        throw SystemError(number: error.code ?? EINVAL)
      }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        let number = errno
        close(descriptor)
        if number == EWOULDBLOCK || number == EINTR { return nil }
        throw SystemError(number: number)
      }
      // Whoever clears the folder removes lock files while holding them: one that has no name any more locks nothing.
      if let named = FileIdentity(path: path), named == FileIdentity(descriptor: descriptor) {
        return ImageCacheLock(descriptor: descriptor)
      }
      close(descriptor)
    }
  }
}
