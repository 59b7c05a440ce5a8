// Random changes of training images. Every number is drawn from the generator that is handed in, in a fixed order,
// so an image of an epoch looks the same whoever prepares it and when.

import Glibc
import Images
import Messages
import Support

/// The resolved form of `AugmentationSettings`.
public struct Augmentation: Codable, Sendable, Equatable {
  public var crop: Crop
  /// Mirrors half of the images.
  public var horizontalFlip: Bool
  /// Largest relative change of brightness, contrast and saturation, 0 for none.
  public var colorJitter: Double

  public enum Crop: String, Codable, Sendable {
    case none
    /// A random square out of the image with an eighth of its side of zeros all round (He et al. 2015, 4.2).
    case padAndCrop
    /// A random area of 35 to 100 % and aspect of 3/4 to 4/3, resized (Szegedy et al. 2014, section 6).
    case randomResized
  }

  public init(crop: Crop, horizontalFlip: Bool, colorJitter: Double) {
    self.crop = crop
    self.horizontalFlip = horizontalFlip
    self.colorJitter = colorJitter
  }

  /// Fills in what the settings leave open: a random resized crop where the preprocessing crops, padding where it
  /// stretches.
  public init(resolving settings: AugmentationSettings, resize: Preprocessing.Resize) {
    let crop: Crop =
      switch settings.crop {
      case .automatic: resize == .crop ? .randomResized : .padAndCrop
      case .none: .none
      case .padAndCrop: .padAndCrop
      case .randomResized: .randomResized
      }
    self.init(crop: crop, horizontalFlip: settings.horizontalFlip, colorJitter: settings.colorJitter)
  }

  /// Share of the image's area in a random resized crop, and its width over its height.
  static let cropScale: ClosedRange<Float> = 0.35...1
  static let cropRatio: ClosedRange<Float> = 3 / 4...4 / 3
  private static let cropTries = 10
  /// The padding is the side divided by this.
  static let paddingDivisor = 8

  /// One random variant of an image in its cached form (see `Preprocessing.cachedForm(of:)`; a random resized crop is
  /// a part of that, not of the file's own pixels). Drawn in this order: crop, mirroring, brightness, contrast,
  /// saturation.
  public func trainingInput(
    _ image: PixelImage, preprocessing: Preprocessing, generator: inout RandomGenerator
  ) -> AugmentedImage {
    let size = preprocessing.imageSize
    var input: AugmentedImage
    switch crop {
    case .none:
      input = AugmentedImage(image: preprocessing.evaluationInput(image), size: size)
    case .padAndCrop:
      input = AugmentedImage(image: preprocessing.evaluationInput(image), size: size)
      let padding = size / Self.paddingDivisor
      input.left = generator.integer(below: 2 * padding + 1) - padding
      input.top = generator.integer(below: 2 * padding + 1) - padding
    case .randomResized:
      let box = Self.randomBox(width: image.width, height: image.height, generator: &generator)
      input = AugmentedImage(image: image.resized(width: size, height: size, box: box), size: size)
    }
    if horizontalFlip { input.isMirrored = generator.uniform() < 0.5 }
    if colorJitter > 0 { input.image.jitterColors(by: Float(colorJitter), generator: &generator) }
    return input
  }

  /// A rectangle of random area and aspect within the image; after ten tries that do not fit, the largest centered
  /// one whose aspect is allowed.
  static func randomBox(width: Int, height: Int, generator: inout RandomGenerator) -> SourceBox {
    let area = Float(width) * Float(height)
    for _ in 0..<cropTries {
      let target = area * generator.uniform(in: cropScale)
      let ratio = exp(generator.uniform(in: log(cropRatio.lowerBound)...log(cropRatio.upperBound)))
      let boxWidth = Int((target * ratio).squareRoot().rounded())
      let boxHeight = Int((target / ratio).squareRoot().rounded())
      guard (1...width).contains(boxWidth), (1...height).contains(boxHeight) else { continue }
      let y = generator.integer(below: height - boxHeight + 1)
      let x = generator.integer(below: width - boxWidth + 1)
      return SourceBox(x: Double(x), y: Double(y), width: Double(boxWidth), height: Double(boxHeight))
    }
    let boxWidth = min(Float(width), (Float(height) * cropRatio.upperBound).rounded())
    let boxHeight = min(Float(height), (Float(width) / cropRatio.lowerBound).rounded())
    let (w, h) = (max(1, Int(boxWidth)), max(1, Int(boxHeight)))
    return SourceBox(x: Double((width - w) / 2), y: Double((height - h) / 2), width: Double(w), height: Double(h))
  }
}

/// An image and the square window of it that the network will see. The window may reach beyond the image; what lies
/// there is zero after normalization, not black.
public struct AugmentedImage: Sendable, Equatable {
  public var image: PixelImage
  /// The window's side.
  public var size: Int
  /// Where in the image the window's first column and row are; negative when it begins beyond the image.
  public var left: Int
  public var top: Int
  /// Whether the window is seen from behind.
  public var isMirrored: Bool

  public init(image: PixelImage, size: Int, left: Int = 0, top: Int = 0, isMirrored: Bool = false) {
    self.image = image
    self.size = size
    self.left = left
    self.top = top
    self.isMirrored = isMirrored
  }
}

extension PixelImage {
  /// Changes brightness (a factor), then contrast (distance from the image's mean gray), then saturation (distance
  /// from the pixel's own gray), each by a factor in 1 - strength ... 1 + strength, rounded to 8 bits at the end.
  mutating func jitterColors(by strength: Float, generator: inout RandomGenerator) {
    let range = max(0, 1 - strength)...(1 + strength)
    let brightness = generator.uniform(in: range)
    let contrast = generator.uniform(in: range)
    let saturation = generator.uniform(in: range)
    let pixelCount = width * height
    pixels.withUnsafeMutableBufferPointer { bytes in
      var graySum: Float = 0
      for pixel in 0..<pixelCount {
        graySum += min(255, brightness * Self.gray(bytes, at: 3 * pixel))
      }
      let mean = graySum / Float(pixelCount)
      for pixel in 0..<pixelCount {
        var color = SIMD3<Float>(
          Float(bytes[3 * pixel]), Float(bytes[3 * pixel + 1]), Float(bytes[3 * pixel + 2]))
        color = (color * brightness).clamped(lowerBound: .zero, upperBound: Self.white)
        color = (mean + (color - mean) * contrast).clamped(lowerBound: .zero, upperBound: Self.white)
        let gray = (color * Self.grayWeights).sum()
        color = (gray + (color - gray) * saturation).clamped(lowerBound: .zero, upperBound: Self.white)
        for channel in 0..<3 { bytes[3 * pixel + channel] = UInt8(color[channel].rounded()) }
      }
    }
  }

  private static let white = SIMD3<Float>(repeating: 255)
  /// Luma of ITU-R BT.601.
  private static let grayWeights = SIMD3<Float>(0.299, 0.587, 0.114)

  private static func gray(_ bytes: UnsafeMutableBufferPointer<UInt8>, at offset: Int) -> Float {
    (SIMD3<Float>(Float(bytes[offset]), Float(bytes[offset + 1]), Float(bytes[offset + 2])) * grayWeights).sum()
  }
}
