// Event files: framing and values by the letter of the format, cut back as metrics are, and read by TensorBoard's own
// package where SKIPLINE_PYTHON names a Python that has it.

import Datasets
import Files
import Foundation
import Images
import Messages
import Protobuf
import TestSupport
import Testing

@testable import Training

/// An event as it was read.
struct ReadEvent: Equatable {
  var step = 0
  var time = 0.0
  var version: String?
  /// Scalars by tag.
  var scalars: [String: Float] = [:]
  /// Tags of what is no scalar, with the field that holds it.
  var others: [String: Int] = [:]

  init(_ bytes: UnsafeRawBufferPointer) throws {
    var event = ProtobufReader(bytes, 0..<bytes.count)
    while let (field, value) = try event.next() {
      switch (field, value) {
      case (1, .eightBytes(let bits)): time = Double(bitPattern: bits)
      case (2, .number(let number)): step = Int(number)
      case (3, .bytes(let range)): version = String(decoding: bytes[range], as: UTF8.self)
      case (5, .bytes(let summary)):
        var values = ProtobufReader(bytes, summary)
        while let (_, entry) = try values.next() {
          guard case .bytes(let range) = entry else { continue }
          var (tag, content): (String, Int) = ("", 0)
          var number: Float?
          var one = ProtobufReader(bytes, range)
          while let (field, value) = try one.next() {
            switch (field, value) {
            case (1, .bytes(let range)): tag = String(decoding: bytes[range], as: UTF8.self)
            case (2, .fourBytes(let bits)): number = Float(bitPattern: bits)
            case (4, _), (5, _), (8, _): content = Int(field)
            default: break
            }
          }
          if let number { scalars[tag] = number } else { others[tag] = content }
        }
      default: break
      }
    }
  }

  /// All of a run, without what every file begins with.
  static func all(in folder: String) throws -> [ReadEvent] {
    var events: [ReadEvent] = []
    for part in TensorBoardLog.parts(in: folder) {
      let file = try InputFile(path: part.path)
      var (first, end) = (true, 0)
      try TensorBoardLog.forEachEvent(in: file) { bytes, offset in
        end = offset + bytes.count + 16
        guard let event = try? ReadEvent(bytes) else { return false }
        if first { #expect(event.version == "brain.Event:2") } else { events.append(event) }
        first = false
        return true
      }
      #expect(end == file.size, "\(part.path) is whole")
    }
    return events
  }
}

@Suite struct TensorBoardTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func log(
    _ calls: FileCalls = .system, _ onFailure: @escaping (String) -> Void = { Issue.record("\($0)") }
  )
    -> TensorBoardLog
  {
    TensorBoardLog(folder: folder.path, calls: calls, now: { 1000.5 }, onFailure: onFailure)
  }

  private func step(_ number: Int, loss: Double = 1.5) -> StepMetrics {
    StepMetrics(
      step: number, epoch: 1, loss: loss, accuracy: 0.25, learningRate: 0.125, gradientNorm: 3,
      imagesPerSecond: 640,
      secondsLeft: 7)
  }

  private func epoch(_ number: Int, step: Int) -> EpochMetrics {
    EpochMetrics(
      epoch: number, step: step, trainLoss: 1.25, trainAccuracy: 0.5,
      validation: ValidationMetrics(loss: 1.75, top1: 0.375, top5: 0.75), learningRate: 0.125, seconds: 60,
      skippedImages: 1)
  }

  /// The bytes that tensorboard 2.21's `RecordWriter` wrote for `Event(wall_time=1000.5, step=3,
  /// summary=Summary(value=[Summary.Value(tag='a', simple_value=0.5)]))`.
  @Test func `a record is length, masked checksum, event, masked checksum`() {
    let event = SummaryEvent.message(time: 1000.5, step: 3, [SummaryValue("a", .scalar(0.5))])
    let record = TFRecord.record(event)
    let expected: [UInt8] = [
      0x17, 0, 0, 0, 0, 0, 0, 0, 0xe7, 0xce, 0xf8, 0x1e, 0x09, 0, 0, 0, 0, 0, 0x44, 0x8f, 0x40, 0x10, 0x03, 0x2a,
      0x0a,
      0x0a, 0x08, 0x0a, 0x01, 0x61, 0x15, 0, 0, 0, 0x3f, 0xd0, 0xe8, 0x0a, 0xc1,
    ]
    #expect(record == expected)
  }

  @Test func `steps and epochs have their metrics under groups, whatever the values are`() throws {
    let log = log()
    log.append(step(10))
    log.append(step(20, loss: .nan))
    log.append(
      epoch(1, step: 20), [SummaryValue("weights/w", .histogram(try #require(ValueHistogram([1, 2, 3]))))])
    let events = try ReadEvent.all(in: folder.path)
    #expect(events.map(\.step) == [10, 20, 20] && events.allSatisfy { $0.time == 1000.5 })
    #expect(
      events[0].scalars == [
        "train/loss": 1.5, "train/accuracy": 0.25, "train/learningRate": 0.125, "train/gradientNorm": 3,
        "train/imagesPerSecond": 640,
      ])
    #expect(events[1].scalars["train/loss"]?.isNaN == true)
    #expect(events[2].scalars["epoch/number"] == 1 && events[2].scalars["validation/top1"] == 0.375)
    #expect(events[2].scalars["epoch/trainLoss"] == 1.25 && events[2].scalars["validation/loss"] == 1.75)
    #expect(events[2].others == ["weights/w": 5])
  }

  @Test func `a histogram counts every finite value once`() throws {
    let values: [Float] = (0..<1000).map { Float($0 * $0 % 97) } + [.nan, .infinity]
    let histogram = try #require(ValueHistogram(values))
    #expect(histogram.count == 1000 && histogram.counts.reduce(0, +) == 1000 && histogram.counts.count == 40)
    #expect(histogram.range == 0...Double(values.filter(\.isFinite).max() ?? 0))
    #expect(abs(histogram.sum - values.filter(\.isFinite).reduce(0) { $0 + Double($1) }) < 1e-6)
    #expect(ValueHistogram([4, 4])?.counts == [2])
    #expect(ValueHistogram([]) == nil && ValueHistogram([.nan]) == nil)
  }

  @Test func `what came after a checkpoint is cut off, also across files and behind a torn record`() throws {
    for (toStep, toEpoch, kept) in [
      (40, 2, 6), (40, 1, 5), (30, 1, 4), (25, 1, 3), (20, 1, 3), (20, 0, 2), (10, 0, 1), (0, 0, 0),
    ] {
      let folder = try TemporaryFolder()
      func log() -> TensorBoardLog { TensorBoardLog(folder: folder.path, onFailure: { Issue.record("\($0)") }) }
      let first = log()
      first.append(step(10))
      first.append(step(20))
      first.append(epoch(1, step: 20), [])
      let second = log()
      second.append(step(30))
      second.append(step(40))
      second.append(epoch(2, step: 40), [])
      let parts = TensorBoardLog.parts(in: folder.path)
      #expect(parts.map(\.number) == [1, 2])
      let torn = try FileHandle(forWritingTo: URL(fileURLWithPath: parts[1].path))
      try torn.seekToEnd()
      try torn.write(contentsOf: Data([23, 0, 0, 0, 0, 0, 0, 0, 1]))
      try torn.close()
      let resumed = log()
      try resumed.rewind(toStep: toStep, epoch: toEpoch)
      #expect(try ReadEvent.all(in: folder.path).count == kept, "to \(toStep), \(toEpoch)")
      // What goes on stands in a file of its own, and nothing is there twice.
      resumed.append(step(toStep + 1))
      let events = try ReadEvent.all(in: folder.path)
      #expect(events.count == kept + 1 && events.last?.step == toStep + 1)
      #expect(zip(events, events.dropFirst()).allSatisfy { $0.step <= $1.step })
    }
  }

  @Test func `a full disk costs events, is told once, and what can be written later is readable`() throws {
    let faulty = FaultyCalls()
    var told: [String] = []
    let log = log(faulty.calls()) { told.append($0) }
    log.append(step(1))
    faulty.fail(true)
    log.append(step(2))
    log.append(step(3))
    log.append(epoch(1, step: 3), [])
    faulty.fail(false)
    log.append(step(4))
    log.append(epoch(2, step: 5), [])
    log.append(step(6))
    #expect(told.count == 1 && told.first?.contains("TensorBoard") == true)
    #expect(try ReadEvent.all(in: folder.path).map(\.step) == [1, 5, 6])
  }

  private func project() throws -> ToyProject {
    try ToyProject(counts: SplitCounts(train: 6, validation: 2, test: 3))
  }

  @Test func `a run that was interrupted has the events of one that was not, each once`() throws {
    let project = try project()
    let settings = project.settings(epochs: 3) { $0.tensorBoard = true }
    let reference = try project.train(settings)
    let stopped = try project.train(settings) { $0.isStep(7) ? [.stop] : [] }
    let resumed = try project.resume(stopped.run)
    func timeless(_ run: RunFolder) throws -> [ReadEvent] {
      try ReadEvent.all(in: run.path).map { event in
        var event = event
        event.time = 0
        for key in ["train/imagesPerSecond", "epoch/seconds", "epoch/dataWait"] { event.scalars[key] = nil }
        return event
      }
    }
    let events = try timeless(reference.run)
    #expect(try timeless(resumed.run) == events)
    #expect(TensorBoardLog.parts(in: resumed.run.path).count == 2)
    #expect(events.count { $0.scalars["train/loss"] != nil } == 15 && events.count == 18)
    let last = try #require(events.last)
    #expect(last.others["validation/confusion"] == 4 && last.others["weights/conv1.weight"] == 5)
    #expect(last.others.keys.contains { $0.hasPrefix("statistics/") })
    // And the run itself is the same as one without.
    let plain = try project.train(project.settings(epochs: 3))
    let comparison = try RunComparison(plain.run, reference.run)
    #expect(comparison.isSame, "\(comparison.differences)")
    #expect(TensorBoardLog.parts(in: plain.run.path).isEmpty)
  }

  @Test func `an evaluation of such a run is shown too`() throws {
    let project = try project()
    let run = try project.train(project.settings(epochs: 1) { $0.tensorBoard = true })
    let job = try EvaluationJob(checkpoint: run.run.path, data: nil, split: .test)
    let report = try #require(try job.run(threads: 1))
    try job.keep(report)
    let file = try InputFile(path: run.run.evaluationsPath + "/events.out.tfevents.best-test.skipline")
    var events: [ReadEvent] = []
    try TensorBoardLog.forEachEvent(in: file) { bytes, _ in
      if let event = try? ReadEvent(bytes) { events.append(event) }
      return true
    }
    #expect(events.last?.scalars["best-test/top1"] == Float(report.top1))
    #expect(events.last?.others["best-test/confusion"] == 4)
    #expect((events.last?.others["best-test/mistakes"] == 4) == (report.mistakes > 0))
  }

  @Test func `the matrix is drawn cell by cell, and one of very many classes is not larger than a screen`() {
    let small = DotPicture.confusion([[3, 1], [0, 12]])
    #expect(small.width == 81 && small.height == 81)
    func color(_ x: Int, _ y: Int) -> [UInt8] { Array(small.pixels[(y * 81 + x) * 3..<(y * 81 + x) * 3 + 3]) }
    #expect(color(3, 3)[2] > color(3, 3)[0] && color(43, 3)[0] > color(43, 3)[2])
    #expect(color(3, 43) == [255, 255, 255])
    let cells = (0..<10_000).map { ConfusionMatrix.Cell(truth: $0, predicted: ($0 + 1) % 10_000, count: 1) }
    #expect(DotPicture.confusion(ConfusionMatrix(classes: 10_000, cells: cells)).width == 1001)
    #expect(DotPicture.confusion(ConfusionMatrix(classes: 0, cells: [])).width == 41)
  }

  @Test(.enabled(if: Python.isThere, "set SKIPLINE_PYTHON to a Python with tensorboard to run this"))
  func `TensorBoard reads what was written`() throws {
    let project = try project()
    let stopped = try project.train(project.settings(epochs: 2) { $0.tensorBoard = true }) {
      $0.isStep(6) ? [.stop] : []
    }
    let run = try project.resume(stopped.run).run
    let script = """
      import sys, json
      try:
          from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      except ImportError:
          print("absent"); sys.exit(0)
      from tensorboard.util import tensor_util
      a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0, "tensors": 0})
      a.Reload()
      tags = a.Tags()
      print(json.dumps({
        "loss": [[e.step, e.value] for e in a.Scalars("train/loss")],
        "top1": [[e.step, e.value] for e in a.Scalars("validation/top1")],
        "confusion": [[e.step, e.width, e.height] for e in a.Images("validation/confusion")],
        "weights": [[e.step, e.histogram_value.num] for e in a.Histograms("weights/conv1.weight")],
        "tags": sorted(tags["scalars"]),
      }))
      """
    let output = try Python.run(["-c", script, run.path], isQuiet: true)
    if String(decoding: output, as: UTF8.self).hasPrefix("absent") { return }
    struct Read: Decodable {
      var loss: [[Double]]
      var top1: [[Double]]
      var confusion: [[Int]]
      var weights: [[Double]]
      var tags: [String]
    }
    let read = try JSONDecoder().decode(Read.self, from: output)
    let metrics = try MetricsLog.read(path: run.metricsPath)
    #expect(read.loss == metrics.steps.map { [Double($0.step), Double(Float($0.loss))] })
    #expect(read.top1 == metrics.epochs.map { [Double($0.step), Double(Float($0.validation?.top1 ?? -1))] })
    #expect(read.confusion == metrics.epochs.map { [$0.step, 121, 121] })
    #expect(read.weights.count == 2 && read.weights.allSatisfy { $0[1] > 100 })
    #expect(read.tags.contains("train/learningRate") && read.tags.contains("train/gradientNorm"))
  }
}
