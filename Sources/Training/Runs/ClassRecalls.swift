// The recall of each class after an epoch: a line of its own in metrics.jsonl, by the classes' names, and scalars of
// TensorBoard. It stands beside the epoch's metrics, not among them: of a thousand classes a screen keeps the newest only.

import Messages

/// `{"kind":"recall","epoch":3,"step":81,"recall":{"disc":0.77,"ring":1}}`
public struct ClassRecalls: Codable, Sendable, Equatable {
  public var epoch: Int
  public var step: Int
  /// 0...1, by the class's name; classes without validation images are left out.
  public var recall: [String: Double]

  public init(epoch: Int, step: Int, recall: [String: Double]) {
    self.epoch = epoch
    self.step = step
    self.recall = recall
  }

  init(epoch: Int, step: Int, _ tally: ClassificationMetrics) {
    self.init(
      epoch: epoch, step: step,
      recall: Dictionary(
        zip(tally.classes, tally.recalls).compactMap { name, recall in recall.map { (name, $0) } },
        uniquingKeysWith: { first, _ in first }))
  }
}

extension ClassificationMetrics {
  /// More curves than that nobody reads, and TensorBoard would take long to list them.
  private static let mostScalars = 200

  /// As scalars of TensorBoard: `recall/disc`.
  var recallValues: [SummaryValue] {
    guard classes.count <= Self.mostScalars else { return [] }
    return zip(classes, recalls).compactMap { name, recall in
      recall.map { SummaryValue("recall/\(name)", .scalar(Float($0))) }
    }
  }
}
