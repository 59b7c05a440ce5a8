// Reading and writing safetensors files that are right, byte by byte against files made by hand.

import Foundation
import Testing
import TestSupport

@testable import WeightFiles

/// A file as the format describes it: length, header, buffer.
func safetensors(_ header: String, buffer: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
  let length = length ?? UInt64(header.utf8.count)
  return withUnsafeBytes(of: length.littleEndian, Array.init) + Array(header.utf8) + buffer
}

/// 80 MB of floats out of a file of 40.
@Test func `an array that memory does not hold is refused, in a process of its own`() async {
  await #expect(processExitsWith: .success) {
    let (folder, count) = (try TemporaryFolder(), 20 << 20)
    let header = #"{"h":{"dtype":"F16","shape":[\#(count)],"data_offsets":[0,\#(2 * count)]}}"#
    let path = try folder.write(safetensors(header), to: "large.safetensors")
    truncate(path, 8 + header.utf8.count + 2 * count)
    let contents = try Safetensors.read(path: path)
    var failure: WeightsFileError?
    do {
      _ = try ScarceMemory.during(60 << 20) { try contents.floats("h") }
    } catch let error as WeightsFileError { failure = error }
    precondition(failure == WeightsFileError(path: path, fault: .noMemory(bytes: 4 * count)))
    precondition(failure?.description.contains("ulimit -v") == true)
    let floats = try contents.floats("h")
    precondition(floats.count == count)
  }
}

/// As reading it would find, piece by piece.
@Test func `a file is whole where its checksum holds, whatever memory there is`() throws {
  let folder = try TemporaryFolder()
  let path = folder.file("whole.safetensors")
  let values = (0..<600_000).map(Float.init)
  try Safetensors.write(
    [NamedArray(name: "w", shape: [values.count], values: .float32(values))], metadata: [:], to: path)
  #expect(Safetensors.isWhole(path: path))
  var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
  // Beyond the first piece.
  bytes[bytes.count - 5] ^= 1
  #expect(try !Safetensors.isWhole(path: folder.write(bytes, to: "damaged.safetensors")))
  #expect(try !Safetensors.isWhole(path: folder.write(Array(bytes.dropLast(9)), to: "cut.safetensors")))
  #expect(!Safetensors.isWhole(path: folder.file("none.safetensors")))
}

@Suite struct SafetensorsTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `every element type is converted as its definition says`() throws {
    let header = """
      {"__metadata__":{"format":"pt"},\
      "d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},\
      "n":{"dtype":"I64","shape":[],"data_offsets":[16,24]},\
      "f":{"dtype":"F32","shape":[1,2],"data_offsets":[24,32]},\
      "h":{"dtype":"F16","shape":[3],"data_offsets":[32,38]},\
      "b":{"dtype":"BF16","shape":[2],"data_offsets":[38,42]},\
      "u":{"dtype":"U8","shape":[2],"data_offsets":[42,44]},\
      "e":{"dtype":"F32","shape":[0,4],"data_offsets":[44,44]}}
      """
    let buffer: [UInt8] =
      [0, 0, 0, 0, 0, 0, 0xf8, 0x3f] + [0, 0, 0, 0, 0, 0, 0, 0xc0]  // 1.5, -2
      + [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]  // -1
      + [0, 0, 0x80, 0x3f] + [0, 0, 0x80, 0x7f]  // 1, infinity
      + [0, 0x3c] + [0, 0xc1] + [1, 0]  // 1, -2.5, 2^-24
      + [0x80, 0x3f] + [0x49, 0x40]  // 1, 3.140625
      + [7, 8]
    let contents = try Safetensors.read(path: folder.write(safetensors(header, buffer: buffer), to: "a"))
    #expect(try contents.floats("d") == [1.5, -2])
    #expect(try contents.integers("n") == [-1])
    #expect(try contents.floats("f") == [1, .infinity])
    #expect(try contents.floats("h") == [1, -2.5, 0x1p-24])
    #expect(try contents.floats("b") == [1, 3.140625])
    #expect(try contents.floats("e") == [])
    #expect(contents.shape(of: "n") == [])
    #expect(contents.shape(of: "f") == [1, 2])
    #expect(contents.shape(of: "e") == [0, 4])
    #expect(contents.shape(of: "none") == nil)
    #expect(contents.names == ["b", "d", "e", "f", "h", "n", "u"])
    #expect(contents.metadata == ["format": "pt"])
    let path = folder.file("a")
    #expect(throws: WeightsFileError(path: path, fault: .unsupportedDType(array: "u", dtype: .uint8))) {
      try contents.floats("u")
    }
    #expect(throws: WeightsFileError(path: path, fault: .unsupportedDType(array: "f", dtype: .float32))) {
      try contents.integers("f")
    }
    #expect(throws: WeightsFileError(path: path, fault: .noSuchArray("x"))) { try contents.array("x") }
  }

  @Test func `the file has the layout of the specification`() throws {
    let path = folder.file("a.safetensors")
    try Safetensors.write(
      [
        NamedArray(name: "b", shape: [2], floats: [1, 2]),
        NamedArray(name: "a", shape: [1, 1], floats: [3]),
        NamedArray(name: "z", scalar: 5),
      ], metadata: ["k": "quote \" tab \t é"], to: path)
    let bytes = try folder.bytes("a.safetensors")
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect((8 + length) % 8 == 0)
    // The eight-byte integer first, then the floats by name.
    #expect(
      Array(bytes[(8 + length)...]) == [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x40, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40])
    let header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    #expect(
      header.hasPrefix(#"{"__metadata__":{"k":"quote \" tab \u0009 é","skipline.checksum":"crc32c:"#))
    #expect(
      header.trimmingCharacters(in: .whitespaces).hasSuffix(
        #""z":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
          + #""a":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},"#
          + #""b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}"#))
    #expect(try JSONSerialization.jsonObject(with: Data(header.utf8)) is [String: Any])
  }

  @Test func `what was written is read back, and written again it is the same file`() throws {
    let arrays = [
      NamedArray(
        name: "conv1.weight", shape: [2, 1, 2, 2], floats: [0, -0.0, .nan, .infinity, 0x1p-149, 1, 2, 3]),
      NamedArray(name: "bn1.num_batches_tracked", scalar: .max),
      NamedArray(name: "empty", shape: [0], floats: []),
      NamedArray(name: "naïve \"\\\u{1}", shape: [1], floats: [4]),
    ]
    let metadata = ["classes": "[\"a\",\"b\"]", "": "empty key", "line\nfeed": "\u{1F600}"]
    try Safetensors.write(arrays, metadata: metadata, to: folder.file("first"))
    let contents = try Safetensors.read(path: folder.file("first"))
    for array in arrays {
      let back = try contents.array(array.name)
      #expect(back.shape == array.shape)
      switch (array.values, back.values) {
      case (.float32(let before), .float32(let after)):
        #expect(before.map(\.bitPattern) == after.map(\.bitPattern))
      case (let before, let after): #expect(before == after)
      }
    }
    for (key, value) in metadata { #expect(contents.metadata[key] == value) }
    #expect(try Safetensors.readMetadata(path: folder.file("first")) == contents.metadata)

    let again = try contents.names.reversed().map { try contents.array($0) }
    try Safetensors.write(again, metadata: contents.metadata, to: folder.file("second"))
    #expect(try folder.bytes("first") == folder.bytes("second"))
  }

  @Test func `a file without arrays is legal`() throws {
    let contents = try Safetensors.read(path: folder.write(safetensors("{}"), to: "a"))
    #expect(contents.names.isEmpty && contents.metadata.isEmpty)
    try Safetensors.write([], metadata: [:], to: folder.file("b"))
    #expect(try Safetensors.read(path: folder.file("b")).names.isEmpty)
  }

  @Test func `the header's JSON may have escapes and white space`() throws {
    let header = """
      { "__metadata__" : { "\\u0061\\n\\ud83d\\ude00" : "\\"\\\\\\/\\b\\f\\r\\t" } ,
       "x" : { "shape" : [ 1 , 2 ] , "data_offsets" : [ 0 , 8 ] , "dtype" : "F32" } }   
      """
    let contents = try Safetensors.read(
      path: folder.write(safetensors(header, buffer: Array(repeating: 0, count: 8)), to: "a"))
    #expect(contents.metadata == ["a\n\u{1F600}": "\"\\/\u{8}\u{c}\r\t"])
    #expect(try contents.floats("x") == [0, 0])
  }
}
