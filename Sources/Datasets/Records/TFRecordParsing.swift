// The reader without files, for the fuzzer and for tests: any bytes go in.

/// What reading bytes as a shard came to.
package struct ParsedShard: Equatable {
  /// Examples with an image and a class: where the image lies, and what the Example says of its class.
  package var images: [(place: Range<Int>, text: [UInt8]?, label: Int64?)]
  /// In words, in order.
  package var faults: [String]

  /// Reads bytes as a whole shard. It never traps, whatever they are.
  package init(_ bytes: [UInt8]) {
    var reader = RecordReader(ShardBuffer(bytes: bytes))
    var images: [(place: Range<Int>, text: [UInt8]?, label: Int64?)] = []
    faults = RecordTable.readExamples(&reader) { example, place in
      images.append((place, example.text, example.label))
      return true
    }.map { "record \($0.record) at byte \($0.offset) \($0.damage)" }
    self.images = images
  }

  package static func == (first: ParsedShard, second: ParsedShard) -> Bool {
    first.faults == second.faults && first.images.elementsEqual(second.images) { $0 == $1 }
  }
}

/// Gives bytes to everything that reads what shards and their companions hold: as a shard, as an Example without
/// framing (which a fuzzer would hardly ever get past the checksums), and as labels.txt.
package func fuzzTFRecord(_ bytes: [UInt8]) {
  _ = ParsedShard(bytes)
  bytes.withUnsafeBytes { bytes in
    if let example = try? ImageExample(bytes), let place = example.encoded {
      precondition(place.upperBound <= bytes.count, "an image lies within its record")
    }
    _ = try? ImageExample.keys(of: bytes)
  }
  var framed = ShardBuffer(bytes: TFRecord.record(bytes))
  framed.bytes += bytes
  var reader = RecordReader(framed)
  _ = RecordTable.readExamples(&reader) { _, _ in true }
  _ = LabelsFile(bytes)
}

/// A shard of small images with class texts, for a fuzzer to begin with.
package func smallShard(images: [[UInt8]]) -> [UInt8] {
  images.enumerated().flatMap { number, image in
    TFRecord.record(
      ImageExample.serialized([
        "image/encoded": .bytes(image), "image/class/text": .bytes(Array("class \(number % 2)".utf8)),
        "image/class/label": .integer(Int64(number % 2)),
      ]))
  }
}
