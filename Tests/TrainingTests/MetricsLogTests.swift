// The files that grow while a run goes on: what is in them, what a crash or a full disk does to them, and how they are
// cut back when the run is resumed.

import Foundation
import Logging
import Messages
import Synchronization
import Testing
import TestSupport

@testable import Training

@Suite struct MetricsLogTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func step(_ number: Int, loss: Double = 1.5) -> StepMetrics {
    StepMetrics(
      step: number, epoch: (number + 9) / 10, loss: loss, accuracy: 0.25, learningRate: 0.125, gradientNorm: 3,
      imagesPerSecond: 640, secondsLeft: nil)
  }

  private func epoch(_ number: Int, validation: Bool = true) -> EpochMetrics {
    EpochMetrics(
      epoch: number, step: number * 10, trainLoss: 1.25, trainAccuracy: 0.5,
      validation: validation ? ValidationMetrics(loss: 1.75, top1: 0.375, top5: 0.75) : nil, learningRate: 0.125,
      seconds: 60, skippedImages: 1)
  }

  private func log(_ name: String = "metrics.jsonl") -> MetricsLog {
    MetricsLog(path: folder.file(name)) { Issue.record("a line was lost: \($0)") }
  }

  @Test func `a line a step and a line an epoch, as JSON with its kind`() throws {
    let log = log()
    log.append(step(1))
    log.append(epoch(1))
    #expect(
      try folder.text("metrics.jsonl") == """
        {"accuracy":0.25,"epoch":1,"gradientNorm":3,"imagesPerSecond":640,"kind":"step","learningRate":0.125,\
        "loss":1.5,"step":1}
        {"epoch":1,"kind":"epoch","learningRate":0.125,"seconds":60,"skippedImages":1,"step":10,\
        "trainAccuracy":0.5,"trainLoss":1.25,"validation":{"loss":1.75,"top1":0.375,"top5":0.75}}

        """)
  }

  @Test func `what was appended is read back, also by a second log that goes on`() throws {
    log().append(step(1))
    let second = log()
    second.append(step(2))
    second.append(epoch(1, validation: false))
    #expect(
      try MetricsLog.read(path: folder.file("metrics.jsonl"))
        == MetricsHistory(steps: [step(1), step(2)], epochs: [epoch(1, validation: false)]))
  }

  @Test func `NaN and infinity survive, and the line stays valid JSON`() throws {
    let log = log()
    for loss in [Double.nan, .infinity, -.infinity] { log.append(step(1, loss: loss)) }
    let text = try folder.text("metrics.jsonl")
    for line in text.split(separator: "\n") {
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }
    let losses = try MetricsLog.read(path: folder.file("metrics.jsonl")).steps.map(\.loss)
    #expect(losses[0].isNaN && losses[1] == .infinity && losses[2] == -.infinity)
  }

  @Test func `a log that does not exist is empty`() throws {
    #expect(try MetricsLog.read(path: folder.file("none")) == MetricsHistory())
  }

  @Test func `a torn last line is passed over wherever it was cut, and spoils no later line`() throws {
    let whole = log("whole")
    whole.append(step(1))
    let first = try folder.bytes("whole")
    whole.append(step(2))
    let both = try folder.bytes("whole")
    for cut in (first.count + 1)..<both.count - 1 {
      try folder.write(Array(both[..<cut]), to: "metrics.jsonl")
      let path = folder.file("metrics.jsonl")
      #expect(try MetricsLog.read(path: path) == MetricsHistory(steps: [step(1)], unreadableLines: 1))
      log().append(step(3))
      #expect(try MetricsLog.read(path: path) == MetricsHistory(steps: [step(1), step(3)], unreadableLines: 1))
    }
  }

  @Test func `lines of an unknown kind are counted and passed over`() throws {
    try folder.write(Array("{\"kind\":\"weather\"}\n\n[]\n{\"kind\":\"step\"}\n\u{0}\n".utf8), to: "metrics.jsonl")
    #expect(try MetricsLog.read(path: folder.file("metrics.jsonl")) == MetricsHistory(unreadableLines: 4))
  }

  @Test func `rewinding drops what came after the step and what was torn, and the log goes on`() throws {
    let log = log()
    for number in 1...10 { log.append(step(number)) }
    log.append(epoch(1))
    for number in 11...20 { log.append(step(number)) }
    log.append(epoch(2))
    let path = folder.file("metrics.jsonl")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("{\"kind\":\"st".utf8))
    try handle.close()

    try log.rewind(toStep: 12)
    #expect(
      try MetricsLog.read(path: path) == MetricsHistory(steps: (1...12).map { step($0) }, epochs: [epoch(1)]))
    log.append(step(13))
    #expect(try MetricsLog.read(path: path).steps.map(\.step) == Array(1...13))
    #expect(try folder.names() == ["metrics.jsonl"])
  }

  @Test func `an epoch whose validation is done again is not kept twice`() throws {
    let log = log()
    for number in 1...10 { log.append(step(number)) }
    log.append(epoch(1))
    // Saved after step 10, before the validation of epoch 1: no epoch is done.
    try log.rewind(toStep: 10, epoch: 0)
    let history = try MetricsLog.read(path: folder.file("metrics.jsonl"))
    #expect(history.steps.count == 10 && history.epochs.isEmpty)
  }

  @Test func `rewinding what does not exist, or has nothing to drop, changes nothing`() throws {
    let log = log()
    try log.rewind(toStep: 5)
    #expect(try folder.names() == [])
    log.append(step(5))
    let before = try folder.bytes("metrics.jsonl")
    try log.rewind(toStep: 5)
    #expect(try folder.bytes("metrics.jsonl") == before)
  }

  @Test func `a full disk is told once, and training goes on`() {
    var told: [String] = []
    let full = FaultyCalls(failing: 0..<Int.max).calls()
    let (first, second) = (folder.file("metrics.jsonl"), folder.file("results.csv"))
    let log = MetricsLog(path: first, calls: full) { told.append($0) }
    let table = ResultsTable(path: second, calls: full) { told.append($0) }
    for number in 1...3 {
      log.append(step(number))
      table.append(epoch(number))
    }
    #expect(
      told == [
        "metrics are being lost, training goes on: \(first): cannot write: No space left on device; "
          + "free some space on that disk",
        "rows of the results table are being lost, training goes on: \(second): cannot write: "
          + "No space left on device; free some space on that disk",
      ])
  }

  @Test func `rewinding a long log reads its end only, whatever the end is`() throws {
    let log = log()
    for number in 1...10 { log.append(step(number)) }
    let kept = try folder.bytes("metrics.jsonl")
    for number in 11...13 { log.append(step(number)) }
    // A hole of a gigabyte, which reads as one torn line, and lines that are none.
    let path = folder.file("metrics.jsonl")
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(("\n[]\n" + String(repeating: "x", count: 3 << 20) + "\n").utf8))
    try handle.truncate(atOffset: try handle.offset() + 1 << 30)
    try handle.close()
    try log.rewind(toStep: 10)
    #expect(try folder.bytes("metrics.jsonl") == kept)
  }

  @Test func `a folder that is gone is told once, and lines are written again when it is back`() throws {
    var told = 0
    let log = MetricsLog(path: folder.file("run/metrics.jsonl")) { _ in told += 1 }
    log.append(step(1))
    log.append(step(2))
    #expect(told == 1)
    try FileManager.default.createDirectory(atPath: folder.file("run"), withIntermediateDirectories: false)
    log.append(step(3))
    #expect(try MetricsLog.read(path: folder.file("run/metrics.jsonl")).steps == [step(3)])
    #expect(told == 1)
  }

  @Test func `the results table has a header and a row an epoch`() throws {
    let table = ResultsTable(path: folder.file("results.csv")) { Issue.record("a row was lost: \($0)") }
    table.append(epoch(1))
    table.append(epoch(2, validation: false))
    var third = epoch(3)
    third.dataWait = 0.25
    ResultsTable(path: folder.file("results.csv")) { _ in }.append(third)
    #expect(
      try folder.text("results.csv") == """
        epoch,step,train_loss,train_accuracy,val_loss,val_top1,val_top5,val_balanced_accuracy,val_macro_f1,learning_rate,seconds,skipped,data_wait
        1,10,1.25,0.5,1.75,0.375,0.75,,,0.125,60.0,1,
        2,20,1.25,0.5,,,,,,0.125,60.0,1,
        3,30,1.25,0.5,1.75,0.375,0.75,,,0.125,60.0,1,0.25

        """)
    try table.rewind(toStep: 30, epoch: 2)
    table.append(epoch(3, validation: false))
    #expect(
      try folder.text("results.csv").split(separator: "\n").map { $0.prefix(9) } == [
        "epoch,ste", "1,10,1.25", "2,20,1.25", "3,30,1.25",
      ])
  }

  @Test func `the log's lines have time, level, message and metadata, and no control characters`() throws {
    var handler = FileLogHandler(
      path: folder.file("log.txt"), now: { Date(timeIntervalSince1970: 1_767_225_599.5) })
    handler.logLevel = .info
    handler.metadata = ["run": "a", "z": "handler"]
    let logger = Logger(label: "test", factory: { _ in handler })
    logger.debug("below the level")
    logger.info("started", metadata: ["classes": "3", "z": "message"])
    logger.error("bad \u{1B}[31mname\n\u{202E}gnp.exe é \u{1F600}")
    #expect(
      try folder.text("log.txt") == """
        2025-12-31T23:59:59.500Z info started classes=3 run=a z=message
        2025-12-31T23:59:59.500Z error bad \\u{1b}[31mname\\u{a}\\u{202e}gnp.exe é \u{1F600} run=a z=handler

        """)
  }
}
