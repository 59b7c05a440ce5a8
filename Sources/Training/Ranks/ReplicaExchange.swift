// A step's gradients and running statistics, from the replicas of this rank to the sum over those of all. It says what
// goes together into a bucket and when it is there; GradientExchange sends and adds.

import Messages
import Networks
import Ranks
import Tensors

/// What goes to the other ranks of a step. While the last batch of a rank goes backwards, what a layer has left is on
/// its way already.
final class ReplicaExchange {
  private let exchange: GradientExchange
  /// The keys of the tensors of each bucket: places among the trained parameters, and behind them the statistics.
  private let buckets: [[Int]]
  private let keys: [ObjectIdentifier: Int]
  private let shapes: [[Int]]
  /// Of this rank.
  private let nodes: Int
  /// The next bucket to be begun.
  private var next = 0
  private var isReady: [Bool]

  /// - Returns: nil for a rank that is alone.
  init?(_ communicator: any Communicator, _ network: Network, _ settings: TrainingSettings) {
    guard communicator.size > 1 else { return nil }
    let layout = ReplicaLayout(replicas: settings.replicaCount, ranks: communicator.size)
    exchange = GradientExchange(communicator, replicas: layout.replicas)
    nodes = layout.tree.nodes(in: layout.block(of: communicator.rank)).count
    let parameters = network.trainedParameters
    // Those that replicas have in common, every rank has.
    let statistics = settings.syncsNorms ? [] : network.movingStatistics
    let keys = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { (ObjectIdentifier($1), $0) })
    shapes = parameters.map(\.value.shape) + statistics.map(\.value.shape)
    // Statistics are there before the way back begins.
    let order =
      Array(parameters.count..<shapes.count) + network.trainedBackwards.compactMap { keys[ObjectIdentifier($0)] }
    precondition(Set(order).count == shapes.count, "a parameter that the way back does not leave")
    self.keys = keys
    var buckets: [[Int]] = []
    var room = 0
    for key in order {
      let count = shapes[key].reduce(1, *)
      if room <= 0 {
        buckets.append([])
        room = GradientExchange.bucketSize
      }
      buckets[buckets.count - 1].append(key)
      room -= count
    }
    self.buckets = buckets
    isReady = Array(repeating: false, count: shapes.count)
  }

  /// The last backward pass that this rank has for the step.
  /// - Parameters:
  ///   - gradient, heads: as `Network.backward` takes them.
  ///   - group: the batches before it.
  /// - Throws: `RankFailure`.
  func backward(
    _ network: Network, _ gradient: consuming Tensor, heads: [Tensor], _ group: inout BatchGroup, _ pass: Pass
  ) throws(RankFailure) {
    group.beginLast(network, pass.ops)
    for key in keys.count..<shapes.count { isReady[key] = true }
    var failure: RankFailure?
    func leave(_ parameters: [Parameter]) {
      for parameter in parameters {
        guard let key = keys[ObjectIdentifier(parameter)] else { continue }
        group.addLast(parameter, key, pass.ops)
        isReady[key] = true
      }
      guard failure == nil else { return }
      do throws(RankFailure) {
        try beginReady(group, pass.ops)
        try exchange.poll()
      } catch { failure = error }
    }
    network.backward(gradient, heads: heads, leaving: leave, pass)
    if let failure { throw failure }
    for (key, parameter) in network.trainedParameters.enumerated() where !isReady[key] { leave([parameter]) }
    if let failure { throw failure }
  }

  private func beginReady(_ group: BatchGroup, _ ops: Ops) throws(RankFailure) {
    while next < buckets.count, buckets[next].allSatisfy({ isReady[$0] }) {
      next += 1
      let sum = group.replicaSum
      try exchange.begin(buckets[next - 1], { [nodes] in sum.tensors($0, count: nodes) }, ops)
    }
  }

  /// Begins what can be, where replicas go back together.
  /// - Parameters:
  ///   - keys: of parameters whose sums on this rank are there.
  ///   - group: has these sums.
  /// - Throws: `RankFailure`.
  func begin(_ keys: [Int], _ group: BatchGroup, _ ops: Ops) throws(RankFailure) {
    for key in keys { isReady[key] = true }
    try beginReady(group, ops)
    try exchange.poll()
  }

  /// Begins what was not begun on the way back.
  /// - Parameter group: the sums of this rank, which have ended.
  /// - Throws: `RankFailure`.
  func beginAll(_ group: BatchGroup, _ ops: Ops) throws(RankFailure) {
    isReady = Array(repeating: true, count: isReady.count)
    try beginReady(group, ops)
  }

  /// Waits for the sums over all replicas.
  /// - Parameter group: it gets the sums.
  /// - Throws: `RankFailure`.
  func end(_ group: inout BatchGroup, _ ops: Ops) throws(RankFailure) {
    var whole = shapes.map { Tensor(uninitialized: $0) }
    try exchange.end(ops) { key, fill in fill(&whole[key]) }
    group.take(whole)
    next = 0
    isReady = Array(repeating: false, count: isReady.count)
  }

  /// Seconds in which this rank waited for the sums since this was asked for.
  func takeWaiting() -> Double { exchange.takeWaiting() }
}
