// How a network is described: layers one after another, branches that part and join, and heads that part and do not.
// Nothing here has weights or shapes; LoweredPlan gives each layer its shape and decides what is done together.

import Messages
import Tensors

/// One part of a network's description.
///
/// A residual block is a block of two branches that are added, the second one its shortcut; GoogLeNet's, of four that
/// are concatenated:
///
///     .branches(name: "layer1.0.add", [body, []], joined: .addition)
///     .branches(name: "inception3a", [one, three, five, pool], joined: .concatenation)
public indirect enum LayerPlan: Sendable, Equatable {
  case layer(LayerKind)
  /// Layers that belong together under a name, such as a residual block.
  case block(name: String, [LayerPlan])
  /// Branches that all read the same map; an empty one hands it on as it is. The first is the one that is followed when
  /// the network is read.
  case branches(name: String, [[LayerPlan]], joined: Join)
  /// A classifier of its own for the map that it reads, which goes on as it is. Only training runs it: its loss is added
  /// to the network's.
  case auxiliaryHead(name: String, [LayerPlan])
}

/// How branches become one again.
public enum Join: Sendable, Equatable {
  /// The sum of maps of one shape.
  case addition
  /// The channels of all branches, in order, of maps of one height and width.
  case concatenation
}

/// What a layer computes. Names are those of its parameters in files, `layer1.0.conv1`, or else of its row in a
/// summary.
public enum LayerKind: Sendable, Equatable {
  /// - Parameter groups: into so many groups channels and outputs are cut; an output sees those of its own.
  case convolution(
    name: String, outputs: Int, kernel: Extent, stride: Int, padding: Extent, bias: Bool, groups: Int)
  /// `epsilon` is added to the variance.
  case batchNorm(name: String, epsilon: Double)
  /// A convolution with bias, stride 1 and no padding, whose outputs read some of the input's channels each.
  case sparseConvolution(name: String, kernel: Extent, sources: [[Int]])
  case relu
  /// 1.7159 tanh(2/3 x)
  case scaledTanh
  /// The sum of areas of `kernel` x `kernel` pixels, with a trainable factor and bias a channel.
  case subsampling(name: String, kernel: Int)
  /// The gray of a color image, as the only channel.
  case luma
  /// `ceilMode`: see `MaxPoolWindow`.
  case maxPool(kernel: Int, stride: Int, padding: Int, ceilMode: Bool)
  /// A grid of `side` x `side` means; 1 is global average pooling.
  case averagePool(side: Int)
  /// Means of squares of `side` x `side` pixels side by side, also where the last ones are cut off.
  case averageWindows(side: Int)
  /// Of the whole map.
  case globalMaxPool
  case flatten
  case dropout(rate: Double)
  /// An image's whole map left out, at the end of a branch.
  case dropPath(rate: Double)
  /// Multiplication by a constant.
  case scale(Double)
  /// Each channel times a number that two dense layers make of all channels' means, with `reduced` values in between.
  case squeezeExcitation(name: String, reduced: Int)
  /// A fixed convolution without padding, whose filters whiten patches of `kernel` x `kernel` pixels: two for each value
  /// of a patch, the second the first one's negative.
  case whitening(name: String, kernel: Int)
  case dense(name: String, outputs: Int, initialization: DenseInitialization, weightDecay: Double?)
  /// Every `stride`-th pixel, and zeros for the channels that are new.
  case zeroPadding(name: String, stride: Int, channels: Int, placement: ZeroPlacement)
  /// Of two inputs or more.
  case join(name: String, Join)
}

/// How a dense layer's weights begin; biases begin at zero.
public enum DenseInitialization: Sendable, Equatable {
  /// Uniform within the inverse square root of the number of inputs.
  case uniform
  case normal(std: Double)
  /// Normal, drawn again beyond two standard deviations.
  case truncatedNormal(std: Double)
}

/// So that a description reads as a list of layers.
extension LayerPlan {
  public static func convolution(
    name: String, outputs: Int, kernel: Extent, stride: Int = 1, padding: Extent = 0, bias: Bool = false,
    groups: Int = 1
  ) -> LayerPlan {
    .layer(
      .convolution(
        name: name, outputs: outputs, kernel: kernel, stride: stride, padding: padding, bias: bias, groups: groups))
  }

  public static func batchNorm(name: String, epsilon: Double = BatchNorm.epsilon) -> LayerPlan {
    .layer(.batchNorm(name: name, epsilon: epsilon))
  }

  public static func sparseConvolution(name: String, kernel: Extent, sources: [[Int]]) -> LayerPlan {
    .layer(.sparseConvolution(name: name, kernel: kernel, sources: sources))
  }

  public static var relu: LayerPlan { .layer(.relu) }

  public static var scaledTanh: LayerPlan { .layer(.scaledTanh) }

  public static func subsampling(name: String, kernel: Int) -> LayerPlan {
    .layer(.subsampling(name: name, kernel: kernel))
  }

  public static var luma: LayerPlan { .layer(.luma) }

  public static func maxPool(
    kernel: Int, stride: Int, padding: Int = 0, ceilMode: Bool = false
  ) -> LayerPlan {
    .layer(.maxPool(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode))
  }

  public static func averagePool(side: Int) -> LayerPlan { .layer(.averagePool(side: side)) }

  public static func averageWindows(side: Int) -> LayerPlan { .layer(.averageWindows(side: side)) }

  public static var globalMaxPool: LayerPlan { .layer(.globalMaxPool) }

  public static var flatten: LayerPlan { .layer(.flatten) }

  public static func dropout(rate: Double) -> LayerPlan { .layer(.dropout(rate: rate)) }

  public static func dropPath(rate: Double) -> LayerPlan { .layer(.dropPath(rate: rate)) }

  public static func scale(_ factor: Double) -> LayerPlan { .layer(.scale(factor)) }

  public static func squeezeExcitation(name: String, reduced: Int) -> LayerPlan {
    .layer(.squeezeExcitation(name: name, reduced: reduced))
  }

  public static func whitening(name: String, kernel: Int) -> LayerPlan {
    .layer(.whitening(name: name, kernel: kernel))
  }

  public static func dense(
    name: String, outputs: Int, initialization: DenseInitialization = .uniform, weightDecay: Double? = nil
  ) -> LayerPlan {
    .layer(.dense(name: name, outputs: outputs, initialization: initialization, weightDecay: weightDecay))
  }

  public static func zeroPadding(
    name: String, stride: Int, channels: Int, placement: ZeroPlacement
  ) -> LayerPlan {
    .layer(.zeroPadding(name: name, stride: stride, channels: channels, placement: placement))
  }
}

/// What a person can ask of a network that cannot be had.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  case unknownName(String)
  case vanishes(layer: String, input: FeatureShape)
  case unsupported(String)

  public var description: String {
    switch self {
    case .unknownName(let name):
      "no network is called '\(name)'; choose one of \(Architecture.examples.joined(separator: ", "))"
        + Architecture.otherNames
    case .vanishes(let layer, let input):
      "the image is too small for this network: '\(layer)' would get a map of \(input.height)x\(input.width); "
        + "use a larger --imgsz, or --stem small where the network has one"
    case .unsupported(let reason): reason
    }
  }
}
