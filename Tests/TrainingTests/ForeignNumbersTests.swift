// Numbers of other people in a run's record and in a checkpoint's metadata: each of them, found by walking the JSON,
// is replaced by each of a list of values. Whatever happens, it is an error that names the file, or a run that goes on.

import Files
import Foundation
import Messages
import Testing
import TestSupport
import WeightFiles

@testable import Training

@Suite struct ForeignNumbersTests {
  /// As JSON. NaN and infinity are strings in our files.
  static let values = [
    "-9223372036854775808", "-1", "0", "1", "0.5", "2147483648", "9007199254740993", "9223372036854775807",
    "18446744073709551616", "1e18", "1e308", "1e400", "\"NaN\"", "\"Infinity\"", "\"many\"", "null", "[]",
  ]

  private let project: ToyProject
  private let run: RunFolder

  init() throws {
    project = try ToyProject()
    let settings = project.settings(epochs: 2) {
      $0.timeBudget = 1000
      $0.earlyStoppingPatience = 7
      $0.cache.limit = 1 << 30
      $0.optimizer.gradientClip = 5
      $0.schedule = .step(epochs: [1, 2], factor: 0.5)
      $0.preprocessing.normalization = .given(mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])
    }
    run = try project.train(settings) { $0.isStep(7) ? [.stop] : [] }.run
  }

  @Test func `no number of a run's record can do harm, and the one that is wrong is named`() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: run.recordPath))
    let checkpoint = try Data(contentsOf: URL(fileURLWithPath: run.path(of: .last)))
    let metrics = try Data(contentsOf: URL(fileURLWithPath: run.metricsPath))
    let numbers = try JSONNumbers(whole)
    #expect(numbers.places.count >= 40)
    var refused = 0
    for place in numbers.places {
      for value in Self.values {
        try numbers.replacing(place, with: value).write(to: URL(fileURLWithPath: run.recordPath))
        do {
          _ = try run.record()
        } catch let error as RunFolderError {
          refused += 1
          #expect(error.description.contains(run.recordPath), "\(place) = \(value): \(error)")
          continue
        }
        // What is taken must be fit to go on with, or be refused for another reason.
        do { _ = try project.resume(run) { $0.isStep(8) ? [.stop] : [] } } catch {}
        try checkpoint.write(to: URL(fileURLWithPath: run.path(of: .last)))
        try metrics.write(to: URL(fileURLWithPath: run.metricsPath))
      }
    }
    #expect(refused > numbers.places.count * Self.values.count / 2)
    // The setting is named by its key.
    let batch = try #require(numbers.places.first { $0.last == "batchSize" })
    try numbers.replacing(batch, with: "0").write(to: URL(fileURLWithPath: run.recordPath))
    let error = #expect(throws: RunFolderError.self) { try run.record() }
    #expect(error?.description.contains("settings.batchSize 0: it must be a whole number from 1 to 65,536") == true)
  }

  @Test func `no number in a checkpoint's metadata can do harm`() throws {
    let path = run.path(of: .last)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let file = try Safetensors.read(path: path)
    let arrays = try file.names.map { try file.array($0) }
    let kept = file.metadata.filter { ![Safetensors.checksumKey, Safetensors.sealKey].contains($0.key) }
    let record = try Data(contentsOf: URL(fileURLWithPath: run.recordPath))
    let metrics = try Data(contentsOf: URL(fileURLWithPath: run.metricsPath))
    var tried = 0
    for (key, text) in kept.sorted(by: { $0.key < $1.key }) {
      // Values are numbers themselves, or JSON with numbers in it.
      let isNumber = Double(text) != nil
      guard isNumber || text.hasPrefix("{") else { continue }
      let numbers = isNumber ? nil : try JSONNumbers(Data(text.utf8))
      for place in numbers?.places ?? [[]] {
        for value in Self.values {
          tried += 1
          var metadata = kept
          metadata[key] =
            try numbers.map { String(decoding: try $0.replacing(place, with: value), as: UTF8.self) }
            ?? value
          try Safetensors.write(arrays, metadata: metadata, to: path)
          _ = run.checkpoints()
          do { _ = try Checkpoint.load(path: path) } catch {}
          do { _ = try project.resume(run) { $0.isStep(8) ? [.stop] : [] } } catch {}
          try record.write(to: URL(fileURLWithPath: run.recordPath))
          try metrics.write(to: URL(fileURLWithPath: run.metricsPath))
        }
      }
    }
    #expect(tried > 25 * Self.values.count)
    try whole.write(to: URL(fileURLWithPath: path))
    #expect(try project.resume(run).outcome.reason == .completed)
  }

  @Test(arguments: [
    ("reductions", "9223372036854775807"), ("reductions", "-1"), ("epochsDone", "9223372036854775807"),
    ("step", "-1"), ("badEpochs", "9223372036854775807"), ("seconds", "1e308"), ("peak", "0"),
  ])
  func `an impossible training state is refused with its place`(key: String, value: String) throws {
    let path = run.path(of: .last)
    let file = try Safetensors.read(path: path)
    var metadata = file.metadata.filter { ![Safetensors.checksumKey, Safetensors.sealKey].contains($0.key) }
    let numbers = try JSONNumbers(Data(try #require(metadata["skipline.training_state"]).utf8))
    let place = try #require(numbers.places.first { $0.last == key })
    metadata["skipline.training_state"] = String(
      decoding: try numbers.replacing(place, with: value), as: UTF8.self)
    try Safetensors.write(try file.names.map { try file.array($0) }, metadata: metadata, to: path)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint.trainingState(path: path) }
    #expect(error?.description.contains("\(path) does not fit: its training state has") == true)
    #expect(error?.description.contains(key) == true)
  }

  @Test func `lines of metrics with impossible counts are passed over`() throws {
    let path = project.folder.file("metrics.jsonl")
    let log = MetricsLog(path: path) { Issue.record("\($0)") }
    let step = StepMetrics(
      step: 1, epoch: 1, loss: 1, accuracy: 0.5, learningRate: 0.1, gradientNorm: 1, imagesPerSecond: 1,
      secondsLeft: nil)
    for number in [1, -1, .max] {
      var odd = step
      odd.step = number
      log.append(odd)
      odd = step
      odd.epoch = number
      log.append(odd)
    }
    let history = try MetricsLog.read(path: path)
    #expect(history.steps.count == 2 && history.unreadableLines == 4)
  }
}

/// The numbers (and truth values) of a JSON document by their places, and the document with one of them replaced by any
/// text.
struct JSONNumbers {
  private let document: Any
  /// Keys and indices from the root.
  let places: [[String]]
  private static let mark = "\u{1}here\u{1}"

  init(_ data: Data) throws {
    document = try JSONSerialization.jsonObject(with: data)
    places = Self.places(in: document)
  }

  private static func places(in value: Any) -> [[String]] {
    switch value {
    case let object as [String: Any]:
      object.sorted { $0.key < $1.key }.flatMap { key, value in places(in: value).map { [key] + $0 } }
    case let array as [Any]:
      array.enumerated().flatMap { index, value in places(in: value).map { ["\(index)"] + $0 } }
    case is NSNumber: [[]]
    default: []
    }
  }

  func replacing(_ place: [String], with text: String) throws -> Data {
    let marked = Self.marked(document, place[...])
    let data = try JSONSerialization.data(withJSONObject: marked, options: [.sortedKeys, .fragmentsAllowed])
    let mark = "\"\\u0001here\\u0001\""
    return Data(String(decoding: data, as: UTF8.self).replacing(mark, with: text).utf8)
  }

  private static func marked(_ value: Any, _ place: ArraySlice<String>) -> Any {
    guard let first = place.first else { return mark }
    if var object = value as? [String: Any] {
      object[first] = object[first].map { marked($0, place.dropFirst()) }
      return object
    }
    guard var array = value as? [Any], let index = Int(first) else { return value }
    array[index] = marked(array[index], place.dropFirst())
    return array
  }
}
