// How far a network's probabilities can be trusted: reliability, calibration error, what a threshold keeps. Pure
// functions of an evaluation's columns.

/// The images whose confidence lies in one of equal parts of 0...1: above `lower`, up to and with `upper`.
public struct ReliabilityBin: Codable, Sendable, Equatable {
  public var lower: Double
  public var upper: Double
  public var right: Int
  public var wrong: Int
  /// The mean confidence; nil without images.
  public var confidence: Double?

  public var images: Int { right + wrong }
  /// The share of right answers; nil without images.
  public var accuracy: Double? { images > 0 ? Double(right) / Double(images) : nil }

  public init(lower: Double, upper: Double, right: Int, wrong: Int, confidence: Double?) {
    self.lower = lower
    self.upper = upper
    self.right = right
    self.wrong = wrong
    self.confidence = confidence
  }
}

/// Confidence against accuracy: a reliability diagram, and the histogram of the confidence of right and wrong answers.
public struct Reliability: Codable, Sendable, Equatable {
  public private(set) var bins: [ReliabilityBin]
  private var sums: [Double]

  /// As many as Guo et al. 2017 (arXiv:1706.04599) have.
  public static let usualBins = 15

  /// - Parameter bins: at least 1.
  public init(bins count: Int = usualBins) {
    let count = max(1, count)
    bins = (0..<count).map {
      ReliabilityBin(
        lower: Double($0) / Double(count), upper: Double($0 + 1) / Double(count), right: 0, wrong: 0,
        confidence: nil)
    }
    sums = Array(repeating: 0, count: count)
  }

  /// Counts an image.
  /// - Parameter confidence: of the predicted class, 0...1.
  public mutating func add(confidence: Double, isRight: Bool) {
    guard confidence >= 0, confidence <= 1 else { return }
    // Above the lower bound, up to the upper one: a bin for 0 alone would be empty.
    let place = max(0, min(bins.count - 1, Int((confidence * Double(bins.count)).rounded(.up)) - 1))
    if isRight { bins[place].right += 1 } else { bins[place].wrong += 1 }
    sums[place] += confidence
    bins[place].confidence = sums[place] / Double(bins[place].images)
  }

  /// The expected calibration error, 0...1: the mean distance of accuracy and confidence, each bin by its share of the
  /// images (Naeini et al. 2015; Guo et al. 2017, equation 3). nil without images.
  public var expectedCalibrationError: Double? {
    let images = bins.reduce(0) { $0 + $1.images }
    guard images > 0 else { return nil }
    return bins.reduce(0) { sum, bin in
      guard let accuracy = bin.accuracy, let confidence = bin.confidence else { return sum }
      return sum + abs(accuracy - confidence) * Double(bin.images) / Double(images)
    }
  }
}

/// What is left where answers below a confidence are rejected.
public struct Coverage: Codable, Sendable, Equatable {
  public var threshold: Double
  public var images: Int
  public var kept: Int
  public var right: Int

  /// The share of images that are answered; nil without images.
  public var share: Double? { images > 0 ? Double(kept) / Double(images) : nil }
  /// The share of right answers among those; nil where none is left.
  public var accuracy: Double? { kept > 0 ? Double(right) / Double(kept) : nil }

  public init(threshold: Double, images: Int, kept: Int, right: Int) {
    self.threshold = threshold
    self.images = images
    self.kept = kept
    self.right = right
  }
}

/// A temperature that a network's outputs are divided by so that its probabilities mean what they say (Guo et al. 2017,
/// arXiv:1706.04599, section 4.2). It changes no prediction.
public struct TemperatureFit: Codable, Sendable, Equatable {
  public var temperature: Double
  /// The images that it was fitted on.
  public var images: Int
  public var split: EvaluationSplit
  /// Mean cross-entropy in nats, and expected calibration error, of these images without and with it.
  public var lossBefore: Double
  public var lossAfter: Double
  public var errorBefore: Double
  public var errorAfter: Double
  /// The checkpoint's checksum: for another one it means nothing.
  public var checkpoint: String

  public init(
    temperature: Double, images: Int, split: EvaluationSplit, lossBefore: Double, lossAfter: Double,
    errorBefore: Double, errorAfter: Double, checkpoint: String
  ) {
    self.temperature = temperature
    self.images = images
    self.split = split
    self.lossBefore = lossBefore
    self.lossAfter = lossAfter
    self.errorBefore = errorBefore
    self.errorAfter = errorAfter
    self.checkpoint = checkpoint
  }
}

extension EvaluationTable {
  /// Confidence against accuracy of some rows, or all. Images without a prediction are left out.
  public func reliability(_ rows: [Int32]? = nil, bins: Int = Reliability.usualBins) -> Reliability {
    var reliability = Reliability(bins: bins)
    forEach(rows) { row in
      guard predictions[row] >= 0 else { return }
      reliability.add(confidence: Double(confidences[row]), isRight: isRight(row))
    }
    return reliability
  }

  /// What rejecting answers below a confidence leaves of some rows, or all. Images without a prediction are rejected.
  public func coverage(atLeast threshold: Double, _ rows: [Int32]? = nil) -> Coverage {
    var coverage = Coverage(threshold: threshold, images: 0, kept: 0, right: 0)
    forEach(rows) { row in
      coverage.images += 1
      guard predictions[row] >= 0, Double(confidences[row]) >= threshold else { return }
      coverage.kept += 1
      if isRight(row) { coverage.right += 1 }
    }
    return coverage
  }

  private func forEach(_ rows: [Int32]?, _ body: (Int) -> Void) {
    if let rows { for row in rows { body(Int(row)) } } else { for row in 0..<count { body(row) } }
  }
}
