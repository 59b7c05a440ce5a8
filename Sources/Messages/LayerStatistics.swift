// What the layers of a network are like while it works: their weights, what comes out of them, and how much of a block's
// output its shortcut carries. Made by the training loop at every so many steps, and of a checkpoint when somebody asks.

/// How often values lie in each of so many ranges of the same width.
public struct LayerHistogram: Codable, Sendable, Equatable {
  public static let bins = 16

  /// Where the first range begins and the last one ends: the least and the greatest value.
  public var low: Double
  public var high: Double
  /// Of each range; together as many as there are values.
  public var counts: [Int]

  public init(low: Double, high: Double, counts: [Int]) {
    self.low = low
    self.high = high
    self.counts = counts
  }
}

/// The parameters of a layer, all of them together.
public struct LayerWeights: Codable, Sendable, Equatable {
  /// Euclidean; after the step, where there is one.
  public var norm: Double
  /// Of the loss's gradient, before clipping; nil in a checkpoint, and where they are not trained.
  public var gradientNorm: Double?
  /// The norm of what the step changed, divided by that of the weights before it; nil where there is no step, and where
  /// those were all zero.
  public var updateRatio: Double?
  /// Of the first of them: a convolution's weight, a batch norm's scale. Nil where no value is finite.
  public var histogram: LayerHistogram?
  /// Values that are NaN or infinite.
  public var nonFinite: Int
  /// Whether they are trained; else they are frozen.
  public var isTrained: Bool

  public init(
    norm: Double, gradientNorm: Double? = nil, updateRatio: Double? = nil, histogram: LayerHistogram? = nil,
    nonFinite: Int = 0, isTrained: Bool = true
  ) {
    self.norm = norm
    self.gradientNorm = gradientNorm
    self.updateRatio = updateRatio
    self.histogram = histogram
    self.nonFinite = nonFinite
    self.isTrained = isTrained
  }
}

/// What comes out of a layer for a batch.
public struct LayerActivations: Codable, Sendable, Equatable {
  /// Of all values that are finite; 0 where none is.
  public var mean: Double
  public var std: Double
  public var channels: Int
  /// Behind a ReLU: channels that are zero at every place of every image of the batch; nil elsewhere.
  public var dead: Int?
  /// Nil where no value is finite.
  public var histogram: LayerHistogram?
  /// Values that are NaN or infinite.
  public var nonFinite: Int

  public init(
    mean: Double, std: Double, channels: Int, dead: Int? = nil, histogram: LayerHistogram? = nil,
    nonFinite: Int = 0
  ) {
    self.mean = mean
    self.std = std
    self.channels = channels
    self.dead = dead
    self.histogram = histogram
    self.nonFinite = nonFinite
  }

  /// 0...1; nil where there is no ReLU.
  public var deadShare: Double? { dead.map { Double($0) / Double(max(1, channels)) } }
}

/// What the two branches of a residual block add up: Euclidean norms over a batch.
public struct ResidualBalance: Codable, Sendable, Equatable {
  public var shortcut: Double
  public var residual: Double

  public init(shortcut: Double, residual: Double) {
    self.shortcut = shortcut
    self.residual = residual
  }

  /// Of both norms together, 0...1; nil where they are zero or not finite.
  public var shortcutShare: Double? {
    let share = shortcut / (shortcut + residual)
    return share.isFinite ? share : nil
  }
}

/// Whether something is wrong with a layer, and what; `LayerHealth` in Training says from when on.
public enum LayerCondition: String, Codable, Sendable, CaseIterable {
  case ok
  /// Learns much more slowly than the others.
  case slow
  /// Its parameters do not change.
  case frozen
  /// Next to nothing of the gradient reaches it.
  case vanishing
  /// Most of its ReLUs give nothing for any image.
  case dead
  /// Its weights change too much at once, or what comes out of it is far too large.
  case exploding
  case nan = "NaN"

  /// The worse the larger.
  public var severity: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  /// Whether somebody should look at it: a frozen layer is as it was asked for.
  public var isFault: Bool { severity >= LayerCondition.vanishing.severity }
}

/// One layer: a row of the network's summary.
public struct LayerMeasure: Codable, Sendable, Equatable {
  /// The row's number in `NetworkSummary.layers`, and its name.
  public var row: Int
  public var name: String
  /// nil for a layer without parameters.
  public var weights: LayerWeights?
  /// nil for a layer whose output only the next one reads, and where it was not run.
  public var activations: LayerActivations?
  /// Where the branches of a residual block are added.
  public var balance: ResidualBalance?
  public var condition: LayerCondition

  public init(
    row: Int, name: String, weights: LayerWeights? = nil, activations: LayerActivations? = nil,
    balance: ResidualBalance? = nil, condition: LayerCondition = .ok
  ) {
    self.row = row
    self.name = name
    self.weights = weights
    self.activations = activations
    self.balance = balance
    self.condition = condition
  }
}

/// All layers at one moment of a run.
public struct LayerStatistics: Codable, Sendable, Equatable {
  /// The epoch under way, from 1, and the steps done.
  public var epoch: Int
  public var step: Int
  /// In the order of the network's rows; those without any figure are left out.
  public var layers: [LayerMeasure]
  /// Layers that were left out where there are too many for a line.
  public var omitted: Int?

  public init(epoch: Int, step: Int, layers: [LayerMeasure], omitted: Int? = nil) {
    self.epoch = epoch
    self.step = step
    self.layers = layers
    self.omitted = omitted
  }
}

/// The layers of a checkpoint, for a batch of images.
public struct LayerReport: Codable, Sendable, Equatable {
  public var checkpoint: String
  /// The dataset, and which of its images.
  public var data: String
  public var split: EvaluationSplit
  /// Images of the batch.
  public var images: Int
  /// The network's rows.
  public var network: NetworkSummary
  public var layers: [LayerMeasure]

  public init(
    checkpoint: String, data: String, split: EvaluationSplit, images: Int, network: NetworkSummary,
    layers: [LayerMeasure]
  ) {
    self.checkpoint = checkpoint
    self.data = data
    self.split = split
    self.images = images
    self.network = network
    self.layers = layers
  }
}

extension [LayerMeasure] {
  /// Of all channels behind ReLUs, the share that is dead; nil where there are none.
  public var deadShare: Double? {
    let rectified = compactMap { measure in
      measure.activations.flatMap { one in one.dead.map { ($0, one.channels) } }
    }
    let channels = rectified.reduce(0) { $0 + $1.1 }
    return channels > 0 ? Double(rectified.reduce(0) { $0 + $1.0 }) / Double(channels) : nil
  }

  /// Of the whole gradient; nil where none is known.
  public var gradientNorm: Double? {
    let norms = compactMap { $0.weights?.gradientNorm }
    return norms.isEmpty ? nil : norms.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// Values that are NaN or infinite, in weights and in what comes out of layers.
  public var nonFinite: Int {
    reduce(0) { $0 + ($1.weights?.nonFinite ?? 0) + ($1.activations?.nonFinite ?? 0) }
  }
}
