// Images that lie inside a larger file, a record file for instance, are named like files of their own.

import Messages

/// A range of a file's bytes, named `shard.tfrecord@1024+3000`: the file, the range's first byte, its length. Wherever
/// the path of an image is asked for, such a name will do, unless there is a file that is really called so.
package struct FileSlice: Sendable, Equatable {
  package var path: String
  package var offset: Int
  package var length: Int

  package init(path: String, offset: Int, length: Int) {
    self.path = path
    self.offset = offset
    self.length = length
  }

  /// Takes a name apart; nil if it does not end in `@offset+length`.
  package init?(name: String) {
    guard let at = name.lastIndex(of: "@") else { return nil }
    let numbers = name[name.index(after: at)...].split(separator: "+", omittingEmptySubsequences: false)
    guard numbers.count == 2, let offset = Self.number(numbers[0]), let length = Self.number(numbers[1]),
      !offset.addingReportingOverflow(length).overflow
    else { return nil }
    self.init(path: String(name[..<at]), offset: offset, length: length)
  }

  /// The name that stands for it.
  package var name: String { "\(path)@\(offset)+\(length)" }

  /// Digits only: `Int` would take signs too.
  private static func number(_ text: Substring) -> Int? {
    text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
  }
}
