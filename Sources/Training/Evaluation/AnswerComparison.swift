// Two evaluations of the same images beside each other: in a lower precision, then in fp32. Of the first it keeps a few
// bytes an image.

import Glibc
import Messages
import Support

/// What the first evaluation says of each image, compared with what the second one says.
public struct AnswerComparison {
  /// Of an image, by its path's hash.
  private var answers: [UInt64: Answer] = [:]
  private var images = 0
  private var same = 0
  /// Images that both were given a class.
  private var answered = 0
  private var differences = 0.0
  private var largest = 0.0

  private struct Answer {
    /// nil where the outputs are not finite.
    var label: Int32?
    var probability: Float
  }

  public init() {}

  /// Keeps an image of the first evaluation.
  public mutating func keep(_ image: MeasuredImage) {
    let label = image.outputs?.mostProbable(1).first
    answers[stableHash(image.path)] = Answer(
      label: label.map(Int32.init),
      probability: label.flatMap { image.outputs?.probability($0) }.map(Float.init) ?? 0)
  }

  /// Compares an image of the second one, in fp32, where the first one had it too.
  public mutating func compare(_ image: MeasuredImage) {
    guard let answer = answers[stableHash(image.path)] else { return }
    images += 1
    guard let label = answer.label.map(Int.init), let outputs = image.outputs else { return }
    if outputs.mostProbable(1).first == label { same += 1 }
    answered += 1
    let difference = abs(outputs.probability(label) - Double(answer.probability))
    differences += difference
    largest = max(largest, difference)
  }

  /// - Parameter float: the report of the second one.
  /// - Returns: nil where the two have no image in common.
  public func result(_ float: EvaluationReport) -> PrecisionComparison? {
    guard images > 0 else { return nil }
    return PrecisionComparison(
      checkpoint: float.checkpoint, images: images, loss: float.loss, top1: float.top1, top5: float.top5,
      agreement: Double(same) / Double(images), meanDifference: differences / Double(max(1, answered)),
      largestDifference: largest)
  }
}
