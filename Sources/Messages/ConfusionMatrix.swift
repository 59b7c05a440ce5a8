// How often images of each class were given each class. Only what was counted is kept, so that ten thousand classes
// take no more room than the images that were measured.

/// Counts of images by true and predicted class; what is not in it is 0.
public struct ConfusionMatrix: Sendable, Equatable {
  /// A true class, the class that was predicted for it, and how often: at least once.
  public struct Cell: Sendable, Equatable {
    public var truth: Int
    public var predicted: Int
    public var count: Int

    public init(truth: Int, predicted: Int, count: Int) {
      self.truth = truth
      self.predicted = predicted
      self.count = count
    }
  }

  /// Rows, and columns.
  public let classes: Int
  /// In order of the true class, then of the predicted one.
  public let cells: [Cell]
  /// Where the cells of each true class begin, and at last their number: [classes + 1].
  private let rowStarts: [Int]

  /// - Parameter cells: in any order; counts of the same cell are added, and what is no cell of the matrix is left out.
  public init(classes: Int, cells: some Sequence<Cell>) {
    let classes = max(0, classes)
    let labels = 0..<classes
    var ordered: [Cell] = []
    for cell in cells.filter({ labels.contains($0.truth) && labels.contains($0.predicted) && $0.count > 0 })
      .sorted(by: { ($0.truth, $0.predicted) < ($1.truth, $1.predicted) })
    {
      if let last = ordered.last, last.truth == cell.truth, last.predicted == cell.predicted {
        ordered[ordered.count - 1].count = last.count.addingReportingOverflow(cell.count).partialValue
      } else {
        ordered.append(cell)
      }
    }
    var starts: [Int] = []
    starts.reserveCapacity(classes + 1)
    for (place, cell) in ordered.enumerated() {
      while starts.count <= cell.truth { starts.append(place) }
    }
    while starts.count <= classes { starts.append(ordered.count) }
    self.classes = classes
    self.cells = ordered
    rowStarts = starts
  }

  /// The cells of one true class; none for a class that is not there.
  public func row(_ truth: Int) -> ArraySlice<Cell> {
    (0..<classes).contains(truth) ? cells[rowStarts[truth]..<rowStarts[truth + 1]] : []
  }

  /// Images of a true class that were given some class.
  public func total(ofRow truth: Int) -> Int { row(truth).reduce(0) { $0 &+ $1.count } }

  public subscript(truth: Int, predicted: Int) -> Int {
    let row = row(truth)
    var (low, high) = (row.startIndex, row.endIndex)
    while low < high {
      let middle = (low + high) / 2
      if row[middle].predicted < predicted { low = middle + 1 } else { high = middle }
    }
    return low < row.endIndex && row[low].predicted == predicted ? row[low].count : 0
  }

  /// All counts as rows, [truth][predicted].
  public var rows: [[Int]] {
    (0..<classes).map { truth in
      var counts = [Int](repeating: 0, count: classes)
      for cell in row(truth) { counts[cell.predicted] = cell.count }
      return counts
    }
  }
}

extension ConfusionMatrix: ExpressibleByArrayLiteral {
  /// - Parameter elements: counts, [truth][predicted].
  public init(arrayLiteral elements: [Int]...) { self.init(rows: elements) }

  /// - Parameter rows: counts, [truth][predicted]; a row that is too short is 0 from there on.
  public init(rows: [[Int]]) {
    self.init(
      classes: rows.count,
      cells: rows.enumerated().flatMap { truth, row in
        row.enumerated().map { Cell(truth: truth, predicted: $0.offset, count: $0.element) }
      })
  }
}

/// In JSON a cell is a list of three numbers, `[truth, predicted, count]`.
extension ConfusionMatrix.Cell: Codable {
  public init(from decoder: any Decoder) throws {
    var container = try decoder.unkeyedContainer()
    truth = try container.decode(Int.self)
    predicted = try container.decode(Int.self)
    count = try container.decode(Int.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.unkeyedContainer()
    try container.encode(truth)
    try container.encode(predicted)
    try container.encode(count)
  }
}
