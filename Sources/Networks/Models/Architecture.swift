// The table of networks: which blocks, how many a stage, how wide. He et al. 2015 (arXiv:1512.03385), table 1 and
// section 4.2; Simonyan and Zisserman 2014 (arXiv:1409.1556), table 1, column E.

import Messages

/// A family of networks with the numbers that tell its members apart.
public enum Architecture: Sendable, Equatable {
  /// The networks for large images: 18, 34 (basic blocks), 50, 101, 152 (bottlenecks).
  case resNet(Stages, residual: Bool)
  /// The networks for small images: three stages of n basic blocks, depth 6n + 2.
  case cifar(blocksPerStage: Int, residual: Bool)
  case vgg19(batchNorm: Bool)

  /// Blocks a stage and what kind.
  public struct Stages: Sendable, Equatable {
    public var blocks: [Int]
    public var bottleneck: Bool
  }

  /// Depth to stages.
  static let stages: [Int: Stages] = [
    18: Stages(blocks: [2, 2, 2, 2], bottleneck: false),
    34: Stages(blocks: [3, 4, 6, 3], bottleneck: false),
    50: Stages(blocks: [3, 4, 6, 3], bottleneck: true),
    101: Stages(blocks: [3, 4, 23, 3], bottleneck: true),
    152: Stages(blocks: [3, 8, 36, 3], bottleneck: true),
  ]

  /// Channels of the stages' 3x3 convolutions.
  static let resNetWidths = [64, 128, 256, 512]
  static let cifarWidths = [16, 32, 64]
  /// A bottleneck's output has this many times its 3x3's channels.
  static let bottleneckExpansion = 4

  /// The deepest network of the paper, and the deepest to be had: a slip of the finger must not fill the memory.
  static let deepest = 1202

  /// Names to offer; `cifarN` and `plainN` exist for every N = 6n + 2 up to `deepest`.
  public static let examples = [
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "cifar20", "cifar32", "cifar44", "cifar56",
    "cifar110", "plain18", "plain34", "plain20", "plain32", "plain44", "plain56", "plain110", "vgg19", "vgg19_bn",
  ]

  /// - Throws: `NetworkError.unknownName`.
  public init(name: String) throws {
    let lowered = name.lowercased()
    func depth(after prefix: String) -> Int? {
      // Int reads "+18" and "018" too: a name is only what the depth itself would print.
      Int(lowered.dropFirst(prefix.count)).flatMap { lowered == "\(prefix)\($0)" ? $0 : nil }
    }
    func cifarBlocks(_ depth: Int) -> Int? {
      (8...Self.deepest).contains(depth) && (depth - 2) % 6 == 0 ? (depth - 2) / 6 : nil
    }

    if let depth = depth(after: "resnet"), let stages = Self.stages[depth] {
      self = .resNet(stages, residual: true)
    } else if let depth = depth(after: "plain"), let stages = Self.stages[depth], !stages.bottleneck {
      self = .resNet(stages, residual: false)
    } else if let blocks = depth(after: "cifar").flatMap(cifarBlocks) {
      self = .cifar(blocksPerStage: blocks, residual: true)
    } else if let blocks = depth(after: "plain").flatMap(cifarBlocks) {
      self = .cifar(blocksPerStage: blocks, residual: false)
    } else if lowered == "vgg19" || lowered == "vgg19_bn" {
      self = .vgg19(batchNorm: lowered == "vgg19_bn")
    } else {
      throw NetworkError.unknownName(name)
    }
  }

  /// The settings with the family's defaults filled in, and without options that mean nothing for it: two settings of
  /// one network are equal then.
  ///
  /// Zero padding is the small family's shortcut, as in the paper; projections and v1.5 the large one's, so that
  /// torchvision's weights fit. The large stem shrinks an image to a quarter: below 64 pixels the small one is used.
  public func resolved(_ settings: NetworkSettings, imageSize: Int) -> NetworkSettings {
    var resolved = settings
    switch self {
    case .resNet(let stages, _):
      resolved.shortcut = settings.shortcut ?? .projection
      resolved.version = settings.version ?? (stages.bottleneck ? .v1_5 : .v1)
      resolved.stem = settings.stem ?? (imageSize < 64 ? .small : .large)
    case .cifar:
      resolved.shortcut = settings.shortcut ?? .zeroPadding
      resolved.version = settings.version ?? .v1
      resolved.stem = settings.stem ?? .small
    case .vgg19: (resolved.version, resolved.stem) = (nil, nil)
    }
    if !hasShortcuts { resolved.shortcut = nil }
    if resolved.shortcut != .zeroPadding { resolved.zeroPlacement = .split }
    if resolved.version == .v1_5, !hasBottlenecks { resolved.version = .v1 }
    return resolved
  }
}
