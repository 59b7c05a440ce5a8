// The naive twin of whole networks: reads a plan step by step and calls the naive layers. It shares with the program
// the plan alone, none of the code that runs it.

import Foundation
import Support
import Messages
import Networks
import Tensors

/// A plan with values for its parameters and running statistics, all in double precision.
struct NaiveNetwork {
  let layers: [LayerPlan]
  /// Parameters and buffers by name, in the program's inner order.
  var values: [String: NaiveTensor]
  var mode: Pass.Mode
  /// The batch norms that are frozen, or keep their statistics: they use the running statistics in training too.
  var frozenNorms: Set<String> = []
  /// The pass's seed, where dropout's choices come from.
  var seed: UInt64 = 0

  func forward(_ x: NaiveTensor) -> NaiveTensor { forwardWithHeads(x).output }

  func forwardWithHeads(_ x: NaiveTensor) -> (output: NaiveTensor, heads: [NaiveTensor]) {
    var (dropouts, heads) = (0, [NaiveTensor]())
    let output = run(layers, x, &dropouts, &heads)
    return (output, heads)
  }

  private func run(
    _ plans: [LayerPlan], _ x: NaiveTensor, _ dropouts: inout Int, _ heads: inout [NaiveTensor]
  ) -> NaiveTensor {
    var y = x
    for plan in plans {
      switch plan {
      case .layer(let kind): y = run(kind, y, &dropouts)
      case .block(_, let layers): y = run(layers, y, &dropouts, &heads)
      case .auxiliaryHead(_, let layers): heads.append(run(layers, y, &dropouts, &heads))
      case .branches(_, let branches, let join):
        let ends = branches.map { run($0, y, &dropouts, &heads) }
        switch join {
        case .addition: y = ends.dropFirst().reduce(ends[0], +)
        case .concatenation: y = Naive.concatenated(ends)
        }
      }
    }
    return y
  }

  private func run(_ kind: LayerKind, _ x: NaiveTensor, _ dropouts: inout Int) -> NaiveTensor {
    switch kind {
    case .convolution(let name, _, _, let stride, let padding, let bias, let groups):
      return Naive.convolution(
        x, weight: value(name + ".weight"), bias: bias ? value(name + ".bias") : nil, stride: stride,
        padding: (padding.height, padding.width), groups: groups)
    case .batchNorm(let name, let epsilon): return batchNorm(x, name, epsilon)
    case .sparseConvolution(let name, _, let sources):
      var weight = value(name + ".weight")
      let (inputs, outputs) = (weight.shape[2], weight.shape[3])
      for place in weight.values.indices where !sources[place % outputs].contains(place / outputs % inputs) {
        weight.values[place] = 0
      }
      return Naive.convolution(
        x, weight: weight, bias: value(name + ".bias"), stride: 1, padding: (0, 0))
    case .scaledTanh: return x.map { 1.7159 * tanh($0 * 2 / 3) }
    case .subsampling(let name, let kernel):
      return Naive.subsampling(x, weight: value(name + ".weight"), bias: value(name + ".bias"), kernel: kernel)
    case .luma: return Naive.luma(x)
    case .relu: return Naive.relu(x)
    case .maxPool(let kernel, let stride, let padding, let ceilMode):
      return Naive.maxPool(x, kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
    case .averagePool(let side): return Naive.averagePool(x, side: side)
    case .averageWindows(let side): return Naive.averageWindows(x, side: side)
    case .squeezeExcitation(let name, _):
      return Naive.squeezeExcitation(
        x, firstWeight: value(name + ".fc1.weight"), firstBias: value(name + ".fc1.bias"),
        secondWeight: value(name + ".fc2.weight"), secondBias: value(name + ".fc2.bias"))
    case .globalMaxPool: return Naive.globalMaxPool(x)
    case .scale(let factor): return x.map { $0 * factor }
    case .whitening(let name, _):
      return Naive.convolution(x, weight: value(name + ".weight"), bias: nil, stride: 1, padding: (0, 0))
    case .dropPath(let rate):
      dropouts += 1
      return mode == .training ? dropPath(x, rate, UInt64(dropouts)) : x
    case .flatten: return NaiveTensor([x.shape[0], x.shape.dropFirst().reduce(1, *)], x.values)
    case .dropout(let rate):
      dropouts += 1
      return mode == .training ? dropout(x, rate, UInt64(dropouts)) : x
    case .dense(let name, _, _, _):
      return Naive.dense(x, weight: value(name + ".weight"), bias: value(name + ".bias"))
    case .zeroPadding(_, let stride, let channels, let placement):
      return Naive.zeroPadded(
        x, stride: stride, channels: channels, before: placement == .split ? (channels - x.shape[3]) / 2 : 0)
    case .join(let name, _): preconditionFailure("'\(name)' joins without branches")
    }
  }

  private func batchNorm(_ x: NaiveTensor, _ name: String, _ epsilon: Double) -> NaiveTensor {
    let (scale, shift) = (value(name + ".weight"), value(name + ".bias"))
    switch frozenNorms.contains(name) ? .inference : mode {
    case .training:
      let (mean, variance) = Naive.moments(x)
      return Naive.batchNorm(x, scale: scale, shift: shift, mean: mean, variance: variance, epsilon: epsilon)
    case .inference, .explanation:
      return Naive.batchNorm(
        x, scale: scale, shift: shift, mean: value(name + ".running_mean").values,
        variance: value(name + ".running_var").values, epsilon: epsilon)
    }
  }

  private func dropout(_ x: NaiveTensor, _ rate: Double, _ ordinal: UInt64) -> NaiveTensor {
    var generator = RandomGenerator(seed, ordinal)
    return x.map { Double(generator.uniform()) < rate ? 0 : $0 / (1 - rate) }
  }

  private func dropPath(_ x: NaiveTensor, _ rate: Double, _ ordinal: UInt64) -> NaiveTensor {
    var generator = RandomGenerator(seed, ordinal, stableHash("drop path"))
    let image = x.values.count / x.shape[0]
    let isDropped = (0..<x.shape[0]).map { _ in Double(generator.uniform()) < rate }
    return NaiveTensor(
      x.shape, x.values.enumerated().map { isDropped[$0 / image] ? 0 : $1 / (1 - rate) })
  }

  private func value(_ name: String) -> NaiveTensor {
    guard let value = values[name] else { preconditionFailure("the plan has a '\(name)' that the network lacks") }
    return value
  }
}
