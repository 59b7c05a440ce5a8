// Reads small text files of lines by their bytes: names in them need not be UTF-8.

import Files
import Glibc

/// The lines of a text file.
enum LineFile {
  /// The lines that hold something, with their numbers from 1, without what ends them; comments begin with `#`.
  /// - Throws: `DatasetError.unreadableFile`.
  /// - Returns: nil where there is no such file.
  static func lines(of path: String) throws(DatasetError) -> [(number: Int, bytes: ArraySlice<UInt8>)]? {
    try content(of: path).map { lines(of: $0[...]) }
  }

  /// The bytes of a file; nil where there is none.
  /// - Throws: `DatasetError.unreadableFile`.
  static func content(of path: String) throws(DatasetError) -> [UInt8]? {
    do throws(FileOperationError) {
      return try InputFile.contents(of: path, bound: SizeBound.imageList)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      throw .unreadableFile(path: path, reason: "\(error.reason)")
    }
  }

  /// The same of bytes. A byte-order mark is no part of the first line; of UTF-16, as some editors and shells write
  /// it, comes the same text in UTF-8.
  static func lines(of content: ArraySlice<UInt8>) -> [(number: Int, bytes: ArraySlice<UInt8>)] {
    let content = plain(content)
    // Macs of the last century ended lines with a carriage return alone.
    let end: UInt8 = content.contains(0x0a) || !content.contains(0x0d) ? 0x0a : 0x0d
    return content.split(separator: end, omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      // Editors of other systems end lines with a carriage return too.
      let line = line.last == 0x0d ? line.dropLast() : line
      let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 }
      return isBlank || line.first == UInt8(ascii: "#") ? nil : (index + 1, line)
    }
  }

  private static func plain(_ content: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    if content.starts(with: [0xef, 0xbb, 0xbf]) { return content.dropFirst(3) }
    let isLittleEndian = content.starts(with: [0xff, 0xfe])
    guard isLittleEndian || content.starts(with: [0xfe, 0xff]), content.count.isMultiple(of: 2) else {
      return content
    }
    let bytes = Array(content.dropFirst(2))
    let units = stride(from: 0, to: bytes.count, by: 2).map { place in
      isLittleEndian
        ? UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8
        : UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
    }
    return Array(String(decoding: units, as: UTF16.self).utf8)[...]
  }
}
