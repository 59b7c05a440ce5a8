// `labels.txt` beside shards: the names of the numbers in image/class/label, a line each, as TF-slim writes it.

import Files
import Glibc
import Messages
import Support

/// The names of a set's labels.
struct LabelsFile: Equatable {
  static let name = "labels.txt"
  /// A larger file is something else.
  private static let maximumBytes = 1 << 24

  private(set) var names: [Int64: String] = [:]
  /// The first line that is not `number:name` though others are, or that gives a number a second name; counted from
  /// 1.
  private(set) var faultyLine: Int?

  /// Reads `0:daisy` lines. In a file without any such line each line is a name, and the first is that of 0.
  init(_ bytes: some Collection<UInt8>) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { line in line.last == UInt8(ascii: "\r") ? line.dropLast() : line }
    let numbered = lines.map(Self.numbered)
    let hasNumbers = numbered.contains { $0 != nil }
    for (index, line) in lines.enumerated() where !line.isEmpty {
      let entry = hasNumbers ? numbered[index] : (Int64(index), String(pathBytes: line))
      if let (number, name) = entry, names[number].map({ ClassName($0) == ClassName(name) }) ?? true {
        names[number] = name
      } else {
        faultyLine = faultyLine ?? index + 1
      }
    }
  }

  /// - Returns: nil where there is no such file.
  /// - Throws: why it cannot be read.
  init?(folder: String) throws(FileOperationError) {
    let path = "\(folder)/\(Self.name)"
    guard path.withPathCString({ access($0, F_OK) }) == 0 else { return nil }
    let file = try InputFile(path: path)
    guard file.size <= Self.maximumBytes else {
      throw FileOperationError(path: path, step: .read, code: EFBIG)
    }
    self.init(try file.read(upTo: file.size))
  }

  private static func numbered(_ line: some Collection<UInt8>) -> (Int64, String)? {
    let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[1].isEmpty, let number = Int64(String(decoding: parts[0], as: UTF8.self)) else {
      return nil
    }
    return (number, String(pathBytes: parts[1]))
  }

  /// The file for a dataset's classes.
  static func content(classes: [String]) -> [UInt8] {
    classes.enumerated().flatMap { Array("\($0.offset):".utf8) + line($0.element) + [UInt8(ascii: "\n")] }
  }

  /// A name as a line can hold it: the bytes that would end the line are spaces.
  static func line(_ name: String) -> [UInt8] {
    name.pathBytes.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
  }
}
