// What a network learns and what it keeps besides: named arrays that the optimizer, the checkpoint, the summary and
// the gradient tests all go through.

import Tensors

/// A learned array with its gradient.
public final class Parameter {
  /// What kind of array it is: decides initialization, weight decay and the order of dimensions in a file.
  public enum Role: Sendable, Equatable {
    /// Inner order [KH, KW, C, O]; in files [O, C, KH, KW].
    case convolutionWeight
    /// Inner order [H * W * C, O] for an input map [H, W, C]; in files [O, C * H * W].
    case denseWeight(map: [Int])
    case bias
    /// Batch norm's gamma or beta, or another factor of a channel's.
    case norm
  }

  /// The name in checkpoints: `layer1.0.conv1.weight`.
  public let name: String
  public let role: Role
  public var value: Tensor
  /// The loss's gradient by `value`, same shape; overwritten by each backward pass. Empty where it is not trained, and
  /// made when it is first asked for: a network that only runs forwards has none.
  public var gradient: Tensor {
    get {
      makeGradient()
      return keptGradient
    }
    // What is changed in place is not copied, as it would be between a getter and a setter.
    _modify {
      makeGradient()
      yield &keptGradient
    }
  }
  private var keptGradient = Tensor(uninitialized: [0])
  private var hasGradient = false

  private func makeGradient() {
    guard !hasGradient else { return }
    hasGradient = true
    if isTrained { keptGradient = Tensor(zeros: value.shape) }
  }

  /// Whether the layers around it are trained; else its value stays as it is.
  public internal(set) var isTrained = true {
    didSet { if isTrained != oldValue { (keptGradient, hasGradient) = (Tensor(uninitialized: [0]), false) } }
  }
  /// Multiplies the learning rate.
  public var rateFactor = 1.0
  /// A weight decay of its own that replaces the optimizer's; nil for the optimizer's.
  public let weightDecay: Double?
  /// Whether it never learns: its gradient stays zero and it has no weight decay, so that an optimizer leaves it as it
  /// is.
  public let isFixed: Bool

  public init(name: String, role: Role, value: Tensor, weightDecay: Double? = nil, isFixed: Bool = false) {
    self.name = name
    self.role = role
    self.value = value
    self.weightDecay = isFixed ? 0 : weightDecay
    self.isFixed = isFixed
  }

  /// Whether it is a batch norm's or a bias: the ones that may be spared weight decay.
  public var isNormOrBias: Bool { role == .norm || role == .bias }

  /// Whether it is a batch norm's shift.
  public var isNormBias: Bool { role == .norm && name.hasSuffix(".bias") }
}

/// State that is measured rather than learned: a batch norm's running mean or variance.
public final class StateBuffer {
  public let name: String
  public var value: Tensor

  public init(name: String, value: Tensor) {
    self.name = name
    self.value = value
  }
}

extension Parameter {
  /// The shape in files, in PyTorch's order.
  public var fileShape: [Int] {
    switch role {
    case .convolutionWeight: [value.shape[3], value.shape[2], value.shape[0], value.shape[1]]
    case .denseWeight: [value.shape[1], value.shape[0]]
    case .bias, .norm: value.shape
    }
  }

  /// Both weights are a matrix [places, C, O] inside and [O, C, places] in files, a place being a pixel of the kernel or of
  /// the map; nil for what has one order.
  private var extents: (outputs: Int, channels: Int, places: Int)? {
    let (places, channels): (Int, Int)
    switch role {
    case .convolutionWeight: (places, channels) = (value.shape[0] * value.shape[1], value.shape[2])
    case .denseWeight(let map): (places, channels) = (map[0] * map[1], map[2])
    case .bias, .norm: return nil
    }
    return (value.count / max(1, places * channels), channels, places)
  }

  /// An array of this shape, in the order of files.
  public func fileOrder(_ tensor: Tensor) -> [Float] {
    precondition(tensor.count == value.count, "\(name) has \(value.count) values, not \(tensor.count)")
    guard let extents else { return tensor.values }
    // The other way round it is the same exchange.
    return Tensor(
      [tensor.count], reversing: tensor.values, outputs: extents.places, channels: extents.channels,
      places: extents.outputs
    ).values
  }

  /// The inverse of `fileOrder`.
  /// - Parameter pool: whose threads share the work; nil for the caller's alone.
  public func innerOrder(_ values: [Float], _ pool: ThreadPool? = nil) -> Tensor {
    precondition(values.count == value.count, "\(name) has \(value.count) values, not \(values.count)")
    guard let extents else { return Tensor(value.shape, values) }
    return Tensor(
      value.shape, reversing: values, outputs: extents.outputs, channels: extents.channels, places: extents.places,
      pool)
  }
}
