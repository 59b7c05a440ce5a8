// A run read back for its curves, whatever its log is like; and warnings that are taken back.

import Foundation
import Messages
import Testing

@testable import Files
@testable import Training

struct MetricsReaderTests {
  private func reader(of text: String) throws -> MetricsReader {
    let folder = NSTemporaryDirectory() + "skipline-history-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/metrics.jsonl"))
    var reader = MetricsReader()
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
    var told: LossWatch.Notice?
    for _ in 0..<400 where told == nil { told = watch.add(20) }
    #expect(told != nil && watch.eased() == nil)
    var eased: LossWatch.Notice?
    for _ in 0..<2000 where eased == nil {
      _ = watch.add(0.1)
      eased = watch.eased()
    }
    #expect(eased == told && watch.eased() == nil)
  }
}
