// The directory of a zip archive (PKWARE, APPNOTE.TXT 6.3, sections 4.3 to 4.5), as far as torch.save and Python's
// zipfile write it: stored or deflated entries, of any size. The archive comes from anybody: nothing that it says of
// sizes and places is believed before it is compared with the file.

/// Which entries an archive has, and where.
struct ZipDirectory: Sendable {
  struct Entry: Sendable, Equatable {
    enum Method: Sendable { case stored, deflated }

    var name: String
    var method: Method
    /// Where its bytes lie in the file.
    var packed: Range<Int>
    /// Bytes when it is unpacked.
    var size: Int
    /// CRC-32 of the unpacked bytes.
    var checksum: UInt32
  }

  let entries: [Entry]
  private let places: [String: Int]
  /// Whether the checksums are to be compared: `torch.save` may be told to leave them all zero.
  let hasChecksums: Bool

  /// More entries than any network has arrays.
  static let mostEntries = 200_000
  /// Bytes of the directory: some hundred for each of so many entries.
  static let longestDirectory = 64 << 20

  subscript(name: String) -> Entry? { places[name].map { entries[$0] } }

  /// - Throws: `WeightsFileError.Fault.malformed`, `FileOperationError`.
  init(_ source: ByteSource) throws {
    let end = try ZipEnd(source)
    guard end.count <= Self.mostEntries, end.directory.count <= Self.longestDirectory else {
      throw zipFault("its directory claims \(end.count) entries in \(end.directory.count) bytes")
    }
    var scanner = ByteScanner(try source.read(end.directory))
    var entries: [Entry] = []
    var starts: [Int] = []
    var places: [String: Int] = [:]
    for number in 0..<end.count {
      let (entry, start) = try Self.entry(&scanner, end.directory.lowerBound, source)
      guard places.updateValue(number, forKey: entry.name) == nil else {
        throw zipFault("two entries are named \"\(entry.name)\"")
      }
      entries.append(entry)
      starts.append(start)
    }
    guard scanner.isAtEnd else { throw zipFault("its directory is longer than its \(end.count) entries") }
    // An entry that lies in another's bytes is how a small file claims to hold much.
    var covered = 0
    for index in starts.indices.sorted(by: { starts[$0] < starts[$1] }) {
      guard starts[index] >= covered else {
        throw zipFault("entry \"\(entries[index].name)\" lies within another one")
      }
      covered = entries[index].packed.upperBound
    }
    self.entries = entries
    self.places = places
    hasChecksums = entries.contains { $0.checksum != 0 }
  }

  private static func entry(
    _ scanner: inout ByteScanner, _ directory: Int, _ source: ByteSource
  ) throws -> (Entry, start: Int) {
    guard try scanner.number(4) == 0x0201_4b50 else { throw zipFault("an entry of its directory is not one") }
    _ = try scanner.number(4)
    let flags = try scanner.number(2)
    let method = try scanner.number(2)
    _ = try scanner.number(4)
    let checksum = UInt32(try scanner.number(4))
    var packed = try scanner.number(4)
    var size = try scanner.number(4)
    let (nameLength, extraLength, commentLength) = (
      try scanner.number(2), try scanner.number(2), try scanner.number(2)
    )
    let disk = try scanner.number(2)
    _ = try scanner.number(6)
    var start = try scanner.number(4)
    let name = try scanner.bytes(nameLength)
    var extra = ByteScanner(Array(try scanner.bytes(extraLength)))
    _ = try scanner.bytes(commentLength)
    guard let text = String(validating: name, as: UTF8.self), !isTrick(text) else {
      throw zipFault("an entry is named \"\(String(decoding: name, as: UTF8.self))\", which no weights are")
    }
    // Zip64 (section 4.5.3): what did not fit into 32 bits, in this order, and nothing else.
    while !extra.isAtEnd {
      let (kind, length) = (try extra.number(2), try extra.number(2))
      var field = ByteScanner(Array(try extra.bytes(length)))
      guard kind == 1 else { continue }
      if size == 0xffff_ffff { size = try field.number(8) }
      if packed == 0xffff_ffff { packed = try field.number(8) }
      if start == 0xffff_ffff { start = try field.number(8) }
    }
    guard flags & 0x41 == 0, disk == 0 else { throw zipFault("entry \"\(text)\" is encrypted or in another file") }
    guard let method: Entry.Method = [0: .stored, 8: .deflated][method] else {
      throw zipFault("entry \"\(text)\" is compressed by method \(method)")
    }
    guard start >= 0, start <= directory - 30 else { throw zipFault("entry \"\(text)\" lies outside of the file") }
    // The local header has a name and an extra field of its own length; its sizes may be zero (section 4.4.4).
    var local = ByteScanner(try source.read(start..<start + 30))
    guard try local.number(4) == 0x0403_4b50 else { throw zipFault("entry \"\(text)\" is not where it should be") }
    _ = try local.bytes(22)
    let (ownName, ownExtra) = (try local.number(2), try local.number(2))
    let begin = start + 30 + ownName + ownExtra
    guard ownName == nameLength, begin <= directory, packed >= 0, size >= 0, packed <= directory - begin else {
      throw zipFault("entry \"\(text)\" is longer than the file")
    }
    guard try source.read(start + 30..<start + 30 + ownName).elementsEqual(name) else {
      throw zipFault("entry \"\(text)\" has another name in its place")
    }
    // The most that deflate can make of a byte is 1032.
    guard method == .stored ? size == packed : size / 1100 <= packed else {
      throw zipFault("entry \"\(text)\" has \(packed) bytes and claims \(size)")
    }
    return (
      Entry(name: text, method: method, packed: begin..<begin + packed, size: size, checksum: checksum), start
    )
  }

  /// Names that would lead out of a folder. Nothing is ever unpacked into one, but no honest program writes them.
  private static func isTrick(_ name: String) -> Bool {
    name.isEmpty || name.hasPrefix("/") || name.contains("\\") || name.contains("\0")
      || name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
  }
}

/// Where an archive's directory lies, which stands at the file's end.
private struct ZipEnd {
  var directory: Range<Int>
  var count: Int

  init(_ source: ByteSource) throws {
    // The record has 22 bytes and a comment of 65,535 at most.
    let tailStart = max(0, source.size - 22 - 65_535)
    let tail = try source.read(tailStart..<source.size)
    guard
      let place = tail.indices.dropLast(21).last(where: { index in
        tail[index...].starts(with: [0x50, 0x4b, 5, 6])
          && index + 22 + Int(tail[index + 20]) + Int(tail[index + 21]) << 8 == tail.count
      })
    else { throw zipFault("it has no end: it was cut off") }
    var record = ByteScanner(Array(tail[(place + 4)..<(place + 20)]))
    let (disk, first, here) = (try record.number(2), try record.number(2), try record.number(2))
    var count = try record.number(2)
    var (length, begin) = (try record.number(4), try record.number(4))
    var end = tailStart + place
    // Zip64 (sections 4.3.14 and 4.3.15): a record of its own, and before this one where it is.
    if end >= 20, try source.read(end - 20..<end - 16).elementsEqual([0x50, 0x4b, 6, 7]) {
      var locator = ByteScanner(try source.read(end - 16..<end))
      _ = try locator.number(4)
      let at = try locator.number(8)
      guard at >= 0, at <= end - 20 - 56 else { throw zipFault("its zip64 record lies outside of the file") }
      var wide = ByteScanner(try source.read(at..<at + 56))
      guard try wide.number(4) == 0x0606_4b50 else { throw zipFault("its zip64 record is not where it should be") }
      let rest = try wide.number(8)
      guard rest >= 44, rest <= end - 20 - at - 12 else { throw zipFault("its zip64 record has another size") }
      _ = try wide.number(4)
      guard try wide.number(8) == 0 else { throw zipFault("it is one of several files") }
      _ = try wide.number(8)
      let (wideCount, wideLength, wideBegin) = (try wide.number(8), try wide.number(8), try wide.number(8))
      guard count == 0xffff || count == wideCount, length == 0xffff_ffff || length == wideLength,
        begin == 0xffff_ffff || begin == wideBegin
      else { throw zipFault("its two directories disagree") }
      (count, length, begin, end) = (wideCount, wideLength, wideBegin, at)
    } else if disk != 0 || first != 0 || here != count {
      throw zipFault("it is one of several files")
    }
    guard begin >= 0, length >= 0, count >= 0, begin <= end, length == end - begin else {
      throw zipFault("its directory is said to be at \(begin), \(length) bytes long, and is not")
    }
    directory = begin..<end
    self.count = count
  }
}

/// Little-endian numbers, one after the other.
struct ByteScanner {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }

  /// A number of up to eight bytes; negative where it takes all 64 bits.
  mutating func number(_ width: Int) throws -> Int {
    var value: UInt64 = 0
    for (place, byte) in try bytes(width).enumerated() { value |= UInt64(byte) << UInt64(8 * place) }
    return Int(truncatingIfNeeded: value)
  }

  mutating func bytes(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= bytes.count - at else { throw zipFault("its directory was cut off") }
    at += count
    return bytes[(at - count)..<at]
  }
}

private func zipFault(_ what: String) -> WeightsFileError.Fault { .malformed(what, .pyTorch) }
