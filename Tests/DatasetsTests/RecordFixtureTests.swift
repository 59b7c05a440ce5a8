// Shards that TensorFlow wrote, read here; shards written here that TensorFlow read. Fixtures/Records/make_records.py
// says how the files were made.

import Support
import Foundation
import Images
import Messages
import TestSupport
import Testing

@testable import Datasets

/// A value of the fixture's JSON.
private enum Value: Decodable, Equatable {
  case number(Int64)
  case text(String)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int64.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  var bytes: [UInt8]? {
    if case .text(let text) = self { Data(base64Encoded: text).map { [UInt8]($0) } } else { nil }
  }
}

/// A record as TensorFlow reads it.
private struct TensorFlowRecord: Decodable {
  var shard: String
  var length: Int
  /// RGB, base64.
  var pixels: String
  var features: [String: [Value]]
}

/// What TensorFlow read in the shards that were written here.
private struct TensorFlowReading: Decodable {
  struct Shard: Decodable {
    var name: String
    var bytes: Int
    var fnv1a: String
    var sameFromTensorFlow: Bool
    var records: [Record]
  }

  struct Record: Decodable, Equatable {
    var bytes: Int
    var fnv1a: String
    var decoded: [Int]
    var channels: Int
    var label: Int
    var text: String
    var colorSpace: String
    var filename: String
    var format: String
    var height: Int
    var width: Int

    enum CodingKeys: String, CodingKey {
      case bytes, fnv1a, decoded, channels = "image/channels", label = "image/class/label", text =
        "image/class/text"
      case colorSpace = "image/colorspace", filename = "image/filename", format = "image/format"
      case height = "image/height", width = "image/width"
    }
  }

  var labels: String
  var shards: [Shard]
}

private func hash(_ bytes: [UInt8]) -> String {
  let digits = String(stableHash(bytes), radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

@Suite struct `TensorFlow's shards` {
  @Test func `every record holds what TensorFlow reads in it`() throws {
    let records = try RecordFixture.decoded([TensorFlowRecord].self, "tensorflow.json")
    #expect(records.count == 15)
    for (shard, records) in Dictionary(grouping: records, by: \.shard) {
      let bytes = try RecordFixture.bytes("tensorflow/\(shard)")
      let parsed = ParsedShard(bytes)
      #expect(parsed.faults.isEmpty)
      #expect(parsed.images.count == records.count)
      for (image, record) in zip(parsed.images, records) {
        #expect(Array(bytes[image.place]) == record.features["image/encoded"]?[0].bytes)
        let text = record.features["image/class/text"]?[0].bytes
        #expect(image.text == (text?.isEmpty == true ? nil : text))
        #expect(image.label.map { .number($0) } == record.features["image/class/label"]?[0])
      }
      // The records lie one behind the other: 16 bytes of framing each, and nothing else.
      #expect(bytes.count == records.reduce(0) { $0 + $1.length + 16 })
    }
  }

  @Test func `the folder opens as a dataset, with the pixels that TensorFlow decodes`() throws {
    let records = try RecordFixture.decoded([TensorFlowRecord].self, "tensorflow.json")
    let index = try scan(shards: try RecordFixture.path("tensorflow"))
    #expect(index.classes == ["daisy", "rose", "tulip"])
    #expect(Split.allCases.map { index.items(in: $0).count } == [12, 3, 0])
    #expect(index.shardFindings.isEmpty)
    for item in index.items {
      let file = try index.contents(item)
      let record = try #require(records.first { $0.features["image/encoded"]?[0].bytes == file })
      #expect(record.features["image/class/label"]?[0] == .number(Int64(item.label)))
      let pixels = try #require(Value.text(record.pixels).bytes)
      let image = try ImageDecoder.decode(path: item.absolutePath(root: index.root))
      #expect(image.width == 6 && image.height == 4)
      let differences = zip(image.pixels, pixels).map { abs(Int($0) - Int($1)) }
      // PNG is exact; two JPEG decoders may round differently.
      let isPNG = file.first == 0x89
      #expect(isPNG ? image.pixels == pixels : differences.reduce(0, +) <= differences.count, "\(item.path)")
    }
  }
}

@Suite struct `Shards for TensorFlow` {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `the same bytes as those that TensorFlow read, and wrote itself`() throws {
    let reading = try RecordFixture.decoded(TensorFlowReading.self, "skipline.json")
    let index = try DatasetIndex.scan(root: try RecordFixture.path("images"), split: SplitSettings())
    let target = "\(folder.path)/shards"
    let summary = try TFRecordExport(index, sharding: .count(2)).write(to: target, workers: 2)
    #expect(summary.leftOut.isEmpty)
    #expect(summary.parts.map(\.images) == [12, 3])
    let names = try FileManager.default.contentsOfDirectory(atPath: target).sorted()
    #expect(names == ["labels.txt"] + reading.shards.map(\.name))
    #expect(try String(contentsOfFile: "\(target)/labels.txt", encoding: .utf8) == reading.labels)
    for shard in reading.shards {
      let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: "\(target)/\(shard.name)")))
      #expect(bytes.count == shard.bytes && hash(bytes) == shard.fnv1a, "\(shard.name)")
      #expect(shard.sameFromTensorFlow)
    }
    #expect(summary.bytes == reading.shards.reduce(0) { $0 + $1.bytes })
  }

  @Test func `what TensorFlow read is what the image files are`() throws {
    let reading = try RecordFixture.decoded(TensorFlowReading.self, "skipline.json")
    let records = reading.shards.flatMap(\.records)
    #expect(records.count == 15)
    let classes = ["daisy", "rose", "tulip"]
    for record in records {
      let file = try RecordFixture.bytes("images/\(record.filename)")
      #expect(record.bytes == file.count && record.fnv1a == hash(file))
      #expect(record.decoded == [record.height, record.width, record.channels])
      #expect(classes[record.label] == record.text && record.filename.contains("/\(record.text)/"))
      #expect(record.format == (record.filename.hasSuffix("jpg") ? "JPEG" : "PNG"))
      #expect(record.colorSpace == (record.channels == 1 ? "Grayscale" : "RGB"))
    }
    #expect(Set(records.map(\.filename)).count == 15)
  }
}
