// Figures as text, in columns that can be printed row by row while a benchmark still runs.

import Foundation

/// A table whose columns' widths are known beforehand.
public struct TextTable {
  public struct Column {
    var title: String
    /// Characters; negative for text that stands at the left.
    var width: Int

    public init(_ title: String, _ width: Int) {
      self.title = title
      self.width = width
    }
  }

  private let columns: [Column]

  public init(_ columns: [Column]) { self.columns = columns }

  public func printHeader() { printRow(columns.map(\.title)) }

  public func printRow(_ cells: [String]) {
    let padded = zip(columns, cells).map { column, cell in
      let space = String(repeating: " ", count: max(0, abs(column.width) - cell.count))
      return column.width < 0 ? cell + space : space + cell
    }
    var line = padded.joined(separator: " ")
    while line.last == " " { line.removeLast() }
    print(line)
    // Whoever reads along through a pipe sees each row when it is there.
    fflush(nil)
  }
}

extension Double {
  /// `12.3`
  public func text(_ digits: Int = 1) -> String { String(format: "%.\(digits)f", self) }

  /// `87%` of a whole.
  public func percent(of whole: Double) -> String { whole > 0 ? "\(Int((self / whole * 100).rounded()))%" : "-" }

  /// Three significant digits at least: `0.123`, `4.56`, `78.9`, `1234`.
  public var figure: String { text(self < 1 ? 3 : self < 10 ? 2 : self < 1000 ? 1 : 0) }
}

/// A value as one line of JSON, keys in order.
public func jsonLine(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
