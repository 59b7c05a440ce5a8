// A new file that is being written. When it takes which place, and what becomes of it after a failure, is decided by
// whoever makes it: AtomicFile for most.

import Glibc
import Synchronization

/// A file that was made to be written, from any number of threads.
public final class OutputFile: Sendable {
  let descriptor: FileDescriptor
  private let path: String
  private let calls: FileCalls
  /// Where the next appended bytes go.
  private let end = Atomic<Int>(0)

  /// Makes a file.
  /// - Parameters:
  ///   - path: where nothing is yet.
  ///   - target: the path by which errors call it; nil for its own.
  ///   - permissions: less what the process's mask takes away.
  /// - Throws: `FileOperationError`.
  public init(
    creating path: String, for target: String? = nil, permissions: mode_t = 0o666, calls: FileCalls = .system
  ) throws(FileOperationError) {
    self.path = target ?? path
    self.calls = calls
    while true {
      let number = calls.create(path, permissions)
      if number >= 0 {
        descriptor = FileDescriptor(number)
        return
      }
      if number != -EINTR { throw FileOperationError(path: self.path, step: .create, code: -number) }
    }
  }

  /// Writes all bytes behind those appended before.
  /// - Throws: `FileOperationError`.
  public func append(_ bytes: UnsafeRawBufferPointer) throws(FileOperationError) {
    try write(bytes, at: end.add(bytes.count, ordering: .relaxed).oldValue)
  }

  /// The same of an array.
  public func append(_ bytes: [UInt8]) throws(FileOperationError) {
    try write(bytes, at: end.add(bytes.count, ordering: .relaxed).oldValue)
  }

  /// Writes all bytes at a place.
  /// - Parameter offset: from the file's beginning, in bytes; the file grows as it must.
  /// - Throws: `FileOperationError`.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileOperationError) {
    var done = 0
    while done < bytes.count {
      let written = calls.write(
        descriptor.number, UnsafeRawBufferPointer(rebasing: bytes[done...]), offset + done)
      if written == -Int(EINTR) { continue }
      guard written > 0 else {
        throw FileOperationError(path: path, step: .write, code: written < 0 ? Int32(-written) : EIO)
      }
      done += written
    }
  }

  /// The same of an array.
  public func write(_ bytes: [UInt8], at offset: Int) throws(FileOperationError) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileOperationError) in
      try write(UnsafeRawBufferPointer(bytes), at: offset)
    }
  }

  /// Waits until everything is on disk.
  /// - Throws: `FileOperationError`.
  public func sync() throws(FileOperationError) {
    let result = calls.sync(descriptor.number)
    guard result >= 0 else { throw FileOperationError(path: path, step: .sync, code: -result) }
  }
}
