// Pickles and archives as torch.save would write them, and as nobody honest would: put together by hand.

/// The bytes of a pickle.
package enum Pickle {
  package static let end: [UInt8] = [0x2e]
  package static let mark: [UInt8] = [0x28]
  package static let empty: [UInt8] = [0x29]

  package static func text(_ text: String) -> [UInt8] { [0x58] + little(text.utf8.count, 4) + Array(text.utf8) }

  package static func integer(_ value: Int) -> [UInt8] { [0x8a, 8] + little(value, 8) }

  package static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

  package static func tuple(_ items: [[UInt8]]) -> [UInt8] { mark + items.joined() + Array("t".utf8) }

  package static func dictionary(_ pairs: [(String, [UInt8])]) -> [UInt8] {
    Array("}(".utf8) + pairs.flatMap { text($0.0) + $0.1 } + Array("u".utf8)
  }

  package static func call(_ module: String, _ name: String, _ arguments: [[UInt8]]) -> [UInt8] {
    global(module, name) + tuple(arguments) + Array("R".utf8)
  }

  package static func storage(_ key: String, count: Int, type: String = "FloatStorage") -> [UInt8] {
    tuple([text("storage"), global("torch", type), text(key), text("cpu"), integer(count)]) + Array("Q".utf8)
  }

  /// A tensor that is all of a storage of its own.
  package static func tensor(
    _ key: String, shape: [Int], strides: [Int]? = nil, offset: Int = 0, count: Int? = nil,
    type: String = "FloatStorage"
  ) -> [UInt8] {
    let steps = shape.indices.map { shape[($0 + 1)...].reduce(1, &*) }
    return call(
      "torch._utils", "_rebuild_tensor_v2",
      [
        storage(key, count: count ?? shape.reduce(1, &*), type: type), integer(offset),
        tuple(shape.map { integer($0) }), tuple((strides ?? steps).map { integer($0) }), [0x89],
        call("collections", "OrderedDict", []),
      ])
  }

  package static func whole(_ content: [UInt8]) -> [UInt8] { [0x80, 2] + content + end }

  package static func little(_ value: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// Writes a zip archive, in which every number can be a lie.
package struct ZipWriter {
  package struct Entry {
    package var name: String
    package var bytes: [UInt8]
    package var method = 0
    /// What the directory claims; nil for the truth.
    package var size: Int?
    package var packedSize: Int?
    package var checksum: UInt32?
    /// Of the local header.
    package var localName: String?
    /// The place of the local header; nil for the truth.
    package var place: Int?
    package var flags = 0
    /// Puts the sizes into a zip64 field.
    package var isWide = false

    package init(
      name: String, bytes: [UInt8], method: Int = 0, size: Int? = nil, packedSize: Int? = nil,
      checksum: UInt32? = nil
    ) {
      self.name = name
      self.bytes = bytes
      self.method = method
      self.size = size
      self.packedSize = packedSize
      self.checksum = checksum
    }
  }

  package var entries: [Entry] = []
  /// What the end record claims; nil for the truth.
  package var count: Int?
  package var directorySize: Int?
  package var directoryPlace: Int?
  package var comment: [UInt8] = []

  package func bytes() -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    let little = Pickle.little
    for entry in entries {
      let place = entry.place ?? file.count
      let local = Array((entry.localName ?? entry.name).utf8)
      let checksum = entry.checksum ?? CRC32.value(entry.method == 0 ? entry.bytes : [])
      let (size, packed) = (entry.size ?? entry.bytes.count, entry.packedSize ?? entry.bytes.count)
      file +=
        little(0x0403_4b50, 4) + little(20, 2) + little(entry.flags, 2) + little(entry.method, 2) + little(0, 4)
      file += little(Int(checksum), 4) + little(packed, 4) + little(size, 4) + little(local.count, 2) + little(0, 2)
      file += local + entry.bytes
      let extra =
        entry.isWide ? little(1, 2) + little(24, 2) + little(size, 8) + little(packed, 8) + little(place, 8) : []
      let name = Array(entry.name.utf8)
      directory += little(0x0201_4b50, 4) + little(20, 2) + little(20, 2) + little(entry.flags, 2)
      directory += little(entry.method, 2) + little(0, 4) + little(Int(checksum), 4)
      directory += entry.isWide ? little(-1, 4) + little(-1, 4) : little(packed, 4) + little(size, 4)
      directory += little(name.count, 2) + little(extra.count, 2) + little(0, 2) + little(0, 2) + little(0, 6)
      directory += (entry.isWide ? little(-1, 4) : little(place, 4)) + name + extra
    }
    let begin = file.count
    file += directory
    let number = count ?? entries.count
    file += little(0x0605_4b50, 4) + little(0, 4) + little(number, 2) + little(number, 2)
    file += little(directorySize ?? directory.count, 4) + little(directoryPlace ?? begin, 4)
    return file + little(comment.count, 2) + comment
  }

  /// A checkpoint: a pickle, and the bytes of its storages.
  package init(pickle: [UInt8], storages: [(String, [UInt8])] = [], folder: String = "w") {
    entries = [Entry(name: "\(folder)/data.pkl", bytes: pickle)]
    entries += storages.map { Entry(name: "\(folder)/data/\($0.0)", bytes: $0.1) }
  }
}

/// CRC-32 (ISO 3309), bit by bit.
package enum CRC32 {
  package static func value(_ bytes: [UInt8]) -> UInt32 {
    var remainder = UInt32.max
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return ~remainder
  }
}

/// Deflates bytes without compressing them, or one byte many times over (RFC 1951).
package enum Deflate {
  package static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var begin = 0
    repeat {
      let piece = bytes[begin..<min(begin + 65_535, bytes.count)]
      begin = piece.endIndex
      out += [begin == bytes.count ? 1 : 0] + Pickle.little(piece.count, 2) + Pickle.little(~piece.count, 2) + piece
    } while begin < bytes.count
    return out
  }

  /// A zero, and `count` times 258 more of them: a fixed block of length 258, distance 1 codes.
  package static func zeros(_ count: Int) -> [UInt8] {
    var (out, bits, filled): ([UInt8], Int, Int) = ([], 0, 0)
    func reversed(_ code: Int, _ width: Int) -> Int {
      (0..<width).reduce(0) { $0 | (code >> $1 & 1) << (width - 1 - $1) }
    }
    func put(_ value: Int, _ width: Int) {
      bits |= value << filled
      filled += width
      while filled >= 8 {
        out.append(UInt8(bits & 255))
        bits >>= 8
        filled -= 8
      }
    }
    put(1, 1)
    put(1, 2)
    put(reversed(0x30, 8), 8)
    for _ in 0..<count {
      // Length 258 is code 285, 8 bits: 0b11000101; distance 1 is code 0, 5 bits.
      put(reversed(0b1100_0101, 8), 8)
      put(0, 5)
    }
    put(0, 7)
    if filled > 0 { out.append(UInt8(bits & 255)) }
    return out
  }
}

package func floatBytes(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

/// Files of torch.save with two small arrays.
package enum PyTorchSample {
  private static let state = Pickle.dictionary([
    ("w", Pickle.tensor("0", shape: [2, 3], strides: [1, 2])),
    ("n", Pickle.tensor("1", shape: [], type: "LongStorage")),
  ])
  private static let storages = [("0", floatBytes([1, 2, 3, 4, 5, 6])), ("1", Pickle.little(5, 8))]

  package static let archive: [UInt8] = {
    var writer = ZipWriter(
      pickle: Pickle.whole(Pickle.dictionary([("model", state), ("epoch", Pickle.integer(3))])), storages: storages)
    writer.entries[1].isWide = true
    let bytes = writer.entries[2].bytes
    writer.entries[2] = .init(
      name: writer.entries[2].name, bytes: Deflate.stored(bytes), method: 8, size: bytes.count,
      checksum: CRC32.value(bytes))
    return writer.bytes()
  }()

  package static let pickles: [UInt8] =
    magic + Pickle.whole(Pickle.integer(1001)) + Pickle.whole([0x7d]) + Pickle.whole(state)
    + Pickle.whole(Pickle.tuple([Pickle.text("0"), Pickle.text("1")])) + Pickle.little(6, 8) + storages[0].1
    + Pickle.little(1, 8) + storages[1].1

  /// The pickled integer with which the form before 1.6 begins.
  package static let magic: [UInt8] = [
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e,
  ]
}
