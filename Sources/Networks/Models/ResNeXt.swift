// The residual networks whose bottlenecks' 3x3 convolutions are cut into groups.

import Messages

/// resnext50_32x4d, resnext101_32x8d and resnext101_64x4d: so many groups of so many channels in the first stage, with
/// every stage twice as many. Names are torchvision's.
///
/// A width multiplier leaves the groups and makes them narrower, to no less than a channel each.
struct ResNeXt: NetworkFamily {
  static let paper =
    "Xie et al. 2016, \"Aggregated residual transformations for deep neural networks\", arXiv:1611.05431, table 1"
  static let examples = ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"]
  static let overview = "resnext50_32x4d, resnext101_32x8d/64x4d"

  /// Depth, groups, and how many times the stage's width all groups together have.
  private static let members: [String: (depth: Int, groups: Int, factor: Int)] = [
    "resnext50_32x4d": (50, 32, 2), "resnext101_32x8d": (101, 32, 4), "resnext101_64x4d": (101, 64, 4),
  ]

  let stages: ResidualStages

  init?(name: String) {
    guard let member = Self.members[name], var stages = ResNet.table[member.depth] else { return nil }
    (stages.groups, stages.innerFactor) = (member.groups, member.factor)
    self.stages = stages
  }

  func blockDefaults(imageSize: Int) -> BlockDefaults? { stages.largeDefaults(imageSize: imageSize) }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }

  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    guard stages.depth == 50, settings.version != .v2, settings.stem == .large else { return nil }
    return PublishedSize(parameters: 25.0e6, multiplyAdds: 4.2e9, source: "Xie et al. 2016, table 1")
  }
}
