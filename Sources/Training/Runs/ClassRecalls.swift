// The recall and the loss of each class after an epoch: a line of its own in metrics.jsonl, by the classes' names, and scalars of
// TensorBoard. It stands beside the epoch's metrics, not among them: of a thousand classes a screen keeps the newest only.

import Messages

/// `{"kind":"recall","epoch":3,"step":81,"recall":{"disc":0.77,"ring":1},"loss":{"disc":0.61,"ring":0.08}}`
public struct ClassRecalls: Codable, Sendable, Equatable {
  public var epoch: Int
  public var step: Int
  /// 0...1, by the class's name; classes without validation images are left out.
  public var recall: [String: Double]
  /// Mean cross-entropy in nats, by the class's name; nil in logs of before it was measured.
  public var loss: [String: Double]?

  public init(epoch: Int, step: Int, recall: [String: Double], loss: [String: Double]? = nil) {
    self.epoch = epoch
    self.step = step
    self.recall = recall
    self.loss = loss
  }

  init(epoch: Int, step: Int, _ tally: ClassificationMetrics) {
    func byName(_ values: [Double?]) -> [String: Double] {
      Dictionary(
        zip(tally.classes, values).compactMap { name, value in value.map { (name, $0) } },
        uniquingKeysWith: { first, _ in first })
    }
    self.init(epoch: epoch, step: step, recall: byName(tally.recalls), loss: byName(tally.losses))
  }

  /// In the order of labels.
  func figures(classes: [String]) -> ClassFigures {
    ClassFigures(
      epoch: epoch, step: step, recalls: classes.map { recall[$0].map { Float($0) } },
      losses: loss.map { loss in classes.map { loss[$0].map { Float($0) } } } ?? [])
  }
}

extension ClassificationMetrics {
  /// More curves than that nobody reads, and TensorBoard would take long to list them.
  private static let mostScalars = 200

  /// As scalars of TensorBoard: `recall/disc`, `class_loss/disc`.
  var classValues: [SummaryValue] {
    guard classes.count <= Self.mostScalars else { return [] }
    func scalars(_ values: [Double?], _ tag: String) -> [SummaryValue] {
      zip(classes, values).compactMap { name, value in
        value.map { SummaryValue("\(tag)/\(name)", .scalar(Float($0))) }
      }
    }
    return scalars(recalls, "recall") + scalars(losses, "class_loss")
  }
}
