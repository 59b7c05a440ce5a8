// A file that is written from its beginning while what it holds comes to be, and can be read meanwhile: a table of as
// many rows as there are images. It is for files that a user names; those of a run are AtomicFile's or AppendOnlyFile's.

import Glibc
import Support

/// A file under way. What it held before is gone; what was written stays, however the program ends.
public final class StreamedFile {
  private let path: String
  private let descriptor: FileDescriptor

  /// - Parameter path: made where there is none; a pipe or a device will do.
  /// - Throws: `FileOperationError`.
  public init(path: String) throws(FileOperationError) {
    let number = FileDescriptor.patiently {
      let number = path.withPathCString { open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0o666) }
      return number >= 0 ? number : -errno
    }
    guard number >= 0 else { throw FileOperationError(path: path, step: .create, code: -number) }
    self.path = path
    descriptor = FileDescriptor(number)
  }

  /// Writes all bytes behind those before.
  /// - Throws: `FileOperationError`.
  public func append(_ bytes: [UInt8]) throws(FileOperationError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes {
        Glibc.write(descriptor.number, $0.baseAddress.map { $0 + done }, $0.count - done)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw FileOperationError(path: path, step: .write, code: written < 0 ? errno : EIO)
      }
      done += written
    }
  }

  /// Waits until everything is on disk, where there is one.
  /// - Throws: `FileOperationError`.
  public func finish() throws(FileOperationError) {
    guard fsync(descriptor.number) != 0, errno != EINVAL, errno != EROFS, errno != ENOTSUP else { return }
    throw FileOperationError(path: path, step: .sync, code: errno)
  }
}
