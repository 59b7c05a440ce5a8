// Color jitter: random brightness, contrast and saturation.

import Messages
import Support

/// Changes brightness, contrast and saturation, each by a factor in 1 - strength ... 1 + strength.
struct ColorJitter: AugmentationStep {
  let strength: Double

  func change(_ input: inout AugmentedImage, _: Preprocessing, _ chance: inout AugmentationChance) {
    input.image.jitterColors(by: Float(strength), generator: &chance.generator)
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
