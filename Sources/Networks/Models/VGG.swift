// VGG: Simonyan and Zisserman 2014, "Very deep convolutional networks for large-scale image recognition"
// (arXiv:1409.1556), table 1, columns A, B, D and E; parameter names are torchvision's.

import Messages

/// vgg11, 13, 16 and 19, and each with a batch norm after every convolution (`vgg16_bn`).
struct VGG: NetworkFamily {
  static let paper =
    "Simonyan and Zisserman 2014, \"Very deep convolutional networks for large-scale image recognition\", "
    + "arXiv:1409.1556, table 1, columns A, B, D and E"
  static let examples = [11, 13, 16, 19].flatMap { ["vgg\($0)", "vgg\($0)_bn"] }
  static let overview = "vgg11/13/16/19, vgg.._bn"

  /// Convolutions before each of the five pools, by depth.
  static let table: [Int: [Int]] = [
    11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4],
  ]
  private static let widths = [64, 128, 256, 512, 512]
  private static let normSuffix = "_bn"

  let depth: Int
  let batchNorm: Bool

  init?(name: String) {
    batchNorm = name.hasSuffix(Self.normSuffix)
    let plain = batchNorm ? String(name.dropLast(Self.normSuffix.count)) : name
    guard let depth = Networks.depth(in: plain, after: "vgg"), Self.table[depth] != nil else { return nil }
    self.depth = depth
  }

  /// Its dense layers stand on a grid of 7x7 pixels.
  var takesAnySize: Bool { false }
  var dropout: Double? { 0.5 }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    var layers: [LayerPlan] = []
    // torchvision numbers every step of `features`, pools and activations included.
    var index = 0
    for (channels, count) in zip(Self.widths, Self.table[depth] ?? []) {
      for _ in 0..<count {
        layers.append(plan.convolution("features.\(index)", plan.width(channels), 3, bias: true))
        if batchNorm { layers.append(.batchNorm(name: "features.\(index + 1)")) }
        layers.append(.relu)
        index += batchNorm ? 3 : 2
      }
      layers.append(.maxPool(kernel: 2, stride: 2, padding: 0))
      index += 1
    }
    func dense(_ index: Int) -> [LayerPlan] {
      [.dense(name: "classifier.\(index)", outputs: plan.width(4096), initialization: .normal(std: 0.01)), .relu]
        + plan.dropout()
    }
    layers += [.averagePool(side: 7), .flatten] + dense(0) + dense(3)
    return layers + [plan.lastDense("classifier.6", usually: .normal(std: 0.01))]
  }

  /// Of the networks without batch norm, which came later.
  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    let parameters = [11: 133e6, 13: 133e6, 16: 138e6, 19: 144e6]
    return batchNorm
      ? nil
      : parameters[depth].map { PublishedSize(parameters: $0, source: "Simonyan and Zisserman 2014, table 2") }
  }

  /// Table 3 for training at several scales and testing at one, where the paper did so, else at one of 256; with batch
  /// norm, which came later, torchvision's weights.
  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    let paper = "Simonyan and Zisserman 2014, table 3, one scale"
    return switch (depth, batchNorm) {
    case (11, false): .imageNet(top1: 29.6, top5: 10.4, paper)
    case (13, false): .imageNet(top1: 28.7, top5: 9.9, paper)
    case (16, false): .imageNet(top1: 25.6, top5: 8.1, paper)
    case (19, false): .imageNet(top1: 25.5, top5: 8.0, paper)
    case (11, true): .torchvision(top1: 70.370, top5: 89.810)
    case (13, true): .torchvision(top1: 71.586, top5: 90.374)
    case (16, true): .torchvision(top1: 73.360, top5: 91.516)
    case (19, true): .torchvision(top1: 74.218, top5: 91.842)
    default: nil
    }
  }
}
