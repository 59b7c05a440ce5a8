// Where one stands in the confusion matrix, and in which order its classes are. The counts themselves are the report's.

import Messages

/// The matrix as it is looked at.
struct ConfusionState: Sendable, Equatable {
  /// The labels in the order of rows and columns.
  private(set) var order: [Int] = []
  /// Whether classes that are confused with each other stand beside each other; else in the order of the labels.
  private(set) var isByConfusion = false
  /// Shares of the true class in place of counts.
  var showsShares = false
  /// Whether rows are the predicted classes.
  private(set) var isFlipped = false
  /// The cell that the cursor is on, as places in the order.
  private(set) var row = 0
  private(set) var column = 0
  /// The first row and column in view.
  private(set) var top = 0
  private(set) var left = 0
  /// Images of each true class and of each predicted one, by label: found once.
  private(set) var truthTotals: [Int] = []
  private(set) var predictedTotals: [Int] = []
  /// Digits of the largest count.
  private(set) var digits = 1

  /// Begins on the most confused pair.
  init(_ matrix: ConfusionMatrix = [], start: (truth: Int, predicted: Int)? = nil) {
    order = Array(0..<matrix.classes)
    truthTotals = [Int](repeating: 0, count: matrix.classes)
    predictedTotals = truthTotals
    for cell in matrix.cells {
      truthTotals[cell.truth] += cell.count
      predictedTotals[cell.predicted] += cell.count
    }
    digits = "\(matrix.cells.map(\.count).max() ?? 0)".count
    if let start { stand(truth: start.truth, predicted: start.predicted) }
  }

  /// The label of the true class at the cursor, and of the predicted one.
  var truth: Int? { label(at: isFlipped ? column : row) }
  var predicted: Int? { label(at: isFlipped ? row : column) }

  /// The labels of a cell.
  func cell(row: Int, column: Int) -> (truth: Int, predicted: Int) {
    isFlipped ? (order[column], order[row]) : (order[row], order[column])
  }

  private func label(at place: Int) -> Int? { order.indices.contains(place) ? order[place] : nil }

  /// - Parameter extent: rows and columns in view.
  mutating func move(rows: Int, columns: Int, extent: (rows: Int, columns: Int)) {
    stand(row: row + rows, column: column + columns, extent: extent)
  }

  mutating func stand(row: Int, column: Int, extent: (rows: Int, columns: Int)) {
    self.row = max(0, min(row, order.count - 1))
    self.column = max(0, min(column, order.count - 1))
    top = Self.scrolled(top, to: self.row, extent: extent.rows, count: order.count)
    left = Self.scrolled(left, to: self.column, extent: extent.columns, count: order.count)
  }

  mutating func stand(truth: Int, predicted: Int, extent: (rows: Int, columns: Int) = (1, 1)) {
    guard let one = order.firstIndex(of: truth), let other = order.firstIndex(of: predicted) else { return }
    if isFlipped {
      stand(row: other, column: one, extent: extent)
    } else {
      stand(row: one, column: other, extent: extent)
    }
  }

  mutating func flip() {
    isFlipped.toggle()
    (row, column, top, left) = (column, row, left, top)
  }

  /// Orders the classes anew; the cursor stays on its pair.
  mutating func toggleOrder(_ matrix: ConfusionMatrix, extent: (rows: Int, columns: Int)) {
    let (truth, predicted) = (truth, predicted)
    isByConfusion.toggle()
    order = isByConfusion ? matrix.neighborOrder : Array(0..<matrix.classes)
    if let truth, let predicted { stand(truth: truth, predicted: predicted, extent: extent) }
  }

  /// The places in view where there is room for so many.
  func rows(in extent: Int) -> Range<Int> { Self.window(top, row, extent, order.count) }
  func columns(in extent: Int) -> Range<Int> { Self.window(left, column, extent, order.count) }

  private static func window(_ first: Int, _ selected: Int, _ extent: Int, _ count: Int) -> Range<Int> {
    let start = scrolled(first, to: selected, extent: extent, count: count)
    return start..<min(count, start + max(0, extent))
  }

  private static func scrolled(_ first: Int, to selected: Int, extent: Int, count: Int) -> Int {
    guard extent > 0 else { return 0 }
    return max(0, min(min(first, selected), count - extent), selected - extent + 1)
  }
}

extension ConfusionMatrix {
  /// The labels in an order in which classes that are confused with each other are neighbors: pairs are joined to chains,
  /// the most confused first, and the chains put one behind the other. What is confused with nothing comes last.
  var neighborOrder: [Int] {
    var totals = [Int](repeating: 0, count: classes)
    for cell in cells { totals[cell.truth] += cell.count }
    var likeness: [Int: Double] = [:]
    for cell in cells where cell.truth != cell.predicted {
      let (low, high) = (min(cell.truth, cell.predicted), max(cell.truth, cell.predicted))
      likeness[low * classes + high, default: 0] += Double(cell.count) / Double(max(1, totals[cell.truth]))
    }
    var neighbors = [[Int]](repeating: [], count: classes)
    var chain = Array(0..<classes)
    func root(_ label: Int) -> Int {
      var label = label
      while chain[label] != label { label = chain[label] }
      return label
    }
    for (pair, _) in likeness.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      let (one, other) = (pair / classes, pair % classes)
      let (first, second) = (root(one), root(other))
      guard neighbors[one].count < 2, neighbors[other].count < 2, first != second else { continue }
      neighbors[one].append(other)
      neighbors[other].append(one)
      // The chain is known by its least label.
      chain[max(first, second)] = min(first, second)
    }
    var order: [Int] = []
    var isPlaced = [Bool](repeating: false, count: classes)
    let chained = (0..<classes).filter { neighbors[$0].count == 1 }
    for start in chained + (0..<classes).filter({ neighbors[$0].isEmpty }) where !isPlaced[start] {
      var next: Int? = start
      while let label = next {
        isPlaced[label] = true
        order.append(label)
        next = neighbors[label].first { !isPlaced[$0] }
      }
    }
    return order
  }
}
