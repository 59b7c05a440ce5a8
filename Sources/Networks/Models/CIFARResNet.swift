// The residual networks for small images.

import Messages

/// cifar20 to cifar1202: three stages of n basic blocks, depth 6n + 2 (He et al. 2015, section 4.2).
struct CIFARResNet: NetworkFamily {
  static let paper =
    "He et al. 2015, \"Deep residual learning for image recognition\", arXiv:1512.03385, section 4.2"
  static let examples = ["cifar20", "cifar32", "cifar44", "cifar56", "cifar110"]
  static let overview = "cifar20/32/44/56/110"
  static let pattern: String? = "cifarN"

  static func name(blocksInFirstStage blocks: Int, channels: Int) -> String? { "cifar\(6 * blocks + 2)" }

  /// The deepest network of the paper, and the deepest to be had: a slip of the finger must not fill the memory.
  static let deepest = 1202

  let stages: ResidualStages

  init?(name: String) {
    guard let stages = depth(in: name, after: "cifar").flatMap({ ResidualStages(cifarDepth: $0) }) else {
      return nil
    }
    self.stages = stages
  }

  var usual: (imageSize: Int, classes: Int) { (32, 10) }

  func blockDefaults(imageSize: Int) -> BlockDefaults? { stages.smallDefaults }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] { stages.layers(plan) }

  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    guard settings.version == .v1, settings.shortcut == .zeroPadding, settings.stem == .small else { return nil }
    return Self.published[stages.depth].map { .cifar10($0, "He et al. 2015, table 6") }
  }

  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    guard settings.version == .v1, settings.shortcut == .zeroPadding, settings.stem == .small else { return nil }
    return stages.publishedSmallSize
  }

  /// Percent, by depth; of 110 layers the best of five runs.
  private static let published: [Int: Double] = [20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43, 1202: 7.93]
}

extension ResidualStages {
  /// nil for a depth that is not 6n + 2, or too large.
  init?(cifarDepth depth: Int, residual: Bool = true) {
    guard (8...CIFARResNet.deepest).contains(depth), (depth - 2) % 6 == 0 else { return nil }
    let blocks = (depth - 2) / 6
    self.init(blocks: [blocks, blocks, blocks], widths: [16, 32, 64], bottleneck: false, residual: residual)
  }

  /// The paper's figures, for networks of small images.
  var publishedSmallSize: PublishedSize? {
    let parameters = [20: 0.27e6, 32: 0.46e6, 44: 0.66e6, 56: 0.85e6, 110: 1.7e6, 1202: 19.4e6]
    return parameters[depth].map { PublishedSize(parameters: $0, source: "He et al. 2015, table 6") }
  }

  /// Zero padding as in the paper.
  var smallDefaults: BlockDefaults {
    BlockDefaults(
      shortcut: residual ? .zeroPadding : nil, version: .v1, stem: .small, hasBottlenecks: bottleneck,
      stemChannels: widths[0])
  }
}
