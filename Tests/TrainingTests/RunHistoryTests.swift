// A run read back for its curves, whatever its log is like; and warnings that are taken back.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Files
@testable import Training

struct MetricsReaderTests {
  private func reader(of text: String, classes: [String] = []) throws -> MetricsReader {
    let folder = NSTemporaryDirectory() + "skipline-history-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/metrics.jsonl"))
    var reader = MetricsReader(classes: classes)
    try reader.read(InputFile(path: folder + "/metrics.jsonl"))
    return reader
  }

  private func step(_ number: Int) -> String {
    "{\"kind\":\"step\",\"step\":\(number),\"epoch\":1,\"loss\":0.5,\"accuracy\":0.5,\"learningRate\":0.1,"
      + "\"gradientNorm\":1,\"imagesPerSecond\":100}\n"
  }

  private func epoch(_ number: Int) -> String {
    "{\"kind\":\"epoch\",\"epoch\":\(number),\"step\":\(number * 10),\"trainLoss\":0.5,\"trainAccuracy\":0.5,"
      + "\"learningRate\":0.1,\"seconds\":1,\"skippedImages\":0}\n"
  }

  @Test func `steps and epochs come in order, torn and odd lines are passed over`() throws {
    let reader = try reader(
      of: step(10) + "\n{\n" + epoch(1) + "{\"kind\":\"other\"}\n" + String(repeating: "x", count: 200_000) + "\n"
        + step(20) + step(15) + epoch(2) + "{\"kind\":\"step\",\"step\":30")
    #expect(reader.steps.kept.map(\.step) == [10, 20])
    #expect(reader.epochs.kept.map(\.epoch) == [1, 2])
  }

  @Test
  func `figures of classes are by label, thinned out, the last is there, and those of other classes are left out`()
    throws
  {
    func line(_ epoch: Int, loss: Bool = true) -> String {
      "{\"kind\":\"recall\",\"epoch\":\(epoch),\"step\":\(epoch * 10),\"recall\":{\"b\":0.5,\"a\":1,\"z\":0}"
        + (loss ? ",\"loss\":{\"b\":\(epoch)}" : "") + "}\n"
    }
    func figures(_ text: String, _ classes: [String]) throws -> [ClassFigures] {
      try reader(of: text, classes: classes).allClassFigures
    }
    // Logs of before have no losses.
    let few = try figures(line(1, loss: false) + epoch(1) + line(2), ["a", "b", "c"])
    #expect(
      few == [
        ClassFigures(epoch: 1, step: 10, recalls: [1, 0.5, nil], losses: []),
        ClassFigures(epoch: 2, step: 20, recalls: [1, 0.5, nil], losses: [nil, 2, nil]),
      ])
    #expect(try figures(line(1), []).isEmpty)
    let many = try figures((1...3001).map { line($0) }.joined(), ["a", "b"])
    #expect((256...513).contains(many.count) && many.first?.epoch == 1 && many.last?.epoch == 3001)
    let wide = try figures((1...3001).map { line($0) }.joined(), (0..<1000).map { "\($0)" } + ["b"])
    #expect((16...42).contains(wide.count) && wide.last?.losses.last == 3001)
  }

  @Test func `an empty log holds nothing`() throws {
    let reader = try reader(of: "")
    #expect(reader.steps.kept.isEmpty && reader.epochs.kept.isEmpty)
  }

  @Test func `a long log is thinned out evenly, its epochs are kept`() throws {
    let reader = try reader(of: (1...30_000).map { step($0) + ($0 % 100 == 0 ? epoch($0 / 100) : "") }.joined())
    let steps = reader.steps.kept.map(\.step)
    #expect((1000...2000).contains(steps.count))
    #expect(steps.first == 1 && (steps.last ?? 0) > 29_900)
    #expect(Set(zip(steps.dropFirst(), steps).map { $0 - $1 }).count == 1)
    #expect(reader.epochs.kept.count == 300)
  }

  @Test func `thinning loses neither the largest loss, the best epoch, the last of each nor the seconds`() throws {
    func validated(_ number: Int, _ top1: Double) -> String {
      epoch(number).replacing(
        "\"learningRate\"", with: "\"validation\":{\"loss\":1,\"top1\":\(top1),\"top5\":1},\"learningRate\"")
    }
    for count in [9_998, 30_001] {
      let best = count / 3 * 2 + 1
      let text =
        (1...count).map { number in
          step(number).replacing("\"loss\":0.5", with: number == 7_777 ? "\"loss\":25.5" : "\"loss\":0.5")
            + validated(number, number == best ? 0.9 : 0.5)
        }.joined() + "{\"kind\":\"step\",\"step\":99"
      let reader = try reader(of: text)
      #expect(reader.allSteps.contains { $0.step == 7_777 && $0.loss == 25.5 })
      #expect(reader.allSteps.last?.step == count && reader.allEpochs.last?.epoch == count)
      #expect(reader.best == Score(.top1, 0.9) && reader.allEpochs.contains { $0.epoch == best })
      #expect(reader.seconds == Double(count))
      for order in [reader.allSteps.map(\.step), reader.allEpochs.map(\.step)] {
        #expect(order == Set(order).sorted())
      }
      #expect(reader.gap(done: .init(epoch: count, step: count * 10), isThere: true) == nil)
    }
  }

  @Test func `what figures lack is told`() throws {
    let done = RunHistory.Place(epoch: 5, step: 50)
    #expect(MetricsReader().gap(done: done, isThere: false) == "metrics.jsonl is missing")
    #expect(MetricsReader().gap(done: .init(epoch: 0, step: 0), isThere: false) == nil)
    #expect(try reader(of: step(3)).gap(done: done, isThere: true) == "metrics.jsonl has no epoch")
    #expect(try reader(of: epoch(1)).gap(done: done, isThere: true) == "metrics.jsonl ends at epoch 1")
    let lacking = try reader(of: epoch(1) + epoch(4) + epoch(5))
    #expect(lacking.gap(done: done, isThere: true) == "metrics.jsonl lacks 2 of 5 epochs")
  }

  @Test func `of an enormous log parts are read`() throws {
    let folder = NSTemporaryDirectory() + "skipline-history-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/metrics.jsonl"
    try Data((step(10) + epoch(1)).utf8).write(to: URL(fileURLWithPath: path))
    // A hole of a terabyte.
    #expect(truncate(path, off_t(1) << 40) == 0)
    var reader = MetricsReader()
    try reader.read(InputFile(path: path))
    #expect(reader.epochs.kept.count == 1)
  }

  @Test func `what is no regular file is refused and never waited for`() throws {
    let path = NSTemporaryDirectory() + "skipline-fifo-\(UUID().uuidString)"
    #expect(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    #expect(throws: FileOperationError.self) { _ = try InputFile(path: path) }
  }
}

struct RunHistoryTests {
  /// A toy run that is completed: three epochs.
  private func completed(_ toy: ToyProject) throws -> RunFolder {
    try toy.train(toy.settings(epochs: 3)).run
  }

  @Test func `a finished run without figures is known by its log and checkpoints`() throws {
    let toy = try ToyProject()
    let run = try completed(toy)
    let whole = try run.history()
    #expect(whole.gap == nil && whole.outcome?.epochs == 3 && whole.trainer == nil)
    let lines = try String(contentsOfFile: run.metricsPath, encoding: .utf8).split(separator: "\n")
    let first = try #require(lines.firstIndex { $0.contains("\"kind\":\"epoch\"") })
    try (lines[...first].joined(separator: "\n") + "\n").write(
      toFile: run.metricsPath, atomically: true, encoding: .utf8)
    let cut = try run.history()
    #expect(cut.gap == "metrics.jsonl ends at epoch 1")
    try FileManager.default.removeItem(atPath: run.metricsPath)
    let missing = try run.history()
    #expect(missing.gap == "metrics.jsonl is missing")
    for history in [cut, missing] {
      #expect(history.outcome?.epochs == 3 && history.outcome?.steps == whole.outcome?.steps)
      #expect(history.outcome?.bestValidationAccuracy == whole.outcome?.bestValidationAccuracy)
      // By its last checkpoint.
      #expect(history.outcome?.seconds == whole.outcome?.seconds && whole.outcome?.seconds.isFinite == true)
      #expect(history.run.stepsPerEpoch == whole.run.stepsPerEpoch)
    }
  }

  @Test func `one that is being trained says so, and has no end`() throws {
    let toy = try ToyProject()
    let run = try completed(toy)
    let lock = try RunLock(run)
    let history = try run.history()
    withExtendedLifetime(lock) {}
    #expect(history.trainer == ProcessInfo.processInfo.processIdentifier && history.outcome == nil)
  }

  /// As somebody does who finds that it is not to be resumed, while another reads it.
  @Test func `who let go of it while it was read does not train it`() throws {
    let toy = try ToyProject()
    let run = try completed(toy)
    var lock: RunLock? = try RunLock(run)
    let history = try run.history { lock = nil }
    #expect(lock == nil && history.trainer == nil && history.outcome?.epochs == 3)
  }
}

struct EasedWarningTests {
  @Test func `a network that gives several classes again takes its warning back, once`() {
    var watch = OneClassWatch()
    #expect(watch.eased(only: nil) == nil)
    let told = watch.notice(only: "six", epoch: 2, of: 9)
    #expect(told != nil && watch.eased(only: "six") == nil)
    #expect(watch.eased(only: nil) == told)
    #expect(watch.eased(only: nil) == nil)
  }

  @Test func `a loss that is near its best again takes its warning back, once`() {
    var watch = LossWatch(classes: 10, stepsPerEpoch: 10)
    for _ in 0..<200 { _ = watch.add(0.1) }
    var told: LossWatch.Warning?
    for _ in 0..<400 where told == nil { told = watch.add(20) }
    #expect(told != nil && watch.eased() == nil)
    var eased: LossWatch.Warning?
    for _ in 0..<2000 where eased == nil {
      _ = watch.add(0.1)
      eased = watch.eased()
    }
    #expect(eased == told && watch.eased() == nil)
  }
}
