// An image on its way through the augmentations. What can wait is only noted here, and done while the numbers for the
// network are written: a window and mirroring cost nothing then.

import Images
import Messages
import Support

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
  /// Whether the window stands on its head.
  public var isUpsideDown: Bool
  /// What is erased of the window as it is seen; nil for nothing.
  public var erased: Erasure?

  public init(
    image: PixelImage, size: Int, left: Int = 0, top: Int = 0, isMirrored: Bool = false, isUpsideDown: Bool = false
  ) {
    self.image = image
    self.size = size
    self.left = left
    self.top = top
    self.isMirrored = isMirrored
    self.isUpsideDown = isUpsideDown
  }

  /// A rectangle of the window, and what stands there instead.
  public struct Erasure: Sendable, Equatable {
    public var left: Int
    public var top: Int
    public var width: Int
    public var height: Int
    public var fill: Fill

    public enum Fill: Sendable, Equatable {
      /// Zero after normalization.
      case mean
      /// Each value of each pixel drawn from 0...255.
      case noise(RandomGenerator)
    }
  }

  /// Looks at the window through a map; what was noted of it is done in the same pass.
  /// - Parameter map: from the result to the window.
  mutating func warp(by map: AffineMap, _ preprocessing: Preprocessing) {
    let side = Double(size)
    let toImage = AffineMap(
      xx: isMirrored ? -1 : 1, x0: (isMirrored ? side : 0) + Double(left), yy: isUpsideDown ? -1 : 1,
      y0: (isUpsideDown ? side : 0) + Double(top))
    let mean = preprocessing.mean.map { UInt8((min(1, max(0, $0)) * 255).rounded()) }
    self = AugmentedImage(
      image: image.warped(
        width: size, height: size, by: map.followed(by: toImage), beyond: SIMD3(mean[0], mean[1], mean[2])),
      size: size)
  }
}
