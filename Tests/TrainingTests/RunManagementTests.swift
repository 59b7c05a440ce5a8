// Runs in a list, beside each other, renamed, removed and brought back.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Training

@Suite struct RunManagementTests {
  private let project: ToyProject
  private let run: RunFolder

  init() throws {
    project = try ToyProject()
    run = try project.train(project.settings(epochs: 2) { $0.name = "one" }).run
  }

  @Test func `a summary says how far a run came and what it reached`() throws {
    var summary = run.summary()
    #expect(summary.state == .finished && summary.name == "one" && summary.process == nil)
    #expect(summary.epoch == 2 && summary.epochs == 2 && summary.step > 0 && summary.best != nil)
    #expect(summary.test == nil && summary.note == nil && (0..<600).contains(summary.age ?? -1))
    var report = try #require(
      try EvaluationJob(checkpoint: run.path(of: .best), data: nil, split: .validation).run(threads: 1))
    // The toy has no test images.
    report.split = .test
    try run.save(report)
    try run.setNote("  a first try\n")
    summary = run.summary()
    #expect(summary.test == RunSummary.TestResult(checkpoint: "best", top1: report.top1))
    #expect(summary.note == "a first try")
    try run.setNote("")
    #expect(run.note == nil)
  }

  @Test func `a test result is found behind long lists, and in a document that somebody else wrote`() throws {
    let path = run.evaluationsPath + "/best-test.json"
    let list = (0..<5000).map { "\"\($0)\"" }.joined(separator: ",")
    try "{\n  \"misclassified\" : [\(list)],\n  \"top1\" : 0.25,\n  \"top5\" : 1\n}\n".write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(run.summary().test?.top1 == 0.25)
    try "{\"top1\": 0.75, \"z\": [\(list)]}".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(run.summary().test?.top1 == 0.75)
    try "{".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(run.summary().test == nil)
  }

  @Test func `a run that was stopped or is damaged says so`() throws {
    let stopped = try project.train(project.settings(epochs: 5) { $0.name = "two" }) { $0.isStep(2) ? [.stop] : [] }
    #expect(stopped.run.summary().state == .resumable)
    try "{}".write(toFile: stopped.run.recordPath, atomically: true, encoding: .utf8)
    let summary = stopped.run.summary()
    #expect(summary.state == .unreadable && summary.problem?.contains("run.json") == true)
  }

  @Test func `a run is renamed, removed and put back, and never in the place of another`() throws {
    let other = try project.train(project.settings(epochs: 1) { $0.name = "two" }).run
    #expect(throws: RunFolderError.exists(path: other.path)) { try run.renamed(to: "two") }
    for name in ["", "a/b", ".hidden", "-x"] {
      #expect(throws: RunFolderError.badName(name)) { try run.renamed(to: name) }
    }
    let renamed = try run.renamed(to: "three")
    #expect(renamed.name == "three" && renamed.summary().state == .finished)
    let parent = String(other.path.dropLast("/two".count))
    let trash = try other.removed()
    #expect(trash.path == parent + "/.trash/two")
    #expect(try RunFolder.listRuns(project: parent).map(\.name) == ["three"])
    // Another of that name is removed too.
    let again = try renamed.renamed(to: "two").removed()
    #expect(again.path == parent + "/.trash/two-2")
    #expect(try trash.restored(to: other.path).path == other.path)
    #expect(throws: RunFolderError.exists(path: other.path)) { try again.restored(to: other.path) }
    #expect(other.summary().epoch == 1)
  }

  @Test func `runs beside each other tell what they reached and where their settings differ`() throws {
    let other = try project.train(
      project.settings(epochs: 1) {
        $0.name = "two"
        $0.learningRate = 0.03
      }
    ).run
    let table = try RunTable([run, other])
    #expect(table.runs.map(\.name) == ["one", "two"])
    let epochs = try #require(table.results.first { $0.name == "epochs" })
    #expect(epochs.values == [.progress(done: 2, of: 2), .progress(done: 1, of: 1)])
    let best = try #require(table.results.first { $0.name == "best validation" })
    #expect(best.difference(of: 0) == nil)
    let values = best.values.compactMap { $0?.number }
    #expect(values.count == 2 && best.difference(of: 1) == values[1] - values[0])
    #expect(table.settings.map(\.name).sorted() == ["epochs", "lr"])
    #expect(try RunTable([run, run]).settings.isEmpty)
  }

  @Test func `what happens to a run is written beside its metrics, and cut back with them`() throws {
    let path = run.path + "/marks.jsonl"
    let log = MetricsLog(path: path) { Issue.record("\($0)") }
    log.append(StepMetrics(step: 1, epoch: 1))
    log.append(RunMark(.pause, step: 1))
    log.append(RunMark(.learningRate, step: 2, value: 0.5))
    #expect(try MetricsLog.read(path: path).marks.map(\.kind) == [.pause, .learningRate])
    #expect(
      try MetricsReader.reading(path).marks == [
        RunMark(.pause, step: 1), RunMark(.learningRate, step: 2, value: 0.5),
      ])
    try log.rewind(toStep: 1)
    #expect(try MetricsLog.read(path: path).marks == [RunMark(.pause, step: 1)])
    let steered = try project.train(project.settings(epochs: 2) { $0.name = "steered" }) { event in
      event.isStep(2) ? [.setLearningRate(0.01), .pause, .resume] : []
    }
    let history = try steered.run.history()
    #expect(history.run.marks.map(\.kind).filter { $0 != .checkpoint } == [.learningRate, .pause])
    #expect(history.run.marks.first?.step == 2)
  }
}
