// Replicas: the tree in which they are added up, and runs with several on one rank.

import Messages
import Networks
import Ranks
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct ReplicaTreeTests {
  /// The additions as text, whoever makes them.
  private func sum(_ replicas: Int, ranks: Int) -> String {
    let layout = ReplicaLayout(replicas: replicas, ranks: ranks)
    var ranges: [Range<Int>] = []
    var texts: [String] = []
    for rank in 0..<ranks {
      // Every rank adds its own as they come.
      var sums: [(Range<Int>, String)] = []
      for replica in layout.block(of: rank) {
        sums.append((replica..<(replica + 1), "\(replica)"))
        while sums.count > 1, layout.tree.joins(sums[sums.count - 2].0, sums[sums.count - 1].0) {
          let (right, left) = (sums.removeLast(), sums.removeLast())
          sums.append((left.0.lowerBound..<right.0.upperBound, "(\(left.1)+\(right.1))"))
        }
      }
      #expect(sums.map(\.0) == layout.tree.nodes(in: layout.block(of: rank)))
      ranges += sums.map(\.0)
      texts += sums.map(\.1)
    }
    for (from, to) in layout.tree.additions(of: ranges) { texts[to] = "(\(texts[to])+\(texts[from]))" }
    return texts[0]
  }

  @Test func `neighbors are added, an odd one out goes up alone`() {
    #expect(sum(1, ranks: 1) == "0")
    #expect(sum(3, ranks: 1) == "((0+1)+2)")
    #expect(sum(4, ranks: 1) == "((0+1)+(2+3))")
    #expect(sum(7, ranks: 1) == "(((0+1)+(2+3))+((4+5)+6))")
  }

  @Test func `whoever adds, the additions are the same`() {
    for replicas in 1...33 {
      let whole = sum(replicas, ranks: 1)
      for ranks in 1...replicas { #expect(sum(replicas, ranks: ranks) == whole, "\(replicas) on \(ranks)") }
    }
  }

  @Test func `ranks have neighbors, as many as the others or one more`() {
    #expect((0..<3).map { ReplicaLayout(replicas: 4, ranks: 3).block(of: $0) } == [0..<2, 2..<3, 3..<4])
    #expect((0..<3).map { ReplicaLayout(replicas: 8, ranks: 3).block(of: $0) } == [0..<3, 3..<6, 6..<8])
  }

  @Test func `so many sums wait as are told`() {
    for replicas in 1...40 {
      let tree = ReplicaTree(replicas: replicas)
      #expect(tree.mostWaiting == (0..<replicas).map { tree.nodes(in: 0..<$0).count }.max())
    }
  }

  @Test func `batches of a step belong to replicas, and the last step has fewer`() {
    let layout = ReplicaLayout(replicas: 3)
    let step = StepBatches(from: 6, layout: layout, rounds: 2, of: 30)
    #expect(step.range == 6..<12 && step.of(0..<1) == 6..<8 && step.of(1..<3) == 8..<12 && step.slot(of: 9) == 3)
    let last = StepBatches(from: 6, layout: layout, rounds: 2, of: 9)
    #expect(last.range == 6..<9 && last.of(1..<2) == 8..<9 && last.of(2..<3).isEmpty)
  }
}

@Suite struct ReplicaRunTests {
  private let project: ToyProject

  init() throws { project = try ToyProject(counts: SplitCounts(train: 12, validation: 3)) }

  private func same(_ one: ToyRun, _ other: ToyRun, _ comment: Comment? = nil) throws {
    let comparison = try RunComparison(one.run, other.run)
    #expect(comparison.isSame, "\(comparison.differences) \(comment?.rawValue ?? "")")
  }

  private func floats(_ array: NamedArray?) throws -> [Float] {
    guard case .float32(let values)? = array?.values else { return try #require(nil as [Float]?) }
    return values
  }

  private func replicated(
    _ replicas: Int, batch: Int = 8, epochs: Int = 2, change: (inout TrainingSettings) -> Void = { _ in }
  ) -> TrainingSettings {
    project.settings(epochs: epochs) {
      ($0.replicas, $0.batchSize) = (replicas, batch)
      change(&$0)
    }
  }

  @Test func `one replica is the plain run, to the last bit`() throws {
    try same(try project.train(replicated(1)), try project.train(project.settings { $0.batchSize = 8 }))
  }

  /// Two are added in the order of accumulation; only the running statistics are others.
  @Test func `the weights of two replicas are those of two batches that are accumulated`() throws {
    let replicas = try project.train(replicated(2)).arrays()
    let batches = try project.train(project.settings { $0.accumulate = 2 }).arrays()
    for (name, array) in replicas where !name.contains("running_") && !name.contains("num_batches") {
      #expect(array == batches[name], "\(name)")
    }
    #expect(replicas["bn1.running_mean"] != batches["bn1.running_mean"])
    #expect(replicas.keys == batches.keys)
  }

  @Test func `four replicas learn what four batches do but for rounding`() throws {
    func weights(_ change: (inout TrainingSettings) -> Void) throws -> [String: NamedArray] {
      try project.train(project.settings(epochs: 1, change: change)).arrays()
    }
    let replicas = try weights { ($0.replicas, $0.batchSize) = (4, 16) }
    let batches = try weights { $0.accumulate = 4 }
    let difference =
      zip(try floats(replicas["conv1.weight"]), try floats(batches["conv1.weight"])).map { abs($0 - $1) }.max() ?? 1
    #expect(difference < 1e-5 && difference > 0, "\(difference)")
  }

  /// After a step from statistics s, replica r has 0.9 s + 0.1 m(r); accumulation goes on from the first one's.
  @Test func `running statistics are the mean of the replicas'`() throws {
    func statistics(_ change: (inout TrainingSettings) -> Void) throws -> [Float] {
      let run = try project.train(project.settings(epochs: 1, change: change)) { $0.isStep(1) ? [.stop] : [] }
      return try floats(try run.arrays()["bn1.running_mean"])
    }
    let first = try statistics { _ in }
    let both = try statistics { $0.accumulate = 2 }
    let mean = try statistics { ($0.replicas, $0.batchSize) = (2, 8) }
    for index in first.indices {
      let (one, other) = (first[index] / 0.1, (both[index] - 0.9 * first[index]) / 0.1)
      #expect(abs(mean[index] - 0.1 * (one + other) / 2) < 1e-6)
    }
  }

  /// One step, from the same weights: batch norm makes the difference between the others.
  @Test(arguments: [2, 3, 4, 6])
  func `with norms of the whole batch, replicas learn what one batch does, but for rounding`(count: Int) throws {
    func arrays(_ change: (inout TrainingSettings) -> Void) throws -> [String: NamedArray] {
      try project.train(project.settings(epochs: 1, change: change)) { $0.isStep(1) ? [.stop] : [] }.arrays()
    }
    let whole = try arrays { $0.batchSize = 12 }
    let replicas = try arrays { ($0.batchSize, $0.replicas, $0.syncsNorms) = (12, count, true) }
    let apart = try arrays { ($0.batchSize, $0.replicas) = (12, count) }
    func difference(_ one: [String: NamedArray], _ name: String) throws -> Float {
      zip(try floats(one[name]), try floats(whole[name])).map { abs($0 - $1) }.max() ?? .infinity
    }
    for name in ["conv1.weight", "bn1.weight", "bn1.running_mean", "bn1.running_var", "fc.weight"] {
      let (own, other) = (try difference(replicas, name), try difference(apart, name))
      print("\(count) replicas, \(name): \(own), apart \(other)")
      #expect(own < 2e-5, "\(name)")
      // The mean of the parts' means is that of the whole.
      #expect(own < other / 10 || name == "bn1.running_mean", "\(name): \(own), apart \(other)")
    }
    #expect(replicas["bn1.num_batches_tracked"] == whole["bn1.num_batches_tracked"])
  }

  /// 36 images in steps of 20 and 16, whose parts are not all of one size. With norms of the whole batch, and without
  /// norms, the gradient is the mean over the images, however they are divided.
  @Test(arguments: [(1, true), (1, false), (2, false)])
  func `parts that are no whole ones count by their images, in each round`(accumulate: Int, hasNorms: Bool) throws {
    func weights(_ change: (inout TrainingSettings) -> Void) throws -> [Float] {
      let settings = project.settings(epochs: 1) {
        ($0.batchSize, $0.accumulate) = (20 / accumulate, accumulate)
        if !hasNorms { ($0.network, $0.preprocessing.imageSize) = (NetworkSettings(name: "lenet5"), 32) }
        change(&$0)
      }
      return try floats(try project.train(settings).arrays()[hasNorms ? "fc.weight" : "fc3.weight"])
    }
    let whole = try weights { _ in }
    let parts = try weights { ($0.replicas, $0.syncNorm) = (2, hasNorms ? true : nil) }
    let difference = zip(whole, parts).map { abs($0 - $1) }.max() ?? .infinity
    #expect(difference < 5e-5, "\(difference)")
  }

  /// 36 images in parts of 4: nine of them, so that the last step has one replica.
  @Test func `a replica without images leaves the running statistics to the others`() throws {
    let settings = replicated(2, epochs: 1)
    func variances(after step: Int) throws -> [Float] {
      let run = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
      return try floats(try run.arrays()["bn1.running_var"])
    }
    let (before, after) = (try variances(after: 4), try variances(after: 5))
    // What the last part had itself is a variance: above zero, and not far from what others had.
    for (before, after) in zip(before, after) {
      let own = (after - 0.9 * before) / 0.1
      #expect(own > 0 && own < 10 * before, "\(own), \(before) before")
    }
  }

  @Test func `norms of the whole batch need parts of one, and a batch to go by`() throws {
    let alone = #expect(throws: SettingsError.self) { try replicated(1) { $0.syncsNorms = true }.validate() }
    #expect(alone?.description.hasPrefix("--sync-norm: a batch of one part") == true)
    let running = #expect(throws: SettingsError.self) {
      try replicated(2) {
        $0.syncsNorms = true
        $0.initialWeights = "w"
        $0.normStatistics = .running
      }.validate()
    }
    #expect(running?.description.contains("--norm-stats running") == true)
    let normless = #expect(throws: SettingsError.self) {
      try replicated(2) {
        $0.syncsNorms = true
        ($0.network, $0.preprocessing.imageSize) = (NetworkSettings(name: "vgg11", widthMultiplier: 0.0625), 32)
      }.requireTrainable()
    }
    #expect(normless?.description.hasPrefix("--sync-norm: vgg11 has no batch norm") == true)
  }

  @Test(arguments: [(1, 2), (2, 3), (3, 4)])
  func `a run that is stopped after any step goes on to the same bits, on other threads`(
    accumulate: Int, replicas: Int
  ) throws {
    let settings = replicated(replicas, batch: 2 * replicas) {
      $0.accumulate = accumulate
      $0.syncsNorms = accumulate == 2
      $0.ema = 0.9
      $0.network.head = .regularized
    }
    let reference = try project.train(settings)
    #expect(reference.outcome.reason == .completed)
    for step in 1..<reference.outcome.steps {
      let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
      try same(reference, try project.resume(stopped.run, ResumeChanges(threads: 2, workers: 2)), "step \(step)")
    }
  }

  @Test func `steps are counted as they are taken, the last of an epoch may have fewer batches`() throws {
    // 36 images in parts of 3: 12 batches, steps of 5, 5 and 2.
    let run = try project.train(replicated(5, batch: 15))
    #expect(run.steps.map(\.epoch) == [1, 1, 1, 2, 2, 2])
    let isThree =
      if case .started(let description)? = run.events.first { description.stepsPerEpoch == 3 } else { false }
    #expect(isThree)
    #expect(try run.arrays()["bn1.num_batches_tracked"]?.values == .int64([6]))
  }

  @Test func `a batch that cannot be cut into parts is refused with those that can`() {
    let refusal = #expect(throws: SettingsError.self) { try replicated(3, batch: 8).validate() }
    #expect(
      refusal?.description == "--replicas 3: --batch 8 cannot be cut into 3 equal parts; 6 and 9 would do")
    let small = #expect(throws: SettingsError.self) { try replicated(9, batch: 8).validate() }
    #expect(small?.description.hasSuffix("9 is the smallest that would do") == true)
  }

  @Test func `an image that does not decode leaves its replica's place empty`() throws {
    for number in 0..<3 { try project.data.addBroken("train/red/broken\(number).png") }
    let run = try project.train(replicated(4, batch: 4))
    #expect(run.epochs.map(\.skippedImages) == [3, 3])
    #expect(run.outcome.reason == .completed)
    #expect(run.steps.prefix(10).allSatisfy { $0.loss.isFinite })
  }

  @Test(arguments: [false, true])
  func `a divergence of one replica is one of the step, which leaves nothing behind`(syncsNorms: Bool) throws {
    var statistics: [[Float]] = []
    var isBroken = false
    var isChecked = false
    let run = try project.trainWatched(replicated(2) { $0.syncsNorms = syncsNorms }) { event, loop in
      let weight = loop.network.parameters.first { $0.name == "fc.weight" }
      if event.isStep(1), !isBroken {
        isBroken = true
        statistics = loop.network.buffers.map(\.value.values)
        weight?.value = Tensor(weight?.value.shape ?? []) { _ in .nan }
      }
      guard case .diverged(let report) = event else { return [] }
      isChecked = true
      #expect(report.cause == .loss && report.step == 2 && report.batch == 4 && report.images == 8)
      #expect(loop.network.buffers.map(\.value.values) == statistics)
      weight?.value = Tensor(weight?.value.shape ?? []) { _ in 0.01 }
      return [.recover(.lowerRate)]
    }
    #expect(isChecked && run.outcome.reason == .completed)
    // The second step was left out.
    #expect(run.outcome.steps == 9)
  }
}
