// A reader for the reference values: the safetensors format, F32 only, of files that this repository's own script
// wrote. The program's reader, which trusts no file, is in Training.

import Foundation
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

/// Where a reference file is.
func referenceURL(_ file: String) throws -> URL {
  let folder = try #require(Bundle.module.resourceURL)
  return folder.appending(path: "References").appending(path: file)
}

/// The tensors of one reference file, in PyTorch's order.
struct ReferenceFile {
  private struct Entry: Decodable {
    var dtype: String
    var shape: [Int]
    var data_offsets: [Int]
  }

  private let entries: [String: Entry]
  private let buffer: Data

  init(_ network: String) throws {
    let data = try Data(contentsOf: referenceURL(network + ".safetensors"))
    let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    var header = try #require(
      try JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any])
    header["__metadata__"] = nil
    entries = try JSONDecoder().decode(
      [String: Entry].self, from: JSONSerialization.data(withJSONObject: header))
    buffer = Data(data.dropFirst(8 + length))
  }

  var names: [String] { entries.keys.sorted() }

  func values(_ name: String) throws -> [Float] {
    let entry = try #require(entries[name], "the reference lacks '\(name)'")
    try #require(entry.dtype == "F32")
    let bytes = Array(buffer[entry.data_offsets[0]..<entry.data_offsets[1]])
    try #require(bytes.count == 4 * entry.shape.reduce(1, *))
    return bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map { start in
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
      }
    }
  }

  func value(_ name: String) throws -> Double { Double(try values(name)[0]) }

  func tensor(_ name: String, _ shape: [Int]) throws -> NaiveTensor {
    NaiveTensor(shape, try values(name).map(Double.init))
  }
}
