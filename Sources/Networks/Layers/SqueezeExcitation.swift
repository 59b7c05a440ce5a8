// Channels weighed by what the whole map shows.

import Tensors

/// y[n, i, j, c] = x[n, i, j, c] * g[n, c] with g = sigmoid(relu(m * w1 + b1) * w2 + b2), where m[n, c] is the mean of
/// channel c over the map (Hu et al. 2017, arXiv:1709.01507, equations 2 to 4). In files both weights are 1x1
/// convolutions, `name.fc1` and `name.fc2`, as timm's.
///
/// Backwards, with dg[n, c] = sum over i, j of dy * x, and dm from dg on the way of the dense layers:
/// dx = dy * g + dm / (H * W).
public final class SqueezeExcitation: Layer {
  /// [1, 1, C, R] and [R].
  public let firstWeight: Parameter
  public let firstBias: Parameter
  /// [1, 1, R, C] and [C].
  public let secondWeight: Parameter
  public let secondBias: Parameter

  private let name: String
  private let channels: Int
  private let reduced: Int
  private var cache: Cache?

  private struct Cache {
    let input: Tensor
    /// [N, 1, 1, C]
    let means: Tensor
    /// [N, R], after the ReLU.
    let hidden: Tensor
    /// [N, C]
    let gates: Tensor
  }

  /// - Parameters:
  ///   - firstWeight: [1, 1, C, R].
  ///   - secondWeight: [1, 1, R, C].
  public init(name: String, firstWeight: Tensor, secondWeight: Tensor) {
    (channels, reduced) = (firstWeight.shape[2], firstWeight.shape[3])
    precondition(
      secondWeight.shape == [1, 1, reduced, channels], "\(name): \(firstWeight.shape) and \(secondWeight.shape)")
    self.name = name
    self.firstWeight = Parameter(name: name + ".fc1.weight", role: .convolutionWeight, value: firstWeight)
    firstBias = Parameter(name: name + ".fc1.bias", role: .bias, value: Tensor(zeros: [reduced]))
    self.secondWeight = Parameter(name: name + ".fc2.weight", role: .convolutionWeight, value: secondWeight)
    secondBias = Parameter(name: name + ".fc2.bias", role: .bias, value: Tensor(zeros: [channels]))
  }

  public var parameters: [Parameter] { [firstWeight, firstBias, secondWeight, secondBias] }

  /// As matrices, [C, R] and [R, C].
  private var first: Tensor { firstWeight.value.reshaped([channels, reduced]) }
  private var second: Tensor { secondWeight.value.reshaped([reduced, channels]) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let ops = pass.ops
    let means = ops.averagePool(input, side: 1)
    var hidden = ops.dense(means, first, firstBias.value)
    ops.relu(&hidden)
    var gates = ops.dense(hidden, second, secondBias.value)
    ops.sigmoid(&gates)
    if pass.goesBack {
      let output = ops.scaled(channels: input, by: gates)
      cache = Cache(input: input, means: means, hidden: hidden, gates: gates)
      return output
    }
    ops.scale(channels: &input, by: gates)
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let ops = pass.ops
    let cache = used(&cache, by: name)
    let pixels = cache.input.shape[1] * cache.input.shape[2]
    var gradient = ops.channelProducts(cache.input, outputGradient)
    ops.sigmoidGradient(&gradient, output: cache.gates)
    ops.sumColumns(of: gradient, into: &secondBias.gradient)
    setGradient(of: secondWeight, cache.hidden, gradient, ops)
    gradient = ops.denseInputGradient(gradient, second, inputShape: cache.hidden.shape)
    ops.reluGradient(&gradient, output: cache.hidden)
    ops.sumColumns(of: gradient, into: &firstBias.gradient)
    setGradient(of: firstWeight, cache.means, gradient, ops)
    gradient = ops.denseInputGradient(gradient, first, inputShape: cache.gates.shape)
    ops.scale(&gradient, by: 1 / Float(pixels))
    ops.scale(channels: &outputGradient, by: cache.gates, adding: gradient)
    return outputGradient
  }

  private func setGradient(of weight: Parameter, _ input: Tensor, _ outputGradient: Tensor, _ ops: Ops) {
    let (inputs, outputs) = (weight.value.shape[2], weight.value.shape[3])
    var gradient = Tensor(uninitialized: [0])
    // Taken out, so that it is changed where it is.
    swap(&gradient, &weight.gradient)
    gradient = gradient.reshaped([inputs, outputs])
    ops.denseWeightGradient(input, outputGradient, into: &gradient)
    weight.gradient = gradient.reshaped([1, 1, inputs, outputs])
  }
}
