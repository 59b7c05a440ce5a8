// A decoded picture with what is known of the file it came from, and how transparent pixels are laid on a background.

import Messages

/// A decoded picture, upright, and its file's.
public struct DecodedPicture: Sendable, Equatable {
  public var image: PixelImage
  /// Pixels of the whole picture as shown: of a JPEG that was decoded smaller, more than `image` has.
  public var width: Int
  public var height: Int
  /// The least cap on pixels with which the file decodes.
  public var requiredPixels: Int
  public var transparency: Transparency

  init(
    _ image: PixelImage, width: Int? = nil, height: Int? = nil, requiredPixels: Int? = nil,
    transparency: Transparency = .opaque
  ) {
    self.image = image
    self.width = width ?? image.width
    self.height = height ?? image.height
    self.requiredPixels = requiredPixels ?? image.width * image.height
    self.transparency = transparency
  }

  /// The picture turned upright.
  func oriented(_ orientation: Orientation) -> DecodedPicture {
    var turned = self
    turned.image = image.oriented(orientation)
    (turned.width, turned.height) = orientation.size(width: width, height: height)
    return turned
  }
}

/// What was found where a picture is not opaque.
public struct Transparency: Sendable, Hashable {
  /// Whether any pixel is less than opaque.
  public var isUsed: Bool
  /// Whether a pixel that cannot be seen at all keeps another color than the background's.
  public var hidesColors: Bool

  public init(isUsed: Bool, hidesColors: Bool) {
    self.isUsed = isUsed
    self.hidesColors = hidesColors
  }

  /// Also of a picture whose transparency was dropped unread.
  public static let opaque = Transparency(isUsed: false, hidesColors: false)
}

extension PixelImage {
  /// Lays pixels with alpha, which is not multiplied into their colors, on a ground: each channel becomes
  /// (value * alpha + ground * (255 - alpha)) / 255, rounded, as Pillow's `alpha_composite` does. An opaque pixel stays
  /// what it is, and of one that cannot be seen nothing is left: whatever is done with the picture later cannot bring
  /// back what was hidden.
  /// - Parameter rgba: [height, width, 4].
  /// - Returns: the picture, and what was found.
  static func composed(
    width: Int, height: Int, rgba: UnsafeBufferPointer<UInt8>, on ground: Ground
  ) -> (image: PixelImage, transparency: Transparency) {
    precondition(rgba.count == width * height * 4, "a pixel with alpha has four bytes")
    var transparency = Transparency.opaque
    let plain = ground.color
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { target, count in
      for pixel in 0..<(width * height) {
        let (red, green, blue, alpha) = (
          rgba[4 * pixel], rgba[4 * pixel + 1], rgba[4 * pixel + 2], rgba[4 * pixel + 3]
        )
        if alpha == 255 {
          target[3 * pixel] = red
          target[3 * pixel + 1] = green
          target[3 * pixel + 2] = blue
          continue
        }
        transparency.isUsed = true
        let color = plain ?? ground[pixel % width, pixel / width]
        if alpha == 0, (red, green, blue) != color { transparency.hidesColors = true }
        let value = SIMD4(UInt32(red), UInt32(green), UInt32(blue), 0)
        let under = SIMD4(UInt32(color.red), UInt32(color.green), UInt32(color.blue), 0)
        // 255 is odd: nothing lies halfway between two levels.
        let sum = (value &* UInt32(alpha) &+ under &* UInt32(255 - alpha) &+ 127) / 255
        target[3 * pixel] = UInt8(truncatingIfNeeded: sum.x)
        target[3 * pixel + 1] = UInt8(truncatingIfNeeded: sum.y)
        target[3 * pixel + 2] = UInt8(truncatingIfNeeded: sum.z)
      }
      count = width * height * 3
    }
    return (PixelImage(width: width, height: height, pixels: pixels), transparency)
  }
}
