// The residual networks with three small convolutions for a stem and averages on their shortcuts.

import Messages

/// resnet18d to resnet152d: ResNet-D. The 7x7 of the stem becomes three 3x3, and where a map shrinks the shortcut takes
/// the mean of 2x2 pixels before its projection, so that nothing is passed over. Names are timm's.
struct ResNetD: NetworkFamily {
  static let paper =
    "He et al. 2018, \"Bag of tricks for image classification with convolutional neural networks\", "
    + "arXiv:1812.01187, section 4.2"
  static let examples = ["resnet18d", "resnet26d", "resnet34d", "resnet50d", "resnet101d", "resnet152d"]
  static let overview = "resnet18d/26d/34d/50d/101d/152d"

  let stages: ResidualStages

  init?(name: String) {
    guard name.hasSuffix("d"), let depth = depth(in: String(name.dropLast()), after: "resnet") else { return nil }
    let shorter = ResidualStages(blocks: [2, 2, 2, 2], bottleneck: true)
    guard var stages = depth == 26 ? shorter : ResNet.table[depth] else { return nil }
    stages.isD = true
    self.stages = stages
  }

  func blockDefaults(imageSize: Int) -> BlockDefaults? { stages.largeDefaults(imageSize: imageSize) }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }
}
