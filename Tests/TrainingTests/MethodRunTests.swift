// Whole runs with what may be done about the weights: other optimizers, averages, groups of batches, other schedules.

import Messages
import Networks
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

@Suite struct MethodRunTests {
  /// Twenty training images or so in batches of four: five steps an epoch.
  private let project: ToyProject

  init() throws { project = try ToyProject() }

  typealias Change = @Sendable (inout TrainingSettings) -> Void

  private static func optimizer(_ method: OptimizerMethod, _ settings: inout TrainingSettings) {
    settings.optimizer = method.usual
    settings.learningRate = method.usualRate
  }

  static let methods: [(name: String, change: Change)] = [
    ("adamw", { optimizer(.adamw, &$0) }),
    ("muon", { optimizer(.muon, &$0) }),
    ("ema", { $0.ema = 0.9 }),
    ("lookahead", { $0.optimizer.lookahead = LookaheadSettings(steps: 3) }),
    ("accumulate", { $0.accumulate = 2 }),
    ("one cycle", { $0.schedule = .oneCycle(warmUp: 0.3, divisor: 25) }),
    ("restarts", { $0.schedule = .restarts(epochs: 1, factor: 2) }),
    ("linear", { $0.schedule = .linear(warmUp: 0.2) }),
    (
      "all of it",
      {
        optimizer(.adamw, &$0)
        $0.optimizer.lookahead = LookaheadSettings(steps: 2)
        $0.optimizer.gradientClip = 1
        $0.ema = 0.8
        $0.accumulate = 3
        $0.network.head = .regularized
        $0.schedule = .oneCycle(warmUp: 0.5, divisor: 10)
      }
    ),
  ]

  @Test(arguments: methods.indices)
  func `a run that is stopped after any step goes on to the same bits, on other threads`(index: Int) throws {
    let settings = project.settings(epochs: 2, change: Self.methods[index].change)
    let reference = try project.train(settings)
    #expect(reference.outcome.reason == .completed)
    for step in 1..<reference.outcome.steps {
      let stopped = try project.train(settings) { $0.isStep(step) ? [.stop] : [] }
      #expect(stopped.outcome.steps == step)
      let run = try project.resume(stopped.run, ResumeChanges(threads: 2, workers: 2))
      let comparison = try RunComparison(reference.run, run.run)
      #expect(comparison.isSame, "\(Self.methods[index].name), step \(step): \(comparison.differences)")
    }
  }

  @Test(arguments: methods.indices)
  func `each method makes a difference`(index: Int) throws {
    let plain = try project.train(project.settings(epochs: 2))
    let other = try project.train(project.settings(epochs: 2, change: Self.methods[index].change))
    #expect(try !RunComparison(plain.run, other.run).isSame)
  }

  // MARK: Other weights than those that are trained

  @Test(arguments: [SavedWeights.averaged, .slow])
  func `what is validated is what is saved, and says so; last has what is trained too`(kind: SavedWeights) throws {
    var settings = project.settings(epochs: 3) { $0.keep = KeepPolicy(everyEpochs: 1, newest: nil) }
    switch kind {
    case .averaged: settings.ema = 0.95
    case .slow: settings.optimizer.lookahead = LookaheadSettings(steps: 7)
    }
    let run = try project.train(settings)
    for info in run.run.checkpoints() {
      #expect(info.weights == kind, "\(info.name)")
      let report = try #require(
        try EvaluationJob(checkpoint: info.path, data: nil, split: .validation).run(threads: 1))
      #expect(report.top1 == info.validationAccuracy && report.provenance?.weights == kind)
      let loss = try #require(run.epochs.first { $0.epoch == info.epoch }?.validation?.loss)
      #expect(abs(try #require(report.loss) - loss) < 1e-6, "\(info.name)")
    }
    let last = try run.arrays()
    let best = try run.arrays(.best)
    #expect(best.keys.allSatisfy { !$0.hasPrefix("skipline.") }, "best is exactly a state_dict")
    let names = best.keys.filter { !$0.hasSuffix(".num_batches_tracked") }
    #expect(
      Set(last.keys.filter { $0.hasPrefix("skipline.trained.") }) == Set(names.map { "skipline.trained." + $0 }))
    #expect(last["conv1.weight"]?.values != last["skipline.trained.conv1.weight"]?.values)
  }

  @Test func `an average changes nothing about what is trained`() throws {
    let plain = try project.train(project.settings(epochs: 2)).arrays()
    let averaged = try project.train(project.settings(epochs: 2) { $0.ema = 0.9 }).arrays()
    for name in ["conv1.weight", "bn1.running_mean", "fc.bias"] {
      #expect(averaged["skipline.trained." + name]?.values == plain[name]?.values, "\(name)")
      #expect(averaged[name]?.values != plain[name]?.values, "\(name)")
    }
    #expect(averaged["skipline.momentum.conv1.weight"] == plain["skipline.momentum.conv1.weight"])
  }

  @Test func `a checkpoint that is asked for while the average is validated has both`() throws {
    let settings = project.settings(epochs: 1) { $0.ema = 0.9 }
    let reference = try project.train(settings)
    let stopped = try project.train(settings) { event in
      if case .validating(let done, _) = event, done > 0 { [.saveCheckpoint, .stop] } else { [] }
    }
    #expect(stopped.outcome.reason == .stopped)
    let run = try project.resume(stopped.run)
    let comparison = try RunComparison(reference.run, run.run)
    #expect(comparison.isSame, "\(comparison.differences)")
  }

  @Test func `a last without the trained weights is refused, and so is one that has them for a run without`() throws
  {
    let settings = project.settings(epochs: 2) { $0.ema = 0.9 }
    let averaged = try project.train(settings) { $0.isStep(2) ? [.stop] : [] }
    let plain = try project.train(project.settings(epochs: 2)) { $0.isStep(2) ? [.stop] : [] }
    let (one, other) = (averaged.run.path(of: .last), plain.run.path(of: .last))
    let network = try Specimen.network(Specimen.cifar)
    var optimizer = SGD(OptimizerSettings(), network.parameters)
    let refusal = #expect(throws: CheckpointError.self) {
      try Checkpoint.resume(path: one, network: network, optimizer: &optimizer)
    }
    #expect(refusal?.description.contains("skipline.trained.") == true)
    var average: WeightAverage? = WeightAverage(decay: 0.9, of: network)
    let lack = #expect(throws: CheckpointError.self) {
      try Checkpoint.resume(path: other, network: network, optimizer: &optimizer, average: &average)
    }
    #expect(lack?.description.contains("skipline.trained.") == true)
  }

  @Test func `a new run may begin with averaged weights`() throws {
    let averaged = try project.train(project.settings(epochs: 1) { $0.ema = 0.9 })
    let next = try project.train(
      project.settings(epochs: 1) {
        $0.initialWeights = averaged.run.path(of: .last)
        $0.optimizer.lookahead = LookaheadSettings(steps: 1000)
      })
    // The slow weights have not moved: they are those that it began with.
    #expect(try next.arrays()["conv1.weight"] == averaged.arrays()["conv1.weight"])
  }

  // MARK: Divergences

  /// Breaks the classifier from outside after a step, and answers the divergence that follows; the rate stays.
  private func trainBroken(
    _ settings: TrainingSettings, afterStep step: Int, _ recovery: Recovery,
    recovered: @escaping (TrainingLoop) -> Void = { _ in }
  ) throws -> ToyRun {
    var isBroken = false
    return try project.trainWatched(settings) { event, loop in
      if event.isStep(step), !isBroken {
        isBroken = true
        let weight = loop.network.parameters.first { $0.name == "fc.weight" }
        weight?.value = Tensor(weight?.value.shape ?? []) { _ in 3e38 }
      }
      if case .recovered = event { recovered(loop) }
      guard case .diverged = event else { return [] }
      return [.setLearningRate(settings.learningRate / Recovery.loweredTo), .recover(recovery)]
    }
  }

  @Test(arguments: [2, 3, 4, 8], [Recovery.rollBack, .beginAgain])
  func `back at last, or at the beginning, a run is the one that never left its way`(index: Int, recovery: Recovery)
    throws
  {
    // Rates that are the same again after they were raised and lowered.
    let settings = project.settings(epochs: 4) {
      Self.methods[index].change(&$0)
      $0.learningRate = 0.5 * Recovery.loweredTo
      if index == 8 { $0.accumulate = 2 }
    }
    let reference = try project.train(settings)
    let run = try trainBroken(settings, afterStep: 7, recovery)
    #expect(
      run.events.contains { if case .recovered(let report) = $0 { report.recovery == recovery } else { false } })
    let comparison = try RunComparison(reference.run, run.run)
    #expect(comparison.isSame, "\(Self.methods[index].name): \(comparison.differences)")
  }

  @Test(arguments: [2, 3, 8])
  func `back at best, training goes on from the weights that it has, and the average from there`(index: Int) throws
  {
    // Rates at which nothing changes: the first epoch is the best.
    let settings = project.settings(epochs: 4) {
      Self.methods[index].change(&$0)
      $0.learningRate = 1e-11
      $0.accumulate = 2
    }
    var isChecked = false
    let run = try trainBroken(settings, afterStep: 7, .rollBackToBest) { loop in
      isChecked = true
      let best = try? Safetensors.read(path: loop.run.path(of: .best))
      for (place, parameter) in loop.network.parameters.enumerated() {
        let stored = (try? best?.floats(parameter.name)) ?? []
        #expect(parameter.fileOrder(parameter.value) == stored)
        if let average = loop.learner.average { #expect(average.weights.parameters[place] == parameter.value) }
        if let slow = loop.learner.optimizer.evaluated { #expect(slow[place] == parameter.value) }
      }
      #expect(loop.state.optimizerSteps == 0 && loop.state.averagedSteps == 0 && loop.state.step == 3)
    }
    #expect(isChecked && run.outcome.reason == .completed)
  }

  @Test func `a group with a batch that diverges is left out, and leaves nothing behind`() throws {
    let settings = project.settings(epochs: 2) { $0.accumulate = 2 }
    var statistics: [[Float]] = []
    var isChecked = false
    var isBroken = false
    let run = try project.trainWatched(settings) { event, loop in
      let weight = loop.network.parameters.first { $0.name == "fc.weight" }
      if event.isStep(1), !isBroken {
        isBroken = true
        statistics = loop.network.buffers.map(\.value.values)
        weight?.value = Tensor(weight?.value.shape ?? []) { _ in .nan }
      }
      guard case .diverged(let report) = event else { return [] }
      isChecked = true
      #expect(report.step == 2 && report.batch == 3, "the second group's first batch")
      #expect(loop.network.buffers.map(\.value.values) == statistics)
      weight?.value = Tensor(weight?.value.shape ?? []) { _ in 0.01 }
      return [.recover(.lowerRate)]
    }
    #expect(isChecked && run.outcome.reason == .completed)
    // Of five batches or so two were a step, one was left out, and the rest made steps again.
    #expect(run.steps.map(\.step) == Array(1...run.outcome.steps))
  }

  // MARK: Groups of batches

  @Test func `steps, rates and metrics are those of groups, and a smaller one ends the epoch`() throws {
    let plain = try project.train(project.settings(epochs: 1))
    let batches = plain.outcome.steps
    for size in [2, 3, 4, 100] {
      let run = try project.train(
        project.settings(epochs: 2) {
          $0.accumulate = size
          $0.schedule = .linear(warmUp: 0)
        })
      let steps = (batches + size - 1) / size
      #expect(run.outcome.steps == 2 * steps)
      let schedule = LearningRateSchedule(settings: .linear(warmUp: 0), stepsPerEpoch: steps, epochs: 2)
      #expect(run.steps.map(\.learningRate) == (0..<(2 * steps)).map { schedule.rate(step: $0, .init(peak: 0.05)) })
      if case .started(let description)? = run.events.first {
        #expect(description.stepsPerEpoch == steps)
      } else {
        Issue.record("not started")
      }
      #expect(run.steps.map(\.epoch) == [Int](repeating: 1, count: steps) + [Int](repeating: 2, count: steps))
    }
    // As one group is the whole epoch, its loss is that of the epoch.
    let whole = try project.train(project.settings(epochs: 1) { $0.accumulate = 100 })
    #expect(abs(try #require(whole.steps.first).loss - #require(whole.epochs.first).trainLoss) < 1e-12)
  }

  @Test func `the first batch's loss in a group is the plain run's, and the momentum after one step its mean`()
    throws
  {
    let plain = try project.train(project.settings(epochs: 1)) { $0.isStep(1) ? [.stop] : [] }
    let one = try project.train(project.settings(epochs: 1) { $0.accumulate = 1 }) { $0.isStep(1) ? [.stop] : [] }
    #expect(try RunComparison(plain.run, one.run).isSame)
  }
}
