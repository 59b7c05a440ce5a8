// The residual networks' twins without shortcuts, which the paper compares them with.

import Messages

/// plain18 and plain34 for large images, and plainN with N = 6n + 2 for small ones (He et al. 2015, sections 3.3, 4.2).
struct PlainNet: NetworkFamily {
  static let paper =
    "He et al. 2015, \"Deep residual learning for image recognition\", arXiv:1512.03385, section 3.3"
  static let examples = ["plain18", "plain34", "plain20", "plain32", "plain44", "plain56", "plain110"]
  static let overview = "plain.."
  static let pattern: String? = "plainN"

  static func name(blocksInFirstStage blocks: Int, channels: Int) -> String? { "plain\(6 * blocks + 2)" }

  let stages: ResidualStages
  let isLarge: Bool

  init?(name: String) {
    guard let depth = depth(in: name, after: "plain") else { return nil }
    if var stages = ResNet.table[depth], !stages.bottleneck {
      stages.residual = false
      (self.stages, isLarge) = (stages, true)
    } else if let stages = ResidualStages(cifarDepth: depth, residual: false) {
      (self.stages, isLarge) = (stages, false)
    } else {
      return nil
    }
  }

  var usual: (imageSize: Int, classes: Int) { isLarge ? (224, 1000) : (32, 10) }

  func blockDefaults(imageSize: Int) -> BlockDefaults? {
    isLarge ? stages.largeDefaults(imageSize: imageSize) : stages.smallDefaults
  }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }

  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    guard isLarge, settings.version == .v1, settings.stem == .large else { return nil }
    return switch stages.depth {
    case 18: .imageNet(top1: 27.94, "He et al. 2015, table 2, 10 crops")
    case 34: .imageNet(top1: 28.54, top5: 10.02, "He et al. 2015, table 3, 10 crops")
    default: nil
    }
  }

  /// As large as the residual network of its depth whose shortcuts have no parameters.
  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    guard settings.version == .v1 else { return nil }
    if isLarge { return settings.stem == .large ? stages.publishedLargeSize : nil }
    return settings.stem == .small ? stages.publishedSmallSize : nil
  }
}
