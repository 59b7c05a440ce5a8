// The distinct layers of a network's plan: those that do the same work are timed once and counted. Nothing here runs
// them.

import Messages
import Networks

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
  var kernel: Int
  var stride: Int
  var padding: Int
  /// Whether the gradient by its input is needed: not by the first one of a network.
  var propagates: Bool

  /// Of one pass over one image, counted directly: two operations for each multiply-add.
  var operations: Double {
    2 * Double(output.height * output.width * output.channels) * Double(kernel * kernel * input.channels)
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
func distinctLayers(of plan: NetworkPlan) throws -> [PlannedLayer] {
  var collector = Collector()
  _ = try collector.add(plan.layers, to: plan.input)
  return collector.layers
}

/// Walks a plan with the shape that has come so far.
private struct Collector {
  var layers: [PlannedLayer] = []
  private var places: [LayerShape: Int] = [:]
  private var isFirstConvolution = true

  mutating func add(_ plans: [LayerPlan], to input: FeatureShape) throws -> FeatureShape {
    try plans.reduce(input) { shape, plan in
      try add(plan, to: shape)
      return try plan.output(for: shape)
    }
  }

  private mutating func add(_ plan: LayerPlan, to input: FeatureShape) throws {
    switch plan {
    case .convolution(let name, _, let kernel, let stride, let padding, _):
      let shape = ConvolutionShape(
        input: input, output: try plan.output(for: input), kernel: kernel, stride: stride, padding: padding,
        propagates: !isFirstConvolution)
      isFirstConvolution = false
      note(.convolution(shape), name)
    case .batchNorm(let name): note(.batchNorm(input), name)
    case .relu: note(.relu(input), "relu")
    case .maxPool(let kernel, let stride, let padding):
      note(.maxPool(input, kernel: kernel, stride: stride, padding: padding), "maxpool")
    case .averagePool(let side): note(.averagePool(input, side: side), "avgpool")
    case .dense(let name, let outputs, _, _): note(.dense(inputs: input.count, outputs: outputs), name)
    case .flatten, .dropout: break
    case .residual(let block): try add(block, to: input)
    }
  }

  private mutating func add(_ block: ResidualPlan, to input: FeatureShape) throws {
    let activated = try add(block.preActivation, to: input)
    let output = try add(block.body, to: activated)
    switch block.shortcut {
    case .identity: break
    case .zeroPadding(let stride, let channels, let placement):
      note(
        .zeroPadding(input, stride: stride, channels: channels, placement: placement), "\(block.name).shortcut")
    case .projection(let layers): _ = try add(layers, to: activated)
    }
    note(.addition(output), "\(block.name).add")
    if block.activatesSum { note(.relu(output), "\(block.name).relu") }
  }

  private mutating func note(_ shape: LayerShape, _ name: String) {
    if let place = places[shape] {
      layers[place].count += 1
    } else {
      places[shape] = layers.count
      layers.append(PlannedLayer(shape: shape, name: name))
    }
  }
}
