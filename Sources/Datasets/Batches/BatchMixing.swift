// Mixing: images of a batch are made of two, and so are their labels. Which and how much follows from seed, epoch and
// the batch's place in it.

import Glibc
import Messages
import Support

/// What was mixed into the images of a batch.
public struct BatchMixture: Sendable, Equatable {
  /// The class of the image mixed into each.
  public var labels: [Int]
  /// How much of each image is its own, 0...1; the rest is of the other.
  public var share: Double
}

/// Mixes each image of a batch with the one before it, and the first with the last: the order of an epoch is random, so
/// these are random pairs. All images of a batch get the same share, as in both papers' programs.
public struct BatchMixing: Sendable, Equatable {
  /// Alpha of mixup, 0 for none: images are blended, share * own + (1 - share) * other, with the share drawn from
  /// Beta(alpha, alpha) (Zhang et al. 2017, "mixup: Beyond Empirical Risk Minimization", arXiv:1710.09412).
  public var mixup: Double
  /// Alpha of CutMix, 0 for none: a rectangle of the other image, 1 - share of the area, is pasted over its place in
  /// the own one. Its center lies anywhere, and the share is what is left of the own image where a part of the
  /// rectangle lies outside (Yun et al. 2019, "CutMix", arXiv:1905.04899, algorithm 1).
  public var cutMix: Double

  /// - Returns: nil where nothing is to be mixed.
  public init?(_ settings: AugmentationSettings) {
    guard settings.mixesImages else { return nil }
    mixup = settings.mixup
    cutMix = settings.cutMix
  }

  /// Mixes the images of a batch. A single one has none to be mixed with.
  /// - Parameters:
  ///   - size: the images' side.
  ///   - generator: of this batch.
  func mix(_ batch: inout Batch, size: Int, generator: RandomGenerator) {
    var generator = generator
    // Of both, one is chosen for each batch.
    let cuts = mixup > 0 && cutMix > 0 ? generator.uniform() < 0.5 : cutMix > 0
    let share = generator.beta(cuts ? cutMix : mixup)
    let count = batch.labels.count
    guard count > 1 else { return }
    let others = [batch.labels[count - 1]] + batch.labels.dropLast()
    if cuts {
      let box = Box(area: 1 - share, side: size, &generator)
      batch.forEachPair(length: size * size * 3) { own, other in
        for row in box.rows {
          let line = 3 * (row * size + box.columns.lowerBound)..<3 * (row * size + box.columns.upperBound)
          for place in line { own[place] = other[place] }
        }
      }
      let area = Double(box.rows.count * box.columns.count)
      batch.mixture = BatchMixture(labels: others, share: 1 - area / Double(size * size))
    } else {
      let (kept, added) = (Float(share), Float(1 - share))
      batch.forEachPair(length: size * size * 3) { own, other in
        for place in own.indices { own[place] = kept * own[place] + added * other[place] }
      }
      batch.mixture = BatchMixture(labels: others, share: share)
    }
  }

  /// The part of the image that CutMix replaces.
  struct Box {
    var columns: Range<Int>
    var rows: Range<Int>

    /// - Parameter area: its share of the image, before what lies outside is cut off.
    init(area: Double, side: Int, _ generator: inout RandomGenerator) {
      let length = Int(Double(side) * area.squareRoot())
      func range(around center: Int) -> Range<Int> {
        max(0, center - length / 2)..<max(0, min(side, center - length / 2 + length))
      }
      columns = range(around: generator.integer(below: side))
      rows = range(around: generator.integer(below: side))
    }
  }
}

extension Batch {
  /// Calls `body` with each image and the one before it as that was, also where it has been changed by now.
  fileprivate mutating func forEachPair(
    length: Int, _ body: (_ own: UnsafeMutableBufferPointer<Float>, _ other: UnsafeBufferPointer<Float>) -> Void
  ) {
    let count = labels.count
    let last = Array(images[((count - 1) * length)...])
    images.withUnsafeMutableBufferPointer { images in
      // From the last one on, so that each meets its neighbor unchanged.
      for place in stride(from: count - 1, to: 0, by: -1) {
        let own = UnsafeMutableBufferPointer(rebasing: images[(place * length)..<((place + 1) * length)])
        body(own, UnsafeBufferPointer(rebasing: images[((place - 1) * length)..<(place * length)]))
      }
      last.withUnsafeBufferPointer { body(UnsafeMutableBufferPointer(rebasing: images[..<length]), $0) }
    }
  }
}

extension RandomGenerator {
  /// A share from Beta(alpha, alpha): about 0 or 1 for a small alpha, about a half for a large one.
  mutating func beta(_ alpha: Double) -> Double {
    // Of two gamma variates, the first one's share; by logarithms, because those of a small alpha are too small for
    // numbers.
    let (one, other) = (logGamma(alpha), logGamma(alpha))
    return 1 / (1 + exp(other - one))
  }

  /// The logarithm of a variate from Gamma(alpha, 1) (Marsaglia and Tsang 2000, "A simple method for generating gamma
  /// variables"; for alpha below 1 by their section 6).
  private mutating func logGamma(_ alpha: Double) -> Double {
    let boost = alpha < 1 ? log(Double(1 - uniform())) / alpha : 0
    let d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = Double(normal())
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if log(Double(1 - uniform())) < 0.5 * x * x + d - d * v + d * log(v) { return log(d * v) + boost }
    }
  }
}
