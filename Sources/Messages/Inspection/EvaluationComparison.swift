// Two evaluations of the same images: what the second one has right that the first had wrong, and the other way round,
// and whether that could be chance. How settings of two runs differ is none of this file's concern.

import Glibc

/// An image that two evaluations have in common.
public struct ComparedImage: Codable, Sendable, Equatable {
  public var path: String
  /// The image's class by its name.
  public var truth: String
  /// What each predicted; nil where the outputs are not finite.
  public var first: Prediction.NamedProbability?
  public var second: Prediction.NamedProbability?
  /// The probability that each gave to the image's own class, 0...1.
  public var firstTruthProbability: Double
  public var secondTruthProbability: Double

  public init(
    path: String, truth: String, first: Prediction.NamedProbability?, second: Prediction.NamedProbability?,
    firstTruthProbability: Double, secondTruthProbability: Double
  ) {
    self.path = path
    self.truth = truth
    self.first = first
    self.second = second
    self.firstTruthProbability = firstTruthProbability
    self.secondTruthProbability = secondTruthProbability
  }
}

/// Two evaluations side by side.
public struct EvaluationComparison: Codable, Sendable, Equatable {
  public var first: EvaluationSource
  public var second: EvaluationSource
  /// Images that both have, of the same class.
  public var images: Int
  /// Images that only one has, or that are of another class in each: they are compared nowhere.
  public var leftOut: Int
  /// Shares of right answers among `images`.
  public var firstAccuracy: Double
  public var secondAccuracy: Double
  public var rightInBoth: Int
  /// Wrong in the first and right in the second; the greatest gain in the probability of the class first.
  public var fixed: [ComparedImage]
  /// Right in the first and wrong in the second; the greatest loss of it first.
  public var broken: [ComparedImage]
  /// Wrong in both; the least probability of the class in the second first.
  public var stillWrong: [ComparedImage]

  public init(
    first: EvaluationSource, second: EvaluationSource, images: Int, leftOut: Int, firstAccuracy: Double,
    secondAccuracy: Double, rightInBoth: Int, fixed: [ComparedImage], broken: [ComparedImage],
    stillWrong: [ComparedImage]
  ) {
    self.first = first
    self.second = second
    self.images = images
    self.leftOut = leftOut
    self.firstAccuracy = firstAccuracy
    self.secondAccuracy = secondAccuracy
    self.rightInBoth = rightInBoth
    self.fixed = fixed
    self.broken = broken
    self.stillWrong = stillWrong
  }

  public var test: PairedTest { PairedTest(fixed: fixed.count, broken: broken.count) }

  /// Compares the images that two tables have in common: by path, and of the same class in both.
  public init(_ first: EvaluationTable, _ second: EvaluationTable) {
    // A path's bytes: two spellings of a name are two files.
    let places = Dictionary(
      first.paths.enumerated().map { (Array($1.utf8), $0) }, uniquingKeysWith: { first, _ in first })
    var (images, rightInBoth, firstRight, secondRight) = (0, 0, 0, 0)
    var lists: (fixed: [ComparedImage], broken: [ComparedImage], stillWrong: [ComparedImage]) = ([], [], [])
    for row in 0..<second.count {
      guard let place = places[Array(second.paths[row].utf8)],
        ClassName(first.classes[Int(first.truths[place])]) == ClassName(second.classes[Int(second.truths[row])])
      else { continue }
      images += 1
      let (before, after) = (first.isRight(place), second.isRight(row))
      if before { firstRight += 1 }
      if after { secondRight += 1 }
      if before, after {
        rightInBoth += 1
        continue
      }
      let image = ComparedImage(
        path: second.paths[row], truth: second.classes[Int(second.truths[row])], first: first.answer(place),
        second: second.answer(row), firstTruthProbability: Double(first.truthProbability(place)),
        secondTruthProbability: Double(second.truthProbability(row)))
      switch (before, after) {
      case (false, true): lists.fixed.append(image)
      case (true, _): lists.broken.append(image)
      case (false, false): lists.stillWrong.append(image)
      }
    }
    func gain(_ image: ComparedImage) -> Double { image.secondTruthProbability - image.firstTruthProbability }
    self.init(
      first: first.source, second: second.source, images: images,
      leftOut: first.count + second.count - 2 * images,
      firstAccuracy: images > 0 ? Double(firstRight) / Double(images) : 0,
      secondAccuracy: images > 0 ? Double(secondRight) / Double(images) : 0, rightInBoth: rightInBoth,
      fixed: Self.ordered(lists.fixed) { -gain($0) }, broken: Self.ordered(lists.broken) { gain($0) },
      stillWrong: Self.ordered(lists.stillWrong) { $0.secondTruthProbability })
  }

  private static func ordered(_ images: [ComparedImage], _ key: (ComparedImage) -> Double) -> [ComparedImage] {
    let keys = images.map(key)
    return images.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { images[$0] }
  }
}

extension EvaluationTable {
  /// What was predicted for a row.
  fileprivate func answer(_ row: Int) -> Prediction.NamedProbability? {
    guard predictions[row] >= 0 else { return nil }
    return Prediction.NamedProbability(
      name: classes[Int(predictions[row])], probability: Double(confidences[row]))
  }
}

/// Whether two classifiers measured on the same images differ: McNemar's test, exact. Of the images on which only one is
/// right, either would have half if both were as good, so the number is binomial.
public struct PairedTest: Codable, Sendable, Equatable {
  /// Images that only the second has right, and those that only the first has.
  public var fixed: Int
  public var broken: Int

  public init(fixed: Int, broken: Int) {
    self.fixed = fixed
    self.broken = broken
  }

  /// The probability of a difference at least as large, either way, if both were as good: twice the tail of the binomial
  /// distribution of fixed + broken throws of a coin, at most 1.
  public var pValue: Double {
    let (count, fewer) = (fixed + broken, min(fixed, broken))
    guard count > 0 else { return 1 }
    // The largest term, and from it downwards each by the ratio of neighbors.
    let ways: Double = lgamma(Double(count) + 1) - lgamma(Double(fewer) + 1) - lgamma(Double(count - fewer) + 1)
    let logarithm: Double = ways - Double(count) * log(2.0)
    var (term, sum) = (1.0, 1.0)
    var k = fewer
    while k > 0, term > sum * 1e-18 {
      term *= Double(k) / Double(count - k + 1)
      sum += term
      k -= 1
    }
    return min(1, 2 * exp(logarithm) * sum)
  }

  /// `better: 22 to 2, very unlikely to be chance`
  public var text: String {
    guard fixed + broken > 0 else { return "the same answers: nothing fixed, nothing broken" }
    let (more, fewer) = (max(fixed, broken), min(fixed, broken))
    let kind = fixed == broken ? "no better and no worse" : fixed > broken ? "better" : "worse"
    let chance =
      switch pValue {
      case ..<0.001: "very unlikely to be chance"
      case ..<0.05: "unlikely to be chance"
      default: "may be chance"
      }
    return "\(kind): \(more) to \(fewer), \(chance)"
  }
}
