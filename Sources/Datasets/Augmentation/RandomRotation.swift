// Rotation by a random angle.

import Images
import Support

/// Rotates by an angle drawn evenly from -largest ... largest, about the center, bilinear. What comes in at the corners
/// is the mean color, as beside a crop that leaves the image.
struct RandomRotation: AugmentationStep {
  /// Degrees.
  let largest: Double

  func change(_ input: inout AugmentedImage, _ preprocessing: Preprocessing, _ chance: inout AugmentationChance) {
    let angle = largest * (2 * Double(chance.generator.uniform()) - 1)
    let side = Double(input.size)
    input.warp(by: .rotation(degrees: angle, width: side, height: side), preprocessing)
  }
}
