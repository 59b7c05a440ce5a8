// Batch normalization of each channel over the batch and all pixels, with what usually follows it: the addition of a
// shortcut and the ReLU. Those cost nothing here, where the numbers pass anyway.

import Tensors

/// y = activation(gamma * (x - mean) / sqrt(variance + epsilon) + beta + addend) (Ioffe and Szegedy 2015, algorithm 1).
///
/// In training, mean and (biased) variance are the batch's; the running statistics move toward the batch's mean and
/// unbiased variance by `momentum`, as in PyTorch. In inference the running statistics are used, and where they are kept
/// in training too: then y is an affine function of x, whose slope does not depend on the batch.
public final class BatchNorm: Layer {
  /// gamma and beta, [C].
  public let weight: Parameter
  public let bias: Parameter
  /// [C].
  public let runningMean: StateBuffer
  public let runningVariance: StateBuffer
  /// Training passes so far; only recorded, as PyTorch does.
  public var batchesTracked = 0
  public let activation: Activation
  /// Added to the variance.
  public let epsilon: Double
  /// Whether it normalizes by the running statistics in training too, and leaves them as they are.
  public var keepsStatistics = false

  /// PyTorch's, where a network has no other.
  public static let epsilon: Double = 1e-5
  public static let momentum: Double = 0.1

  public let name: String
  /// The batch's. The layer before may gather them while its output is in cache; else they are measured.
  let moments: ChannelMoments
  private var cache: Cache?
  /// As the last training pass had it.
  private var normalization: FoldedBatchNorm
  private var slopes: GradientMap
  /// What it is to normalize by in the next pass, and its way back, where other parts of the batch go through networks
  /// of their own; see `NetworkReplicas`.
  private var wholeMoments: MomentSum?
  private var wholeGradients: NormGradientSum?
  /// Whether the sums of the way back have been taken.
  private var hasSums = false

  /// What the backward pass needs besides the map.
  private struct Cache {
    var input: Tensor
    let zeros: ReLUZeros
    /// Whether the pass added something.
    let adds: Bool
  }

  public init(
    name: String, channels: Int, activation: Activation = .none, epsilon: Double = BatchNorm.epsilon
  ) {
    self.name = name
    self.epsilon = epsilon
    self.activation = activation
    weight = Parameter(name: name + ".weight", role: .norm, value: Tensor([channels]) { _ in 1 })
    bias = Parameter(name: name + ".bias", role: .norm, value: Tensor(zeros: [channels]))
    runningMean = StateBuffer(name: name + ".running_mean", value: Tensor(zeros: [channels]))
    runningVariance = StateBuffer(name: name + ".running_var", value: Tensor([channels]) { _ in 1 })
    moments = ChannelMoments(channels: channels)
    normalization = FoldedBatchNorm(channels: channels)
    slopes = GradientMap(channels: channels)
  }

  public var parameters: [Parameter] { [weight, bias] }
  public var buffers: [StateBuffer] { [runningMean, runningVariance] }

  var channels: Int { moments.channels }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor { forward(input, adding: nil, pass) }

  /// - Parameters:
  ///   - input: [..., C].
  ///   - addend: same shape; what a shortcut carries.
  func forward(_ input: consuming Tensor, adding addend: consuming Tensor?, _ pass: Pass) -> Tensor {
    switch pass.mode {
    case .inference, .explanation:
      pass.ops.normalize(&input, by: runningNormalization, adding: addend, activation)
      return input
    case .training:
      if keepsStatistics { return forwardKeepingStatistics(input, adding: addend, pass) }
      if let whole = wholeMoments.take() {
        normalization.set(
          mean: whole.mean, variance: whole.variance, epsilon: epsilon, weight: weight.value, bias: bias.value)
      } else {
        if moments.rows * channels != input.count { pass.ops.measure(input, into: moments) }
        pass.ops.moveRunning(
          mean: &runningMean.value, variance: &runningVariance.value, by: Self.momentum, toward: moments)
        batchesTracked += 1
        normalization.set(
          mean: moments.mean, variance: moments.variance, epsilon: epsilon, weight: weight.value,
          bias: bias.value)
      }
      moments.markUsed()
      let adds = addend != nil
      let (output, zeros) = pass.ops.normalize(
        keeping: input, by: normalization, adding: consume addend, activation)
      cache = Cache(input: input, zeros: zeros, adds: adds)
      return output
    }
  }

  /// As the last pass had it.
  func lastNormalization(_ pass: Pass) -> FoldedBatchNorm {
    pass.mode == .training ? normalization : runningNormalization
  }

  /// By the running statistics.
  var runningNormalization: FoldedBatchNorm {
    var map = FoldedBatchNorm(channels: channels)
    map.set(
      mean: runningMean.value.values.map(Double.init), variance: runningVariance.value.values.map(Double.init),
      epsilon: epsilon, weight: weight.value, bias: bias.value)
    return map
  }

  /// An inference pass together with that of the convolution before, whose output nobody else reads.
  /// - Parameter input: the convolution's.
  func forward(
    convolvedBy convolution: Convolution, _ input: consuming Tensor, adding addend: consuming Tensor?, _ pass: Pass
  ) -> Tensor {
    convolution.forward(input, finishing: runningNormalization, adding: addend, activation, pass)
  }

  private func forwardKeepingStatistics(
    _ input: consuming Tensor, adding addend: consuming Tensor?, _ pass: Pass
  ) -> Tensor {
    normalization = runningNormalization
    // The convolution may have gathered them all the same.
    moments.markUsed()
    let adds = addend != nil
    let (output, zeros) = pass.ops.normalize(keeping: input, by: normalization, adding: consume addend, activation)
    cache = Cache(input: input, zeros: zeros, adds: adds)
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    setInputGradient(&outputGradient, adding: nil, pass)
    return outputGradient
  }

  public func backward(
    _ outputGradient: consuming Tensor, adding skipGradient: consuming Tensor, _ pass: Pass
  ) -> Tensor {
    setInputGradient(&outputGradient, adding: skipGradient, pass)
    return outputGradient
  }

  /// The gradient by the output becomes that by the input, plus `skipGradient`.
  private func setInputGradient(_ gradient: inout Tensor, adding skipGradient: Tensor?, _ pass: Pass) {
    let cache = used(&cache, by: name)
    precondition(!cache.adds, "\(name) has added something")
    setParameterGradients(&gradient, cache, pass)
    pass.ops.normInputGradient(&gradient, cache.input, normalization, slopes, cache.zeros, adding: skipGradient)
  }

  /// The way back of a pass that added something.
  /// - Returns: the gradients by input and addend.
  func backwardOfSum(
    _ outputGradient: consuming Tensor, _ pass: Pass
  ) -> (input: Tensor, addend: Tensor) {
    var cache = used(&cache, by: name)
    precondition(cache.adds, "\(name) has added nothing")
    setParameterGradients(&outputGradient, cache, pass)
    // The gradient goes on to the addend; the input is not needed any more, so its own gradient takes its place.
    pass.ops.normInputGradient(of: outputGradient, inPlaceOf: &cache.input, normalization, slopes)
    return (cache.input, outputGradient)
  }

  /// Sets them, and the slopes of the gradient by the input. Where a mask says what the ReLU let through, only that is
  /// left of the gradient.
  private func setParameterGradients(_ gradient: inout Tensor, _ cache: Cache, _ pass: Pass) {
    if hasSums {
      hasSums = false
    } else {
      pass.ops.sumNormGradients(
        &gradient, cache.input, normalization, cache.zeros, weight: weight.value, into: &slopes)
    }
    if keepsStatistics { slopes.setForGivenStatistics() }
    if let whole = wholeGradients.take() { slopes.set(whole: whole, normalization, weight: weight.value) }
    slopes.setGradients(weight: &weight.gradient, bias: &bias.gradient, normalization)
  }

  // MARK: Parts of a batch

  /// Whether it normalizes by what it measures, so that it can do so by what others measure too.
  var measures: Bool { !keepsStatistics && weight.isTrained }

  /// The moments of what its next training pass is given.
  func moments(of input: Tensor, _ pass: Pass) -> MomentSum {
    if moments.rows * channels != input.count { pass.ops.measure(input, into: moments) }
    return moments.sum
  }

  /// Has the next training pass normalize by the moments of all parts of the batch; running statistics stay as they are.
  func normalize(by whole: MomentSum) { wholeMoments = whole }

  /// Counts a training pass of all parts, of which the running statistics follow the moments.
  func follow(_ whole: MomentSum, _ pass: Pass) {
    guard whole.rows > 0 else { return }
    pass.ops.moveRunning(
      mean: &runningMean.value, variance: &runningVariance.value, by: Self.momentum, toward: whole)
    batchesTracked += 1
  }

  /// The sums that its next way back is made with.
  /// - Parameter gradient: which that way back is given then.
  func sums(of gradient: inout Tensor, _ pass: Pass) -> NormGradientSum {
    guard let cache else { preconditionFailure("backward of \(name) without a training pass before it") }
    pass.ops.sumNormGradients(
      &gradient, cache.input, normalization, cache.zeros, weight: weight.value, into: &slopes)
    hasSums = true
    return slopes.sum
  }

  /// Has the next way back go by the sums of all parts.
  func goBack(by whole: NormGradientSum) { wholeGradients = whole }
}
