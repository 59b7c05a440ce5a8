// Runs on several ranks, which are threads here: the bits of one rank, whatever the layout.

import Datasets
import Glibc
import Messages
import Ranks
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite(.timeLimit(.minutes(10))) struct RankedRunTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 13, validation: 5)) }

  typealias Change = @Sendable (inout TrainingSettings) -> Void
  typealias Reply = @Sendable (TrainingEvent) -> [TrainingCommand]

  /// Trains on so many ranks.
  /// - Returns: what rank 0 has seen.
  private func train(
    _ settings: TrainingSettings, ranks: Int, resuming run: RunFolder? = nil, isAttended: Bool = false,
    reply: @escaping Reply = { _ in [] }
  ) throws -> ToyRun {
    let (caches, path) = (project.caches, run?.path)
    let all: [ToyRun] = try onRanks(ranks) { communicator in
      try Self.train(settings, on: communicator, resuming: path, isAttended: isAttended, caches, reply)
    }
    return all[0]
  }

  private static func train(
    _ settings: TrainingSettings, on communicator: any Communicator, resuming path: String?,
    isAttended: Bool, _ caches: ImageCacheFolder, _ reply: @escaping Reply
  ) throws -> ToyRun {
    let job = try TrainingJob.together(communicator, caches: caches) { () throws -> TrainingJob in
      if let path { return try TrainingJob.resumed(folder: path, caches: caches) }
      return try TrainingJob.new(settings, commandLine: [], caches: caches)
    }
    // What others would say is not heard.
    let rank = communicator.rank
    let session = Session { event in rank == 0 ? reply(event) : [.stop] }
    session.isAttended = isAttended && rank == 0
    let outcome = try job.train(hooks: session.hooks)
    return ToyRun(run: job.run, outcome: outcome, events: session.events)
  }

  private func settings(_ replicas: Int = 4, epochs: Int = 2, _ change: Change = { _ in }) -> TrainingSettings {
    project.settings(epochs: epochs) {
      ($0.replicas, $0.batchSize) = (replicas, 2 * replicas)
      change(&$0)
    }
  }

  private func same(_ one: ToyRun, _ other: ToyRun, _ comment: String = "") throws {
    let comparison = try RunComparison(one.run, other.run)
    #expect(comparison.isSame, "\(comparison.differences) \(comment)")
  }

  /// Of runs that were not stopped, what was told in between is the same too.
  private func sameThroughout(_ one: ToyRun, _ other: ToyRun, _ comment: String = "") throws {
    try same(one, other, comment)
    #expect(one.epochs.map(\.trainLoss) == other.epochs.map(\.trainLoss), "\(comment)")
    #expect(one.epochs.map(\.validation) == other.epochs.map(\.validation), "\(comment)")
    #expect(one.steps.map(\.gradientNorm) == other.steps.map(\.gradientNorm), "\(comment)")
  }

  static let changes: [(name: String, change: Change)] = [
    ("momentum", { _ in }),
    (
      "adamw, mixup, an average",
      {
        $0.optimizer = OptimizerMethod.adamw.usual
        $0.learningRate = OptimizerMethod.adamw.usualRate
        $0.ema = 0.9
        $0.augmentation.mixup = 0.4
        $0.augmentation.colorJitter = 0.2
      }
    ),
    (
      "bottlenecks, dropout, accumulation",
      {
        $0.network = NetworkSettings(name: "resnet50", stem: .small, widthMultiplier: 0.125, dropPath: 0.1)
        $0.preprocessing.imageSize = 16
        $0.accumulate = 2
      }
    ),
    ("norms of the whole batch", { $0.syncsNorms = true }),
    (
      "norms of the whole batch, adamw, accumulation, dropped paths",
      {
        $0.syncsNorms = true
        $0.accumulate = 2
        $0.optimizer = OptimizerMethod.adamw.usual
        $0.learningRate = OptimizerMethod.adamw.usualRate
        $0.ema = 0.9
        $0.augmentation.mixup = 0.4
        $0.network = NetworkSettings(name: "resnet50", stem: .small, widthMultiplier: 0.125, dropPath: 0.1)
        $0.preprocessing.imageSize = 16
      }
    ),
    ("bf16", { $0.precision = OperandPrecision.hasFastBFloat16 ? .bf16 : .fp32 }),
    (
      "muon, whitened",
      {
        $0.optimizer = OptimizerMethod.muon.usual;
        $0.network = NetworkSettings(name: "resnet9", widthMultiplier: 0.125)
      }
    ),
  ]

  @Test(arguments: changes.indices)
  func `four replicas have the same bits on one to four ranks, with one or two threads`(index: Int) throws {
    let settings = settings { [change = Self.changes[index].change] in change(&$0) }
    let reference = try project.train(settings)
    #expect(reference.outcome.reason == .completed)
    for ranks in 1...4 {
      var own = settings
      own.threads = 1 + ranks % 2
      let run = try train(own, ranks: ranks)
      try sameThroughout(reference, run, "\(Self.changes[index].name) on \(ranks) ranks")
    }
  }

  @Test func `seven replicas on two, three and five ranks`() throws {
    for isSynced in [false, true] {
      let settings = settings(7) { $0.syncsNorms = isSynced }
      let reference = try project.train(settings)
      for ranks in [2, 3, 5] { try sameThroughout(reference, try train(settings, ranks: ranks), "\(ranks) ranks") }
    }
  }

  @Test(arguments: [4, 3, 2], [false, true])
  func `a run that is stopped on some ranks goes on with others to the same bits`(
    ranks: Int, syncsNorms: Bool
  ) throws {
    let settings = settings(epochs: 2) {
      $0.ema = 0.9
      $0.syncsNorms = syncsNorms
    }
    let reference = try project.train(settings)
    for (step, next) in [(1, 1), (4, 3), (6, 2)] {
      let stopped = try train(settings, ranks: ranks) { $0.isStep(step) ? [.stop] : [] }
      #expect(stopped.outcome.reason == .stopped && stopped.outcome.steps == step)
      try same(reference, try train(settings, ranks: next, resuming: stopped.run), "stopped at \(step)")
    }
    let alone = try project.train(settings) { $0.isStep(3) ? [.stop] : [] }
    try same(reference, try train(settings, ranks: ranks, resuming: alone.run), "begun alone")
  }

  @Test func `commands are heard by all at the same step`() throws {
    let settings = settings(epochs: 2)
    let reply: Reply = { event in
      if event.isStep(2) { return [.pause, .setLearningRate(0.01), .resume, .saveCheckpoint] }
      if case .validating(let done, _) = event, done > 0 { return [.setLearningRate(0.02)] }
      return []
    }
    let reference = try project.train(settings, reply: reply)
    try sameThroughout(reference, try train(settings, ranks: 3, reply: reply))
  }

  @Test(arguments: [false, true])
  func `images that do not decode, on any rank, are named and change nothing else`(syncsNorms: Bool) throws {
    for number in 0..<3 { try project.data.addBroken("train/red/broken\(number).png") }
    try project.data.addBroken("val/red/broken.png")
    // Parts of one image: a replica of which none decodes has nothing.
    let settings = settings(4) {
      $0.batchSize = 4
      $0.syncsNorms = syncsNorms
    }
    let reference = try project.train(settings)
    #expect(reference.epochs.map(\.skippedImages) == [3, 3])
    for ranks in [2, 4] {
      let run = try train(settings, ranks: ranks)
      try sameThroughout(reference, run, "\(ranks) ranks")
      #expect(run.epochs.map(\.skippedImages) == [3, 3])
      #expect(
        Set(run.warnings.filter { $0.hasPrefix("skipped") })
          == Set(reference.warnings.filter { $0.hasPrefix("skipped") }))
    }
  }

  @Test(arguments: [Recovery.rollBack, .beginAgain, .lowerRate])
  func `a divergence is one for all, and so is what is done about it`(recovery: Recovery) throws {
    let settings = settings(epochs: 3)
    // A rate at which numbers overflow, for one step; then another than the first.
    let reply: Reply = { event in
      switch event {
      case .step(let metrics) where metrics.step == 3: return [.saveCheckpoint]
      case .step(let metrics) where metrics.step == 4 && metrics.learningRate == 0.05:
        return [.setLearningRate(recovery == .lowerRate ? 1e8 : 1e30)]
      case .diverged: return [.setLearningRate(0.2), .recover(recovery)]
      default: return []
      }
    }
    func train(ranks: Int) throws -> ToyRun {
      try self.train(settings, ranks: ranks, isAttended: true, reply: reply)
    }
    let reference = try train(ranks: 1)
    #expect(
      recovery == .lowerRate || reference.events.contains { if case .recovered = $0 { true } else { false } })
    for ranks in [2, 3] {
      let run = try train(ranks: ranks)
      try sameThroughout(reference, run)
      #expect(run.events.map(\.label).filter { $0 != "ranks" } == reference.events.map(\.label))
    }
  }

  @Test func `a run that gives up on a divergence ends on all ranks with its error`() throws {
    let settings = settings(epochs: 3) { $0.learningRate = 1e30 }
    let alone = #expect(throws: TrainingError.self) { try project.train(settings) }
    let together = #expect(throws: TrainingError.self) { try train(settings, ranks: 2) }
    #expect("\(alone, default: "-")" == "\(together, default: "")")
  }

  @Test func `more ranks than replicas are refused, with what would do`() {
    let refusal = #expect(throws: (any Error).self) { try train(settings(2), ranks: 3) }
    #expect("\(refusal, default: "")".contains("the run has 2 replicas, and there are 3 ranks"))
  }

  @Test func `what differs among ranks is named`() throws {
    func rank(_ change: (inout RankAgreement) -> Void = { _ in }) -> RankAgreement {
      var own = RankAgreement(machine: "node7", version: "1", kernels: "avx2, OpenBLAS", images: nil)
      change(&own)
      return own
    }
    #expect(RankAgreement.difference([rank(), rank()], data: "d") == nil)
    let kernels = RankAgreement.difference([rank(), rank(), rank { $0.kernels = "sse2, OpenBLAS" }], data: "d")
    #expect(kernels?.hasPrefix("rank 2 (node7) computes by sse2") == true)
    let version = RankAgreement.difference([rank(), rank { $0.version = "2" }], data: "d")
    #expect(version?.hasPrefix("rank 1 (node7) runs Skipline 2") == true)
    let images = RankAgreement.difference([rank(), rank { $0.images = "1 removed (a.png)" }], data: "d")
    #expect(images?.contains("1 removed (a.png)") == true)
  }

  @Test func `rank 0 tells how all are doing, and who is behind`() throws {
    let settings = settings(3)
    let caches = project.caches
    let events: [[TrainingEvent]] = try onRanks(3) { communicator in
      let slowed = Slowed(communicator, by: communicator.rank == 1 ? 0.15 : 0)
      let job = try TrainingJob.together(slowed, caches: caches) {
        try TrainingJob.new(settings, commandLine: [], caches: caches)
      }
      let session = Session { _ in [] }
      _ = try job.train(hooks: session.hooks)
      return session.events
    }
    #expect(events[1].isEmpty && events[2].isEmpty)
    let reports = events[0].compactMap { if case .ranks(let report) = $0 { report } else { nil } }
    let report = try #require(reports.last)
    #expect(report.ranks.map(\.machine) == ["thread 0", "thread 1", "thread 2"])
    #expect(report.slowest == 1 && report.ranks[1].lag > 0.1 && (report.ranks.map(\.lag).min() ?? 1) < 0.1)
    let waiting = report.ranks.map(\.waiting)
    #expect(waiting[0] > 0.4 && waiting[2] > 0.4 && waiting[1] < waiting[0] && waiting.allSatisfy { $0 <= 1 })
    let speeds = report.ranks.map { $0.imagesPerSecond ?? 0 }
    // Two images a step at 0.15 s and more.
    #expect(speeds[1] > 0 && speeds[1] < 13.4 && speeds[0] > speeds[1] && speeds[2] > speeds[1])
    // At most one a second.
    #expect(Double(reports.count) <= 2 + (events[0].compactMap(\.seconds).last ?? 0))
  }

  /// In a run, single precision hides the last bits of these sums.
  @Test(arguments: [4, 7])
  func `what norms add up has the same bits on any number of ranks`(replicas: Int) throws {
    @Sendable func numbers(_ ranks: any Communicator) throws -> [UInt64] {
      let block = ReplicaLayout(replicas: replicas, ranks: ranks.size).block(of: ranks.rank)
      let norms = ReplicaNorms(ranks, replicas: replicas) { _ in }
      let own = block.map { replica -> [Double] in
        var random = RandomGenerator(seed: UInt64(replica))
        return [Double(1 + replica % 3)] + (0..<6).map { _ in Double(1 + random.integer(below: 1_000_000)) / 7 }
      }
      let moments: MomentSum = try norms.whole(own.map { MomentSum(numbers: $0) })
      let gradients: NormGradientSum = try norms.whole(own.map { NormGradientSum(numbers: $0) })
      return (moments.numbers + gradients.numbers).map(\.bitPattern)
    }
    let reference = try numbers(Loopback())
    for ranks in 2...replicas {
      for (rank, own) in try onRanks(ranks, { try numbers($0) }).enumerated() {
        #expect(own == reference, "rank \(rank) of \(ranks)")
      }
    }
  }

  @Test func `ranks agree on the best kernels that all have`() throws {
    let levels = [["avx512", "avx2", "sse2"], ["avx2", "sse2"], ["avx512", "avx2", "sse2"]]
    let chosen = try onRanks(3) { communicator -> [String] in
      var chosen: [String] = []
      try RankKernels.agree(communicator, levels: levels[communicator.rank]) {
        chosen.append($0)
        return nil
      }
      return chosen
    }
    #expect(chosen == [["avx2"], ["avx2"], ["avx2"]])
    let refusal = #expect(throws: RankFailure.self) {
      try onRanks(2) { communicator in
        try RankKernels.agree(communicator, levels: communicator.rank == 0 ? ["avx2", "sse2"] : ["neon"]) { _ in nil
        }
        return 0
      }
    }
    #expect(refusal?.description.contains("rank 1 (thread 1) has neon") == true)
  }

  @Test func `a rank that fails ends the others, with its reason`() throws {
    let settings = settings()
    let caches = project.caches
    let failure = #expect(throws: RankFailure.self) {
      try onRanks(3) { communicator in
        let job = try TrainingJob.together(communicator, caches: caches) {
          try TrainingJob.new(settings, commandLine: [], caches: caches)
        }
        if communicator.rank == 1 { throw RankFailure("out of paper") }
        return try job.train(hooks: TrainingLoop.Hooks()).steps
      }
    }
    #expect(failure?.description.contains("out of paper") == true)
  }
}

/// A rank that takes its time before it sends anything.
private final class Slowed: Communicator {
  private let communicator: any Communicator
  private let seconds: Double

  init(_ communicator: any Communicator, by seconds: Double) {
    (self.communicator, self.seconds) = (communicator, seconds)
  }

  var rank: Int { communicator.rank }
  var size: Int { communicator.size }
  var machine: String { communicator.machine }

  func allGather(_ bytes: [UInt8]) throws(RankFailure) -> [[UInt8]] { try communicator.allGather(bytes) }
  func broadcast(_ bytes: [UInt8]) throws(RankFailure) -> [UInt8] { try communicator.broadcast(bytes) }

  func start(_ exchange: FloatExchange) throws(RankFailure) -> any PendingExchange {
    if seconds > 0 { usleep(UInt32(seconds * 1e6)) }
    return try communicator.start(exchange)
  }

  func abort(_ message: String) { communicator.abort(message) }
}

extension TrainingEvent {
  fileprivate var seconds: Double? { if case .finished(let outcome) = self { outcome.seconds } else { nil } }
}
