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
  /// In PyTorch's order: [O, C / groups, KH, KW] of a convolution, [O, C * H * W] of a dense layer.
  public let shape: [Int]
  public let kind: Kind

  fileprivate init(_ name: String, _ shape: [Int], _ kind: Kind = .parameter) {
    (self.name, self.shape, self.kind) = (name, shape, kind)
  }
}

extension NetworkPlan {
  /// Every array of the network's `state_dict` but `num_batches_tracked`, in the order of the layers.
  public var state: [StateEntry] { lowered.operations.flatMap(\.state) }

  /// Those of them that belong to layers that are trained.
  public var trainedState: [StateEntry] { lowered.operations.dropFirst(lowered.frozen).flatMap(\.state) }

  /// Whether a file may have an array of this name besides, which nothing here needs.
  public func passesOver(_ name: String) -> Bool {
    guard let network = try? Architecture(name: settings.name).network else { return false }
    return settings.auxiliaryHeads != true && network.auxiliaryHeads.contains { name.hasPrefix($0 + ".") }
  }

  /// The names of the classifier's arrays.
  public var classifierArrays: [String] { [classifier + ".weight", classifier + ".bias"] }

  /// The names of the arrays of auxiliary heads that have a row for each class.
  public var headClassifierArrays: [String] {
    lowered.heads.flatMap { value in
      guard case .dense(let name, _, _, _) = lowered.operations[value - 1].kind else { return [String]() }
      return [name + ".weight", name + ".bias"]
    }
  }

  /// Whether an array is one of an auxiliary head.
  public func isOfHead(_ name: String) -> Bool {
    guard !lowered.heads.isEmpty, let network = try? Architecture(name: settings.name).network else { return false }
    return network.auxiliaryHeads.contains { name.hasPrefix($0 + ".") }
  }

  /// The same network without auxiliary heads, as it is used once it is trained.
  /// - Throws: as `init`; it does not for a plan that there is.
  public func withoutHeads() throws -> NetworkPlan {
    guard !lowered.heads.isEmpty else { return self }
    var settings = settings
    settings.auxiliaryHeads = false
    return try NetworkPlan(settings, imageSize: input.height, classes: classes, channels: input.channels)
  }

  /// The name of the last layer that learns, dense or a convolution with an output for each class, without `.weight`.
  public var classifier: String {
    switch lowered.lastLearning.map({ lowered.operations[$0].kind }) {
    case .dense(let name, _, _, _), .convolution(let name, _, _, _, _, _, _): return name
    default: preconditionFailure("every network ends in a dense layer or a convolution")
    }
  }
}

extension LoweredPlan.Operation {
  /// The arrays that it keeps in files.
  fileprivate var state: [StateEntry] {
    switch kind {
    case .convolution(let name, let outputs, let kernel, _, _, let bias, let groups):
      [StateEntry(name + ".weight", [outputs, input.channels / groups, kernel.height, kernel.width])]
        + (bias ? [StateEntry(name + ".bias", [outputs])] : [])
    case .sparseConvolution(let name, let kernel, let sources):
      [
        StateEntry(name + ".weight", [sources.count, input.channels, kernel.height, kernel.width]),
        StateEntry(name + ".bias", [sources.count]),
      ]
    case .subsampling(let name, _):
      [StateEntry(name + ".weight", [input.channels]), StateEntry(name + ".bias", [input.channels])]
    case .batchNorm(let name, _):
      [
        StateEntry(name + ".weight", [input.channels]), StateEntry(name + ".bias", [input.channels]),
        StateEntry(name + ".running_mean", [input.channels], .runningMean),
        StateEntry(name + ".running_var", [input.channels], .runningVariance),
      ]
    case .dense(let name, let outputs, _, _):
      [StateEntry(name + ".weight", [outputs, input.count]), StateEntry(name + ".bias", [outputs])]
    case .whitening(let name, let kernel):
      [StateEntry(name + ".weight", [output.channels, input.channels, kernel, kernel])]
    case .squeezeExcitation(let name, let reduced):
      [
        StateEntry(name + ".fc1.weight", [reduced, input.channels, 1, 1]),
        StateEntry(name + ".fc1.bias", [reduced]),
        StateEntry(name + ".fc2.weight", [input.channels, reduced, 1, 1]),
        StateEntry(name + ".fc2.bias", [input.channels]),
      ]
    case .relu, .scaledTanh, .luma, .maxPool, .averagePool, .averageWindows, .globalMaxPool, .flatten, .dropout,
      .dropPath, .scale,
      .zeroPadding, .join:
      []
    }
  }
}
