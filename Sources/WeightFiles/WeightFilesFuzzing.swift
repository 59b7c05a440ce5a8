// The readers of files of weights on bytes instead of files: for the fuzzer.

extension Safetensors {
  /// The bytes of a safetensors file.
  /// - Returns: nil for what is none.
  package static func contents(of bytes: [UInt8]) -> WeightsContents? {
    guard bytes.count >= 10 else { return nil }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= bytes.count - 8 else { return nil }
    let end = 8 + Int(length)
    let headerBytes = Array(bytes[8..<end])
    guard let header = try? SafetensorsHeader.scan(headerBytes),
      (try? header.check(bufferLength: bytes.count - end)) != nil
    else { return nil }
    return contents(
      path: "file", header: header, headerBytes: headerBytes, buffer: Array(bytes[end...]))
  }
}

/// Takes the bytes of a file in another format as far as the numbers of its arrays.
/// - Returns: whether it is such a file.
package func fuzzWeights(_ bytes: [UInt8], as kind: WeightsFileKind) -> Bool {
  guard let scanned = try? WeightsFile.scan(ByteSource(bytes), kind: kind, path: "file"),
    let contents = try? WeightsFile.contents(scanned)
  else { return false }
  for (name, array) in contents.outline.arrays where array.count ?? .max < 1 << 16 { _ = try? contents.array(name) }
  return true
}

/// Takes the bytes of an index of several files as far as their names.
package func fuzzWeightsIndex(_ bytes: [UInt8]) -> Bool { (try? ShardedWeights.index(bytes)) != nil }

/// Takes the bytes of a file that is no safetensors file as far as the advice for its kind.
/// - Returns: whether it is of a kind that is known.
package func fuzzForeignWeights(_ bytes: [UInt8]) -> Bool {
  let kind = WeightsFileKind(head: Array(bytes.prefix(64 << 10)), tail: Array(bytes.suffix(256 << 10)))
  return kind.map { !$0.advice(path: "file").isEmpty } ?? false
}

/// Seeds: beginnings of files of other kinds, whose kind is told by bytes, by fields, by modules and by text.
package let foreignWeightsSeeds: [[UInt8]] = [
  [0x08, 0x08, 0x12, 0x07] + Array("pytorch".utf8) + [0x3a, 0x02, 0x0a, 0x00],
  Array("PK\u{3}\u{4}  w/data.pkl".utf8),
  [0x80, 0x02, 0x7d] + Array("sklearn".utf8), Array(#"{"weight_map":{"a":"b"}}"#.utf8),
]
