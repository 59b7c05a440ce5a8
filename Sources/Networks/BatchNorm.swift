// Batch normalisation of each channel over the batch and all pixels.

import CKernels
import Tensors

/// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta (Ioffe and Szegedy 2015, algorithm 1).
///
/// In training, mean and (biased) variance are the batch's; the running statistics move towards the batch's mean and
/// unbiased variance by `momentum`, as in PyTorch. In inference the running statistics are used.
public final class BatchNorm: Layer {
  /// gamma and beta, [C].
  public let scale: Parameter
  public let shift: Parameter
  /// [C].
  public let runningMean: StateBuffer
  public let runningVariance: StateBuffer
  /// Training passes so far; only recorded, as PyTorch does.
  public var batchesTracked = 0

  public static let epsilon: Double = 1e-5
  public static let momentum: Double = 0.1

  public let name: String
  private var cache: Cache?

  private struct Cache {
    let input: Tensor
    let mean: [Float]
    let inverseDeviation: [Float]
  }

  public init(name: String, channels: Int) {
    self.name = name
    scale = Parameter(name: name + ".weight", role: .norm, value: Tensor([channels]) { _ in 1 })
    shift = Parameter(name: name + ".bias", role: .norm, value: Tensor(zeros: [channels]))
    runningMean = StateBuffer(name: name + ".running_mean", value: Tensor(zeros: [channels]))
    runningVariance = StateBuffer(name: name + ".running_var", value: Tensor([channels]) { _ in 1 })
  }

  public var parameters: [Parameter] { [scale, shift] }
  public var buffers: [StateBuffer] { [runningMean, runningVariance] }

  private var channels: Int { scale.value.count }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    switch pass.mode {
    case .inference:
      let mean = runningMean.value.values
      let inverse = runningVariance.value.values.map { Float(1 / (Double($0) + Self.epsilon).squareRoot()) }
      return affine(input, mean: mean, inverse: inverse, pass.workers)
    case .training:
      let moments = ChannelMoments(of: input, channels: channels, pass.workers)
      updateRunningStatistics(moments)
      let mean = moments.mean.map { Float($0) }
      let inverse = moments.variance.map { Float(1 / ($0 + Self.epsilon).squareRoot()) }
      let output = affine(input, mean: mean, inverse: inverse, pass.workers)
      cache = Cache(input: input, mean: mean, inverseDeviation: inverse)
      return output
    }
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let cache = used(&self.cache, by: name)
    let channels = channels
    let rows = cache.input.count / channels
    let (sumGradient, sumProduct) = backwardSums(outputGradient, cache, pass.workers)

    // dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy * xhat)), written as a * dy + b * x + d.
    var a = [Float](repeating: 0, count: channels)
    var b = a
    var d = a
    for c in 0..<channels {
      let inverse = Double(cache.inverseDeviation[c])
      let slope = Double(scale.value[c]) * inverse
      let curve = -slope * inverse * inverse * sumProduct[c] / Double(rows)
      a[c] = Float(slope)
      b[c] = Float(curve)
      d[c] = Float(-slope * sumGradient[c] / Double(rows) - curve * Double(cache.mean[c]))
      scale.gradient[c] = Float(sumProduct[c] * inverse)
      shift.gradient[c] = Float(sumGradient[c])
    }
    var gradient = outputGradient
    cache.input.read { x in
      gradient.write { dy in
        pass.workers.run(over: rows) { range in
          let start = range.lowerBound * channels
          ck_norm_backward_apply(dy + start, x + start, range.count, channels, a, b, d)
        }
      }
    }
    return gradient
  }

  /// The inference form: gamma * (x - mean) * inverse + beta as one multiply-add.
  private func affine(_ input: borrowing Tensor, mean: [Float], inverse: [Float], _ workers: WorkerPool) -> Tensor {
    let (channels, rows) = (channels, input.count / channels)
    let factors = (0..<channels).map { scale.value[$0] * inverse[$0] }
    let offsets = (0..<channels).map { shift.value[$0] - mean[$0] * factors[$0] }
    var output = Tensor(uninitialised: input.shape)
    input.read { x in
      output.write { y in
        workers.run(over: rows) { range in
          let start = range.lowerBound * channels
          ck_scale_shift(y + start, x + start, range.count, channels, factors, offsets)
        }
      }
    }
    return output
  }

  private func updateRunningStatistics(_ moments: ChannelMoments) {
    let momentum = Self.momentum
    let unbiased = Double(moments.rows) / Double(max(1, moments.rows - 1))
    for c in 0..<channels {
      runningMean.value[c] = Float((1 - momentum) * Double(runningMean.value[c]) + momentum * moments.mean[c])
      runningVariance.value[c] = Float(
        (1 - momentum) * Double(runningVariance.value[c]) + momentum * moments.variance[c] * unbiased)
    }
    batchesTracked += 1
  }

  /// Sums over rows of dy and of dy * (x - mean), a channel; floats within a block, doubles across blocks.
  private func backwardSums(
    _ gradient: Tensor, _ cache: Cache, _ workers: WorkerPool
  ) -> (gradient: [Double], product: [Double]) {
    let channels = channels
    let mean = cache.mean
    let sums = blockwiseSums(rows: gradient.count / channels, channels: channels, sums: 2, workers) {
      [x = cache.input] rows, sums in
      Tensor.read(gradient, x) { dy, x in
        let start = rows.lowerBound * channels
        ck_norm_backward_sums(dy + start, x + start, mean, rows.count, channels, sums, sums + channels)
      }
    }
    return (Array(sums[..<channels]), Array(sums[channels...]))
  }
}
