// The residual network made for speed: few wide layers, so that most of its time is spent in large matrix products.

import Messages

/// resnet9, David Page's entry of Stanford's DAWNBench: a convolution of 64 channels; three of 128, 256 and 512, each
/// with a pool; a residual block after the first and the third of these, x + unit(unit(x)); the maximum of the whole
/// map; and a dense layer whose outputs are multiplied by 1/8. 6.6 million parameters and 0.38 billion multiply-adds at
/// 32 pixels; a quarter of the width suits runs of minutes on a few processors.
///
/// A pool stands before its batch norm, as in part 8 of the tutorial: the norm then has a quarter of the numbers to go
/// through, and the same result wherever its scale is positive. Whitened, a fixed 2x2 convolution of 24 filters and a
/// ReLU take the place of the first unit.
struct ResNet9: NetworkFamily {
  static let paper =
    "Page 2018, \"How to train your ResNet\", myrtle.ai, parts 4 and 8; whitened first layer: Jordan 2024, \"94% on "
    + "CIFAR-10 in 3.29 seconds on a single GPU\", arXiv:2404.00498, section 3.1"
  static let examples = ["resnet9"]
  static let overview = "resnet9"

  /// What the classifier's outputs are multiplied by.
  static let outputScale = 0.125
  /// The side of the patches that a whitened first layer looks at.
  static let patch = 2
  private static let residualBlocks = 2

  init?(name: String) {
    guard Self.examples.contains(name) else { return nil }
  }

  var usual: (imageSize: Int, classes: Int) { (32, 10) }
  var hasResidualBlocks: Bool { true }
  var canBeWhitened: Bool { true }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    let first: [LayerPlan] =
      plan.settings.isWhitened
      ? [.whitening(name: "whiten", kernel: Self.patch), .relu] : unit(plan, "prep", 64)
    return first + unit(plan, "layer1", 128, pooled: true)
      + [residualBlock(plan, "layer1.residual", 128, index: 0)]
      + unit(plan, "layer2", 256, pooled: true) + unit(plan, "layer3", 512, pooled: true)
      + [residualBlock(plan, "layer3.residual", 512, index: 1)]
      + [.globalMaxPool, .flatten] + plan.classifier("linear") + [.scale(Self.outputScale)]
  }

  /// Convolution, pool where there is one, batch norm, ReLU.
  private func unit(_ plan: PlanBuilder, _ name: String, _ channels: Int, pooled: Bool = false) -> [LayerPlan] {
    [plan.convolution(name + ".conv", plan.width(channels), 3)] + (pooled ? [.maxPool(kernel: 2, stride: 2)] : [])
      + [.batchNorm(name: name + ".bn"), .relu]
  }

  /// x + unit(unit(x)), without anything after the addition.
  private func residualBlock(_ plan: PlanBuilder, _ name: String, _ channels: Int, index: Int) -> LayerPlan {
    let body =
      unit(plan, name + ".res1", channels) + unit(plan, name + ".res2", channels)
      + plan.dropPath(block: index, of: Self.residualBlocks)
    return .block(name: name, [.branches(name: name + ".add", [body, []], joined: .addition)])
  }
}
