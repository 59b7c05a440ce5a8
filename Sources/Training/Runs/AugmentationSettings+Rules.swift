// Settings of augmentations that only make sense together with others.

import Datasets
import Messages

extension AugmentationSettings {
  /// - Parameter require: throws the message where the condition does not hold.
  func require(
    _ preprocessing: PreprocessingSettings, batchSize: Int,
    _ require: (_ condition: Bool, _ message: @autoclosure () -> String) throws -> Void
  ) rethrows {
    let resize = Preprocessing.Resize(resolving: preprocessing.resize, imageSize: preprocessing.imageSize)
    try require(
      preprocessing.padColor == nil || resize == .pad,
      "--pad-color says what is beside images that are padded, and these are not: add --resize pad")
    try require(
      cropScale == nil || crop.resolved(for: resize) == .randomResized,
      "--crop-scale is of random resized crops, and these are not: add --crop resized")
    try require(
      !alternatesFlip || horizontalFlip,
      "--alternate-flip mirrors images, and --no-flip does not: give one of the two")
    try require(
      erasingFill == nil || erasing > 0, "--erase-fill says what erased rectangles hold, and none are: add --erase")
    try require(
      !mixesImages || batchSize > 1, "--mixup and --cutmix mix the images of a batch, and --batch 1 has one only")
  }
}
