// What a plan's network keeps in files, by name and shape: known from the plan alone, so that a file can be compared
// before a single weight is made.

import Messages

/// An array that a network keeps in files, besides batch norm's counts.
public struct StateEntry: Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    case parameter
    case runningMean
    /// Never negative.
    case runningVariance
  }

  /// torchvision's: `layer1.0.conv1.weight`.
  public let name: String
  /// In PyTorch's order: [O, C, K, K] of a convolution, [O, C * H * W] of a dense layer.
  public let shape: [Int]
  public let kind: Kind
}

extension NetworkPlan {
  /// Every array of the network's `state_dict` but `num_batches_tracked`, in the order of the layers.
  public var state: [StateEntry] {
    var list = StateList()
    list.add(layers, to: input)
    return list.entries
  }

  /// The name of the last dense layer, without `.weight`.
  public var classifier: String {
    for case .dense(let name, _, _, _) in layers.reversed() { return name }
    preconditionFailure("every network ends in a dense layer")
  }
}

/// Walks a plan as `Network` does when it is built.
private struct StateList {
  var entries: [StateEntry] = []

  mutating func add(_ layers: [LayerPlan], to input: FeatureShape) {
    var shape = input
    for layer in layers {
      add(layer, to: shape)
      guard let output = try? layer.output(for: shape) else {
        preconditionFailure("a plan's shapes are checked when it is made")
      }
      shape = output
    }
  }

  private mutating func add(_ layer: LayerPlan, to input: FeatureShape) {
    switch layer {
    case .convolution(let name, let outputs, let kernel, _, _, let bias):
      add(name + ".weight", [outputs, input.channels, kernel, kernel])
      if bias { add(name + ".bias", [outputs]) }
    case .batchNorm(let name):
      add(name + ".weight", [input.channels])
      add(name + ".bias", [input.channels])
      add(name + ".running_mean", [input.channels], .runningMean)
      add(name + ".running_var", [input.channels], .runningVariance)
    case .dense(let name, let outputs, _, _):
      add(name + ".weight", [outputs, input.count])
      add(name + ".bias", [outputs])
    case .residual(let block):
      add(block.preActivation, to: input)
      add(block.body, to: input)
      if case .projection(let layers) = block.shortcut { add(layers, to: input) }
    case .relu, .maxPool, .averagePool, .flatten, .dropout: break
    }
  }

  private mutating func add(_ name: String, _ shape: [Int], _ kind: StateEntry.Kind = .parameter) {
    entries.append(StateEntry(name: name, shape: shape, kind: kind))
  }
}
