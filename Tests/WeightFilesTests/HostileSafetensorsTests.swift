// Safetensors files that are wrong: every fault is refused for what it is, damage anywhere is found, and no header
// makes the reader crash or take memory.

import Support
import Files
import Foundation
import Testing
import TestSupport

@testable import WeightFiles

@Suite struct HostileSafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func fault(_ bytes: [UInt8]) throws -> SafetensorsError.Fault? {
    let path = try folder.write(bytes, to: UUID().uuidString)
    do {
      _ = try Safetensors.read(path: path)
      return nil
    } catch let error as SafetensorsError {
      #expect(error.path == path)
      #expect(error.description.hasPrefix(path))
      return error.fault
    }
  }

  private func fault(header: String, buffer: Int = 4) throws -> SafetensorsError.Fault? {
    try fault(safetensors(header, buffer: Array(repeating: 0, count: buffer)))
  }

  private static let good = #""x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#

  @Test func `the file that the others are made from is right`() throws {
    #expect(try fault(header: "{\(Self.good)}") == nil)
  }

  @Test func `lengths that the file does not have`() throws {
    #expect(try fault([]) == .tooShort(bytes: 0))
    #expect(try fault(Array(repeating: 0, count: 9)) == .tooShort(bytes: 9))
    #expect(try fault(safetensors("{}", length: .max)) == .headerTooLong(bytes: .max, limit: 100_000_000))
    #expect(
      try fault(safetensors("{}", length: 100_000_001)) == .headerTooLong(bytes: 100_000_001, limit: 100_000_000))
    #expect(try fault(safetensors("{}", length: 100_000_000)) == .headerBeyondFile(bytes: 100_000_000, file: 10))
    #expect(try fault(safetensors("{}", length: 3)) == .headerBeyondFile(bytes: 3, file: 10))
    #expect(try fault(safetensors("{}", length: 0)) == .malformedHeader(offset: 0, expected: "'{'"))
  }

  @Test(arguments: [1, 2, 3, 4])
  func `a file cut off in the buffer`(missing: Int) throws {
    let whole = safetensors("{\(Self.good)}", buffer: [0, 0, 0, 0])
    #expect(
      try fault(Array(whole.dropLast(missing))) == .rangeOutside(array: "x", begin: 0, end: 4, buffer: 4 - missing))
  }

  @Test(arguments: [
    (#" {}"#, "'{'"), (#"[]"#, "'{'"), (#"{"#, "'\"'"), (#"{} x"#, "' '"), ("{}\n", "' '"), (#"{,}"#, "'\"'"),
    (#"{"x":{},}"#, "an array with dtype, shape and two data_offsets before here"),
    (#"{"x":1}"#, "'{'"), (#"{"x":null}"#, "'{'"), (#"{"x" {}}"#, "':'"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],}}"#, "'\"'"),
    (#"{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, "a whole number, not negative"),
    (#"{"x":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, "a whole number, not negative"),
    (#"{"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "','"),
    (#"{"x":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}"#, "','"),
    (#"{"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}"#, "a whole number, not negative"),
    (#"{"x":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}"#, "a whole number, not negative"),
    (#"{"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, "a number below 2^63"),
    (
      #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#,
      "an array with dtype, shape and two data_offsets before here"
    ),
    (
      #"{"x":{"dtype":"F32","shape":[1]}}"#,
      "an array with dtype, shape and two data_offsets before here"
    ),
    (
      #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"strides":[1]}}"#,
      "\"dtype\", \"shape\" or \"data_offsets\""
    ),
    (#"{"x":{"dtype":4,"shape":[1],"data_offsets":[0,4]}}"#, "'\"'"),
    (#"{"__metadata__":{"a":1}}"#, "'\"'"), (#"{"__metadata__":{"a":null}}"#, "'\"'"),
    (#"{"__metadata__":{"a":{"b":"c"}}}"#, "'\"'"), (#"{"__metadata__":"a"}"#, "'{'"),
    (#"{"\x":{}}"#, "a JSON escape"), (#"{"\u12g4":{}}"#, "a hexadecimal digit"),
    (#"{"\ud800":{}}"#, "'\\'"), (#"{"\udc00":{}}"#, "a whole surrogate pair"),
    (#"{"\ud800\u0041":{}}"#, "a whole surrogate pair"), ("{\"a\nb\":{}}", "no control character"),
  ])
  func `JSON that the format does not allow`(header: String, expected: String) throws {
    guard case .malformedHeader(_, let told) = try fault(header: header) else {
      Issue.record("\(header) was not refused as malformed")
      return
    }
    #expect(told == expected)
  }

  @Test func `bytes that are no UTF-8`() throws {
    let header = Array(#"{"__metadata__":{"a":"??"}}"#.utf8)
    for pair: [UInt8] in [[0xff, 0xfe], [0xc0, 0x80], [0xe2, 0x82]] {
      var broken = safetensors(String(decoding: header, as: UTF8.self))
      broken.replaceSubrange(30..<32, with: pair)
      #expect(try fault(broken) == .malformedHeader(offset: 22, expected: "valid UTF-8"))
    }
  }

  @Test func `a nest of brackets does not exhaust the stack`() throws {
    let nest = String(repeating: "[", count: 1_000_000)
    #expect(
      try fault(header: #"{"x":{"shape":"# + nest)
        == .malformedHeader(offset: 15, expected: "a whole number, not negative"))
  }

  @Test(arguments: [
    (#"{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "dtype"),
    (#"{"x":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]}}"#, "shape"),
    (#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4]}}"#, "data_offsets"),
    (#"{\#(good),\#(good)}"#, "x"), (#"{\#(good),"\u0078":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "x"),
    (#"{"__metadata__":{"a":"b","a":"c"},\#(good)}"#, "a"),
    (#"{"__metadata__":{},\#(good),"__metadata__":{}}"#, "__metadata__"),
  ])
  func `keys that come twice`(header: String, key: String) throws {
    #expect(try fault(header: header) == .duplicateKey(key))
  }

  @Test func `ranges, sizes and types that do not fit`() throws {
    func entry(_ name: String, _ shape: String, _ begin: Int, _ end: Int, dtype: String = "F32") -> String {
      #""\#(name)":{"dtype":"\#(dtype)","shape":[\#(shape)],"data_offsets":[\#(begin),\#(end)]}"#
    }
    #expect(
      try fault(header: "{\(entry("x", "1", 0, 4, dtype: "F33"))}") == .unknownDType(array: "x", dtype: "F33"))
    #expect(
      try fault(header: "{\(entry("x", "1", 4, 0))}") == .rangeOutside(array: "x", begin: 4, end: 0, buffer: 4))
    #expect(
      try fault(header: "{\(entry("x", "2", 0, 8))}") == .rangeOutside(array: "x", begin: 0, end: 8, buffer: 4))
    #expect(
      try fault(header: "{\(entry("x", "1", .max - 3, .max))}")
        == .rangeOutside(array: "x", begin: .max - 3, end: .max, buffer: 4))
    #expect(try fault(header: "{\(entry("x", "2", 0, 4))}") == .wrongSize(array: "x", needed: 8, found: 4))
    #expect(
      try fault(header: "{\(entry("x", "", 0, 8))}", buffer: 8) == .wrongSize(array: "x", needed: 4, found: 8))
    #expect(
      try fault(header: "{\(entry("x", "4294967296,4294967296", 0, 4))}") == .shapeTooLarge(array: "x"))
    #expect(try fault(header: "{\(entry("x", "\(Int.max)", 0, 4))}") == .shapeTooLarge(array: "x"))
    // 2^62 elements of 4 bytes are 2^64 bytes, which wraps to 0.
    #expect(try fault(header: "{\(entry("x", "\(1 << 62)", 0, 0))}", buffer: 0) == .shapeTooLarge(array: "x"))
    #expect(try fault(header: "{\(entry("x", "\(Int.max),\(Int.max),0", 0, 0))}", buffer: 0) == nil)
    #expect(
      try fault(header: "{\(entry("x", "2", 0, 8)),\(entry("y", "2", 4, 12))}", buffer: 12)
        == .overlap(array: "y", with: "x"))
    #expect(
      try fault(header: "{\(entry("x", "2", 0, 8)),\(entry("y", "0", 4, 4))}", buffer: 8)
        == .overlap(array: "y", with: "x"))
    #expect(
      try fault(header: "{\(entry("x", "1", 0, 4)),\(entry("y", "1", 8, 12))}", buffer: 12)
        == .hole(begin: 4, end: 8))
    #expect(try fault(header: "{\(entry("x", "1", 4, 8))}", buffer: 8) == .hole(begin: 0, end: 4))
    #expect(try fault(header: "{\(entry("x", "1", 0, 4))}", buffer: 5) == .hole(begin: 4, end: 5))
    #expect(try fault(header: "{}", buffer: 1) == .hole(begin: 0, end: 1))
  }

  @Test func `a folder and a pipe are refused without waiting`() throws {
    #expect(throws: SafetensorsError(path: folder.path, fault: .notARegularFile)) {
      try Safetensors.read(path: folder.path)
    }
    #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
    #expect(throws: SafetensorsError(path: folder.file("pipe"), fault: .notARegularFile)) {
      try Safetensors.readMetadata(path: folder.file("pipe"))
    }
    #expect(throws: FileOperationError(path: folder.file("none"), step: .open, code: ENOENT)) {
      try Safetensors.read(path: folder.file("none"))
    }
  }

  /// A checkpoint in small: arrays, metadata and a checksum.
  private func sealedFile() throws -> [UInt8] {
    let weights = (0..<300).map { Float($0) * 0.01 - 1 }
    try Safetensors.write(
      [NamedArray(name: "fc.weight", shape: [3, 100], floats: weights), NamedArray(name: "n", scalar: 7)],
      metadata: ["skipline.epoch": "3", "skipline.network": "cifar20"], to: folder.file("sealed"))
    return try folder.bytes("sealed")
  }

  @Test func `every single flipped bit of a checkpoint is refused, in header and buffer`() throws {
    let whole = try sealedFile()
    #expect(try fault(whole) == nil)
    let path = folder.file("flipped")
    let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
    defer { close(descriptor) }
    #expect(write(descriptor, whole, whole.count) == whole.count)
    let header = Int(whole[0]) + Int(whole[1]) << 8 + 8
    var accepted: [(byte: Int, bit: Int)] = []
    for byte in whole.indices where byte < header || byte % 11 == 0 {
      for bit in 0..<8 {
        var flipped = whole[byte] ^ (1 << UInt8(bit))
        pwrite(descriptor, &flipped, 1, byte)
        if (try? Safetensors.read(path: path)) != nil { accepted.append((byte, bit)) }
      }
      var restored = whole[byte]
      pwrite(descriptor, &restored, 1, byte)
    }
    #expect(accepted.isEmpty, "accepted with a flipped bit: \(accepted)")
    #expect((try? Safetensors.read(path: path)) != nil, "the restored file is read again")
  }

  @Test func `a flipped bit in the buffer names the checksums`() throws {
    var bytes = try sealedFile()
    bytes[bytes.count - 1] ^= 0x40
    guard case .damaged(let stored, let computed) = try fault(bytes) else {
      Issue.record("damage was not found")
      return
    }
    #expect(stored.hasPrefix("crc32c:") && computed.hasPrefix("crc32c:") && stored != computed)
  }

  @Test func `a sealed file whose checksum was removed is refused`() throws {
    let header = #"{"__metadata__":{"skipline.sealed":"checksum covers header and buffer"},\#(Self.good)}"#
    #expect(try fault(header: header) == .checksumMissing)
    for value in ["", "crc32c:", "crc32c:0000000", "md5:0000000000000", "crc32c:000000001"] {
      let header = #"{"__metadata__":{"skipline.checksum":"\#(value)"},\#(Self.good)}"#
      #expect(try fault(header: header) == .checksumMissing)
    }
  }

  @Test func `four thousand mutants of a whole checkpoint are refused, unless nothing says that it was one`() throws
  {
    let whole = try sealedFile()
    let header = Int(whole[0]) + Int(whole[1]) << 8 + 8
    let path = folder.file("mutant")
    let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
    defer { close(descriptor) }
    var generator = RandomGenerator(seed: 2)
    var refused = 0
    for number in 0..<4000 {
      var mutant = whole
      for _ in 0...generator.integer(below: 3) {
        let at = generator.integer(below: header)
        let end = min(mutant.count, at + 1 + generator.integer(below: 12))
        switch generator.integer(below: 5) {
        case 0: mutant[at] = UInt8(truncatingIfNeeded: generator.next())
        case 1: mutant[at] ^= 1 << UInt8(generator.integer(below: 8))
        case 2: mutant.removeSubrange(at..<end)
        case 3: mutant.insert(contentsOf: mutant[at..<end], at: generator.integer(below: header))
        default: mutant.swapAt(at, generator.integer(below: header))
        }
      }
      // Half of them with a length that fits again, or all would end there.
      let added = mutant.count - whole.count
      if number.isMultiple(of: 2), added != 0 {
        for index in 0..<2 { mutant[index] = UInt8(truncatingIfNeeded: (header - 8 + added) >> (8 * index)) }
        for index in 2..<8 { mutant[index] = 0 }
      }
      guard mutant != whole else { continue }
      #expect(pwrite(descriptor, mutant, mutant.count, 0) == mutant.count)
      #expect(ftruncate(descriptor, off_t(mutant.count)) == 0)
      do {
        let contents = try Safetensors.read(path: path)
        #expect(contents.metadata[Safetensors.checksumKey] == nil && contents.metadata[Safetensors.sealKey] == nil)
      } catch let error as SafetensorsError {
        #expect(error.path == path)
        refused += 1
      }
    }
    #expect(refused > 3900)
  }

  @Test func `five thousand mutated headers are read or refused, and never crash`() throws {
    let header = Array(
      (#"{"__metadata__":{"a":"b\u00e9","c":"d"},"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
        + #""y":{"dtype":"I64","shape":[],"data_offsets":[24,32]}}"#).utf8)
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "0", "9", "-", "99999999999999999999", "24", " ",
      "null", "\"shape\"", "__metadata__", "\u{0}", "\u{7f}", "é",
    ].map { Array($0.utf8) }
    var generator = RandomGenerator(seed: 1)
    var read = 0
    for _ in 0..<5000 {
      var mutant = header
      for _ in 0...generator.integer(below: 2) {
        let at = generator.integer(below: mutant.count)
        switch generator.integer(below: 4) {
        case 0: mutant[at] = UInt8(truncatingIfNeeded: generator.next())
        case 1: mutant.insert(contentsOf: pieces[generator.integer(below: pieces.count)], at: at)
        case 2: mutant.removeSubrange(at..<min(mutant.count, at + 1 + generator.integer(below: 8)))
        default: mutant[at] ^= 1 << UInt8(generator.integer(below: 8))
        }
        if mutant.isEmpty { mutant = header }
      }
      do throws(SafetensorsError.Fault) {
        let header = try SafetensorsHeader.scan(mutant)
        try header.check(bufferLength: 32)
        read += 1
      } catch {}
    }
    // Mutations inside names and values are harmless: some must pass, or the test tests nothing.
    #expect(read > 100 && read < 2500, "\(read) were read")
  }
}
