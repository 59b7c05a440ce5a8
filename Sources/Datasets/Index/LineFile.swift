// Reads small text files of lines by their bytes: names in them need not be UTF-8.

import Foundation
import Images
import Messages

/// The lines of a text file.
enum LineFile {
  /// Of a hundred million paths, and not by mistake of a film.
  private static let maximumBytes = 1 << 30

  /// The lines that hold something, with their numbers from 1, without what ends them; comments begin with `#`.
  /// - Throws: `DatasetError.unreadableFile`.
  /// - Returns: nil where there is no such file.
  static func lines(of path: String) throws(DatasetError) -> [(number: Int, bytes: ArraySlice<UInt8>)]? {
    let descriptor = path.withPathCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .unreadableFile(path: path, reason: "\(SystemError(number: errno))")
    }
    defer { close(descriptor) }
    return lines(of: try content(of: descriptor, path)[...])
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

  private static func content(of descriptor: Int32, _ path: String) throws(DatasetError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadableFile(path: path, reason: "\(SystemError(number: errno))")
    }
    guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximumBytes else {
      throw .unreadableFile(path: path, reason: "it is no regular file of less than a gibibyte")
    }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .unreadableFile(path: path, reason: "\(SystemError(number: errno))") }
      if got == 0 { return content }
      content += buffer[..<got]
    }
  }
}
