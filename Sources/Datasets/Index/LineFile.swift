// Reads small text files of lines by their bytes: names in them need not be UTF-8.

import Files
import Foundation

/// The lines of a text file.
enum LineFile {
  /// The lines that hold something, with their numbers from 1, without what ends them; comments begin with `#`.
  /// - Throws: `DatasetError.unreadableFile`.
  /// - Returns: nil where there is no such file.
  static func lines(of path: String) throws(DatasetError) -> [(number: Int, bytes: ArraySlice<UInt8>)]? {
    let content: [UInt8]
    do throws(FileOperationError) {
      content = try InputFile.contents(of: path, bound: SizeBound.imageList)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      throw .unreadableFile(path: path, reason: "\(error.reason)")
    }
    return lines(of: content[...])
  }

  /// The same of bytes.
  static func lines(of content: ArraySlice<UInt8>) -> [(number: Int, bytes: ArraySlice<UInt8>)] {
    content.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated().compactMap { index, line in
      // Editors of other systems end lines with a carriage return too.
      let line = line.last == 0x0d ? line.dropLast() : line
      let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 }
      return isBlank || line.first == UInt8(ascii: "#") ? nil : (index + 1, line)
    }
  }
}
