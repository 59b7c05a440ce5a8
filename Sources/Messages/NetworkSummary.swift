// A network layer by layer, as `skipline summary` prints it and the layers pane shows it.

/// A tensor's extent without the batch: height, width, channels.
public struct FeatureShape: Codable, Sendable, Hashable {
  public var height: Int
  public var width: Int
  public var channels: Int

  public init(height: Int, width: Int, channels: Int) {
    self.height = height
    self.width = width
    self.channels = channels
  }

  public var count: Int { height * width * channels }
}

/// One layer's row.
public struct LayerRow: Codable, Sendable, Equatable {
  public enum Kind: String, Codable, Sendable {
    case convolution = "conv"
    case batchNorm = "batch norm"
    case relu = "ReLU"
    case tanh
    case subsampling
    case luma
    case maxPool = "max pool"
    case globalAveragePool = "global pool"
    case globalMaxPool = "global max pool"
    case averagePool = "average pool"
    case flatten
    case dense
    case dropout
    case zeroPad = "zero pad"
    case dropPath = "drop path"
    case scale
    case whitening
    case squeezeExcitation = "squeeze"
    case addition = "add"
    case concatenation = "concat"
  }

  /// The name that parameters are saved under: `layer1.0.conv1`.
  public var name: String
  public var kind: Kind
  /// Kernel and stride as text, `3x3/2`, with groups `3x3 in 32`; nil where a layer has none.
  public var kernel: String?
  public var output: FeatureShape
  public var parameters: Int
  /// Multiply-adds for one image; convolutions and dense layers only, as the papers count.
  public var multiplyAdds: Int
  /// Nesting below the network, for indentation: 0 outside blocks, 1 in a block's body, 2 on its shortcut.
  public var depth: Int
  /// Whether its parameters, if any, are trained; else they are frozen.
  public var isTrained: Bool
  /// What it reads: 0 is the image, i + 1 what comes out of row i.
  public var inputs: [Int]
  /// The block that it is a part of, by its name; nil outside of blocks.
  public var block: String?
  /// The side in pixels of the square of the image that one place of its output is made from; larger than the image
  /// where all of it is.
  public var receptiveField: Int

  public init(
    name: String, kind: Kind, kernel: String? = nil, output: FeatureShape, parameters: Int = 0,
    multiplyAdds: Int = 0, depth: Int = 0, isTrained: Bool = true, inputs: [Int] = [], block: String? = nil,
    receptiveField: Int = 1
  ) {
    self.inputs = inputs
    self.block = block
    self.receptiveField = receptiveField
    self.name = name
    self.kind = kind
    self.kernel = kernel
    self.output = output
    self.parameters = parameters
    self.multiplyAdds = multiplyAdds
    self.depth = depth
    self.isTrained = isTrained
  }
}

/// A network's rows and totals.
public struct NetworkSummary: Codable, Sendable, Equatable {
  /// The settings with every default filled in.
  public var network: NetworkSettings
  public var input: FeatureShape
  public var classes: Int
  /// Which layers are frozen, and how long.
  public var freeze = FreezeSettings.none
  public var layers: [LayerRow]
  public var batchSize: Int
  /// Estimated bytes to train at `batchSize`: parameters, gradients, the optimizer's state, activations and
  /// work space.
  public var trainingMemory: Int
  /// Bytes that may be taken, by whoever allows least of what is needed; nil where that was not asked.
  public var availableMemory: Int?
  /// What others say of it; nil where nothing is known.
  public var published: PublishedFigures?

  public init(
    network: NetworkSettings, input: FeatureShape, classes: Int, layers: [LayerRow], batchSize: Int,
    trainingMemory: Int
  ) {
    self.network = network
    self.input = input
    self.classes = classes
    self.layers = layers
    self.batchSize = batchSize
    self.trainingMemory = trainingMemory
  }

  public var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  /// Of them, those that are trained.
  public var trainedParameters: Int { layers.reduce(0) { $0 + ($1.isTrained ? $1.parameters : 0) } }
  public var multiplyAdds: Int { layers.reduce(0) { $0 + $1.multiplyAdds } }
}
