// Values on the way through a network that somebody asks for: the features before the classifier, the last map, the
// output of a layer by its name. A value that is never there, because a batch norm does the next step along with its own,
// cannot be asked for.

import Messages
import Tensors

extension NetworkPlan {
  /// What the classifier reads: the features of an image. Where the classifier is a convolution it is a map, whose
  /// channels' means are the features.
  public var penultimate: LoweredPlan.Value {
    lowered.lastLearning.map { lowered.operations[$0].inputs[0] } ?? LoweredPlan.image
  }

  /// The last map that says where in the image something is: the output of the last convolution whose map has more than one
  /// pixel, after the batch norm, activation and sums that follow it. In networks that end in a global pool it is what
  /// is pooled (Grad-CAM, arXiv:1610.02391, section 3).
  /// - Returns: nil for a network without convolutions.
  public var lastMap: LoweredPlan.Value? {
    let operations = lowered.operations
    func isConvolution(_ operation: LoweredPlan.Operation) -> Bool {
      switch operation.kind {
      case .convolution, .sparseConvolution: true
      default: false
      }
    }
    let maps = operations.indices.filter { isConvolution(operations[$0]) }
    guard
      let last = maps.last(where: { operations[$0].output.height * operations[$0].output.width > 1 }) ?? maps.last
    else { return nil }
    var value = last + 1
    while value < operations.count, operations[value].kind.keepsPlaces { value += 1 }
    // Back to where nothing behind reads anything before: the branch of a sum is not all of it.
    while value > last, !isWhole(value) || !isComputed(value) { value -= 1 }
    return value > last ? value : nil
  }

  /// Whether everything behind a value comes from it alone.
  public func isWhole(_ value: LoweredPlan.Value) -> Bool {
    lowered.steps.allSatisfy { step in step.output <= value || step.inputs.allSatisfy { $0.value >= value } }
  }

  /// Whether a value is there at some time, and no part of a larger step.
  public func isComputed(_ value: LoweredPlan.Value) -> Bool { lowered.steps.contains { $0.output == value } }

  /// The shape of a value, for one image.
  public func shape(of value: LoweredPlan.Value) -> FeatureShape {
    value == LoweredPlan.image ? lowered.image : lowered.operations[value - 1].output
  }

  /// The value that a name stands for: that of an operation, as `conv1` or `fc`; or of what it is a part of, a block or a
  /// stage, whose last value it is, as `layer3.1` or `layer4`.
  /// - Throws: `NetworkError.unsupported` for a name that the network has not, or a value that is never there.
  public func value(named name: String) throws -> LoweredPlan.Value {
    var parts = NamedParts()
    parts.add(layers)
    if let value = parts.values[name] {
      guard isComputed(value) else {
        throw NetworkError.unsupported(
          "'\(name)' of \(settings.name) is computed together with what follows it, and its own output is never there; "
            + "choose the block that it is in, or a convolution")
      }
      return value
    }
    let names = parts.order.filter { parts.values[$0].map(isComputed) == true }
    let shown = names.filter { !$0.contains(".") } + names.filter { $0.contains(".") }
    throw NetworkError.unsupported(
      "\(settings.name) has no layer '\(name)'; it has \(shown.prefix(16).joined(separator: ", "))"
        + (shown.count > 16 ? " and others: see 'skipline summary \(settings.name)'" : ""))
  }
}

extension NetworkPlan {
  /// The name of the first layer that learns or whitens.
  /// - Throws: `NetworkError.unsupported` for a network without any.
  public var firstLayer: String {
    get throws {
      guard let name = lowered.operations.first(where: { $0.parameters > 0 })?.kind.name else {
        throw NetworkError.unsupported("\(settings.name) has no layer with parameters")
      }
      return name
    }
  }

  /// The value that the step ends in which does the operation of a name: behind the norm, the sum and the activation that
  /// are done with it. Nil for a name that no operation has.
  public func valueEndingStep(named name: String) -> LoweredPlan.Value? {
    guard let operation = lowered.operations.firstIndex(where: { $0.kind.name == name }) else { return nil }
    let place = lowered.operations[operation].fusedWith ?? operation
    return lowered.steps.first { $0.operation == place }?.output
  }
}

/// The values by the names of operations, of blocks, and of what their names begin with.
private struct NamedParts {
  private(set) var values: [String: LoweredPlan.Value] = [:]
  private(set) var order: [String] = []
  private var operations = 0

  mutating func add(_ plans: [LayerPlan]) {
    for plan in plans {
      switch plan {
      case .layer(let kind):
        operations += 1
        if let name = kind.name { set(name) }
      case .block(let name, let layers):
        add(layers)
        setBlock(name)
      case .branches(let name, let branches, _):
        for branch in branches { add(branch) }
        operations += 1
        set(name)
      case .auxiliaryHead(_, let layers):
        // Nothing of it is there but in training.
        var left = NamedParts()
        left.add(layers)
        operations += left.operations
      }
    }
  }

  /// A block, and what it is a part of, whose last block it is so far.
  private mutating func setBlock(_ name: String) {
    var prefix = name[...]
    set(String(prefix))
    while let dot = prefix.lastIndex(of: ".") {
      prefix = prefix[..<dot]
      set(String(prefix))
    }
  }

  private mutating func set(_ name: String) {
    if values[name] == nil { order.append(name) }
    values[name] = operations
  }
}

extension LayerKind {
  /// Its name, where it has one of its own.
  var name: String? {
    switch self {
    case .convolution(let name, _, _, _, _, _, _), .batchNorm(let name, _), .whitening(let name, _),
      .squeezeExcitation(let name, _), .dense(let name, _, _, _), .sparseConvolution(let name, _, _),
      .subsampling(let name, _), .zeroPadding(let name, _, _, _), .join(let name, _):
      name
    case .relu, .scaledTanh, .luma, .maxPool, .averagePool, .averageWindows, .globalMaxPool, .flatten, .dropout,
      .dropPath, .scale:
      nil
    }
  }

  /// Whether what it gives at a place of the map depends on that place alone, or on a sum with another map.
  fileprivate var keepsPlaces: Bool {
    switch self {
    case .batchNorm, .relu, .scaledTanh, .join, .squeezeExcitation, .dropPath, .zeroPadding: true
    case .convolution, .sparseConvolution, .subsampling, .luma, .maxPool, .averagePool, .averageWindows,
      .globalMaxPool, .flatten, .dropout, .scale, .whitening, .dense:
      false
    }
  }
}

extension NetworkPlan {
  /// A value as features, one an image and channel: a map is averaged over its pixels.
  /// - Parameter tensor: the value, of N images.
  /// - Returns: [N, F].
  public func pooled(_ tensor: consuming Tensor, of value: LoweredPlan.Value, _ pool: ThreadPool) -> Tensor {
    let (shape, images) = (shape(of: value), tensor.shape[0])
    guard shape.height * shape.width > 1 else { return tensor.reshaped([images, shape.channels]) }
    return Ops(pool).averagePool(tensor, side: 1).reshaped([images, shape.channels])
  }
}
