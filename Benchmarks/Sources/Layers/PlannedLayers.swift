// The distinct layers of a network's plan: those that do the same work are timed once and counted. Nothing here runs
// them.

import Messages
import Networks
import Tensors

/// A layer's kind with all that its work depends on, but for the batch.
enum LayerShape: Hashable {
  case convolution(ConvolutionShape)
  case batchNorm(FeatureShape)
  case relu(FeatureShape)
  case maxPool(FeatureShape, kernel: Int, stride: Int, padding: Int)
  case averagePool(FeatureShape, side: Int)
  case zeroPadding(FeatureShape, stride: Int, channels: Int, placement: ZeroPlacement)
  /// The shortcut's addition.
  case addition(FeatureShape)
  case dense(inputs: Int, outputs: Int)
}

struct ConvolutionShape: Hashable {
  var input: FeatureShape
  var output: FeatureShape
  var kernel: Extent
  var stride: Int
  var padding: Extent
  /// Whether the gradient by its input is needed: not by one that reads the image.
  var propagates: Bool

  /// Of one pass over one image, counted directly: two operations for each multiply-add.
  var operations: Double {
    2 * Double(output.height * output.width * output.channels) * Double(kernel.count * input.channels)
  }
}

/// One distinct layer.
struct PlannedLayer {
  var shape: LayerShape
  /// What the first of them is called in checkpoints.
  var name: String
  /// How many there are.
  var count = 1
}

/// The distinct layers of a plan, in the order of their first places.
func distinctLayers(of plan: NetworkPlan) -> [PlannedLayer] {
  var layers: [PlannedLayer] = []
  var places: [LayerShape: Int] = [:]
  for operation in plan.lowered.operations {
    guard let (shape, name) = operation.timed else { continue }
    if let place = places[shape] {
      layers[place].count += 1
    } else {
      places[shape] = layers.count
      layers.append(PlannedLayer(shape: shape, name: name))
    }
  }
  return layers
}

extension LoweredPlan.Operation {
  /// What is timed of it, and what it is called; nil for what takes no time worth the name, and for layers that no row of
  /// the tables has.
  fileprivate var timed: (LayerShape, String)? {
    switch kind {
    case .convolution(let name, _, let kernel, let stride, let padding, _, _):
      let shape = ConvolutionShape(
        input: input, output: output, kernel: kernel, stride: stride, padding: padding,
        propagates: inputs != [LoweredPlan.image])
      return (.convolution(shape), name)
    case .whitening(let name, let kernel):
      let shape = ConvolutionShape(
        input: input, output: output, kernel: Extent(kernel), stride: 1, padding: 0,
        propagates: inputs != [LoweredPlan.image])
      return (.convolution(shape), name)
    case .batchNorm(let name, _): return (.batchNorm(input), name)
    case .relu: return (.relu(input), "relu")
    case .maxPool(let kernel, let stride, let padding, _):
      return (.maxPool(input, kernel: kernel, stride: stride, padding: padding), "maxpool")
    case .averagePool(let side): return (.averagePool(input, side: side), "avgpool")
    case .dense(let name, let outputs, _, _): return (.dense(inputs: input.count, outputs: outputs), name)
    case .zeroPadding(let name, let stride, let channels, let placement):
      return (.zeroPadding(input, stride: stride, channels: channels, placement: placement), name)
    case .join(let name, .addition): return (.addition(output), name)
    case .flatten, .dropout, .join(_, .concatenation): return nil
    case .averageWindows, .dropPath, .globalMaxPool, .luma, .scale, .scaledTanh, .sparseConvolution,
      .squeezeExcitation, .subsampling:
      return nil
    }
  }
}
