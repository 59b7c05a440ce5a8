// Lists of paths on standard input, in the form of split lists.

import Foundation
import Messages

public enum PathList {
  /// The paths on standard input, one a line: as they stand, or in the double quotes of split lists.
  /// - Throws: `DatasetError.malformedLine`.
  public static func standardInput() throws(DatasetError) -> [String] {
    let content = [UInt8](FileHandle.standardInput.readDataToEndOfFile())
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
}
