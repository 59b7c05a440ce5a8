// In what a network computes that only goes forwards, and what that changes of its answers.

/// What the products of a network for inference are computed in. Sums are float32 or, of bytes, exact; what is no
/// convolution is float32 in any case.
public enum InferencePrecision: String, Codable, Sendable, CaseIterable {
  case fp32
  /// The factors of those convolutions are rounded to bfloat16 whose factors training in mixed precision rounds.
  case bf16
  /// Of a quantized checkpoint: its convolutions are computed in 8-bit integers.
  case int8
}

/// What a network answers in a lower precision beside what it answers in fp32, of the same images.
public struct PrecisionComparison: Codable, Sendable, Equatable {
  /// The checkpoint that was computed in fp32: itself, or the one that a quantized one was made of.
  public var checkpoint: String
  /// Images that were measured both ways.
  public var images: Int
  /// In fp32, as the report has them.
  public var loss: Double?
  public var top1: Double
  public var top5: Double
  /// The share of the images that are given the same class both ways; one whose outputs are not finite is given none.
  public var agreement: Double
  /// How far the probability of the class that the lower precision gives is from what fp32 gives it, 0...1: the mean
  /// over the images, and the largest.
  public var meanDifference: Double
  public var largestDifference: Double

  public init(
    checkpoint: String, images: Int, loss: Double?, top1: Double, top5: Double, agreement: Double,
    meanDifference: Double, largestDifference: Double
  ) {
    self.checkpoint = checkpoint
    self.images = images
    self.loss = loss
    self.top1 = top1
    self.top5 = top5
    self.agreement = agreement
    self.meanDifference = meanDifference
    self.largestDifference = largestDifference
  }
}
