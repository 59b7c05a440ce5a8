// What a person chooses about a network: its name and the options of the papers. Plain values; the tables that
// give them meaning are in Networks.

/// Which network to build, in the words of the papers.
public struct NetworkSettings: Codable, Sendable, Hashable {
  /// The network's name as users type it: `resnet18`, `cifar20`, `plain34`, `vgg19`, `vgg19_bn`.
  public var name: String
  /// How a block's input reaches its output; nil takes the family's default (A for the CIFAR family, B else).
  public var shortcut: Shortcut?
  /// Where option A puts the zero channels.
  public var zeroPlacement: ZeroPlacement
  /// The order of convolution, normalization and activation in a block; nil takes the family's default
  /// (v1.5 for bottleneck nets, v1 else).
  public var version: BlockVersion?
  /// The layers before the first block; nil takes the family's default for the image size.
  public var stem: Stem?
  /// Multiplies every channel count but the image's and the classifier's.
  public var widthMultiplier: Double
  /// Channels of the first convolution of a network made of blocks; nil for as many as its first stage's inner ones.
  public var stemWidth: Int?
  public var head: Head
  /// Whether the first layer is fixed and whitens patches of the image, for networks that have such a form.
  public var isWhitened: Bool
  /// How often the last block's body is left out of an image's way through the network in training, 0 ..< 1; earlier
  /// blocks' less often (stochastic depth, Huang et al. 2016).
  public var dropPath: Double
  /// Another published form of the network; nil for the usual one.
  public var variant: NetworkVariant?
  /// The rate of the network's own dropout, 0 ..< 1; nil for the family's.
  public var dropout: Double?
  /// Whether classifiers in the middle of the network help in training; nil for no.
  public var auxiliaryHeads: Bool?

  public init(
    name: String, shortcut: Shortcut? = nil, zeroPlacement: ZeroPlacement = .split, version: BlockVersion? = nil,
    stem: Stem? = nil, widthMultiplier: Double = 1, stemWidth: Int? = nil, head: Head = .standard,
    isWhitened: Bool = false, dropPath: Double = 0, variant: NetworkVariant? = nil, dropout: Double? = nil,
    auxiliaryHeads: Bool? = nil
  ) {
    self.name = name
    self.shortcut = shortcut
    self.zeroPlacement = zeroPlacement
    self.version = version
    self.stem = stem
    self.widthMultiplier = widthMultiplier
    self.stemWidth = stemWidth
    self.head = head
    self.isWhitened = isWhitened
    self.dropPath = dropPath
    self.variant = variant
    self.dropout = dropout
    self.auxiliaryHeads = auxiliaryHeads
  }
}

/// Forms of a network that differ from the usual one in more than an option says.
public enum NetworkVariant: String, Codable, Sendable, CaseIterable {
  /// Of resnet50, 101 and 152, by the article that this program descends from: a stem without norm and ReLU, blocks in
  /// pre-activation order, zero-padded shortcuts, the stride in the last block of each stage but the last one, and the
  /// regularized head.
  case article
}

/// The shortcut options of He et al. 2015 (arXiv:1512.03385), section 3.3.
public enum Shortcut: String, Codable, Sendable, CaseIterable {
  /// Identity; new channels are zero. No parameters.
  case zeroPadding = "A"
  /// A 1x1 projection where the shape changes, identity elsewhere.
  case projection = "B"
  /// A 1x1 projection in every block.
  case projectionAlways = "C"
}

/// Where the zero channels of option A stand among the output's channels.
public enum ZeroPlacement: String, Codable, Sendable, CaseIterable {
  /// Half before and half after the carried channels.
  case split
  /// All after them.
  case end
}

/// The order of layers inside a residual block.
public enum BlockVersion: String, Codable, Sendable, CaseIterable {
  /// He et al. 2015: ReLU after the addition; a bottleneck's stride in its first 1x1.
  case v1
  /// As v1, a bottleneck's stride in its 3x3 (torchvision's).
  case v1_5 = "v1.5"
  /// He et al. 2016 (arXiv:1603.05027): batch norm and ReLU before each convolution.
  case v2
}

/// The layers before the first stage.
public enum Stem: String, Codable, Sendable, CaseIterable {
  /// 7x7 convolution with stride 2, then a 3x3 max pool with stride 2.
  case large
  /// 3x3 convolution with stride 1 and no pool, for small images.
  case small
}

/// The classifier after the global pool.
public enum Head: String, Codable, Sendable, CaseIterable {
  /// One dense layer.
  case standard
  /// Dropout 0.5, then a dense layer with truncated-normal weights of std 0.1 and an L2 penalty of its own.
  case regularized
}

/// How the weights of convolutions begin.
public enum ConvolutionInitialization: String, Codable, Sendable, CaseIterable {
  /// Normal, so wide that the variance of gradients stays (He et al. 2015, arXiv:1502.01852, section 2.2).
  case he
  /// As many filters as there are input channels hand these on as they are; the others are normal.
  case dirac
}
