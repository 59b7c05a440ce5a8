// What the tests of shards share: Examples and shards made byte by byte, and TensorFlow's fixture.

import Foundation
import Images
import Messages
import TestSupport

@testable import Datasets

enum Shard {
  /// A serialized Example of an image.
  static func example(
    _ image: [UInt8] = PNGFile.any, text: String? = nil, label: Int64? = nil,
    more: [String: ImageExample.Feature] = [:]
  ) -> [UInt8] {
    var features = more
    features["image/encoded"] = .bytes(image)
    if let text { features["image/class/text"] = .bytes(Array(text.utf8)) }
    if let label { features["image/class/label"] = .integer(label) }
    return ImageExample.serialized(features)
  }

  static func bytes(_ examples: [[UInt8]]) -> [UInt8] { examples.flatMap(TFRecord.record) }

  /// Two classes, so many images.
  static func any(_ count: Int = 2) -> [UInt8] {
    bytes((0..<count).map { example(text: $0.isMultiple(of: 2) ? "cat" : "dog") })
  }
}

/// The files of Fixtures/Records; make_records.py says how they were made.
enum RecordFixture {
  static func path(_ name: String) throws -> String {
    guard let folder = Bundle.module.resourceURL else { throw CocoaError(.fileNoSuchFile) }
    return folder.appendingPathComponent("Fixtures/Records/\(name)").path
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  static func decoded<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(bytes(name)))
  }
}

func scan(
  shards folder: String, _ split: SplitSettings = SplitSettings()
) throws(DatasetError) -> DatasetIndex {
  try DatasetIndex.scan(root: folder, split: split)
}

extension DatasetIndex {
  /// What is said about shards.
  var shardFindings: [DatasetFinding] { findings.filter { $0.kind == .damagedShard } }

  /// The bytes of an item's image file.
  func contents(_ item: DatasetItem) throws -> [UInt8] {
    try ImageDecoder().withContents(path: item.absolutePath(root: root)) { Array($0) }
  }
}
