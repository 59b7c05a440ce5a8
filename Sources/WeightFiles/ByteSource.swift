// Where the bytes of a file of weights come from: the file, or memory, which is how the fuzzer calls the readers.

import Files

/// Bytes that are read in parts. Nothing is read beyond their end, whatever is asked for.
struct ByteSource: Sendable {
  private enum Content {
    case file(InputFile)
    case memory([UInt8])
  }

  private let content: Content
  /// Whether it is a file, beside which others may lie.
  var isFile: Bool { if case .file = content { true } else { false } }
  let size: Int

  init(_ file: InputFile) {
    content = .file(file)
    size = file.size
  }

  init(_ bytes: [UInt8]) {
    content = .memory(bytes)
    size = bytes.count
  }

  /// - Throws: `FileOperationError`.
  func read(_ range: Range<Int>) throws(FileOperationError) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= size, "a part lies within the bytes")
    switch content {
    case .file(let file): return try file.read(count: range.count, at: range.lowerBound)
    case .memory(let bytes): return Array(bytes[range])
    }
  }

  /// Calls `body` with the bytes of a part, which are not copied where they are in memory.
  func withBytes<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    switch content {
    case .memory(let bytes):
      precondition(range.lowerBound >= 0 && range.upperBound <= size, "a part lies within the bytes")
      return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .file: return try read(range).withUnsafeBytes(body)
    }
  }

  /// Calls `body` with piece after piece of a part, each of a megabyte at most.
  func forEachPiece(of range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    var begin = range.lowerBound
    while begin < range.upperBound {
      let end = min(begin + 1 << 20, range.upperBound)
      try withBytes(begin..<end, body)
      begin = end
    }
  }
}
