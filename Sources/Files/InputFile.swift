// A file open for reading, whose size is known before anything is read. It never blocks on a pipe or a device.

import Foundation
import Messages

/// A regular file that is open. Any number of threads may read at once.
public struct InputFile: Sendable {
  public let path: String
  /// Bytes that it had when it was opened.
  public let size: Int
  private let descriptor: FileDescriptor

  /// - Throws: `FileOperationError`, with the reason `.notARegularFile` for a folder, pipe or device.
  public init(path: String) throws(FileOperationError) {
    // Without O_NONBLOCK opening a named pipe waits for a writer.
    let number = path.withPathCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard number >= 0 else { throw FileOperationError(path: path, step: .open, code: errno) }
    try self.init(path: path, descriptor: FileDescriptor(number))
  }

  /// Reads what was just written, whatever name it has by now.
  /// - Throws: `FileOperationError`.
  public init(path: String, written file: OutputFile) throws(FileOperationError) {
    try self.init(path: path, descriptor: file.descriptor)
  }

  private init(path: String, descriptor: FileDescriptor) throws(FileOperationError) {
    var status = stat()
    guard fstat(descriptor.number, &status) == 0 else {
      throw FileOperationError(path: path, step: .open, code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileOperationError(path: path, step: .open, reason: .notARegularFile)
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  /// Puts the bytes from `offset` on into the beginning of a buffer.
  /// - Parameter count: no more than the buffer has.
  /// - Returns: how many there were, fewer than asked for only at the file's end.
  /// - Throws: `FileOperationError`.
  public func read(into buffer: inout [UInt8], count: Int, at offset: Int) throws(FileOperationError) -> Int {
    try buffer.withUnsafeMutableBufferPointer { (buffer) throws(FileOperationError) in
      try read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]), at: offset)
    }
  }

  private func read(
    into buffer: UnsafeMutableBufferPointer<UInt8>, at offset: Int
  ) throws(FileOperationError) -> Int {
    var done = 0
    while done < buffer.count {
      let received = pread(
        descriptor.number, buffer.baseAddress.map { $0 + done }, buffer.count - done, off_t(offset + done))
      if received < 0 && errno == EINTR { continue }
      guard received >= 0 else { throw FileOperationError(path: path, step: .read, code: errno) }
      if received == 0 { break }
      done += received
    }
    return done
  }

  /// The bytes of a part of the file.
  /// - Throws: `FileOperationError`; the file ending early, because somebody cuts it now, is an EIO.
  public func read(count: Int, at offset: Int = 0) throws(FileOperationError) -> [UInt8] {
    let bytes = try read(upTo: count, at: offset)
    guard bytes.count == count else { throw FileOperationError(path: path, step: .read, code: EIO) }
    return bytes
  }

  /// The bytes of a part of the file, fewer where it ends before.
  /// - Throws: `FileOperationError`.
  public func read(upTo count: Int, at offset: Int = 0) throws(FileOperationError) -> [UInt8] {
    var failure: FileOperationError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      do throws(FileOperationError) {
        filled = try read(into: bytes, at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Makes now the time of the file's last change, where that is allowed: for files that are removed when they were of
  /// no use for long.
  public func markUsed() { futimens(descriptor.number, nil) }
}
