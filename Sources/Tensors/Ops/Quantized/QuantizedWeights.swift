// Weights rounded to 8 bits, with a step for each output: what a quantized checkpoint keeps of a convolution.

/// weight[..., o] is values[..., o] * scales[o].
public struct QuantizedWeights: Sendable, Equatable {
  /// [KH, KW, C, O].
  public let shape: [Int]
  /// -127 ... 127, in the order of `shape`.
  public let values: [Int8]
  /// [O], above 0.
  public let scales: [Float]

  /// - Parameter values: as many as the shape holds.
  public init(shape: [Int], values: [Int8], scales: [Float]) {
    precondition(values.count == shape.reduce(1, *) && scales.count == shape.last, "numbers of another shape")
    (self.shape, self.values, self.scales) = (shape, values, scales)
  }

  /// The nearest: an output's largest weight becomes 127 steps.
  public init(_ weight: Tensor) {
    shape = weight.shape
    let outputs = weight.shape.last ?? 1
    let numbers = weight.values
    var largest = [Float](repeating: 0, count: outputs)
    for (index, number) in numbers.enumerated() {
      largest[index % outputs] = max(largest[index % outputs], abs(number))
    }
    // An output without weights has any step.
    let scales = largest.map { $0 > 0 ? max($0 / 127, .leastNormalMagnitude) : 1 }
    self.scales = scales
    values = numbers.enumerated().map { Self.byte($1, scale: scales[$0 % outputs]) }
  }

  /// With steps that are known, as of weights that bytes stand for.
  public init(_ weight: Tensor, scales: [Float]) {
    shape = weight.shape
    self.scales = scales
    values = weight.values.enumerated().map { Self.byte($1, scale: scales[$0 % scales.count]) }
  }

  /// The nearest number of steps to a weight.
  public static func byte(_ weight: Float, scale: Float) -> Int8 {
    Int8(max(-127, min(127, (weight / scale).rounded(.toNearestOrEven))))
  }

  /// The weights that they stand for.
  public var floats: Tensor {
    let outputs = scales.count
    return Tensor(shape) { Float(values[$0]) * scales[$0 % outputs] }
  }
}
