// TrivialAugment: one operation, chosen evenly, of a strength chosen evenly; nothing to tune. What each operation does to
// pixels is torchvision's, to the nearest level of 8 bits.

import Glibc
import Images
import Messages
import Support

/// TrivialAugment Wide (Müller and Hutter 2021, "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation",
/// arXiv:2103.10158, algorithm 1; the wide space of its table 7): of each image one of fourteen operations at one of 31
/// strengths, in either direction where there are two. Geometric operations are bilinear, with the mean color beyond
/// the image.
struct TrivialAugment: AugmentationStep {
  static let strengths = 31

  func change(_ input: inout AugmentedImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance) {
    let operation = Operation.allCases[chance.generator.integer(below: Operation.allCases.count)]
    let strength = chance.generator.integer(below: Self.strengths)
    let isNegative = chance.generator.uniform() < 0.5
    let magnitude = operation.magnitude(strength, isNegative: isNegative)
    let side = Double(input.size)
    if let map = operation.map(magnitude, width: side, height: side) {
      input.warp(by: map, preprocessing)
    } else {
      // Mirrored or not, the colors change alike; and what lies beyond the image keeps being the mean.
      operation.recolor(&input.image, magnitude)
    }
  }

  enum Operation: String, CaseIterable {
    case identity = "Identity"
    case shearX = "ShearX"
    case shearY = "ShearY"
    case translateX = "TranslateX"
    case translateY = "TranslateY"
    case rotate = "Rotate"
    case brightness = "Brightness"
    case color = "Color"
    case contrast = "Contrast"
    case sharpness = "Sharpness"
    case posterize = "Posterize"
    case solarize = "Solarize"
    case autoContrast = "AutoContrast"
    case equalize = "Equalize"

    /// How strong the operation is.
    /// - Parameter strength: 0 ..< 31.
    func magnitude(_ strength: Int, isNegative: Bool) -> Double {
      let share = Double(strength) / Double(TrivialAugment.strengths - 1)
      let sign = isNegative ? -1.0 : 1
      return switch self {
      case .identity, .autoContrast, .equalize: 0
      case .shearX, .shearY: sign * 0.99 * share
      // Pixels, whatever the size of the image.
      case .translateX, .translateY: sign * 32 * share
      // Degrees.
      case .rotate: sign * 135 * share
      case .brightness, .color, .contrast, .sharpness: sign * 0.99 * share
      // Bits that are kept.
      case .posterize: 8 - (6 * share).rounded()
      // From this value on pixels are inverted.
      case .solarize: 255 * (1 - share)
      }
    }

    /// Where an operation that moves pixels takes each one from; nil for one that changes colors.
    func map(_ magnitude: Double, width: Double, height: Double) -> AffineMap? {
      switch self {
      // By the upper left corner.
      case .shearX: AffineMap(xy: magnitude)
      case .shearY: AffineMap(yx: magnitude)
      case .translateX: AffineMap(x0: -magnitude.rounded(.towardZero))
      case .translateY: AffineMap(y0: -magnitude.rounded(.towardZero))
      case .rotate: .rotation(degrees: magnitude, width: width, height: height)
      default: nil
      }
    }

    func recolor(_ image: inout PixelImage, _ magnitude: Double) {
      let factor = Float(1 + magnitude)
      switch self {
      case .brightness: image.adjustBrightness(by: factor)
      case .color: image.adjustSaturation(by: factor)
      case .contrast: image.adjustContrast(by: factor)
      case .sharpness: image.adjustSharpness(by: factor)
      case .posterize: image.posterize(bits: Int(magnitude))
      case .solarize: image.solarize(from: Float(magnitude))
      case .autoContrast: image.stretchContrast()
      case .equalize: image.equalize()
      case .identity, .shearX, .shearY, .translateX, .translateY, .rotate: break
      }
    }
  }
}
