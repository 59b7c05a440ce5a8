// A file open for reading, whose size is known before anything is read. It never blocks on a pipe or a device.

import Foundation

/// A regular file open for reading from its beginning.
struct InputFile: ~Copyable {
  /// Bytes.
  let size: Int
  private let path: String
  private let descriptor: Int32

  /// - Throws: `FileOperationError`, or `SafetensorsError.Fault.notARegularFile`.
  init(path: String) throws {
    // Without O_NONBLOCK opening a named pipe waits for a writer.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileOperationError(path: path, step: .open, code: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw SafetensorsError.Fault.notARegularFile
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads the next `count` bytes.
  /// - Throws: `FileOperationError`; the file ending early, because somebody cuts it now, is an EIO.
  func read(count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      while filled < count {
        let received = Foundation.read(descriptor, bytes.baseAddress! + filled, count - filled)
        if received < 0 && errno == EINTR { continue }
        guard received > 0 else {
          throw FileOperationError(path: path, step: .read, code: received < 0 ? errno : EIO)
        }
        filled += received
      }
    }
  }
}
