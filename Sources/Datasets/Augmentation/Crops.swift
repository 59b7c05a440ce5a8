// Crops: which part of an image the network sees in an epoch.

import Glibc
import Images
import Messages
import Support

/// The image as in evaluation.
struct NoCrop: AugmentationCrop {
  func square(
    of image: PixelImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance
  ) -> AugmentedImage {
    AugmentedImage(image: preprocessing.evaluationInput(image), size: preprocessing.imageSize)
  }
}

/// A random square out of the image with an eighth of its side of zeros all round (He et al. 2015, arXiv:1512.03385,
/// section 4.2).
struct PadAndCrop: AugmentationCrop {
  /// The padding is the side divided by this.
  private static let paddingDivisor = 8

  func square(
    of image: PixelImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance
  ) -> AugmentedImage {
    let size = preprocessing.imageSize
    var input = AugmentedImage(image: preprocessing.evaluationInput(image), size: size)
    let padding = size / Self.paddingDivisor
    input.left = chance.generator.integer(below: 2 * padding + 1) - padding
    input.top = chance.generator.integer(below: 2 * padding + 1) - padding
    return input
  }
}

/// A part of random area and aspect, resized to the square (Szegedy et al. 2014, arXiv:1409.4842, section 6, where the
/// area is 8 to 100 %).
struct RandomResizedCrop: AugmentationCrop {
  /// The smallest share of the image's area.
  let leastArea: Double

  static let usualLeastArea = 0.35
  /// Width over height.
  static let aspects: ClosedRange<Float> = 3 / 4...4 / 3
  private static let tries = 10

  func square(
    of image: PixelImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance
  ) -> AugmentedImage {
    let size = preprocessing.imageSize
    let box = box(width: image.width, height: image.height, &chance.generator)
    return AugmentedImage(image: image.resized(width: size, height: size, box: box), size: size)
  }

  /// A rectangle of random area and aspect within the image; after ten tries that do not fit, the largest centered
  /// one whose aspect is allowed.
  func box(width: Int, height: Int, _ generator: inout RandomGenerator) -> SourceBox {
    let area = Float(width) * Float(height)
    let (narrowest, widest) = (Self.aspects.lowerBound, Self.aspects.upperBound)
    for _ in 0..<Self.tries {
      let target = area * generator.uniform(in: Float(leastArea)...1)
      let aspect = exp(generator.uniform(in: log(narrowest)...log(widest)))
      let boxWidth = Int((target * aspect).squareRoot().rounded())
      let boxHeight = Int((target / aspect).squareRoot().rounded())
      guard (1...width).contains(boxWidth), (1...height).contains(boxHeight) else { continue }
      let y = generator.integer(below: height - boxHeight + 1)
      let x = generator.integer(below: width - boxWidth + 1)
      return SourceBox(x: Double(x), y: Double(y), width: Double(boxWidth), height: Double(boxHeight))
    }
    let boxWidth = min(Float(width), (Float(height) * widest).rounded())
    let boxHeight = min(Float(height), (Float(width) / narrowest).rounded())
    let (w, h) = (max(1, Int(boxWidth)), max(1, Int(boxHeight)))
    return SourceBox(x: Double((width - w) / 2), y: Double((height - h) / 2), width: Double(w), height: Double(h))
  }
}
