// The residual networks whose blocks weigh their channels by the image.

import Messages

/// seresnet18 to seresnet152: squeeze and excitation at the end of every block's body. Names are timm's, and so is the
/// number of channels in between, a sixteenth in whole eights.
struct SEResNet: NetworkFamily {
  static let paper = "Hu et al. 2017, \"Squeeze-and-excitation networks\", arXiv:1709.01507, figure 3"
  static let examples = ["seresnet18", "seresnet34", "seresnet50", "seresnet101", "seresnet152"]
  static let overview = "seresnet18/34/50/101/152"

  let stages: ResidualStages

  init?(name: String) {
    guard let depth = depth(in: name, after: "seresnet"), var stages = ResNet.table[depth] else { return nil }
    stages.excites = true
    self.stages = stages
  }

  /// Channels between the two convolutions of a layer with so many.
  static func reduced(_ channels: Int) -> Int { max(8, (channels + 64) / 128 * 8) }

  func blockDefaults(imageSize: Int) -> BlockDefaults? { stages.largeDefaults(imageSize: imageSize) }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }
}
