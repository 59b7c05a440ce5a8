// What looks on while a network runs: of each layer's output, mean, std, dead channels and a histogram; of each sum, how
// large its two branches are. It reads values where they are, keeps none of them and changes nothing.

import Messages
import Tensors

/// Measures the values of a pass (`Network.probed`); after several passes it has the last one's.
public final class LayerProbe {
  /// By the row of the summary.
  public private(set) var activations: [Int: LayerActivations] = [:]
  /// By the row of the sum.
  public private(set) var balances: [Int: ResidualBalance] = [:]

  public init() {}

  /// What comes out of a row.
  func take(_ output: Tensor, row: Int, isRectified: Bool, _ ops: Ops) {
    let channels = output.shape.last ?? 1
    let numbers = ops.statistics(of: output, channels: channels)
    activations[row] = LayerActivations(
      mean: numbers.mean, std: numbers.std, channels: channels, dead: isRectified ? numbers.zeroChannels : nil,
      histogram: ops.histogram(of: output, numbers), nonFinite: numbers.nonFinite)
  }

  /// Two branches before they are added, the first of them before it is normalized.
  struct Parts {
    fileprivate var normalized: ChannelStatistics
    fileprivate var addedSquares: Double
  }

  func parts(normalized: Tensor, added: Tensor, channels: Int, _ ops: Ops) -> Parts {
    Parts(
      normalized: ops.statistics(of: normalized, channels: channels), addedSquares: ops.sumOfSquares(added))
  }

  /// - Parameter step: the sum, and whether what is normalized is the block's body.
  func take(_ parts: Parts, normalizedBy map: FoldedBatchNorm, step: (operation: Int, beginsWithBody: Bool)) {
    // A number that is not finite was left out of the sums; what it adds up to is not finite either.
    let squares = parts.normalized.nonFinite > 0 ? .nan : max(0, map.sumOfSquares(normalizing: parts.normalized))
    let (normalized, added) = (squares.squareRoot(), parts.addedSquares.squareRoot())
    balances[step.operation] =
      step.beginsWithBody
      ? ResidualBalance(shortcut: added, residual: normalized)
      : ResidualBalance(shortcut: normalized, residual: added)
  }

  /// Two branches as they are added; the first is the block's body.
  func take(
    first: Tensor, second: Tensor, step: (operation: Int, beginsWithBody: Bool), _ ops: Ops
  ) {
    balances[step.operation] = ResidualBalance(
      shortcut: ops.sumOfSquares(second).squareRoot(), residual: ops.sumOfSquares(first).squareRoot())
  }
}

extension Ops {
  /// Over all of a tensor's finite values; nil where there are none.
  func histogram(of x: Tensor, _ numbers: ChannelStatistics) -> LayerHistogram? {
    guard let bounds = numbers.bounds else { return nil }
    return LayerHistogram(
      low: bounds.lowerBound, high: bounds.upperBound,
      counts: histogram(of: x, over: bounds, bins: LayerHistogram.bins))
  }
}

extension Network {
  /// The rows of the summary that have parameters.
  public var rowsWithParameters: [Int] {
    plan.lowered.operations.indices.filter { !parameters(ofRow: $0).isEmpty }
  }

  /// Norm and histogram of a row's parameters as they are; nil for a row without any.
  public func weights(ofRow row: Int, _ pool: ThreadPool) -> LayerWeights? {
    let parameters = parameters(ofRow: row)
    guard let first = parameters.first else { return nil }
    let ops = Ops(pool)
    let numbers = parameters.map { ops.statistics(of: $0.value, channels: $0.value.shape.last ?? 1) }
    return LayerWeights(
      norm: numbers.reduce(0) { $0 + $1.squares.reduce(0, +) }.squareRoot(),
      histogram: ops.histogram(of: first.value, numbers[0]), nonFinite: numbers.reduce(0) { $0 + $1.nonFinite },
      isTrained: parameters.contains { $0.isTrained && !$0.isFixed })
  }

  /// The measures of all rows of which anything is known, in order.
  /// - Parameters:
  ///   - probe: what has looked on while images went through.
  ///   - change: completes what is known of a row's parameters.
  public func measures(
    _ probe: LayerProbe, _ pool: ThreadPool, change: (_ row: Int, inout LayerWeights) -> Void = { _, _ in }
  ) -> [LayerMeasure] {
    plan.measureNames.enumerated().compactMap { row, name in
      var weights = weights(ofRow: row, pool)
      if var known = weights {
        change(row, &known)
        weights = known
      }
      let (activations, balance) = (probe.activations[row], probe.balances[row])
      if weights == nil, activations == nil, balance == nil { return nil }
      return LayerMeasure(row: row, name: name, weights: weights, activations: activations, balance: balance)
    }
  }
}
