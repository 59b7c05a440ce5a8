// Saving and going back, without a loop: what is written when, what a failed save leaves, and what is told of it.

import Files
import Foundation
import Messages
import Networks
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct CheckpointerTests {
  private final class Bench {
    let folder: TemporaryFolder
    let run: RunFolder
    let events = Events()
    var optimizer: any Optimizer
    let network: Network
    let checkpointer: Checkpointer

    final class Events {
      var all: [TrainingEvent] = []
    }

    init(keep: KeepPolicy = KeepPolicy(everyEpochs: 1, newest: 2), interval: Duration = .seconds(300)) throws {
      folder = try TemporaryFolder()
      run = try RunFolder.create(project: folder.file("runs"), name: "r", defaultStem: "r")
      network = try Specimen.network(Specimen.cifar)
      optimizer = SGD(OptimizerSettings(), network.parameters)
      // The record is what tells a run's folder from an emptied one.
      try AtomicFile.write(Data("{}".utf8), to: run.recordPath)
      let records = RunRecords(run) { _ in }
      checkpointer = try Checkpointer(run, keep: keep, interval: interval, records: records) { [events] in
        events.all.append($0)
      }
    }

    func snapshot(epoch: Int, step: Int) -> TrainingSnapshot {
      var state = TrainingState(peak: 0.1, splitFingerprint: "")
      (state.epochsDone, state.step) = (epoch, step)
      return TrainingSnapshot(
        network: network, model: Specimen.cifar, state: state, optimizer: optimizer, pool: ThreadPool(threads: 1)
      )
    }

    var names: [String] { run.checkpoints().map(\.name).sorted() }
    var failures: Int { events.all.count { if case .saveFailed = $0 { true } else { false } } }
  }

  @Test func `an epoch leaves best, a numbered one and last, and only the newest numbered ones stay`() throws {
    let bench = try Bench()
    for epoch in 1...3 {
      try bench.checkpointer.saveEpoch(bench.snapshot(epoch: epoch, step: 10 * epoch), improved: epoch == 2)
    }
    #expect(bench.names == ["best", "epoch-0002", "epoch-0003", "last"])
    #expect(bench.run.checkpoints().first { $0.name == "best" }?.step == 20)
    #expect(bench.checkpointer.savedState?.step == 30)
  }

  @Test func `what cannot be written waits, and is written when it can be`() throws {
    let bench = try Bench()
    bench.checkpointer.calls = FaultyCalls(failing: 0..<Int.max).calls()
    try bench.checkpointer.saveEpoch(bench.snapshot(epoch: 1, step: 10), improved: true)
    #expect(bench.names.isEmpty && bench.failures == 3 && bench.checkpointer.failures == 3)
    #expect(bench.checkpointer.savedState == nil)
    bench.checkpointer.calls = .system
    try bench.checkpointer.saveDue(bench.snapshot(epoch: 1, step: 12))
    #expect(bench.names == ["best", "epoch-0001", "last"])
    #expect(bench.run.checkpoints().first { $0.name == "best" }?.step == 10, "of its own moment")
  }

  @Test func `at the end, what is missing is named, and a last that cannot be written is an error`() throws {
    let bench = try Bench()
    try bench.checkpointer.saveLast(bench.snapshot(epoch: 0, step: 5))
    bench.checkpointer.calls = FaultyCalls(failing: 0..<Int.max).calls()
    try bench.checkpointer.saveEpoch(bench.snapshot(epoch: 1, step: 10), improved: true)
    #expect(throws: TrainingError.self) {
      try bench.checkpointer.saveAtEnd(bench.snapshot(epoch: 1, step: 10), savesLast: true)
    }
    #expect(
      try bench.checkpointer.saveAtEnd(bench.snapshot(epoch: 1, step: 10), savesLast: false)
        == ["best", "epoch-0001"])
    #expect(bench.checkpointer.savedState?.step == 5)
  }

  @Test func `weights that are not finite never get into a file`() throws {
    let bench = try Bench()
    bench.network.parameters[0].value = Tensor(bench.network.parameters[0].value.shape) { _ in .infinity }
    #expect(throws: TrainingError.self) { try bench.checkpointer.saveLast(bench.snapshot(epoch: 0, step: 1)) }
    #expect(bench.names.isEmpty && bench.failures == 0)
  }

  @Test func `it follows its folder, and ends where that is gone`() throws {
    let bench = try Bench()
    let moved = bench.folder.file("runs/moved")
    try FileManager.default.moveItem(atPath: bench.run.path, toPath: moved)
    try bench.checkpointer.saveLast(bench.snapshot(epoch: 0, step: 1))
    #expect(
      bench.checkpointer.run.path == moved
        && FileManager.default.fileExists(atPath: bench.checkpointer.run.path(of: .last)))
    try FileManager.default.removeItem(atPath: moved)
    #expect(throws: TrainingError.self) { try bench.checkpointer.endIfRemoved(step: 2) }
    #expect(throws: TrainingError.self) { try bench.checkpointer.saveLast(bench.snapshot(epoch: 0, step: 2)) }
  }

  @Test func `last gives back weights and the optimizer's state; without it, and with others, it is lost`() throws {
    let bench = try Bench()
    bench.optimizer.state[0].tensors = bench.network.parameters.map { Tensor($0.value.shape) { Float($0 % 7) } }
    try bench.checkpointer.saveEpoch(bench.snapshot(epoch: 1, step: 10), improved: true)
    let other = Network(try Specimen.cifar.plan(), seed: 99)
    var optimizer = SGD(OptimizerSettings(), other.parameters)
    var average: WeightAverage?
    #expect(try bench.checkpointer.restoreLast(into: other, &optimizer, &average)?.step == 10)
    #expect(other.stateArrays() == bench.network.stateArrays())
    #expect(optimizer.state[0].tensors.map(\.values) == bench.optimizer.state[0].tensors.map(\.values))
    try FileManager.default.removeItem(atPath: bench.run.path(of: .last))
    let error = #expect(throws: CheckpointError.self) {
      try bench.checkpointer.restoreLast(into: other, &optimizer, &average)
    }
    #expect(error?.description.contains("best") == true || error?.description.contains("epoch-0001") == true)
  }

  @Test func `a change by hand is saved soon, but not before its time`() throws {
    let bench = try Bench(interval: .seconds(300))
    #expect(!bench.checkpointer.isDue)
    let eager = try Bench(interval: .zero)
    #expect(eager.checkpointer.isDue)
  }
}

@Suite struct DivergenceRecoveryTests {
  private func report(leaveOut: Bool = true, saved: Int? = 10, best: Bool = true) -> DivergenceReport {
    DivergenceReport(
      cause: .loss, step: 12, epoch: 1, loss: .nan, gradientNorm: 1, learningRate: 0.1, batch: 3, files: [],
      canLeaveOut: leaveOut, savedStep: saved,
      best: best
        ? CheckpointInfo(path: "b", name: "best", epoch: 1, step: 5, validationAccuracy: 0.5, savedAt: "") : nil)
  }

  private func decide(
    _ commands: [TrainingCommand?], attended: Int, policy: DivergencePolicy = .lower, _ report: DivergenceReport
  ) -> (DivergenceRecovery.Decision, rates: [Double], pauses: Int) {
    var (commands, attended) = (commands[...], attended)
    var (rates, pauses) = ([Double](), 0)
    var recovery = DivergenceRecovery(policy: policy)
    let decision = recovery.decide(
      report,
      among: .init(
        isAttended: {
          attended -= 1
          return attended >= 0
        }, nextCommand: { commands.popFirst() ?? nil }, setLearningRate: { rates.append($0) }, warn: { _ in },
        pause: { pauses += 1 }))
    return (decision, rates, pauses)
  }

  @Test func `whoever is there is waited for, and may change the rate meanwhile`() {
    let (decision, rates, pauses) = decide(
      [nil, .setLearningRate(0.5), .pause, nil, .recover(.rollBackToBest)], attended: 100, report())
    #expect(decision == .go(.rollBackToBest) && rates == [0.5] && pauses == 2)
    #expect(decide([.stop], attended: 1, report()).0 == .end)
    #expect(decide([.recover(.stop)], attended: 1, report()).0 == .end)
  }

  @Test func `nobody there, or nobody any more: the policy decides`() {
    #expect(decide([], attended: 0, policy: .stop, report()).0 == .fail)
    #expect(decide([], attended: 0, policy: .lower, report()).0 == .go(.lowerRate))
    #expect(decide([nil, nil], attended: 2, policy: .rollback, report()).0 == .go(.rollBack))
    #expect(decide([.stop], attended: 0, policy: .lower, report()).0 == .end)
  }

  @Test func `what is not possible becomes what comes nearest`() {
    #expect(DivergenceRecovery.possible(.lowerRate, report(leaveOut: false)) == .rollBack)
    #expect(DivergenceRecovery.possible(.rollBackToBest, report(best: false)) == .rollBack)
    #expect(DivergenceRecovery.possible(.rollBackToBest, report(saved: nil, best: false)) == .beginAgain)
    #expect(DivergenceRecovery.possible(.lowerRate, report(leaveOut: false, saved: nil)) == .beginAgain)
    #expect(DivergenceRecovery.possible(.lowerRate, report()) == .lowerRate)
  }
}
