// A network before it exists: a description of its layers from which the summary is counted and the network built.
// Nothing here holds weights, so that the plan of a network of any size costs nothing.

import Messages

/// One step of a network's description.
public indirect enum LayerPlan: Sendable, Equatable {
  case convolution(name: String, outputs: Int, kernel: Int, stride: Int, padding: Int, bias: Bool)
  case batchNorm(name: String)
  case relu
  case maxPool(kernel: Int, stride: Int, padding: Int)
  /// A grid of `side` x `side` means; 1 is global average pooling.
  case averagePool(side: Int)
  case flatten
  case dropout(rate: Double)
  case dense(name: String, outputs: Int, initialisation: DenseInitialisation, penalty: Double?)
  case residual(ResidualPlan)
}

/// A residual block's description.
public struct ResidualPlan: Sendable, Equatable {
  /// `layer1.0`.
  public var name: String
  /// Batch norm and ReLU before body and projection (v2); empty else.
  public var preActivation: [LayerPlan]
  public var body: [LayerPlan]
  public var shortcut: ShortcutPlan
  /// Whether a ReLU follows the addition (v1).
  public var activatesSum: Bool
}

/// A shortcut's description.
public enum ShortcutPlan: Sendable, Equatable {
  case identity
  case zeroPadding(stride: Int, channels: Int, placement: ZeroPlacement)
  case projection([LayerPlan])
}

/// How a dense layer's weights begin; biases begin at zero.
public enum DenseInitialisation: Sendable, Equatable {
  /// Uniform within the inverse square root of the number of inputs.
  case uniform
  case normal(deviation: Double)
  /// Normal, drawn again beyond two deviations.
  case truncatedNormal(deviation: Double)
}

extension LayerPlan {
  /// The shape that comes out for a given shape.
  /// - Throws: `NetworkError.vanishes` where the map is too small for the layer.
  public func output(for input: FeatureShape) throws -> FeatureShape {
    switch self {
    case .convolution(let name, let outputs, let kernel, let stride, let padding, _):
      return try Self.slide(input, outputs, kernel, stride, padding, name)
    case .maxPool(let kernel, let stride, let padding):
      return try Self.slide(input, input.channels, kernel, stride, padding, "max pool")
    case .averagePool(let side):
      return FeatureShape(height: side, width: side, channels: input.channels)
    case .flatten:
      return FeatureShape(height: 1, width: 1, channels: input.count)
    case .dense(_, let outputs, _, _):
      return FeatureShape(height: 1, width: 1, channels: outputs)
    case .batchNorm, .relu, .dropout:
      return input
    case .residual(let block):
      return try block.body.reduce(input) { try $1.output(for: $0) }
    }
  }

  private static func slide(
    _ input: FeatureShape, _ channels: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ name: String
  ) throws -> FeatureShape {
    let height = (input.height + 2 * padding - kernel) / stride + 1
    let width = (input.width + 2 * padding - kernel) / stride + 1
    guard input.height + 2 * padding >= kernel, input.width + 2 * padding >= kernel, height > 0, width > 0 else {
      throw NetworkError.vanishes(layer: name, input: input)
    }
    return FeatureShape(height: height, width: width, channels: channels)
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
      "no network is called '\(name)'; choose one of \(Architecture.examples.joined(separator: ", ")), or cifarN and "
        + "plainN with N = 6n + 2 up to \(Architecture.deepest)"
    case .vanishes(let layer, let input):
      "the image is too small for this network: '\(layer)' would get a map of \(input.height)x\(input.width); "
        + "use a larger --imgsz, or --stem small"
    case .unsupported(let reason): reason
    }
  }
}
