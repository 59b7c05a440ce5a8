// Random erasing: a rectangle of the image is hidden, so that no one part of an object decides.

import Messages
import Support

/// Erases a rectangle of a share of the images: 2 to 40 % of the area, height over width 0.3 to 1/0.3, its upper left
/// corner anywhere, drawn again until it fits (Zhong et al. 2017, "Random Erasing Data Augmentation", arXiv:1708.04896,
/// algorithm 1).
struct RandomErasing: AugmentationStep {
  /// The share of the images.
  let probability: Double
  let fill: AugmentationSettings.ErasingFill

  static let areas: ClosedRange<Float> = 0.02...0.4
  /// Height over width.
  static let aspects: ClosedRange<Float> = 0.3...(1 / 0.3)
  /// A rectangle fits at every third try or so: after this many the image is left as it is.
  private static let tries = 100

  func change(_ input: inout AugmentedImage, _: Preprocessing, _ chance: inout AugmentationChance) {
    guard Double(chance.generator.uniform()) < probability else { return }
    let side = input.size
    let area = Float(side * side)
    for _ in 0..<Self.tries {
      let target = area * chance.generator.uniform(in: Self.areas)
      let aspect = chance.generator.uniform(in: Self.aspects)
      let height = max(1, Int((target * aspect).squareRoot().rounded()))
      let width = max(1, Int((target / aspect).squareRoot().rounded()))
      let left = chance.generator.integer(below: side)
      let top = chance.generator.integer(below: side)
      guard left + width <= side, top + height <= side else { continue }
      let fill: AugmentedImage.Erasure.Fill =
        switch fill {
        case .mean: .mean
        case .noise: .noise(RandomGenerator(seed: chance.generator.next()))
        }
      input.erased = AugmentedImage.Erasure(left: left, top: top, width: width, height: height, fill: fill)
      return
    }
  }
}
