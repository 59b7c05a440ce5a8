// Batch norm's forward pass with what usually follows it, the addition of a shortcut and the ReLU, in one trip through
// memory. The way back is in NormalizationGradient.

import CKernels

/// max(y, 0), or nothing, behind an operation.
public enum Activation: Sendable { case none, relu }

/// The normalization of each channel as one multiplication and one addition.
public struct FoldedBatchNorm: Sendable {
  /// [C]: y = x * foldedWeight + foldedBias.
  private(set) var foldedWeight: [Float]
  private(set) var foldedBias: [Float]
  private(set) var mean: [Float]
  /// 1 / sqrt(variance + epsilon)
  private(set) var rstd: [Float]

  public init(channels: Int) {
    foldedWeight = [Float](repeating: 0, count: channels)
    (foldedBias, mean, rstd) = (foldedWeight, foldedWeight, foldedWeight)
  }

  /// y = gamma * (x - mean) / sqrt(variance + epsilon) + beta
  /// - Parameters:
  ///   - mean, variance, weight, bias: [C]; the last two are gamma and beta.
  public mutating func set(
    mean: [Double], variance: [Double], epsilon: Double, weight: Tensor, bias: Tensor
  ) {
    Tensor.read(weight, bias) { weight, bias in
      for c in mean.indices {
        self.mean[c] = Float(mean[c])
        rstd[c] = Float(1 / (variance[c] + epsilon).squareRoot())
        foldedWeight[c] = weight[c] * rstd[c]
        foldedBias[c] = bias[c] - self.mean[c] * foldedWeight[c]
      }
    }
  }
}

extension FoldedBatchNorm {
  /// Calls `body` with weight and bias, [C].
  func withFolded<Result>(
    _ body: (_ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>) throws -> Result
  ) rethrows -> Result {
    try body(foldedWeight, foldedBias)
  }
}

/// By what the way back decides where the ReLU gave zero.
public enum ReLUZeros: Sendable {
  /// There was no ReLU.
  case nowhere
  /// By the input, with the same multiplication and addition as in the forward pass.
  case byInput
  /// By a bit an element, set where the output is positive: with an addend the input does not tell. `RowGroups` says
  /// whose bit is where.
  case byMask(PooledArray<UInt16>)
}

extension Ops {
  /// x = activation(x * foldedWeight + foldedBias + addend)
  /// - Parameters:
  ///   - x: [..., C].
  ///   - addend: of the same shape.
  public func normalize(
    _ x: inout Tensor, by map: FoldedBatchNorm, adding addend: Tensor?, _ activation: Activation
  ) {
    let cut = RowGroups(count: x.count, channels: map.mean.count)
    guard x.isUnique() else {
      var output = Tensor(uninitialized: x.shape)
      x.read { x in
        read(addend) { addend in output.write { apply(map, activation, cut, to: x, adding: addend, into: $0) } }
      }
      x = output
      return
    }
    read(addend) { addend in x.write { apply(map, activation, cut, to: $0, adding: addend, into: $0) } }
  }

  /// The same of an input that is kept for the way back.
  /// - Parameter addend: becomes the output, if nobody else has it, such as the output of a projection.
  public func normalize(
    keeping x: Tensor, by map: FoldedBatchNorm, adding addend: consuming Tensor?, _ activation: Activation
  ) -> (y: Tensor, zeros: ReLUZeros) {
    let cut = RowGroups(count: x.count, channels: map.mean.count)
    var output: Tensor
    guard var addend = consume addend else {
      output = Tensor(uninitialized: x.shape)
      x.read { x in output.write { apply(map, activation, cut, to: x, adding: nil, into: $0) } }
      return (output, activation == .relu ? .byInput : .nowhere)
    }
    let mask = activation == .relu ? PooledArray<UInt16>(uninitialized: cut.maskWords) : nil
    if addend.isUnique() {
      output = addend
      x.read { x in
        output.write { apply(map, activation, cut, to: x, adding: $0, into: $0, mask: mask) }
      }
    } else {
      output = Tensor(uninitialized: x.shape)
      Tensor.read(x, addend) { x, addend in
        output.write { apply(map, activation, cut, to: x, adding: addend, into: $0, mask: mask) }
      }
    }
    return (output, mask.map(ReLUZeros.byMask) ?? .nowhere)
  }

  /// One trip through memory: y = activation(x * foldedWeight + foldedBias + addend).
  private func apply(
    _ map: FoldedBatchNorm, _ activation: Activation, _ cut: RowGroups, to x: UnsafePointer<Float>,
    adding addend: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>, mask: PooledArray<UInt16>? = nil
  ) {
    let channels = map.mean.count
    let relu: Int32 = activation == .relu ? 1 : 0
    let isInPlace = UnsafePointer(y) == x || UnsafePointer(y) == addend
    let streaming: Int32 = !isInPlace && cut.total * channels >= Self.streamedCount ? 1 : 0
    pool.run(chunks: cut.chunks) { chunk in
      let rows = cut.rows(chunk)
      let start = rows.lowerBound * channels
      func apply(_ mask: UnsafeMutablePointer<UInt16>?) {
        ck_batchnorm_apply(
          y + start, x + start, addend.map { $0 + start }, rows.count, channels, map.foldedWeight, map.foldedBias,
          relu,
          mask, streaming)
      }
      guard let mask else { return apply(nil) }
      mask.withValues { apply($0 + cut.firstMaskWord(chunk)) }
    }
  }

  /// From so many floats on an output is written past the caches: it would have left them before it is read, and a
  /// line that is written in part has to be fetched first.
  private static let streamedCount = 4 << 20

  func read<Result>(_ a: Tensor?, _ body: (UnsafePointer<Float>?) throws -> Result) rethrows -> Result {
    guard let a else { return try body(nil) }
    return try a.read { try body($0) }
  }
}
