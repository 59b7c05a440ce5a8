// What settings come to that say nothing, or leave it to the program by a word of their own: the crop that goes with the
// image size, the shortcuts of the network, as many threads as there are processors. Only what can be said without a
// look at the data; what a recipe chooses is in its report.

import Datasets
import Messages
import Networks
import Resources

extension TrainingSettings {
  /// By option, as people read it; nothing for settings that say themselves what they are.
  /// - Parameter classes: of the dataset.
  public func resolved(classes: Int) -> [String: String] {
    var texts: [String: String] = [:]
    func tell<Kind>(_ row: Setting<Kind>, _ text: String?) { texts[row.option] = text }
    let size = preprocessing.imageSize
    let resize = Preprocessing.Resize(resolving: preprocessing.resize, imageSize: size)
    if preprocessing.resize == .automatic { tell(Settings.resize, resize.rawValue) }
    let crop = augmentation.crop.resolved(for: resize)
    if augmentation.crop == .automatic { tell(Settings.crop, crop.rawValue) }
    if augmentation.cropScale == nil {
      tell(Settings.cropScale, crop == .randomResized ? "\(AugmentationSettings.usualCropScale)" : "no such crop")
    }
    if augmentation.erasingFill == nil {
      tell(Settings.eraseFill, augmentation.erasing > 0 ? "noise" : "nothing erased")
    }
    if preprocessing.padColor == nil { tell(Settings.padColor, resize == .pad ? "black" : "nothing padded") }
    if threads == nil { tell(Settings.threads, "\(SystemProcessors.available)") }
    guard let plan = try? NetworkPlan(network, imageSize: size, classes: max(1, classes)) else { return texts }
    let own = plan.settings
    let none = "none here"
    if network.shortcut == nil { tell(Settings.shortcut, own.shortcut?.rawValue ?? none) }
    if network.version == nil { tell(Settings.block, own.version?.rawValue ?? none) }
    if network.stem == nil { tell(Settings.stem, own.stem?.rawValue ?? "its own") }
    if network.dropout == nil { tell(Settings.dropout, own.dropout.map(\.written) ?? none) }
    if network.stemWidth == nil {
      let first = plan.summary(batchSize: 1).layers.first { $0.kind == .convolution || $0.kind == .whitening }
      tell(Settings.stemWidth, first.map { "\($0.output.channels)" } ?? none)
    }
    return texts
  }
}
