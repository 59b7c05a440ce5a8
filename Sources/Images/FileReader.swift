// Reads whole files into one buffer that is used again and again: with 60,000 small images an epoch, opening and
// allocating cost more than reading. Regular files only; it never waits for a pipe.

import Foundation
import Messages

/// A buffer and the file that is in it. One for each thread.
struct FileReader {
  /// Larger files are refused unread: no image within the pixel cap needs more.
  static let maximumBytes = 1 << 30

  private var buffer: [UInt8] = []
  private(set) var count = 0

  /// Reads a file, or the part of a file that a `FileSlice` names, replacing what was read before.
  /// - Throws: why it cannot be read.
  mutating func read(path: String) throws(FileFault) {
    var slice: FileSlice?
    var descriptor = Self.open(path)
    if descriptor < 0, errno == ENOENT, let named = FileSlice(name: path) {
      slice = named
      descriptor = Self.open(named.path)
    }
    guard descriptor >= 0 else { throw FileFault(reason: "\(SystemError(number: errno))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileFault(reason: "\(SystemError(number: errno))") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault(reason: "it is not a regular file") }
    let start = slice?.offset ?? 0
    let size = max(0, min(slice?.length ?? .max, Int(status.st_size) - start))
    guard size <= Self.maximumBytes else {
      throw FileFault(reason: "it has \(size) bytes, more than the \(Self.maximumBytes) allowed")
    }
    if buffer.count < size { buffer = [UInt8](repeating: 0, count: max(size, 2 * buffer.count)) }
    count = 0
    while count < size {
      let got = buffer.withUnsafeMutableBytes { bytes in
        pread(descriptor, bytes.baseAddress.map { $0 + count }, size - count, start + count)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw FileFault(reason: "\(SystemError(number: errno))") }
      // The file became shorter while it was read: the decoder will find it truncated.
      if got == 0 { break }
      count += got
    }
  }

  private static func open(_ path: String) -> Int32 {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    path.withPathCString { Foundation.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
  }

  /// The bytes of the file read last; valid inside the closure.
  func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try buffer.withUnsafeBufferPointer { (bytes) throws(Failure) in
      try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<count]))
    }
  }
}

/// Why a file could not be read.
struct FileFault: Error {
  var reason: String
}
