// Which rows of an evaluation are shown, and in which order: pure functions of the table. Ties keep the order of the
// table, so that the same question always has the same answer.

import Glibc

/// What rows are sorted by. Each has the most interesting rows first; `isReversed` turns it around.
public enum EvaluationSort: String, Codable, Sendable, CaseIterable {
  /// The greatest loss first.
  case loss
  /// The least confident prediction first.
  case confidence
  /// The closest decision first.
  case margin
  /// Where the network contradicts the label the most, first.
  case disagreement
  /// The path's natural order.
  case name
}

/// Which rows are wanted; a row passes that meets every condition.
public struct EvaluationFilter: Codable, Sendable, Equatable {
  public enum Answers: String, Codable, Sendable, CaseIterable { case all, right, wrong }

  /// Labels.
  public var truth: Int?
  public var predicted: Int?
  public var split: Split?
  /// Confidence, 0...1, both ends included.
  public var leastConfidence: Float?
  public var greatestConfidence: Float?
  public var answers: Answers
  /// A part of the path; letters of ASCII in upper and lower case are the same. Empty for any path.
  public var text: String

  public init(
    truth: Int? = nil, predicted: Int? = nil, split: Split? = nil, leastConfidence: Float? = nil,
    greatestConfidence: Float? = nil, answers: Answers = .all, text: String = ""
  ) {
    self.truth = truth
    self.predicted = predicted
    self.split = split
    self.leastConfidence = leastConfidence
    self.greatestConfidence = greatestConfidence
    self.answers = answers
    self.text = text
  }
}

extension EvaluationTable {
  /// The rows that pass a filter, in the order of a sort.
  public func rows(
    _ filter: EvaluationFilter = EvaluationFilter(), sortedBy sort: EvaluationSort = .name, isReversed: Bool = false
  ) -> [Int32] {
    sorted(rows(passing: filter), by: sort, isReversed: isReversed)
  }

  /// The rows that pass a filter, in the order of the table.
  public func rows(passing filter: EvaluationFilter) -> [Int32] {
    let wanted = filter.text.utf8.map(Self.lowercase)
    var rows: [Int32] = []
    rows.reserveCapacity(count)
    for row in 0..<count where passes(row, filter) {
      if wanted.isEmpty || Self.contains(paths[row], wanted) { rows.append(Int32(row)) }
    }
    return rows
  }

  /// Rows in the order of a sort; of equal ones, reversed or not, the first of the table comes first.
  public func sorted(_ rows: [Int32], by sort: EvaluationSort, isReversed: Bool = false) -> [Int32] {
    let keys: [Float]
    switch sort {
    case .name:
      let ordered = rows.sorted()
      return isReversed ? ordered.reversed() : ordered
    case .loss: keys = rows.map { -losses[Int($0)] }
    case .confidence: keys = rows.map { confidences[Int($0)] }
    case .margin: keys = rows.map { margins[Int($0)] }
    case .disagreement: keys = rows.map { -disagreement(Int($0)) }
    }
    // One number for key and row, which sorts as the two do: comparing pairs takes ten times as long.
    var packed = zip(keys, rows).map { key, row in
      UInt64(Self.ordered(isReversed ? -key : key)) << 32 | UInt64(UInt32(bitPattern: row))
    }
    packed.sort()
    return packed.map { Int32(bitPattern: UInt32(truncatingIfNeeded: $0)) }
  }

  /// A number that is the greater the greater a value is; both zeros are the same.
  private static func ordered(_ value: Float) -> UInt32 {
    let bits = (value + 0).bitPattern
    return bits >> 31 == 0 ? bits | 1 << 31 : ~bits
  }

  /// How often images of each class were given each class, of some rows; images without a prediction are left out.
  public func confusion(_ rows: [Int32]? = nil) -> ConfusionMatrix {
    var counts: [Int64: Int] = [:]
    let width = Int64(max(1, classes.count))
    func count(_ row: Int) {
      guard predictions[row] >= 0 else { return }
      counts[Int64(truths[row]) * width + Int64(predictions[row]), default: 0] += 1
    }
    if let rows { for row in rows { count(Int(row)) } } else { for row in 0..<self.count { count(row) } }
    return ConfusionMatrix(
      classes: classes.count,
      cells: counts.map { key, count in
        ConfusionMatrix.Cell(truth: Int(key / width), predicted: Int(key % width), count: count)
      })
  }

  private func passes(_ row: Int, _ filter: EvaluationFilter) -> Bool {
    if let truth = filter.truth, truths[row] != truth { return false }
    if let predicted = filter.predicted, predictions[row] != predicted { return false }
    if let split = filter.split, splits[row] != split { return false }
    if let least = filter.leastConfidence, !(confidences[row] >= least) { return false }
    if let greatest = filter.greatestConfidence, !(confidences[row] <= greatest) { return false }
    switch filter.answers {
    case .all: return true
    case .right: return isRight(row)
    case .wrong: return !isRight(row)
    }
  }

  private static func lowercase(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte | 0x20 : byte }

  private static func contains(_ path: String, _ wanted: [UInt8]) -> Bool {
    var path = path
    return path.withUTF8 { bytes in
      guard bytes.count >= wanted.count else { return false }
      for start in 0...bytes.count - wanted.count where lowercase(bytes[start]) == wanted[0] {
        var length = 1
        while length < wanted.count, lowercase(bytes[start + length]) == wanted[length] { length += 1 }
        if length == wanted.count { return true }
      }
      return false
    }
  }

  /// The probability whose negative logarithm is a loss.
  func probability(ofLoss loss: Float) -> Float { exp(-loss) }
}
