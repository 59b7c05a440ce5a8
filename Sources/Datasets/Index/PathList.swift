// Lists of paths on standard input, in the form of split lists.

import Glibc
import Messages

public enum PathList {
  /// The paths on standard input, one a line: as they stand, or in the double quotes of split lists.
  /// - Throws: `DatasetError.malformedLine`.
  public static func standardInput() throws(DatasetError) -> [String] {
    let content = try everything(at: STDIN_FILENO)
    var paths: [String] = []
    for (number, bytes) in LineFile.lines(of: content[...]) {
      do throws(QuotingError) {
        paths.append(try PathQuoting.path(ofLine: bytes))
      } catch {
        throw .malformedLine(file: "standard input", line: number, reason: error.reason)
      }
    }
    return paths
  }

  /// All that is read from a descriptor, waiting for it, up to the end.
  private static func everything(at descriptor: Int32) throws(DatasetError) -> [UInt8] {
    var (content, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count > 0 {
        content += buffer[..<count]
      } else if count == 0 {
        return content
      } else if errno != EINTR {
        throw .unreadableFile(path: "standard input", reason: String(cString: strerror(errno)))
      }
    }
  }
}
