// Which images are most alike to a network: those between whose features the angle is smallest. All pairs of images are
// compared by products of matrices, a block of rows at a time.

import Messages
import Tensors

/// The rows of a matrix of features, each of length 1, to be compared with others.
struct UnitFeatures {
  let rows: Int
  let width: Int
  /// [rows, width]; a row that was all zeros still is.
  let matrix: Tensor

  /// - Parameter values: [rows, width].
  init(_ values: [Float], width: Int) {
    self.width = width
    rows = width > 0 ? values.count / width : 0
    var unit = values
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      let squares = range.reduce(0.0) { $0 + Double(values[$1]) * Double(values[$1]) }
      guard squares > 0, squares.isFinite else {
        for place in range { unit[place] = 0 }
        continue
      }
      let factor = Float(1 / squares.squareRoot())
      for place in range { unit[place] = values[place] * factor }
    }
    matrix = Tensor([rows, width], unit)
  }

  /// The rows that are most alike, the most alike first; of equal ones the first.
  /// - Parameters:
  ///   - queries: of the same width; compared in blocks.
  ///   - count: how many for each.
  ///   - excluding: for each query a row that is not counted, as its own; nil for none.
  ///   - progress: told how many queries are done; false ends it.
  /// - Returns: for each query rows and cosines, as many as there are; nil where it was ended.
  func nearest(
    to queries: UnitFeatures, count: Int, excluding: (Int) -> Int?, pool: ThreadPool,
    progress: (Int) -> Bool = { _ in true }
  ) -> [[(row: Int, cosine: Float)]]? {
    precondition(queries.width == width, "features of \(width) numbers, and of \(queries.width)")
    var found: [[(row: Int, cosine: Float)]] = []
    found.reserveCapacity(queries.rows)
    let ops = Ops(pool)
    let values = queries.matrix.values
    for begin in stride(from: 0, to: queries.rows, by: Self.block) {
      let end = min(begin + Self.block, queries.rows)
      let block = Tensor([end - begin, width], Array(values[begin * width..<end * width]))
      let products = ops.dotProducts(block, matrix).values
      var nearest = [[(row: Int, cosine: Float)]](repeating: [], count: end - begin)
      for query in begin..<end {
        let row = query - begin
        nearest[row] = products[row * rows..<(row + 1) * rows].withUnsafeBufferPointer {
          Self.largest($0, count: count, excluding: excluding(query))
        }
      }
      found += nearest
      guard progress(end) else { return nil }
    }
    return found
  }

  /// Queries that are compared at once.
  private static let block = 128

  /// The places of the largest numbers, the largest first.
  static func largest(
    _ values: UnsafeBufferPointer<Float>, count: Int, excluding: Int? = nil
  ) -> [(row: Int, cosine: Float)] {
    var best: [(row: Int, cosine: Float)] = []
    guard count > 0 else { return best }
    var least = -Float.infinity
    for (row, value) in values.enumerated() where value > least && row != excluding {
      let place = best.firstIndex { value > $0.cosine } ?? best.count
      best.insert((row, value), at: place)
      if best.count > count { best.removeLast() }
      if best.count == count { least = best[count - 1].cosine }
    }
    return best
  }
}

extension FeatureRows {
  /// The images of an evaluation that are most alike, the most alike first, with their classes.
  /// - Parameters:
  ///   - query: [width].
  ///   - table: of the same evaluation.
  ///   - own: a row that is not counted, as the image's own.
  /// - Throws: `FileOperationError`.
  public func mostAlike(
    to query: [Float], count: Int, in table: EvaluationTable, excluding own: Int? = nil
  ) throws -> [SimilarImage] {
    precondition(query.count == width, "features of \(width) numbers, and of \(query.count)")
    return try numbers.mostAlike(to: query, rows: rows, count: count, excluding: own).map { row, cosine in
      SimilarImage(
        path: table.paths[row], similarity: Double(cosine), className: table.classes[Int(table.truths[row])],
        split: table.splits[row])
    }
  }
}
