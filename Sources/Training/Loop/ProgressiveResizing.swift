// Training that begins on small images and ends on those of the image size: the first epochs take a fraction of the
// time, and little of what they teach is lost.

import Messages
import Networks

/// Which side the images of an epoch have (Tan and Le 2021, "EfficientNetV2", arXiv:2104.00298, section 4.2: stages of
/// equal length, whose sizes rise evenly; Howard 2018, fast.ai).
///
/// A run has four stages, or as many as it has epochs. The last epoch belongs to the last stage, whose images have the
/// image size; the others' sides are multiples of four pixels.
struct ProgressiveResizing: Equatable {
  /// The side that the network is for, pixels.
  var imageSize: Int
  /// The first stage's side, as a share of it.
  var start: Double
  /// Of the whole run.
  var epochs: Int

  static let stages = 4
  private static let multiple = 4

  /// - Parameter epoch: counted from 0.
  func side(epoch: Int) -> Int { side(stage: stage(epoch: epoch)) }

  /// The sides of all stages, from the first on.
  var sides: [Int] { (0..<Self.stages).map { side(stage: $0) } }

  private func stage(epoch: Int) -> Int {
    let last = Self.stages - 1
    return epoch + 1 >= epochs ? last : min(last, Self.stages * epoch / epochs)
  }

  private func side(stage: Int) -> Int {
    let last = Self.stages - 1
    guard stage < last else { return imageSize }
    let share = start + (1 - start) * Double(stage) / Double(last)
    let side = Int((Double(imageSize) * share / Double(Self.multiple)).rounded()) * Self.multiple
    return min(imageSize, max(Self.multiple, side))
  }
}

extension TrainingSettings {
  /// The sides of the images that it is trained on; nil where all have the image size.
  var progressiveResizing: ProgressiveResizing? {
    progressiveStart.map { ProgressiveResizing(imageSize: preprocessing.imageSize, start: $0, epochs: epochs) }
  }

  /// The side of the images of an epoch, counted from 0.
  func side(epoch: Int) -> Int { progressiveResizing?.side(epoch: epoch) ?? preprocessing.imageSize }

  /// - Parameter plan: the network at the image size.
  /// - Throws: `SettingsError` for a network that takes images of one size, or none as small as the first ones are.
  func checkProgressiveResizing(_ plan: NetworkPlan) throws {
    guard let progressiveResizing, let start = progressiveStart else { return }
    guard try Architecture(name: plan.settings.name).takesAnySize else {
      throw SettingsError(
        "--progressive \(start) needs a network whose last pool takes a map of any size, and \(plan.settings.name) has "
          + "dense layers on a grid: leave --progressive out, or choose another --net")
    }
    for side in progressiveResizing.sides {
      // The plan's settings have every default filled in, as the stem, so that it is the same network.
      do { _ = try NetworkPlan(plan.settings, imageSize: side, classes: plan.classes) } catch NetworkError.vanishes
      {
        throw SettingsError(
          "--progressive \(start) begins with images of \(side) pixels, which are too small for \(plan.settings.name): "
            + "choose a larger share, or a larger --imgsz")
      }
    }
  }
}
