// The replicas of a rank that go through the network together, so that its batch norms see the whole batch: each has a
// network of its own, with its activations and its gradients.

import Datasets
import Images
import Messages
import Networks
import Ranks
import Tensors

/// A batch of a replica's.
struct PlacedBatch {
  var batch: Batch
  /// Its place in the step.
  var slot: Int
}

/// One round of a step: a batch of each replica, forwards and back.
final class ReplicasTogether {
  private let replicas: NetworkReplicas
  private let norms: ReplicaNorms
  private let block: Range<Int>
  private let rounds: Int
  private let keys: [ObjectIdentifier: Int]
  /// What is trained, for each replica.
  private let parameters: [[Parameter]]
  /// For each replica the gradients of its batches so far; empty where there were none.
  private var sums: [[Tensor]]
  /// What was counted in the step, in the order of the rounds.
  private var tallies: [BatchTally] = []
  private var isOpen = false

  /// - Parameters:
  ///   - network: that of the rank.
  ///   - make: another one that trains the same.
  ///   - waiting: told the seconds in which this rank waited for others.
  init(
    _ network: Network, _ settings: TrainingSettings, _ communicator: any Communicator, make: () -> Network,
    waiting: @escaping (Double) -> Void
  ) {
    let layout = ReplicaLayout(replicas: settings.replicaCount, ranks: communicator.size)
    block = layout.block(of: communicator.rank)
    rounds = settings.accumulate
    replicas = NetworkReplicas(of: network, count: block.count, make: make)
    norms = ReplicaNorms(communicator, replicas: layout.replicas, waiting: waiting)
    keys = Dictionary(
      uniqueKeysWithValues: network.trainedParameters.enumerated().map { (ObjectIdentifier($1), $0) })
    parameters = replicas.networks.map(\.trainedParameters)
    sums = Array(repeating: [], count: block.count)
  }

  /// What the loss makes of a replica's outputs.
  typealias Judge = (_ logits: Tensor, _ heads: [Tensor], _ batch: PlacedBatch, _ group: BatchGroup) -> (
    gradient: Tensor, heads: [Tensor], tally: BatchTally
  )

  /// - Parameters:
  ///   - batches: of this rank, one at most of each replica; those without images are only counted.
  ///   - isLast: whether it is the last round of the step: then gradients are added up as they come.
  ///   - probe: looks at the first replica that has images.
  ///   - pass: the one of a batch.
  ///   - left: called with the keys of parameters whose gradients were added up, in the last round.
  /// - Throws: `RankFailure`.
  func learn(
    _ batches: [PlacedBatch], isLast: Bool, probe: LayerProbe?, _ group: inout BatchGroup, _ ops: Ops,
    pass: (_ slot: Int) -> Pass, judge: Judge, left: (_ keys: [Int], _ group: BatchGroup) throws -> Void
  ) throws {
    if !isOpen { replicas.begin() }
    isOpen = true
    var placed = [PlacedBatch?](repeating: nil, count: block.count)
    for batch in batches {
      guard !batch.batch.items.isEmpty else {
        tallies.append(
          BatchTally(slot: batch.slot, images: 0, loss: 0, correct: 0, items: [], skipped: batch.batch.skipped))
        continue
      }
      placed[batch.slot / rounds - block.lowerBound] = batch
    }
    let passes = placed.map { pass($0?.slot ?? 0) }
    let images = placed.map { placed in
      placed.map { Tensor([$0.batch.labels.count, $0.batch.side, $0.batch.side, 3], $0.batch.images) }
    }
    let first = placed.firstIndex { $0 != nil }
    let network = replicas.networks[first ?? 0]
    let outputs = try network.probed(by: first == nil ? nil : probe) {
      try replicas.forward(images, passes, norms)
    }
    var gradients = [Tensor?](repeating: nil, count: block.count)
    var heads = [[Tensor]](repeating: [], count: block.count)
    for (place, output) in outputs.enumerated() {
      guard let output, let batch = placed[place] else { continue }
      let judged = judge(output.output, output.heads, batch, group)
      (gradients[place], heads[place]) = (judged.gradient, judged.heads)
      tallies.append(judged.tally)
    }
    let takesPart = placed.map { $0 != nil }
    if isLast { group.beginTogether(count: keys.count) }
    var isLeft = [Bool](repeating: !isLast, count: keys.count)
    func leave(_ keys: [Int]) throws {
      for key in keys {
        group.putTogether(takesPart.indices.map { gradient(key, of: $0, takesPart) }, key, ops)
        isLeft[key] = true
      }
      try left(keys, group)
    }
    try replicas.backward(
      gradients, heads: heads,
      leaving: { parameters in
        guard isLast else { return }
        try leave(parameters.compactMap { keys[ObjectIdentifier($0)] })
      }, passes, norms)
    let others = isLeft.indices.filter { !isLeft[$0] }
    if !others.isEmpty { try leave(others) }
    guard !isLast else { return }
    for place in takesPart.indices where takesPart[place] {
      let parameters = parameters[place]
      if sums[place].isEmpty {
        sums[place] = parameters.map { takenGradient($0) }
      } else {
        for (key, parameter) in parameters.enumerated() { ops.add(parameter.gradient, to: &sums[place][key]) }
      }
    }

    /// A replica's gradient in the whole step, zeros where it had no images.
    func gradient(_ key: Int, of place: Int, _ takesPart: [Bool]) -> Tensor {
      let parameter = parameters[place][key]
      guard takesPart[place] else {
        return sums[place].isEmpty ? Tensor(zeros: parameter.gradient.shape) : sums[place][key]
      }
      guard !sums[place].isEmpty else { return takenGradient(parameter) }
      ops.add(parameter.gradient, to: &sums[place][key])
      return sums[place][key]
    }
  }

  /// Takes a gradient away; what is fixed keeps one of zeros, which nobody writes.
  private func takenGradient(_ parameter: Parameter) -> Tensor {
    var gradient =
      parameter.isFixed ? Tensor(zeros: parameter.gradient.shape) : Tensor(uninitialized: parameter.gradient.shape)
    if parameter.isFixed { return gradient }
    swap(&gradient, &parameter.gradient)
    return gradient
  }

  /// What was counted in the step, in the order of its batches.
  func takeTallies() -> [BatchTally] {
    defer { tallies = [] }
    return tallies.sorted { $0.slot < $1.slot }
  }

  /// Ends the step: the weights may change.
  func end() {
    replicas.end()
    sums = Array(repeating: [], count: block.count)
    tallies = []
    isOpen = false
  }
}
