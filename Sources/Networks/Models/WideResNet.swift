// The residual networks whose bottlenecks are wider inside.

import Messages

/// wide_resnet50_2 and wide_resnet101_2: twice the channels in every bottleneck's 3x3 convolution, as many as before in
/// its input and output. Names are torchvision's.
struct WideResNet: NetworkFamily {
  static let paper = "Zagoruyko and Komodakis 2016, \"Wide residual networks\", arXiv:1605.07146, table 8"
  static let examples = ["wide_resnet50_2", "wide_resnet101_2"]
  static let overview = "wide_resnet50_2/101_2"

  let stages: ResidualStages

  init?(name: String) {
    let depths = ["wide_resnet50_2": 50, "wide_resnet101_2": 101]
    guard var stages = depths[name].flatMap({ ResNet.table[$0] }) else { return nil }
    stages.innerFactor = 2
    self.stages = stages
  }

  func blockDefaults(imageSize: Int) -> BlockDefaults? { stages.largeDefaults(imageSize: imageSize) }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }
}
