// What a family of networks has to say of itself. A family is a file of its own in this folder that conforms, and a row
// in `Architecture.families`.

import Messages

/// A family of networks; a value of the type is one member, with the numbers that tell it from the others.
///
///     struct LeNet: NetworkFamily {
///       static let paper = "LeCun et al. 1998, \"Gradient-based learning applied to document recognition\""
///       static let examples = ["lenet5"]
///       static let overview = "lenet5"
///       init?(name: String) { guard name == "lenet5" else { return nil } }
///       func layers(_ plan: PlanBuilder) -> [LayerPlan] { ... }
///     }
protocol NetworkFamily: Sendable, Equatable {
  /// Authors, year, title and place.
  static var paper: String { get }
  /// Names to offer.
  static var examples: [String] { get }
  /// The names in a few words, for the help of commands.
  static var overview: String { get }
  /// A pattern of further names, `cifarN`, where N is a depth 6n + 2; nil where `examples` are all there are.
  static var pattern: String? { get }
  /// A member that `examples` may not list, whose first stage has so many blocks, the first of which has so many
  /// channels inside; nil if there is none.
  static func name(blocksInFirstStage blocks: Int, channels: Int) -> String?

  /// The member of a name in lower case; nil if the name is not one of this family's.
  init?(name: String)

  /// What it is usually trained on: the side of an image in pixels, and classes.
  var usual: (imageSize: Int, classes: Int) { get }
  /// The options of networks made of blocks, and what they are if nobody says; nil for a network without blocks.
  func blockDefaults(imageSize: Int) -> BlockDefaults?
  /// What a variant of the network fixes; nil where the network has no such variant.
  func options(of variant: NetworkVariant) -> VariantOptions?
  /// Whether blocks add their inputs to their outputs, so that a block can be left out.
  var hasResidualBlocks: Bool { get }
  /// The rate of its own dropout if nobody says, 0 for one that is off; nil where it has none. That of the regularized
  /// head does not count.
  var dropout: Double? { get }
  /// Whether it has a form with a whitened first layer.
  var canBeWhitened: Bool { get }
  /// Whether its last pool takes a map of any size, so that the same weights fit images of another size.
  var takesAnySize: Bool { get }
  /// The names of classifiers that only training uses, and that the network has if asked; files of it may have them in
  /// any case.
  var auxiliaryHeads: [String] { get }
  /// What is known of the input that published weights of it expect, where that is not what others expect; nil for
  /// nothing.
  var inputNote: String? { get }
  /// What others measured with it, on images and classes as `usual` says.
  /// - Parameter settings: with every default filled in, of the full width.
  func publishedError(_ settings: NetworkSettings) -> PublishedError?
  /// How large its paper says it is, with images and classes as `usual` says.
  /// - Parameter settings: with every default filled in, of the full width.
  func publishedSize(_ settings: NetworkSettings) -> PublishedSize?
  /// Its layers, from the image to the logits.
  func layers(_ plan: PlanBuilder) -> [LayerPlan]
}

/// What the options of a network made of blocks are if nobody says.
struct BlockDefaults {
  /// nil where inputs are not added to outputs.
  var shortcut: Shortcut?
  var version: BlockVersion
  var stem: Stem
  /// Whether blocks are of three convolutions, the first and last 1x1.
  var hasBottlenecks: Bool
  /// Channels of the first convolution, before the width multiplier.
  var stemChannels = 64
}

/// The options that a variant of a network fixes.
struct VariantOptions {
  var shortcut: Shortcut
  var zeroPlacement: ZeroPlacement
  var version: BlockVersion
  var head: Head
}

extension NetworkFamily {
  static var pattern: String? { nil }
  static func name(blocksInFirstStage blocks: Int, channels: Int) -> String? { nil }
  var usual: (imageSize: Int, classes: Int) { (224, 1000) }
  func blockDefaults(imageSize: Int) -> BlockDefaults? { nil }
  var hasResidualBlocks: Bool { blockDefaults(imageSize: usual.imageSize)?.shortcut != nil }
  func options(of variant: NetworkVariant) -> VariantOptions? { nil }
  var dropout: Double? { nil }
  var canBeWhitened: Bool { false }
  var takesAnySize: Bool { true }
  var auxiliaryHeads: [String] { [] }
  var inputNote: String? { nil }
  func publishedError(_ settings: NetworkSettings) -> PublishedError? { nil }
  func publishedSize(_ settings: NetworkSettings) -> PublishedSize? { nil }
}

/// The number in a name such as `resnet18`.
func depth(in name: String, after prefix: String) -> Int? {
  // Int reads "+18" and "018" too: a name is only what the depth itself would print.
  Int(name.dropFirst(prefix.count)).flatMap { name == "\(prefix)\($0)" ? $0 : nil }
}
