// ONNX files: arrays in every way that they may be written, the graph around them, and files that are wrong.

import Foundation
import Protobuf
import Testing
import TestSupport

@testable import WeightFiles

@Suite struct ONNXFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func read(_ bytes: [UInt8]) throws -> WeightsContents {
    try WeightsFile.read(try folder.write(bytes, to: "w.onnx"))
  }

  private func fault(_ bytes: [UInt8]) throws -> String {
    do { _ = try read(bytes) } catch { return "\(error)" }
    return "read"
  }

  @Test func `arrays and graph are read`() throws {
    let file = try read(ONNXSample.small)
    #expect(file.outline.format == .onnx)
    #expect(file.names == ["b.b", "b.m", "b.s", "b.v", "c.w", "f.b", "f.w"])
    #expect(try file.floats("f.w") == [7, 8])
    #expect(file.shape(of: "c.w") == [1, 1, 1, 2])
    #expect(file.metadata == ["producer": "by hand"])
    let graph = try #require(file.outline.graph)
    #expect(graph.nodes.map(\.operation) == ["Conv", "BatchNormalization", "Gemm"])
    #expect(graph.operations == 17)
    #expect(graph.inputs.map(\.name) == ["image"] && graph.outputs.map(\.name) == ["scores"])
    #expect(graph.nodes[0].integers("strides") == [2, 2])
    #expect(graph.nodes[0].integers("dilations") == nil)
    #expect(graph.nodes[1].number("epsilon", default: 0) == 0.001)
    #expect(graph.nodes[2].integer("transB", default: 0) == 1)
    #expect(graph.nodes[2].integer("transA", default: 0) == 0)
    #expect(graph.nodes[1].inputs == ["c", "b.s", "b.b", "b.m", "b.v"])
  }

  @Test func `numbers in fields of every kind are read`() throws {
    let little = Pickle.little
    let tensor = ONNXSample.tensor
    let field: (UInt64, [UInt8]) -> [UInt8] = { ProtobufWriter.field($0, $1) }
    let arrays = [
      tensor("packed", [2], 1) + field(4, floatBytes([1.5, -2])),
      tensor("single", [2], 1) + [0x25] + floatBytes([1.5]) + [0x25] + floatBytes([-2]),
      tensor("half", [2], 10) + ONNXSample.packed(5, [0x3c00, 0xc100]),
      tensor("bfloat", [1], 16) + field(9, little(0x3f80, 2)),
      tensor("double", [1], 11) + field(10, little(Int(1.5.bitPattern), 8)),
      tensor("long", [2], 7) + ONNXSample.packed(7, [3, -4]), tensor("empty", [0, 2], 1),
      tensor("scalar", [], 1) + field(4, floatBytes([8])),
      // Text has no numbers.
      tensor("words", [1], 8) + field(6, [0x61]),
    ]
    let constant = ONNXSample.node(
      "Constant", [], ["made"],
      [ONNXSample.field(1, "value") + field(5, ONNXSample.array("other", [1], [7]))])
    let file = try read(ONNXSample.model(nodes: [constant], arrays: arrays))
    #expect(file.names == ["bfloat", "double", "empty", "half", "long", "made", "packed", "scalar", "single"])
    #expect(try file.floats("packed") == [1.5, -2])
    #expect(try file.floats("single") == [1.5, -2])
    #expect(try file.floats("half") == [1, -2.5])
    #expect(try file.floats("bfloat") == [1])
    #expect(try file.floats("double") == [1.5])
    #expect(try file.integers("long") == [3, -4])
    #expect(try file.floats("empty") == [])
    #expect(try file.floats("scalar") == [8] && file.shape(of: "scalar") == [])
    #expect(try file.floats("made") == [7])
  }

  @Test func `arrays that are not as they say`() throws {
    let tensor = ONNXSample.tensor
    let field: (UInt64, [UInt8]) -> [UInt8] = { ProtobufWriter.field($0, $1) }
    let lies: [([UInt8], String)] = [
      (tensor("a", [3], 1) + field(9, floatBytes([1, 2])), "needs 12 bytes and has 8"),
      (tensor("a", [3], 1) + field(4, floatBytes([1, 2])), "needs 12 bytes and has 8"),
      (tensor("a", [1], 1) + field(4, floatBytes([1, 2])), "more numbers"),
      (tensor("a", [1 << 40], 1), "shape"), (tensor("a", [1 << 32, 1 << 32], 1), "shape"),
      (tensor("a", [-1], 1), "shape"), (tensor("a", [1], 1) + ONNXSample.packed(7, [1]), "another type"),
      (tensor("a", [2], 1), "needs 8 bytes and has 0"),
      (tensor("a", [1], 1) + field(13, []) + ONNXSample.field(14, 1), "does not say where"),
      (tensor("a", [1], 1) + ONNXSample.field(14, 1), "does not say where"),
      (ONNXSample.packed(1, Array(repeating: 1, count: 100)) + ONNXSample.field(2, 1), "axes"),
    ]
    for (array, word) in lies {
      let text = try fault(ONNXSample.model(nodes: [], arrays: [array]))
      #expect(text.contains(word), "\(text)")
    }
    let twice = ONNXSample.array("a", [1], [1])
    #expect(try fault(ONNXSample.model(nodes: [], arrays: [twice, twice])).contains("two arrays"))
  }

  /// An array whose numbers lie in another file.
  private func elsewhere(_ name: String, _ shape: [Int], _ entries: [(String, String)]) -> [UInt8] {
    ONNXSample.tensor(name, shape, type: 1)
      + entries.flatMap { ProtobufWriter.field(13, ONNXSample.field(1, $0) + ONNXSample.field(2, $1)) }
      + ONNXSample.field(14, 1)
  }

  @Test func `numbers in files beside it are read`() throws {
    try folder.write(floatBytes([1, 2, 3]), to: "w.onnx.data")
    try folder.write(floatBytes([4]), to: "other")
    let bytes = ONNXSample.model(
      nodes: [],
      arrays: [
        elsewhere("a", [2], [("location", "w.onnx.data"), ("offset", "4"), ("length", "8")]),
        elsewhere("b", [1], [("location", "w.onnx.data")]), elsewhere("c", [], [("location", "other")]),
        ONNXSample.array("d", [1], [5]), elsewhere("e", [0, 3], [("location", "other"), ("offset", "4")]),
      ])
    let file = try read(bytes)
    #expect(try file.floats("a") == [2, 3] && file.floats("b") == [1] && file.floats("c") == [4])
    #expect(try file.floats("d") == [5] && file.floats("e") == [])
    // Another file's numbers are other weights.
    try folder.write(floatBytes([6]), to: "other")
    #expect(try read(bytes).checksum != file.checksum)
  }

  @Test func `places outside of the folder, behind an end and without a file are refused`() throws {
    try folder.write(floatBytes([1, 2, 3]), to: "data")
    try FileManager.default.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: true)
    let huge = "\(Int.max)"
    let lies: [([Int], [(String, String)], String)] = [
      ([1], [("location", "../data")], "only files beside it"), ([1], [("location", "/etc/passwd")], "only files"),
      ([1], [("location", "")], "only files"), ([1], [("location", "folder/../data")], "only files"),
      ([1], [("location", "..")], "only files"), ([1], [("location", "none")], "not beside it"),
      ([1], [("location", "folder")], "which is no file"), ([4], [("location", "data")], "needs 16 bytes"),
      ([1], [("location", "data"), ("offset", "12")], "needs 4 bytes"),
      ([1], [("location", "data"), ("offset", huge)], "needs 4 bytes"),
      ([1], [("location", "data"), ("offset", "-4")], "does not say where"),
      ([1], [("location", "data"), ("length", "8")], "needs 4 bytes"),
      ([1], [("location", "data"), ("length", "x")], "does not say where"),
      ([1], [("location", "data"), ("location", "data")], "does not say where"),
      ([1], [("offset", "0")], "does not say where"), ([1 << 40], [("location", "data")], "needs"),
    ]
    for (shape, entries, word) in lies {
      let text = try fault(ONNXSample.model(nodes: [], arrays: [elsewhere("a", shape, entries)]))
      #expect(text.contains(word), "\(entries): \(text)")
    }
    // Many arrays of the same bytes.
    try folder.write([UInt8](repeating: 0, count: 1 << 20), to: "data")
    let same = (0..<200).map { elsewhere("a\($0)", [1 << 18], [("location", "data")]) }
    #expect(try fault(ONNXSample.model(nodes: [], arrays: same)).contains("a file of its size may hold"))
  }

  @Test func `a file cut off anywhere is refused`() throws {
    for length in 12..<ONNXSample.small.count {
      let text = try fault(Array(ONNXSample.small[..<length]))
      // The version of the operations comes last, and nothing is lost without it.
      let isLast = length >= ONNXSample.small.count - 6
      #expect(text != "read" || isLast, "\(length) bytes")
    }
  }
}
