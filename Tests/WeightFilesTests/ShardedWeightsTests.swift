// Weights in several files with an index, and indices that do not agree with their files.

import Foundation
import Testing
import TestSupport

@testable import WeightFiles

@Suite struct ShardedWeightsTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try write("a.safetensors", ["conv.weight": [1, 2], "bn.weight": [3]])
    try write("b.safetensors", ["fc.weight": [4]])
  }

  private func write(_ name: String, _ arrays: [String: [Float]]) throws {
    try Safetensors.write(
      arrays.map { NamedArray(name: $0.key, shape: [$0.value.count], floats: $0.value) }, metadata: [:],
      to: folder.file(name))
  }

  private static let places = [
    "conv.weight": "a.safetensors", "bn.weight": "a.safetensors", "fc.weight": "b.safetensors",
  ]

  @discardableResult
  private func index(_ places: [String: String]) throws -> String {
    let data = try JSONSerialization.data(withJSONObject: ["metadata": ["total_size": 16], "weight_map": places])
    return try folder.write([UInt8](data), to: "model.safetensors.index.json")
  }

  private func fault(_ places: [String: String]) throws -> String {
    let path = try index(places)
    do { _ = try WeightsFile.read(path) } catch { return "\(error)" }
    return "read"
  }

  @Test func `all files are read as one, named by their index or by their folder`() throws {
    for path in [try index(Self.places), folder.path, folder.path + "/"] {
      let file = try WeightsFile.read(path)
      #expect(file.names == ["bn.weight", "conv.weight", "fc.weight"])
      #expect(file.outline.format == .shards)
      #expect(try file.floats("conv.weight") == [1, 2] && file.floats("fc.weight") == [4])
      #expect(try file.floats("bn.weight") == [3])
    }
  }

  @Test func `files of PyTorch's may be parts too`() throws {
    try folder.write(PyTorchSample.archive, to: "p.bin")
    let file = try WeightsFile.read(try index(["w": "p.bin", "n": "p.bin", "fc.weight": "b.safetensors"]))
    #expect(try file.floats("w") == [1, 3, 5, 2, 4, 6] && file.floats("fc.weight") == [4])
    #expect(try file.integers("n") == [5])
  }

  @Test func `a folder with a single file stands for it`() throws {
    let other = try TemporaryFolder()
    #expect(WeightsFile.file(inFolder: other.path) == nil)
    try Safetensors.write(
      [NamedArray(name: "x", shape: [1], floats: [1])], metadata: [:], to: other.file("model.safetensors"))
    #expect(try WeightsFile.outline(of: other.path).names == ["x"])
  }

  @Test func `the names of classes stand in a file beside it`() throws {
    let path = folder.file("model.safetensors")
    try Safetensors.write([NamedArray(name: "a", shape: [1], floats: [1])], metadata: [:], to: path)
    func names(_ text: String?, of path: String) throws -> String? {
      try? FileManager.default.removeItem(atPath: folder.file("config.json"))
      if let text { try folder.write(Array(text.utf8), to: "config.json") }
      return try WeightsFile.outline(of: path).metadata["id2label"]
    }
    let told = #"{"id2label": {"0": "cat"}, "depths": [2, 2]}"#
    #expect(try names(told, of: path) == #"{"0":"cat"}"# && names(told, of: folder.path) == #"{"0":"cat"}"#)
    let others = [nil, "{", "[]", "{}", #"{"id2label": 3}"#, #"{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}"#]
    for text in others { #expect(try names(text, of: path) == nil, "\(text ?? "")") }
    // Whatever a file beside is about, it is not about one of another name.
    let other = folder.file("best.safetensors")
    try Safetensors.write([NamedArray(name: "a", shape: [1], floats: [1])], metadata: [:], to: other)
    #expect(try names(told, of: other) == nil)
  }

  @Test func `an index and files that do not agree`() throws {
    func with(_ name: String, _ file: String?) -> [String: String] {
      var places = Self.places
      places[name] = file
      return places
    }
    #expect(try fault(with("fc.weight", "c.safetensors")).contains("c.safetensors that it names is not beside it"))
    #expect(try fault(with("fc.bias", "b.safetensors")).contains("\"fc.bias\" should be in b.safetensors"))
    #expect(try fault(with("bn.weight", "b.safetensors")).contains("the index says b.safetensors"))
    #expect(try fault(with("bn.weight", nil)).contains("does not name it"))
    for trick in [
      "../a.safetensors", "/etc/passwd", "", ".", "..", "x/../a.safetensors", "model.safetensors.index.json",
    ] {
      #expect(try fault(with("fc.weight", trick)).contains("only files beside it"), "\(trick)")
    }
    try write("b.safetensors", ["fc.weight": [4], "bn.weight": [5]])
    #expect(try fault(Self.places).contains("both in a.safetensors and in b.safetensors"))
    #expect(try fault([:]).contains("names 0 files"))
    try folder.write(Array(#"{"weight_map":{"a":1}}"#.utf8), to: "model.safetensors.index.json")
    #expect(throws: WeightsFileError.self) { try WeightsFile.read(folder.path) }
    try write("b.safetensors", ["fc.weight": [4]])
    try folder.write(Array("cut".utf8), to: "b.safetensors")
    #expect(try fault(Self.places).contains("b.safetensors"))
  }
}
