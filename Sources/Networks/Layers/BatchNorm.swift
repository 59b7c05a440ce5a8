// Batch normalisation of each channel over the batch and all pixels, with what usually follows it: the addition of a
// shortcut and the ReLU. Those cost nothing here, where the numbers pass anyway. The backward pass is in
// BatchNorm+Backward.

import CKernels
import Tensors

/// y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta + addend) (Ioffe and Szegedy 2015, algorithm 1).
///
/// In training, mean and (biased) variance are the batch's; the running statistics move towards the batch's mean and
/// unbiased variance by `momentum`, as in PyTorch. In inference the running statistics are used.
public final class BatchNorm: Layer {
  public enum Activation: Sendable {
    case none
    /// max(y, 0)
    case relu
  }

  /// gamma and beta, [C].
  public let scale: Parameter
  public let shift: Parameter
  /// [C].
  public let runningMean: StateBuffer
  public let runningVariance: StateBuffer
  /// Training passes so far; only recorded, as PyTorch does.
  public var batchesTracked = 0
  public let activation: Activation

  public static let epsilon: Double = 1e-5
  public static let momentum: Double = 0.1

  public let name: String
  /// The batch's. The layer before may gather them while its output is in cache; else they are measured.
  let moments: ChannelMoments
  var cache: Cache?
  /// As the last training pass had it: its backward pass decides by it where the ReLU gave zero.
  private(set) var normalisation: Normalisation
  /// What the backward pass works with, kept so that nothing is allocated.
  var slopes: GradientMap

  /// What the backward pass needs besides the map.
  struct Cache {
    var input: Tensor
    let sum: Sum

    enum Sum {
      /// Nothing was added; where the ReLU gave zero can be seen from the input.
      case none
      case added
      /// A bit an element, set where the output is positive: `RowGroups` says whose is where.
      case activated(PooledArray<UInt16>)
    }
  }

  public init(name: String, channels: Int, activation: Activation = .none) {
    self.name = name
    self.activation = activation
    scale = Parameter(name: name + ".weight", role: .norm, value: Tensor([channels]) { _ in 1 })
    shift = Parameter(name: name + ".bias", role: .norm, value: Tensor(zeros: [channels]))
    runningMean = StateBuffer(name: name + ".running_mean", value: Tensor(zeros: [channels]))
    runningVariance = StateBuffer(name: name + ".running_var", value: Tensor([channels]) { _ in 1 })
    moments = ChannelMoments(channels: channels)
    normalisation = Normalisation(channels: channels)
    slopes = GradientMap(channels: channels)
  }

  public var parameters: [Parameter] { [scale, shift] }
  public var buffers: [StateBuffer] { [runningMean, runningVariance] }

  var channels: Int { moments.channels }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor { forward(input, adding: nil, pass) }

  /// - Parameters:
  ///   - input: [..., C].
  ///   - addend: same shape; what a shortcut carries.
  func forward(_ input: consuming Tensor, adding addend: consuming Tensor?, _ pass: Pass) -> Tensor {
    switch pass.mode {
    case .inference:
      var map = Normalisation(channels: channels)
      map.set(
        mean: runningMean.value.values.map(Double.init), variance: runningVariance.value.values.map(Double.init),
        scale.value, shift.value)
      return output(of: &input, adding: addend, by: map, pass.workers)
    case .training:
      if moments.rows * channels != input.count { moments.measure(input, pass.workers) }
      updateRunningStatistics()
      normalisation.set(mean: moments.mean, variance: moments.variance, scale.value, shift.value)
      moments.markUsed()
      return trainingOutput(of: input, adding: addend, pass.workers)
    }
  }

  private func updateRunningStatistics() {
    let momentum = Self.momentum
    let unbiased = Double(moments.rows) / Double(max(1, moments.rows - 1))
    let (mean, variance) = (moments.mean, moments.variance)
    runningMean.value.write {
      for c in mean.indices { $0[c] = Float((1 - momentum) * Double($0[c]) + momentum * mean[c]) }
    }
    runningVariance.value.write {
      for c in variance.indices {
        $0[c] = Float((1 - momentum) * Double($0[c]) + momentum * variance[c] * unbiased)
      }
    }
    batchesTracked += 1
  }

  /// In inference, where the input is not needed any more.
  private func output(
    of input: inout Tensor, adding addend: Tensor?, by map: Normalisation, _ workers: WorkerPool
  ) -> Tensor {
    let cut = RowGroups(count: input.count, channels: channels)
    guard input.isUnique() else {
      var output = Tensor(uninitialised: input.shape)
      Self.read(input, addend) { x, addend in
        output.write { apply(map, cut, to: x, adding: addend, into: $0, workers) }
      }
      return output
    }
    Self.read(addend) { addend in
      input.write { apply(map, cut, to: $0, adding: addend, into: $0, workers) }
    }
    return input
  }

  /// Keeps the input, and what tells where the ReLU gave zero.
  private func trainingOutput(
    of input: consuming Tensor, adding addend: consuming Tensor?, _ workers: WorkerPool
  ) -> Tensor {
    let cut = RowGroups(count: input.count, channels: channels)
    var sum = Cache.Sum.none
    var mask: PooledArray<UInt16>?
    var output: Tensor
    if var addend = consume addend {
      sum = .added
      if activation == .relu {
        let bits = PooledArray<UInt16>(uninitialised: cut.maskWords)
        sum = .activated(bits)
        mask = bits
      }
      // What nobody else needs, such as the output of a projection, becomes the sum.
      if addend.isUnique() {
        output = addend
        input.read { x in
          output.write { apply(normalisation, cut, to: x, adding: $0, into: $0, mask: mask, workers) }
        }
      } else {
        output = Tensor(uninitialised: input.shape)
        Tensor.read(input, addend) { x, addend in
          output.write { apply(normalisation, cut, to: x, adding: addend, into: $0, mask: mask, workers) }
        }
      }
    } else {
      output = Tensor(uninitialised: input.shape)
      input.read { x in
        output.write { apply(normalisation, cut, to: x, adding: nil, into: $0, workers) }
      }
    }
    cache = Cache(input: input, sum: sum)
    return output
  }

  /// One trip through memory: y = activation(x * factors + offsets + addend).
  private func apply(
    _ map: Normalisation, _ cut: RowGroups, to x: UnsafePointer<Float>, adding addend: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>, mask: PooledArray<UInt16>? = nil, _ workers: WorkerPool
  ) {
    let channels = channels
    let relu: Int32 = activation == .relu ? 1 : 0
    let isInPlace = UnsafePointer(y) == x || UnsafePointer(y) == addend
    let streaming: Int32 = !isInPlace && cut.total * channels >= Self.streamedCount ? 1 : 0
    workers.run(shards: cut.shards) { shard in
      let rows = cut.rows(shard)
      let start = rows.lowerBound * channels
      func apply(_ mask: UnsafeMutablePointer<UInt16>?) {
        ck_norm_apply(
          y + start, x + start, addend.map { $0 + start }, rows.count, channels, map.factors, map.offsets, relu,
          mask, streaming)
      }
      guard let mask else { return apply(nil) }
      mask.withValues { apply($0 + cut.firstMaskWord(shard)) }
    }
  }

  /// From so many floats on an output is written past the caches: it would have left them before it is read, and a
  /// line that is written in part has to be fetched first.
  private static let streamedCount = 4 << 20

  static func read<Result>(_ a: Tensor?, _ body: (UnsafePointer<Float>?) throws -> Result) rethrows -> Result {
    guard let a else { return try body(nil) }
    return try a.read { try body($0) }
  }

  private static func read<Result>(
    _ a: Tensor, _ b: Tensor?, _ body: (UnsafePointer<Float>, UnsafePointer<Float>?) throws -> Result
  ) rethrows -> Result {
    try a.read { a in try read(b) { b in try body(a, b) } }
  }
}

/// The normalisation of each channel as one multiplication and one addition.
struct Normalisation {
  /// [C]: y = x * factors + offsets.
  private(set) var factors: [Float]
  private(set) var offsets: [Float]
  private(set) var mean: [Float]
  /// 1 / sqrt(variance + epsilon)
  private(set) var inverseDeviation: [Float]

  init(channels: Int) {
    factors = [Float](repeating: 0, count: channels)
    (offsets, mean, inverseDeviation) = (factors, factors, factors)
  }

  /// All [C].
  mutating func set(mean: [Double], variance: [Double], _ scale: Tensor, _ shift: Tensor) {
    Tensor.read(scale, shift) { scale, shift in
      for c in mean.indices {
        self.mean[c] = Float(mean[c])
        inverseDeviation[c] = Float(1 / (variance[c] + BatchNorm.epsilon).squareRoot())
        factors[c] = scale[c] * inverseDeviation[c]
        offsets[c] = shift[c] - self.mean[c] * factors[c]
      }
    }
  }
}
