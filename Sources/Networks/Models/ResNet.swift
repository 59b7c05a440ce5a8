// The residual networks for large images.

import Messages

/// resnet18 and resnet34 of basic blocks, resnet50, 101 and 152 of bottlenecks: He et al. 2015, table 1.
struct ResNet: NetworkFamily {
  static let paper = "He et al. 2015, \"Deep residual learning for image recognition\", arXiv:1512.03385, table 1"
  static let examples = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
  static let overview = "resnet18/34/50/101/152"

  /// Blocks a stage and what kind, by depth.
  static let table: [Int: ResidualStages] = [
    18: ResidualStages(blocks: [2, 2, 2, 2], bottleneck: false),
    34: ResidualStages(blocks: [3, 4, 6, 3], bottleneck: false),
    50: ResidualStages(blocks: [3, 4, 6, 3], bottleneck: true),
    101: ResidualStages(blocks: [3, 4, 23, 3], bottleneck: true),
    152: ResidualStages(blocks: [3, 8, 36, 3], bottleneck: true),
  ]

  let stages: ResidualStages

  init?(name: String) {
    guard let depth = depth(in: name, after: "resnet"), let stages = Self.table[depth] else { return nil }
    self.stages = stages
  }

  func blockDefaults(imageSize: Int) -> BlockDefaults? { stages.largeDefaults(imageSize: imageSize) }

  /// The article's network is of bottlenecks.
  func options(of variant: NetworkVariant) -> VariantOptions? {
    switch variant {
    case .article:
      stages.bottleneck
        ? VariantOptions(shortcut: .zeroPadding, zeroPlacement: .split, version: .v2, head: .regularized) : nil
    }
  }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }

  /// The paper's, which has a bottleneck's stride in its first convolution (v1).
  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    guard settings.version != .v2, settings.stem == .large else { return nil }
    func paper(_ table: String, _ top1: Double, _ top5: Double? = nil) -> PublishedError {
      .imageNet(top1: top1, top5: top5, "He et al. 2015, \(table), 10 crops")
    }
    let depth = stages.depth
    return switch (depth, settings.shortcut) {
    case (18, .zeroPadding): paper("table 2", 27.88)
    case (34, .zeroPadding): paper("table 3", 25.03, 7.76)
    case (34, .projection): paper("table 3", 24.52, 7.46)
    case (34, .projectionAlways): paper("table 3", 24.19, 7.40)
    case (50, .projection): paper("table 3", 22.85, 6.71)
    case (101, .projection): paper("table 3", 21.75, 6.05)
    case (152, .projection): paper("table 3", 21.43, 5.71)
    case (18, .projection): .torchvision(top1: 69.758, top5: 89.078)
    default: nil
    }
  }

  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    settings.version != .v2 && settings.stem == .large ? stages.publishedLargeSize : nil
  }
}

extension ResidualStages {
  /// The paper's figures, for networks with a large stem; those of bottlenecks with the stride in the first convolution.
  var publishedLargeSize: PublishedSize? {
    let multiplyAdds = [18: 1.8e9, 34: 3.6e9, 50: 3.8e9, 101: 7.6e9, 152: 11.3e9]
    return multiplyAdds[depth].map { PublishedSize(multiplyAdds: $0, source: "He et al. 2015, table 1") }
  }

  /// Projections and v1.5, so that torchvision's weights fit. The large stem shrinks an image to a quarter: below 64
  /// pixels the small one is used.
  func largeDefaults(imageSize: Int) -> BlockDefaults {
    BlockDefaults(
      shortcut: residual ? .projection : nil, version: bottleneck ? .v1_5 : .v1,
      stem: imageSize < 64 ? .small : .large, hasBottlenecks: bottleneck, stemChannels: widths[0])
  }
}
