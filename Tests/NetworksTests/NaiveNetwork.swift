// The naive twin of whole networks: reads a plan step by step and calls the naive layers. It shares with the program
// the plan alone, none of the code that runs it.

import Messages
import Tensors

@testable import Networks

/// A plan with values for its parameters and running statistics, all in double precision.
struct NaiveNetwork {
  let layers: [LayerPlan]
  /// Parameters and buffers by name, in the program's inner order.
  var values: [String: NaiveTensor]
  var mode: Pass.Mode
  /// The pass's seed, where dropout's choices come from.
  var seed: UInt64 = 0

  func forward(_ x: NaiveTensor) -> NaiveTensor {
    var dropouts = 0
    return run(layers, x, &dropouts)
  }

  private func run(_ plans: [LayerPlan], _ x: NaiveTensor, _ dropouts: inout Int) -> NaiveTensor {
    var y = x
    for plan in plans {
      switch plan {
      case .convolution(let name, _, _, let stride, let padding, let bias):
        y = Naive.convolution(
          y, weight: value(name + ".weight"), bias: bias ? value(name + ".bias") : nil, stride: stride,
          padding: padding)
      case .batchNorm(let name): y = batchNorm(y, name)
      case .relu: y = Naive.relu(y)
      case .maxPool(let kernel, let stride, let padding):
        y = Naive.maxPool(y, kernel: kernel, stride: stride, padding: padding)
      case .averagePool(let side): y = Naive.averagePool(y, side: side)
      case .flatten: y.shape = [y.shape[0], y.shape.dropFirst().reduce(1, *)]
      case .dropout(let rate):
        dropouts += 1
        if mode == .training { y = dropout(y, rate, UInt64(dropouts)) }
      case .dense(let name, _, _, _):
        y = Naive.dense(y, weight: value(name + ".weight"), bias: value(name + ".bias"))
      case .residual(let block): y = residual(block, y, &dropouts)
      }
    }
    return y
  }

  private func residual(_ block: ResidualPlan, _ x: NaiveTensor, _ dropouts: inout Int) -> NaiveTensor {
    let activated = run(block.preActivation, x, &dropouts)
    let body = run(block.body, activated, &dropouts)
    let shortcut =
      switch block.shortcut {
      case .identity: x
      case .zeroPadding(let stride, let channels, let placement):
        Naive.zeroPadded(
          x, stride: stride, channels: channels, before: placement == .split ? (channels - x.shape[3]) / 2 : 0)
      // After an empty pre-activation this is the input itself.
      case .projection(let layers): run(layers, activated, &dropouts)
      }
    let sum = body + shortcut
    return block.activatesSum ? Naive.relu(sum) : sum
  }

  private func batchNorm(_ x: NaiveTensor, _ name: String) -> NaiveTensor {
    let (scale, shift) = (value(name + ".weight"), value(name + ".bias"))
    switch mode {
    case .training:
      let (mean, variance) = Naive.moments(x)
      return Naive.batchNorm(x, scale: scale, shift: shift, mean: mean, variance: variance)
    case .inference:
      return Naive.batchNorm(
        x, scale: scale, shift: shift, mean: value(name + ".running_mean").values,
        variance: value(name + ".running_var").values)
    }
  }

  private func dropout(_ x: NaiveTensor, _ rate: Double, _ ordinal: UInt64) -> NaiveTensor {
    var generator = RandomGenerator(seed, ordinal)
    return x.map { Double(generator.uniform()) < rate ? 0 : $0 / (1 - rate) }
  }

  private func value(_ name: String) -> NaiveTensor {
    guard let value = values[name] else { preconditionFailure("the plan has a '\(name)' that the network lacks") }
    return value
  }
}
