// A network with few weights: AlexNet's accuracy with a fiftieth of its parameters.

import Messages
import Tensors

/// squeezenet1_0 and squeezenet1_1: a convolution; eight fire modules, each a 1x1 convolution that squeezes the map into
/// few channels and a 1x1 and a 3x3 that expand them again, side by side; and a 1x1 convolution with a channel for each
/// class, whose means are the logits. Version 1.1 pools earlier. Layers and names are torchvision's, its pools round up.
struct SqueezeNet: NetworkFamily {
  static let paper =
    "Iandola et al. 2016, \"SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size\", "
    + "arXiv:1602.07360, table 1"
  static let examples = ["squeezenet1_0", "squeezenet1_1"]
  static let overview = "squeezenet1_0/1_1"

  let isFirstVersion: Bool

  init?(name: String) {
    guard Self.examples.contains(name) else { return nil }
    isFirstVersion = name == "squeezenet1_0"
  }

  var dropout: Double? { 0.5 }

  /// Channels into which each of the eight modules squeezes; each expands to four times as many by either kernel.
  private static let squeezed = [16, 16, 32, 32, 48, 48, 64, 64]

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    let (outputs, kernel, poolsBefore) = isFirstVersion ? (96, 7, [0, 3, 7]) : (64, 3, [0, 2, 4])
    var layers: [LayerPlan] = [
      .convolution(name: "features.0", outputs: plan.width(outputs), kernel: Extent(kernel), stride: 2, bias: true),
      .relu,
    ]
    // torchvision numbers every step of `features`.
    var index = 2
    for (number, channels) in Self.squeezed.enumerated() {
      if poolsBefore.contains(number) {
        layers.append(.maxPool(kernel: 3, stride: 2, ceilMode: true))
        index += 1
      }
      layers.append(fire(plan, "features.\(index)", channels))
      index += 1
    }
    return layers + plan.dropout() + [
      plan.convolution("classifier.1", plan.classes, 1, bias: true), .relu,
      .averagePool(side: 1), .flatten,
    ]
  }

  private func fire(_ plan: PlanBuilder, _ name: String, _ channels: Int) -> LayerPlan {
    func step(_ part: String, _ channels: Int, _ kernel: Int) -> [LayerPlan] {
      [plan.convolution("\(name).\(part)", plan.width(channels), kernel, bias: true), .relu]
    }
    return .block(
      name: name,
      step("squeeze", channels, 1) + [
        .branches(
          name: name + ".expand",
          [step("expand1x1", 4 * channels, 1), step("expand3x3", 4 * channels, 3)], joined: .concatenation)
      ])
  }

  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    isFirstVersion ? PublishedSize(parameters: 1_248_424, source: "Iandola et al. 2016, table 1") : nil
  }

  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    // The paper's table 2 has the first version at 42.5 and 19.7; the second is its authors' alone.
    isFirstVersion
      ? .imageNet(top1: 42.5, top5: 19.7, "Iandola et al. 2016, table 2")
      : .torchvision(top1: 58.178, top5: 80.624)
  }
}
