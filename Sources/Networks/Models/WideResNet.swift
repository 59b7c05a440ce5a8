// The wide residual networks for small images. Their relatives for large ones are in WideBottleneckResNet.swift.

import Messages

/// wrn-28-10, wrn-16-8 and others by pattern: depth 6n + 4 and a width k. Three stages of n blocks in pre-activation
/// order with k times 16, 32 and 64 channels behind a convolution of 16; dropout between a block's convolutions if
/// asked for.
struct WideResNet: NetworkFamily {
  static let paper =
    "Zagoruyko and Komodakis 2016, \"Wide residual networks\", arXiv:1605.07146, table 1"
  static let examples = ["wrn-16-4", "wrn-16-8", "wrn-28-10", "wrn-40-4"]
  static let overview = "wrn-16-4/16-8/28-10/40-4"

  static func name(blocksInFirstStage blocks: Int, channels: Int) -> String? {
    guard blocks <= deepest, channels % 16 == 0, channels / 16 <= widest else { return nil }
    let name = "wrn-\(6 * blocks + 4)-\(channels / 16)"
    return Self(name: name) == nil ? nil : name
  }

  /// Of further names, for messages.
  static let pattern = "wrn-N-K with N = 6n + 4"

  /// Deeper or wider ones are slips of the finger.
  private static let (deepest, widest) = (100, 32)

  let depth: Int
  let factor: Int

  init?(name: String) {
    let words = name.split(separator: "-", omittingEmptySubsequences: false)
    guard words.count == 3, words[0] == "wrn", let depth = Int(words[1]), let factor = Int(words[2]),
      name == "wrn-\(depth)-\(factor)", (10...Self.deepest).contains(depth), depth % 6 == 4,
      (1...Self.widest).contains(factor)
    else { return nil }
    (self.depth, self.factor) = (depth, factor)
  }

  var usual: (imageSize: Int, classes: Int) { (32, 10) }
  var dropout: Double? { 0 }

  func blockDefaults(imageSize: Int) -> BlockDefaults? {
    BlockDefaults(
      shortcut: .projection, version: .v2, stem: .small, hasBottlenecks: false, stemChannels: 16)
  }

  func layers(_ plan: PlanBuilder) -> [LayerPlan] {
    let blocks = (depth - 4) / 6
    return ResidualStages(
      blocks: [blocks, blocks, blocks], widths: [16, 32, 64].map { factor * $0 }, stemChannels: 16,
      bottleneck: false
    ).layers(plan)
  }

  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? {
    guard settings.version == .v2, settings.shortcut == .projection, settings.stem == .small else { return nil }
    let parameters = ["40-4": 8.9e6, "16-8": 11.0e6, "28-10": 36.5e6]
    return parameters["\(depth)-\(factor)"].map {
      PublishedSize(parameters: $0, source: "Zagoruyko and Komodakis 2016, table 5")
    }
  }

  /// Table 5, medians of five runs without dropout.
  func publishedError(_ settings: NetworkSettings) -> PublishedError? {
    guard settings.version == .v2, settings.shortcut == .projection, settings.stem == .small,
      settings.dropout == 0
    else { return nil }
    let errors = ["40-4": 4.53, "16-8": 4.27, "28-10": 4.00]
    return errors["\(depth)-\(factor)"].map {
      .cifar10($0, "Zagoruyko and Komodakis 2016, table 5, median of 5 runs")
    }
  }
}
