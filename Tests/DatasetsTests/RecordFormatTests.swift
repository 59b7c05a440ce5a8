// Framing and wire format, byte by byte, and bytes that were broken at random.

import Support
import Protobuf
import Foundation
import Messages
import TestSupport
import Testing

@testable import Datasets

@Suite struct `TFRecord framing` {
  @Test func `a record is what TensorFlow writes`() throws {
    // tf.io.TFRecordWriter's bytes for the record b"abc".
    let written = try RecordFixture.bytes("abc.tfrecord")
    #expect(TFRecord.record(Array("abc".utf8)) == written)
    #expect(written.count == 12 + 3 + 4)
  }

  @Test func `records are given one by one with their place, empty ones too`() throws {
    let datas: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 300_000), [9]]
    var reader = RecordReader(ShardBuffer(bytes: Shard.bytes(datas)))
    var found: [[UInt8]] = []
    var offsets: [Int] = []
    while let (data, offset) = try reader.next({ (Array($0), $1) }) {
      found.append(data)
      offsets.append(offset)
    }
    #expect(found == datas)
    #expect(offsets == [12, 12 + 3 + 16, 12 + 3 + 32, 12 + 300_003 + 48])
    #expect(reader.records == 4)
  }

  @Test func `every byte of a record is under a checksum`() {
    let good = Shard.any(1)
    #expect(ParsedShard(good).faults.isEmpty)
    for at in good.indices {
      var bad = good
      bad[at] ^= 0x10
      let parsed = ParsedShard(bad)
      #expect(parsed.images.isEmpty && parsed.faults.count == 1, "byte \(at)")
      let part = at < 12 ? "length" : "data"
      #expect(parsed.faults.first?.contains("checksum of its \(part)") == true, "byte \(at)")
    }
  }

  @Test func `a shard cut off anywhere gives the records before the cut`() {
    let one = Shard.bytes([Shard.example(text: "cat")])
    let whole = one + Shard.bytes([Shard.example(text: "dog")])
    for count in (one.count + 1)..<whole.count {
      let parsed = ParsedShard(Array(whole[..<count]))
      #expect(parsed.images.count == 1)
      #expect(parsed.faults.count == 1)
      #expect(parsed.faults.first?.hasPrefix("record 2 at byte \(one.count) is cut off") == true)
    }
    #expect(ParsedShard([]) == ParsedShard(Array(one[..<0])))
    #expect(ParsedShard([]).faults.isEmpty)
  }

  @Test(arguments: [UInt64.max, UInt64(Int.max), UInt64(Int.max) - 15, 1 << 40, 5])
  func `a length that the file cannot hold takes no memory`(length: UInt64) {
    // The checksum of the length is right: it is the length itself that lies.
    let header = withUnsafeBytes(of: length.littleEndian) { bytes in
      Array(bytes) + withUnsafeBytes(of: TFRecord.maskedChecksum(bytes).littleEndian, Array.init)
    }
    let parsed = ParsedShard(header + [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(parsed.faults == ["record 1 at byte 0 is cut off: it has \(length) bytes, the file only 8 more"])
  }

  @Test func `behind a record with damaged data reading goes on`() {
    let first = Shard.bytes([Shard.example(text: "cat")])
    var shard = first + Shard.any(2)
    shard[20] ^= 1
    let parsed = ParsedShard(shard)
    #expect(parsed.faults == ["record 1 at byte 0 is damaged: the checksum of its data is wrong"])
    #expect(parsed.images.count == 2)
    #expect(parsed.images.allSatisfy { $0.place.lowerBound > first.count })
  }

  @Test func `a record longer than any image is passed over`() throws {
    // A file with a hole: 1 GiB and one byte of zeros take no room.
    let folder = try TemporaryFolder()
    let length = RecordLimits.recordBytes + 1
    let header = withUnsafeBytes(of: UInt64(length).littleEndian) { bytes in
      Array(bytes) + withUnsafeBytes(of: TFRecord.maskedChecksum(bytes).littleEndian, Array.init)
    }
    try folder.write(header, to: "big.tfrecord")
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(folder.path)/big.tfrecord"))
    try handle.seek(toOffset: UInt64(12 + length + 4))
    try handle.write(contentsOf: Data(Shard.any(2)))
    try handle.close()
    let index = try scan(shards: folder.path)
    #expect(index.items.count == 2)
    #expect(
      index.shardFindings.map(\.message)
        == ["big.tfrecord: record 1 at byte 0 has \(length) bytes, more than the \(length - 1) allowed"])
  }
}

@Suite struct `The wire format of an Example` {
  /// A field of bytes, a number; tags and lengths are below 128 here.
  private func bytes(_ field: UInt8, _ content: [UInt8]) -> [UInt8] {
    [field << 3 | 2, UInt8(content.count)] + content
  }
  private func number(_ field: UInt8, _ value: [UInt8]) -> [UInt8] { [field << 3] + value }
  private func entry(_ key: String, _ feature: [UInt8]) -> [UInt8] {
    bytes(1, bytes(1, Array(key.utf8)) + bytes(2, feature))
  }
  private let image: [UInt8] = [10, 6, 10, 4, 1, 2, 3, 4].dropFirst(2) + []

  private func parsed(_ message: [UInt8]) throws(ProtobufFault) -> ImageExample {
    try message.withUnsafeBufferPointer { (message) throws(ProtobufFault) in
      try ImageExample(UnsafeRawBufferPointer(message))
    }
  }

  private func label(_ list: [UInt8]) throws -> Int64? {
    try parsed(bytes(1, entry("image/class/label", bytes(3, list)))).label
  }

  @Test func `numbers come packed, one by one, negative or not at all`() throws {
    #expect(try label(bytes(1, [5, 6])) == 5)
    #expect(try label(number(1, [5]) + number(1, [6])) == 5)
    #expect(try label(number(1, [0x80, 0x01]) + bytes(1, [7])) == 128)
    #expect(try label(bytes(1, Array(repeating: 0xff, count: 9) + [1])) == -1)
    #expect(try label([]) == nil)
    #expect(try label(bytes(1, [])) == nil)
  }

  @Test func `a number of more than 64 bits is refused`() {
    #expect(throws: ProtobufFault.overlongNumber) { try label(bytes(1, Array(repeating: 0xff, count: 9) + [2])) }
    #expect(throws: ProtobufFault.overlongNumber) { try label(bytes(1, Array(repeating: 0x80, count: 10) + [0])) }
    #expect(throws: ProtobufFault.cutOff) { try label(bytes(1, [0x80])) }
  }

  @Test func `unknown fields, floats and groups are passed over`() throws {
    let group: [UInt8] = [0x1b, 0x23, 0x08, 0x05, 0x24, 0x1c]  // group 3 holding group 4 holding a number
    let unknown = number(9, [1]) + [9 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8] + [9 << 3 | 5, 1, 2, 3, 4] + group
    let feature = bytes(1, bytes(1, [1, 2, 3]))
    let features =
      unknown + entry("floats", bytes(2, bytes(1, [0, 0, 0x80, 0x3f]))) + entry("image/encoded", unknown + feature)
    let message = unknown + bytes(1, features) + bytes(1, entry("image/class/text", bytes(1, bytes(1, [0x61]))))
    let example = try parsed(message)
    #expect(example.encoded.map { Array(message[$0]) } == [1, 2, 3])
    #expect(example.text == [0x61])
  }

  @Test func `of a key that comes twice the last counts, of a list the first value`() throws {
    let twice =
      entry("image/class/text", bytes(1, bytes(1, [0x61]) + bytes(1, [0x62])))
      + entry("image/class/text", bytes(1, bytes(1, [0x63]) + bytes(1, [0x64])))
    #expect(try parsed(bytes(1, twice)).text == [0x63])
    // The kind that is set last is the one that is set.
    let both = entry("image/class/label", bytes(3, bytes(1, [5])) + bytes(1, bytes(1, [0x61])))
    #expect(try parsed(bytes(1, both)).label == nil)
  }

  @Test func `what is malformed is refused`() {
    #expect(throws: ProtobufFault.cutOff) { try parsed([10, 5, 1]) }
    #expect(throws: ProtobufFault.cutOff) { try parsed([10] + Array(repeating: 0xff, count: 9) + [1]) }
    #expect(throws: ProtobufFault.cutOff) { try parsed([9 << 3 | 1, 1, 2]) }
    #expect(throws: ProtobufFault.invalidTag) { try parsed([2, 0]) }  // field 0
    #expect(throws: ProtobufFault.invalidTag) { try parsed([9 << 3 | 6]) }
    #expect(throws: ProtobufFault.invalidTag) { try parsed([0x82, 0x80, 0x80, 0x80, 0x10, 0]) }  // field 2^29
    #expect(throws: ProtobufFault.unmatchedGroup) { try parsed([0x1c]) }
    #expect(throws: ProtobufFault.unmatchedGroup) { try parsed([0x1b, 0x24]) }
    #expect(throws: ProtobufFault.unmatchedGroup) { try parsed([0x1b]) }
    #expect(throws: ProtobufFault.deepGroups) { try parsed(Array(repeating: 0x1b, count: 33)) }
  }

  @Test func `an Example without an image says what it has, one that is none says so`() {
    let other = ImageExample.serialized(["audio": .bytes([1]), "label": .integer(3)])
    let classless = ImageExample.serialized(["image/encoded": .bytes([1])])
    let empty = ImageExample.serialized(["image/encoded": .bytes([]), "image/class/label": .integer(3)])
    let long = Shard.example(text: String(repeating: "x", count: 1025))
    let examples = [other, classless, empty, [10, 5, 1], [], long]
    let reasons = [
      "has no image/encoded, only audio, label", "has neither image/class/text nor image/class/label",
      "has no image/encoded, only image/class/label, image/encoded",
      "is not a tf.train.Example: a field is longer than what it lies in", "has no image/encoded",
      "has a class name of 1025 bytes, more than 1024",
    ]
    var offset = 0
    var expected: [String] = []
    for (number, (example, reason)) in zip(examples, reasons).enumerated() {
      expected.append("record \(number + 1) at byte \(offset) \(reason)")
      offset += example.count + 16
    }
    #expect(ParsedShard(Shard.bytes(examples)).faults == expected)
  }

  /// Some thousands of broken shards, Examples and label files. Nothing may trap, and what
  /// is read must lie within the shard.
  @Test func `bytes broken at random are read or refused`() throws {
    let seeds =
      try ["train-00000-of-00002", "train-00001-of-00002", "labels.txt"].map {
        try RecordFixture.bytes("tensorflow/\($0)")
      } + [Shard.example(text: "cat", label: 3, more: ["a": .integer(-1)]), Shard.any(4)]
    var generator = RandomGenerator(seed: 29)
    var (images, faults, liesOutside) = (0, 0, 0)
    for _ in 0..<4000 {
      var bytes = seeds[generator.integer(below: seeds.count)]
      for _ in 0...generator.integer(below: 4) { bytes.mutate(&generator) }
      fuzzTFRecord(bytes)
      let parsed = ParsedShard(bytes)
      images += parsed.images.count
      faults += parsed.faults.count
      liesOutside += parsed.images.count { $0.place.lowerBound < 12 || $0.place.upperBound > bytes.count }
    }
    #expect(liesOutside == 0)
    #expect(images > 1000 && faults > 1000)
  }
}

extension [UInt8] {
  /// Changes, removes, inserts or doubles some bytes.
  fileprivate mutating func mutate(_ generator: inout RandomGenerator) {
    guard !isEmpty else { return append(UInt8(generator.integer(below: 256))) }
    let at = generator.integer(below: count)
    let end = Swift.min(count, at + 1 + generator.integer(below: 16))
    switch generator.integer(below: 6) {
    case 0: self[at] ^= 1 << UInt8(generator.integer(below: 8))
    case 1: self[at] = [0, 1, 0x7f, 0x80, 0xff][generator.integer(below: 5)]
    case 2: removeSubrange(at..<end)
    case 3: insert(contentsOf: self[at..<end], at: at)
    case 4: removeLast(count - at)
    default: insert(UInt8(generator.integer(below: 256)), at: at)
    }
  }
}
