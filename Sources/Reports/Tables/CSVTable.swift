// Comma-separated values as RFC 4180 has them: what stands in a cell comes back as it was, whatever it is. Which tables
// there are is said in files of their own.

import Files

/// A table that is written row by row.
///
/// A cell with a comma, a quote or a line break in it is quoted, and its quotes are doubled. Lines end in a line feed
/// alone, as those of results.csv do, which every reader takes. Numbers are the shortest that read back to the same
/// Double; one that is not finite, like one that is not known, is an empty cell.
public struct CSVTable {
  private let write: ([UInt8]) throws -> Void
  private let columns: Int

  /// Begins a table with its header.
  /// - Parameter write: takes a row's bytes.
  /// - Throws: what `write` throws.
  public init(header: [String], write: @escaping ([UInt8]) throws -> Void) throws {
    self.write = write
    columns = header.count
    try append(header)
  }

  /// - Parameter cells: as many as the header has.
  /// - Throws: what `write` throws.
  public func append(_ cells: [String]) throws {
    precondition(cells.count == columns, "a row has a cell for each column")
    try write(Array((cells.map(Self.quoted).joined(separator: ",") + "\n").utf8))
  }

  /// A cell as it is written.
  static func quoted(_ cell: String) -> String {
    let isPlain = cell.utf8.allSatisfy { ![0x22, 0x2c, 0x0a, 0x0d].contains($0) }
    // A space at an end is a part of the cell, which some readers would cut off.
    let ends = [cell.utf8.first, cell.utf8.last]
    guard !isPlain || ends.contains(0x20) else { return cell }
    var text = "\""
    for scalar in cell.unicodeScalars {
      if scalar == "\"" { text += "\"" }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }

  /// A number as a cell.
  static func cell(_ value: Double?) -> String { value.flatMap { $0.isFinite ? "\($0)" : nil } ?? "" }
}

/// Where a table goes that a user names.
public enum TableTarget {
  /// - Parameters:
  ///   - option: by which it was named, for the message.
  ///   - data: the folder of a dataset, which is only read; nil for none.
  /// - Throws: `TableRefusal`, or `FileOperationError` where that cannot be told.
  public static func check(_ path: String, option: String, data: String? = nil) throws {
    switch try FilePath.kind(of: path) {
    case .folder?: throw TableRefusal("\(option) \(path) is a folder; name a file in it")
    // A pipe or a device is for whoever reads it.
    case .other?: return
    case .file?, nil: break
    }
    // A picture in the place of the table's name, by a slip in a long line, would be gone.
    let name = FilePath.split(path).name
    guard name.utf8.count > 4, name.lowercased().hasSuffix(".csv") else {
      throw TableRefusal("\(option) \(path): the name of a table ends in .csv")
    }
    if let data, FilePath.lies(FilePath.split(path).folder, within: data) {
      throw TableRefusal(
        "\(option) \(path) lies in the dataset's folder, which is only read; name a file elsewhere")
    }
  }
}

/// A file that no table is written to.
public struct TableRefusal: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
