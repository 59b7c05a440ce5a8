// Whether a run's memory is there, asked before it starts: an estimate against the least of what is left.

import Files
import Messages
import Networks
import Resources
import Tensors

/// The memory that training a plan takes, and what may be taken.
struct MemoryCheck {
  /// Between the blocks in use lie gaps too small for those that are asked for: the storage pool takes up to so many
  /// times what is in use at one time.
  static let poolShare = 1.15
  /// Besides tensors and the program itself: the index, decoders.
  static let base = 16 << 20
  /// What a computing thread touches of its buffer for matrix products, and of its stack.
  static let touched = 24 << 20
  /// What the limits of a shell count of it, touched or not: OpenBLAS takes 128 MiB a thread, and waits for ever where
  /// it does not get them.
  static let buffer = 128 << 20
  static let stack = 8 << 20
  /// Address space that the C library sets aside for what a thread allocates.
  static let arena = 64 << 20
  /// Threads that neither compute nor decode: the socket, signals, the dispatcher.
  static let otherThreads = 5
  /// Batches that are prepared ahead of the network, as `BatchLoader` does.
  static let batchesAhead = 5

  private let plan: NetworkPlan
  private let settings: TrainingSettings
  private let threads: Int
  private let layout: ReplicaLayout

  /// - Parameter ranks: how many processes train it, each in memory of its own: it is that of the one with most replicas.
  init(_ plan: NetworkPlan, _ settings: TrainingSettings, ranks: Int = 1) {
    layout = ReplicaLayout(
      replicas: settings.replicaCount, ranks: max(1, min(ranks, settings.replicaCount)))
    self.plan = plan
    self.settings = settings
    threads = settings.threads ?? SystemProcessors.available
  }

  /// Bytes, estimated, as they count for a limit.
  /// - Parameter batch: images that go through the network at one time.
  func needed(batch: Int, for source: MemoryLimit.Source = .machine) -> Int {
    let summary = plan.summary(
      batchSize: batch, threads: threads, optimizerState: settings.rememberedCount,
      optimizerScratch: settings.optimizer.scratch(for: plan) + watchedCount)
    let images = Self.batchesAhead * batch * plan.input.count * MemoryLayout<Float>.stride
    // `last` is put together in memory: weights and the optimizer's state, and the weights that are evaluated.
    let isApart = settings.ema != nil || settings.optimizer.lookahead != nil
    let checkpoint =
      ((isApart ? 2 : 1) * summary.parameters + settings.optimizer.stateCount * summary.trainedParameters)
      * MemoryLayout<Float>.stride
    let training = summary.trainingMemory + togetherMemory(batch: batch)
    let exchange = GradientExchange.floats(of: plan.trainedParameters, layout) * MemoryLayout<Float>.stride
    return Int(Double(training) * Self.poolShare) + exchange + images + checkpoint + Self.base
      + overhead(for: source)
  }

  /// What replicas that go through the network together take besides the first: a gradient, and what the layers keep.
  private func togetherMemory(batch: Int) -> Int {
    guard settings.syncsNorms else { return 0 }
    let one = plan.summary(batchSize: batch, threads: threads, optimizerState: 0)
    return (layout.block(of: 0).count - 1) * (one.trainingMemory - one.parameters * MemoryLayout<Float>.stride)
  }

  /// Numbers of the weights before a step, which are kept while a step is looked at.
  private var watchedCount: Int {
    settings.layerStats > 0 ? plan.trainedParameters : 0
  }

  func overhead(for source: MemoryLimit.Source) -> Int {
    let all = threads + settings.workers + Self.otherThreads
    return switch source {
    case .machine, .controlGroup: threads * Self.touched
    case .data: threads * Self.buffer + all * Self.stack
    case .addressSpace: threads * Self.buffer + all * (Self.stack + Self.arena)
    }
  }

  /// The same for an evaluation, which nobody steers. The C library makes do with fewer places to allocate from where
  /// address space is short.
  func evaluationOverhead(for source: MemoryLimit.Source) -> Int {
    overhead(for: source == .addressSpace ? .data : source)
  }

  /// Of what is left now, how much an advised batch may take: when the run is started again, less may be left.
  static let advisedShare = 0.8

  /// The largest batch that fits with room to spare, nil where not even one image (of each replica) does.
  func largestBatch(within limit: MemoryLimit) -> Int? {
    guard needed(batch: 1, for: limit.source) <= limit.bytes else { return nil }
    let room = Int(Double(limit.bytes) * Self.advisedShare)
    var (fits, tooMany) = (1, max(2, settings.partSize))
    while tooMany - fits > 1 {
      let middle = (fits + tooMany) / 2
      if needed(batch: middle, for: limit.source) <= room { fits = middle } else { tooMany = middle }
    }
    return fits * settings.replicaCount
  }

  /// - Parameter limits: what is left, by all who limit it.
  /// - Throws: `MemoryShortage`, unless the settings say to try all the same.
  func require(_ limits: [MemoryLimit] = SystemMemory.limits()) throws {
    guard !settings.safety.ignoresMemory else { return }
    guard let (limit, needed) = tightest(limits), needed > limit.bytes else { return }
    throw MemoryShortage(
      network: plan.settings.name, batch: settings.batchSize, needed: needed, limit: limit,
      fitting: largestBatch(within: limit))
  }

  /// The limit that leaves least, and what counts for it; nil where there is none.
  func tightest(_ limits: [MemoryLimit]) -> (limit: MemoryLimit, needed: Int)? {
    limits.map { (limit: $0, needed: needed(batch: settings.partSize, for: $0.source)) }
      .min { $0.limit.bytes - $0.needed < $1.limit.bytes - $1.needed }
  }
}

extension NetworkPlan {
  /// Rows, totals and memory of training it, as a start would reckon: what is needed and what is there.
  /// - Parameters:
  ///   - threads: how many compute; nil for as many as there are processors.
  ///   - freeze: which layers are frozen. The memory is that of the time when most is trained.
  ///   - remembering: what training remembers of each weight.
  /// - Throws: `NetworkError` for layers that the network does not have.
  public func summary(
    batchSize: Int, threads: Int?, workers: Int, freeze: FreezeSettings,
    remembering: RememberedNumbers = RememberedNumbers()
  ) throws -> NetworkSummary {
    let frozen = try freezing(freeze.layers)
    var summary = frozen.summary(
      batchSize: batchSize, threads: threads, workers: workers, remembering: remembering)
    if freeze.epochs != nil {
      summary.trainingMemory =
        self.summary(batchSize: batchSize, threads: threads, workers: workers, remembering: remembering)
        .trainingMemory
    }
    summary.freeze = freeze
    return summary
  }

  /// The same with every layer trained that the plan does not freeze.
  func summary(
    batchSize: Int, threads: Int?, workers: Int, remembering: RememberedNumbers = RememberedNumbers()
  ) -> NetworkSummary {
    var training = TrainingSettings(data: "", network: settings, batchSize: batchSize)
    (training.optimizer, training.ema) = (remembering.optimizer, remembering.ema)
    (training.accumulate, training.replicas) = (remembering.accumulate, remembering.replicas)
    (training.threads, training.workers) = (threads, workers)
    let check = MemoryCheck(self, training)
    let tightest = check.tightest(SystemMemory.limits())
    var summary = summary(batchSize: batchSize)
    summary.trainingMemory = tightest?.needed ?? check.needed(batch: training.partSize)
    summary.availableMemory = tightest?.limit.bytes
    return summary
  }
}

/// A run that would not fit in memory.
public struct MemoryShortage: Error, Equatable, CustomStringConvertible {
  let network: String
  let batch: Int
  /// Bytes, estimated.
  let needed: Int
  let limit: MemoryLimit
  /// The largest batch that fits; nil where none does.
  let fitting: Int?
  var activity = Activity.training

  enum Activity: String {
    case training
    case evaluating
  }

  public var description: String {
    let free = bytesText(limit.bytes)
    let there =
      switch limit.source {
      case .machine: "\(free) are free on this machine"
      case .controlGroup: "the control group (container, batch job) leaves \(free)"
      case .addressSpace: "the limit on address space (ulimit -v) leaves \(free)"
      case .data: "the limit on data (ulimit -d) leaves \(free)"
      }
    let advice =
      fitting.map { "--batch \($0) fits" }
      ?? "not even one image a batch fits: choose a smaller network, --width or --imgsz"
    guard activity == .training else {
      return
        "\(activity.rawValue) \(network) with batches of \(batch) takes about \(bytesText(needed)), and \(there)"
        + (fitting.map { "; --batch \($0) fits" } ?? "; not even one image fits: use a machine with more memory")
        + ", or --ignore-memory tries anyway"
    }
    return
      "training \(network) with batches of \(batch) takes about \(bytesText(needed)), and \(there); \(advice), or "
      + "--ignore-memory tries anyway"
  }
}
