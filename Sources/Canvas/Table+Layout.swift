// Where the columns of a table stand. Pure arithmetic over widths.

extension Table {
  /// A column that is shown, and where.
  struct Place: Equatable {
    /// Index into `columns`.
    var column: Int
    /// From the left of the table.
    var x: Int
    var width: Int
  }

  /// Blank columns between two columns of the table.
  private static let gap = 1

  /// The places of the columns in a width. When not even the minima fit, columns go from the right; the first one
  /// stays and is cut.
  static func places(of columns: [Column], width: Int) -> [Place] {
    guard width > 0 else { return [] }
    var shown = columns.count
    while shown > 1, minimumWidth(columns.prefix(shown)) > width { shown -= 1 }
    var left = max(0, width - minimumWidth(columns.prefix(shown)))
    var weights = columns.prefix(shown).reduce(0) { $0 + $1.weight }
    var x = 0
    return columns.prefix(shown).enumerated().map { index, column in
      // Each takes its share of what the ones before have left, so that no column is lost to rounding.
      let share = weights > 0 ? left * column.weight / weights : 0
      left -= share
      weights -= column.weight
      let place = Place(column: index, x: x, width: min(column.minimum + share, width - x))
      x += place.width + gap
      return place
    }
  }

  private static func minimumWidth(_ columns: ArraySlice<Column>) -> Int {
    columns.reduce(0) { $0 + $1.minimum } + max(0, columns.count - 1) * gap
  }
}

extension Table.Column {
  fileprivate var minimum: Int {
    switch width {
    case .fixed(let columns), .flexible(let columns, _): max(0, columns)
    }
  }

  fileprivate var weight: Int {
    if case .flexible(_, let weight) = width { max(0, weight) } else { 0 }
  }
}
