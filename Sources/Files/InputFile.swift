// A file open for reading, whose size is known before anything is read. It never blocks on a pipe or a device.

import Glibc
import Resources

/// A regular file that is open. Any number of threads may read at once.
public struct InputFile: Sendable {
  public let path: String
  /// Bytes that it had when it was opened.
  public let size: Int
  private let descriptor: FileDescriptor

  /// - Throws: `FileOperationError`, with the reason `.notARegularFile` for a folder, pipe or device.
  public init(path: String) throws(FileOperationError) {
    // Without O_NONBLOCK opening a named pipe waits for a writer.
    let number = FileDescriptor.patiently {
      let number = path.withPathCString { open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
      return number >= 0 ? number : -errno
    }
    guard number >= 0 else { throw FileOperationError(path: path, step: .open, code: -number) }
    try self.init(path: path, descriptor: FileDescriptor(number))
  }

  /// The content of a file that somebody else may have written.
  /// - Parameter bound: the most bytes that are taken, of `SizeBound`.
  /// - Throws: `FileOperationError`, with the reason `.tooLarge` for a longer file.
  public static func contents(of path: String, bound: Int) throws(FileOperationError) -> [UInt8] {
    let file = try InputFile(path: path)
    try file.require(bound: bound)
    return try file.read(upTo: file.size)
  }

  /// - Throws: `FileOperationError` with the reason `.tooLarge` where the file has more bytes.
  public func require(bound: Int) throws(FileOperationError) {
    guard size <= bound else {
      throw FileOperationError(path: path, step: .read, reason: .tooLarge(bytes: size, bound: bound))
    }
  }

  /// SEEK_DATA and SEEK_HOLE of lseek(2), which are not imported.
  private static let (seekData, seekHole): (Int32, Int32) = (3, 4)

  /// The parts of the file that are on disk, in order; what lies between them reads as zeros (lseek(2), SEEK_HOLE). One
  /// part where the file system does not tell.
  func dataExtents() -> [Range<Int>] {
    var extents: [Range<Int>] = []
    var place = 0
    while place < size, extents.count < 100_000 {
      let begin = lseek(descriptor.number, off_t(place), Self.seekData)
      if begin < 0 {
        if errno != ENXIO { return [0..<size] }
        break
      }
      let end = lseek(descriptor.number, begin, Self.seekHole)
      guard end > begin else { return [0..<size] }
      extents.append(Int(begin)..<Int(end))
      place = Int(end)
    }
    return place < size && extents.count == 100_000 ? [0..<size] : extents
  }

  /// Calls `body` with the lines, without their line feeds, however long the file is; the last one may have had none.
  /// - Parameter longest: of a longer line, bytes, only the first so many are given.
  /// - Throws: `FileOperationError`, or what `body` throws.
  public func forEachLine(longest: Int = 1 << 20, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    var (buffer, rest) = ([UInt8](repeating: 0, count: 1 << 20), [UInt8]())
    var (offset, isLong) = (0, false)
    while true {
      let count = try read(into: &buffer, count: buffer.count, at: offset)
      offset += count
      var begin = 0
      while begin < count, let feed = buffer[begin..<count].firstIndex(of: UInt8(ascii: "\n")) {
        if rest.isEmpty, feed - begin <= longest {
          try body(buffer[begin..<feed])
        } else {
          rest += buffer[begin..<feed].prefix(longest - rest.count)
          try body(rest[...])
        }
        (rest, isLong) = ([], false)
        begin = feed + 1
      }
      if !isLong { rest += buffer[begin..<count].prefix(longest - rest.count) }
      isLong = rest.count >= longest
      guard count == buffer.count else { break }
    }
    if !rest.isEmpty { try body(rest[...]) }
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

  /// Whether there is memory for bytes of the file, before an array of them is made: where that finds none, the process
  /// ends.
  /// - Throws: `FileOperationError`, an ENOMEM.
  public func requireMemory(_ bytes: Int) throws(FileOperationError) {
    guard Memory.has(bytes) else { throw FileOperationError(path: path, step: .read, code: ENOMEM) }
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
    try requireMemory(count)
    var failure: FileOperationError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      HugePages.advise(UnsafeMutableRawBufferPointer(bytes))
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
