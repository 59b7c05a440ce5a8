// Reads whole files into one buffer that is used again and again: with 60,000 small images an epoch, opening and
// allocating cost more than reading. Regular files only; it never waits for a pipe.

import Files
import Glibc
import Resources

/// A buffer and the file that is in it. One for each thread.
struct FileReader {
  /// Larger files are refused unread: no image within the pixel cap needs more.
  static let maximumBytes = 1 << 30

  private var buffer: [UInt8] = []
  private(set) var count = 0

  /// Reads a file, or the part of a file that a `FileSlice` names, replacing what was read before.
  /// - Throws: why it cannot be read.
  mutating func read(path: String) throws(FileFault) {
    let (file, part) = try Self.open(path)
    let start = part?.offset ?? 0
    let size = max(0, min(part?.length ?? .max, file.size - start))
    guard size <= Self.maximumBytes else {
      throw FileFault(reason: "it has \(size) bytes, more than the \(Self.maximumBytes) allowed")
    }
    if buffer.count < size {
      let room = max(size, 2 * buffer.count)
      guard Memory.has(room) else { throw FileFault(reason: "there is no memory for its \(size) bytes") }
      buffer = [UInt8](repeating: 0, count: room)
    }
    count = 0
    do throws(FileOperationError) {
      // Fewer where the file became shorter while it was read: the decoder will find it truncated.
      count = try file.read(into: &buffer, count: size, at: start)
    } catch {
      throw FileFault(reason: "\(error.reason)")
    }
  }

  /// The file of a path, and the part of it that is meant if the path names one.
  private static func open(_ path: String) throws(FileFault) -> (file: InputFile, part: FileSlice?) {
    do throws(FileOperationError) {
      do throws(FileOperationError) {
        return (try InputFile(path: path), nil)
      } catch {
        guard error.code == ENOENT, let slice = FileSlice(name: path) else { throw error }
        return (try InputFile(path: slice.path), slice)
      }
    } catch {
      throw FileFault(reason: "\(error.reason)")
    }
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
