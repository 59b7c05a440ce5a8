// VGG-19: Simonyan and Zisserman 2014, "Very deep convolutional networks for large-scale image recognition"
// (arXiv:1409.1556), table 1, column E; parameter names are torchvision's.

import Messages

/// vgg19, and vgg19_bn with a batch norm after each convolution.
struct VGG: NetworkFamily {
  static let paper =
    "Simonyan and Zisserman 2014, \"Very deep convolutional networks for large-scale image recognition\", "
    + "arXiv:1409.1556, table 1, column E"
  static let examples = ["vgg19", "vgg19_bn"]
  static let overview = "vgg19, vgg19_bn"

  let batchNorm: Bool

  init?(name: String) {
    guard Self.examples.contains(name) else { return nil }
    batchNorm = name == "vgg19_bn"
  }

  /// Its dense layers stand on a grid of 7x7 pixels.
  var takesAnySize: Bool { false }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    var layers: [LayerPlan] = []
    // torchvision numbers every step of `features`, pools and activations included.
    var index = 0
    for (channels, count) in [(64, 2), (128, 2), (256, 4), (512, 4), (512, 4)] {
      for _ in 0..<count {
        layers.append(plan.convolution("features.\(index)", plan.width(channels), 3, bias: true))
        if batchNorm { layers.append(.batchNorm(name: "features.\(index + 1)")) }
        layers.append(.relu)
        index += batchNorm ? 3 : 2
      }
      layers.append(.maxPool(kernel: 2, stride: 2, padding: 0))
      index += 1
    }
    let inner = plan.width(4096)
    layers += [
      .averagePool(side: 7), .flatten,
      .dense(name: "classifier.0", outputs: inner, initialization: .normal(std: 0.01), weightDecay: nil), .relu,
      .dropout(rate: 0.5),
      .dense(name: "classifier.3", outputs: inner, initialization: .normal(std: 0.01), weightDecay: nil), .relu,
      .dropout(rate: 0.5),
    ]
    let regularized = plan.settings.head == .regularized
    return layers + [
      .dense(
        name: "classifier.6", outputs: plan.classes,
        initialization: regularized ? .truncatedNormal(std: 0.1) : .normal(std: 0.01),
        weightDecay: regularized ? PlanBuilder.regularizedHeadWeightDecay : nil)
    ]
  }
}
