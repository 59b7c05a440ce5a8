// The batches that one step is taken for: their gradients added up, and what is counted of them. Without accumulation
// and replicas a group is one batch, and its gradient is left as it is.

import Datasets
import Messages
import Networks
import Tensors

/// Gradient accumulation: a step by the mean gradient over all images of several batches, with the memory of one batch
/// and one more gradient, or a few more with replicas.
///
/// Batch norm sees each batch by itself. A batch counts by its images, so a group with a smaller one, or one of fewer
/// batches at an epoch's end, has the mean over its images too.
///
/// With replicas, each of them takes its batches one after the other, from the running statistics that were there before
/// the step, and leaves statistics of its own. Gradients are added in each replica batch by batch, and over the replicas
/// in the order of `ReplicaTree`. So are the statistics, whose mean over the replicas that had images is what remains.
struct BatchGroup {
  /// Batches of a whole group.
  let size: Int
  /// Images of a full batch.
  private let batchSize: Int
  /// Batches of each replica.
  private let rounds: Int
  /// The replicas that are computed here.
  private let block: Range<Int>
  private let replicas: Int
  /// Whether the replicas have their running statistics in common; else each has its own.
  private let syncsNorms: Bool

  /// Those that were computed here.
  private(set) var batches = 0
  /// What is counted of them; before a step that is taken on several ranks, of those of all.
  private(set) var tally = StepTally()
  /// The last batch's number in the epoch.
  private(set) var lastBatch = 0
  /// Seconds in which its batches were waited for.
  private(set) var waiting = 0.0
  /// When its first batch was asked for.
  private(set) var start: ContinuousClock.Instant?
  /// The running statistics before its first batch.
  private var statistics: RunningStatistics?
  /// The gradients of the batches so far, of a replica's where there are several; their memory takes turns with the
  /// parameters'.
  private var sums: [Tensor] = []
  /// The replica whose batches these are; nil where none was computed since the last one was over.
  private var replica: Int?
  private(set) var replicaSum: ReplicaSum
  /// Whether the gradients of the last batch of this rank have been added one by one.
  private var isAddedUp = false
  /// The sum over all replicas of the running statistics that they leave.
  private var statisticsSum: [Tensor] = []

  /// - Parameter rank: whose replicas it is for.
  init(_ settings: TrainingSettings, rank: Int = 0, of ranks: Int = 1) {
    let layout = ReplicaLayout(replicas: settings.replicaCount, ranks: ranks)
    (rounds, batchSize, replicas) = (settings.accumulate, settings.partSize, layout.replicas)
    syncsNorms = settings.syncsNorms
    size = rounds * replicas
    block = layout.block(of: rank)
    replicaSum = ReplicaSum(layout.tree)
  }

  var isEmpty: Bool { batches == 0 }
  var isWhole: Bool { batches == size }
  private var hasReplicas: Bool { replicas > 1 }

  var images: Int { tally.images }
  var skipped: Int { tally.skippedCount }
  /// Of its images, by their places among the training images.
  var items: [Int] { tally.items }

  /// The mean over its images, nats.
  var loss: Double { tally.loss }

  /// What its gradient is to be multiplied by: batches were weighted by a full one.
  var gradientScale: Double { size == 1 ? 1 : Double(batchSize) / Double(max(1, images)) }

  /// Begins a step with replicas, whose batches have their places.
  mutating func open(_ step: StepBatches, of network: Network, startedAt start: ContinuousClock.Instant) {
    self.start = start
    statistics = RunningStatistics(of: network)
    lastBatch = step.range.upperBound - 1
  }

  /// Called before a batch goes forwards.
  mutating func begin(
    _ batch: Batch, slot: Int, of network: Network, startedAt start: ContinuousClock.Instant, _ ops: Ops
  ) {
    guard hasReplicas else {
      if isEmpty {
        self.start = start
        statistics = RunningStatistics(of: network)
      }
      lastBatch = batch.index
      return
    }
    let own = slot / rounds
    if own != replica {
      endReplica(network, ops)
      statistics?.restore(to: network)
      replica = own
    }
  }

  /// Whether a batch is of the last of the replicas that are computed here.
  func endsBlock(_ slot: Int) -> Bool { slot / rounds == block.upperBound - 1 }

  /// Weights the gradient of a batch's mean loss by its images.
  func weighted(_ lossGradient: consuming Tensor, images: Int, _ ops: Ops) -> Tensor {
    if size > 1, images != batchSize { ops.scale(&lossGradient, by: Float(images) / Float(batchSize)) }
    return lossGradient
  }

  /// Takes the gradients that the batch left in the network.
  mutating func add(_ network: Network, _ batch: BatchTally, waiting: Double, _ ops: Ops) {
    batches += 1
    count(batch, waiting: waiting)
    guard size > 1 else { return }
    let isFirst = sums.isEmpty || (!hasReplicas && batches == 1)
    // What is fixed has a gradient of zeros that nobody writes.
    if sums.isEmpty {
      sums = network.trainedParameters.map {
        $0.isFixed ? Tensor(zeros: $0.gradient.shape) : Tensor(uninitialized: $0.gradient.shape)
      }
    }
    for (index, parameter) in network.trainedParameters.enumerated() {
      if isFirst {
        swap(&sums[index], &parameter.gradient)
      } else {
        ops.add(parameter.gradient, to: &sums[index])
      }
    }
  }

  /// Counts the last batch that this rank computes for a step, whose gradients come one by one, in `addLast`; the
  /// statistics are there.
  mutating func beginLast(_ network: Network, _ ops: Ops) {
    guard let replica else { preconditionFailure("a last batch that was not begun") }
    addAbsent(before: replica, network, ops)
    let (gradients, statistics) = (network.trainedParameters.count, network.movingStatistics)
    replicaSum.beginLast(replica, count: gradients + statistics.count)
    for (index, buffer) in statistics.enumerated() { replicaSum.putLast(buffer.value, gradients + index, ops) }
    isAddedUp = true
  }

  /// Takes the gradient of a parameter that the last batch left in the network.
  /// - Parameter key: the parameter's place among those that are trained.
  mutating func addLast(_ parameter: Parameter, _ key: Int, _ ops: Ops) {
    guard sums.isEmpty else {
      ops.add(parameter.gradient, to: &sums[key])
      return replicaSum.putLast(sums[key], key, ops)
    }
    var gradient = Tensor(uninitialized: parameter.gradient.shape)
    swap(&gradient, &parameter.gradient)
    if parameter.isFixed { parameter.gradient = Tensor(zeros: gradient.shape) }
    replicaSum.putLast(gradient, key, ops)
  }

  /// Ends the last batch.
  mutating func endLast(_ batch: BatchTally, waiting: Double) {
    batches += 1
    count(batch, waiting: waiting)
    replicaSum.endLast()
    (replica, sums) = (nil, [])
  }

  /// Begins the last batches of replicas that go through the network together: their gradients come one by one, in
  /// `putTogether`.
  mutating func beginTogether(count: Int) {
    replicaSum.beginTogether(block, count: count)
    isAddedUp = true
  }

  /// Takes the gradients of a parameter in the whole step.
  /// - Parameters:
  ///   - gradients: of each replica that is computed here.
  ///   - key: the parameter's place among those that are trained.
  mutating func putTogether(_ gradients: consuming [Tensor], _ key: Int, _ ops: Ops) {
    replicaSum.putTogether(gradients, of: block, key, ops)
  }

  mutating func waited(seconds: Double) { waiting += seconds }

  /// Counts a batch, also one without images.
  mutating func count(_ batch: BatchTally, waiting: Double) {
    self.waiting += waiting
    tally.add(batch)
  }

  /// Ends the replica under way: what it has goes into the sum.
  private mutating func endReplica(_ network: Network, _ ops: Ops) {
    guard let replica = replica.take() else { return }
    addAbsent(before: replica, network, ops)
    replicaSum.add(sums + network.movingStatistics.map(\.value), of: replica, ops)
    sums = []
  }

  /// Replicas without images have zeros.
  private mutating func addAbsent(before replica: Int, _ network: Network, _ ops: Ops) {
    while let next = replicaSum.next(in: block), next < replica {
      let shapes = network.trainedParameters.map(\.gradient.shape) + network.movingStatistics.map(\.value.shape)
      replicaSum.add(shapes.map { Tensor(zeros: $0) }, of: next, ops)
    }
  }

  /// Ends the replicas that are computed here: `replicaSum` then has what they add up to.
  mutating func endReplicas(_ network: Network, _ ops: Ops) {
    guard hasReplicas, !isAddedUp else { return }
    endReplica(network, ops)
    addAbsent(before: block.upperBound, network, ops)
  }

  /// Takes what came from all ranks: what is counted, and the sums.
  mutating func take(_ tally: StepTally) { self.tally = tally }
  mutating func take(_ whole: [Tensor]) { replicaSum.replace(by: whole) }

  /// Leaves the sum in the network, for the step.
  mutating func putGradient(into network: Network) {
    guard size > 1 else { return }
    if hasReplicas {
      let whole = replicaSum.takeWhole()
      sums = Array(whole.prefix(network.trainedParameters.count))
      statisticsSum = Array(whole.dropFirst(sums.count))
    }
    for (index, parameter) in network.trainedParameters.enumerated() { swap(&sums[index], &parameter.gradient) }
  }

  /// Leaves the mean of the replicas' running statistics in the network, once the step is sure to be taken.
  mutating func putStatistics(into network: Network, _ ops: Ops) {
    guard hasReplicas, !syncsNorms else { return }
    let computed = tally.computed(replicas: replicas, rounds: rounds)
    let share = 1 / Float(max(1, computed.count { $0 > 0 }))
    statistics?.restore(to: network)
    for (buffer, sum) in zip(network.movingStatistics, statisticsSum) {
      buffer.value = sum
      ops.scale(&buffer.value, by: share)
    }
    for norm in network.movingNorms { norm.batchesTracked += computed.max() ?? 0 }
  }

  /// Ends it without a step: the network is as it was before.
  mutating func abandon(_ network: Network) {
    statistics?.restore(to: network)
    clear()
  }

  /// Ends it; the memory stays for the next.
  mutating func clear() {
    (batches, lastBatch, waiting) = (0, 0, 0)
    tally.clear()
    (start, statistics, replica, statisticsSum) = (nil, nil, nil, [])
    replicaSum.clear()
    isAddedUp = false
    if hasReplicas { sums = [] }
  }
}

extension Network {
  /// The batch norms whose running statistics a training pass moves.
  fileprivate var movingNorms: [BatchNorm] { batchNorms.filter { !$0.keepsStatistics && $0.weight.isTrained } }
  var movingStatistics: [StateBuffer] { movingNorms.flatMap(\.buffers) }
}
