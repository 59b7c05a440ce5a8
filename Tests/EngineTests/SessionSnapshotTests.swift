// What a screen that attaches late is told of saves that failed and of a divergence.

@testable import Engine
import Messages
import Testing

@Suite struct SessionSnapshotTests {
  private let description = RunDescription(
    folder: "runs/a", settings: TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20")),
    classes: ["a", "b"], trainingImages: 8, validationImages: 2, stepsPerEpoch: 2, parameters: 1,
    majorityBaseline: 0.5)

  private func step(_ number: Int) -> Event {
    .training(
      .step(
        StepMetrics(
          step: number, epoch: 1, loss: 1, accuracy: 0, learningRate: 0.1, gradientNorm: 1, imagesPerSecond: 1,
          secondsLeft: nil)))
  }

  @Test func `of many steps some are told, evenly, and the last one`() throws {
    var record = SessionSnapshot()
    record.add(.training(.started(description)))
    for number in 1...100_000 { record.add(step(number)) }
    guard case .training(.started(let run))? = record.replay.first else {
      Issue.record("\(record.replay)")
      return
    }
    let steps = run.steps.map(\.step)
    #expect((1024...4097).contains(steps.count))
    #expect(steps.first == 1 && steps.last == 100_000)
    #expect(Set(zip(steps, steps.dropFirst()).map { $1 - $0 }.dropLast()).count == 1)
    #expect(record.replay.contains(step(100_000)))
  }

  @Test func `a save that failed is told until that file is saved`() {
    let failure = Event.training(.saveFailed(SaveFailure(path: "runs/a/last", reason: "full", retrySeconds: 30)))
    var record = SessionSnapshot()
    record.add(failure)
    func saved(_ path: String) -> Event {
      .training(
        .checkpointSaved(
          CheckpointInfo(path: path, name: "last", epoch: 1, step: 1, validationAccuracy: nil, savedAt: "")))
    }
    record.add(saved("runs/a/best"))
    #expect(record.replay == [failure])
    record.add(saved("runs/a/last"))
    #expect(record.replay.isEmpty)
  }

  @Test func `a divergence is told until it is answered, and what lies after the step gone back to is void`() throws
  {
    let diverged = Event.training(
      .diverged(
        DivergenceReport(
          cause: .loss, step: 5, epoch: 1, loss: .infinity, gradientNorm: 1, learningRate: 1, batch: 1,
          files: ["a"], canLeaveOut: true, savedStep: 2)))
    var record = SessionSnapshot()
    record.add(.training(.started(description)))
    for number in 1...4 { record.add(step(number)) }
    record.add(diverged)
    #expect(record.replay.contains(diverged))
    record.add(.training(.recovered(RecoveryReport(recovery: .rollBack, step: 2, learningRate: 0.01))))
    let replay = record.replay
    #expect(!replay.contains(diverged))
    #expect(replay.contains(.training(.learningRateChanged(0.01))))
    guard case .training(.started(let run))? = replay.first else {
      Issue.record("\(replay)")
      return
    }
    #expect(run.steps.map(\.step) == [1, 2])
  }

  @Test func `the newest look at the layers is told, until the run goes back behind it`() {
    func layers(_ step: Int) -> Event { .training(.layers(LayerStatistics(epoch: 1, step: step, layers: []))) }
    var begun = description
    begun.layers = LayerStatistics(epoch: 1, step: 2, layers: [])
    var record = SessionSnapshot()
    record.add(.training(.started(begun)))
    for step in [3, 4] { record.add(layers(step)) }
    #expect(record.replay.contains(layers(4)) && !record.replay.contains(layers(3)))
    record.add(.training(.recovered(RecoveryReport(recovery: .rollBack, step: 1, learningRate: 0.01))))
    #expect(!record.replay.contains(layers(4)))
    guard case .training(.started(let run))? = record.replay.first else { return #expect(Bool(false)) }
    #expect(run.layers == nil)
  }

  @Test func `how the ranks do is told once, and not of a run before`() {
    func ranks(_ step: Int) -> Event { .training(.ranks(RankReport(step: step, ranks: []))) }
    var record = SessionSnapshot()
    record.add(.training(.started(description)))
    for step in [3, 4] { record.add(ranks(step)) }
    #expect(record.replay.filter { if case .training(.ranks) = $0 { true } else { false } } == [ranks(4)])
    #expect(ranks(3).isReplaced(by: ranks(4)))
    record.add(.training(.started(description)))
    #expect(!record.replay.contains(ranks(4)))
  }

  @Test func `the newest validation is told, until the run goes back behind it`() {
    func validated(_ step: Int) -> Event {
      .training(
        .validated(ValidationDetails(epoch: step, step: step, images: 1, wrong: 0, recalls: [1, nil], hardest: [])))
    }
    var record = SessionSnapshot()
    record.add(.training(.started(description)))
    record.add(validated(2))
    record.add(validated(4))
    #expect(record.replay.contains(validated(4)) && !record.replay.contains(validated(2)))
    // Their figures of classes are a curve.
    func stepsOfClassFigures() -> [Int]? {
      record.replay.compactMap {
        if case .training(.started(let run)) = $0 { run.classFigures.map(\.step) } else { nil }
      }
      .first
    }
    #expect(stepsOfClassFigures() == [2, 4])
    record.add(.training(.recovered(RecoveryReport(recovery: .rollBack, step: 4, learningRate: 0.01))))
    #expect(record.replay.contains(validated(4)))
    record.add(.training(.recovered(RecoveryReport(recovery: .rollBack, step: 2, learningRate: 0.01))))
    #expect(!record.replay.contains(validated(4)) && stepsOfClassFigures() == [2])
    record.add(validated(4))
    record.add(.training(.started(description)))
    #expect(!record.replay.contains(validated(4)))
  }
}
