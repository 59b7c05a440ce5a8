// ONNX files: what stands in them, read with the project's own reader of protocol buffers; and, where Python has them,
// what onnx's checker says and ONNX Runtime computes.

import Foundation
import Messages
import Networks
import Protobuf
import TestSupport
import Testing
import Training

@testable import Exports

@Suite struct ONNXExportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func export(_ model: LoadedModel, _ export: ONNXExport = ONNXExport()) throws -> ONNXFile {
    let path = folder.file("model.onnx")
    try export.write(model, version: "1.2.3", to: path)
    return try ONNXFile([UInt8](Data(contentsOf: URL(fileURLWithPath: path))))
  }

  @Test(arguments: ExportedModels.all.indices)
  func `every array is in the file once, and every node reads what is there`(place: Int) throws {
    let (settings, side) = ExportedModels.all[place]
    let model = try ExportedModels.model(settings, side: side)
    let file = try export(model)
    let names = file.constants.map(\.name)
    #expect(Set(names).count == names.count)
    let heads = model.network.plan.state.map(\.name).filter(model.network.plan.isOfHead)
    #expect(Set(names).isDisjoint(with: heads), "what only training uses")
    for entry in model.network.plan.state where !heads.contains(entry.name) {
      let constant = try #require(file.constants.first { $0.name == entry.name })
      // What is applied to channels of a map has two dimensions more.
      #expect(constant.shape.filter { $0 != 1 } == entry.shape.filter { $0 != 1 })
      #expect(constant.bytes == 4 * entry.shape.reduce(1, *))
    }
    var known = Set(names + file.inputs)
    for node in file.nodes {
      #expect(node.inputs.allSatisfy { known.contains($0) }, "\(node)")
      #expect(known.insert(node.output).inserted, "\(node)")
    }
    #expect(file.outputs == ["probabilities"] && known.contains("probabilities"))
    #expect(file.nodes.last?.kind == "Softmax")
    let norms = model.network.batchNorms.count { !model.network.plan.isOfHead($0.name) }
    #expect(file.nodes.count { $0.kind == "BatchNormalization" } == norms)
  }

  @Test func `metadata say what goes in and what comes out`() throws {
    let model = try ExportedModels.model(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), side: 16)
    let file = try export(model)
    #expect(file.metadata["classes"] == #"["a \"cat\"","ß","c"]"#)
    #expect(file.metadata["image_size"] == "16" && file.metadata["resize"] == "crop")
    #expect(file.metadata["mean"] == "0.5,0.25,0.125" && file.metadata["std"] == "0.25,0.5,0.75")
    #expect(file.metadata["input"]?.contains("0 to 255") == true)
    #expect(try export(model, ONNXExport(input: .float)).metadata["input"]?.contains("0 to 1") == true)
  }

  @Test func `bytes are cast and numbers are not; calls have any number of images or one`() throws {
    let model = try ExportedModels.model(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), side: 16)
    #expect(try export(model).nodes.contains { $0.kind == "Cast" })
    #expect(try !export(model, ONNXExport(input: .float)).nodes.contains { $0.kind == "Cast" })
    let path = folder.file("model.onnx")
    func holds(_ text: String) throws -> Bool {
      try Data(contentsOf: URL(fileURLWithPath: path)).range(of: Data(text.utf8)) != nil
    }
    _ = try export(model)
    #expect(try holds("batch"))
    _ = try export(model, ONNXExport(batch: 4))
    #expect(try !holds("batch\""))
  }

  @Test func `a grid of areas that overlap is the mean that PyTorch takes`() throws {
    // vgg11_bn at 40 pixels has a map of one pixel, made a grid of 7: every area is that pixel.
    let (settings, side) = try #require(ExportedModels.all.first { $0.0.name == "vgg11_bn" })
    let file = try export(try ExportedModels.model(settings, side: side))
    #expect(file.nodes.count { $0.kind == "MatMul" } == 2)
  }
}

/// What a test looks at of an ONNX file.
struct ONNXFile {
  struct Node {
    var kind = ""
    var inputs: [String] = []
    var output = ""
  }
  struct Constant {
    var name = ""
    var shape: [Int] = []
    var bytes = 0
  }

  var nodes: [Node] = []
  var constants: [Constant] = []
  var inputs: [String] = []
  var outputs: [String] = []
  var metadata: [String: String] = [:]

  init(_ bytes: [UInt8]) throws {
    for (number, value) in try Self.fields(bytes) {
      switch (number, value) {
      case (7, .bytes(let graph)): try readGraph(Array(bytes[graph]))
      case (14, .bytes(let entry)):
        let texts = try Self.texts(Array(bytes[entry]))
        metadata[texts[1]?.first ?? ""] = texts[2]?.first
      default: break
      }
    }
  }

  private mutating func readGraph(_ bytes: [UInt8]) throws {
    for (number, value) in try Self.fields(bytes) {
      guard case .bytes(let range) = value else { continue }
      let message = Array(bytes[range])
      switch number {
      case 1:
        let texts = try Self.texts(message)
        nodes.append(
          Node(kind: texts[4]?.first ?? "", inputs: texts[1] ?? [], output: texts[2]?.first ?? ""))
      case 5:
        var constant = Constant()
        for (number, value) in try Self.fields(message) {
          switch (number, value) {
          case (1, .number(let size)): constant.shape.append(Int(size))
          case (8, .bytes(let name)): constant.name = String(decoding: message[name], as: UTF8.self)
          case (9, .bytes(let raw)): constant.bytes = raw.count
          default: break
          }
        }
        constants.append(constant)
      case 11: inputs += try Self.texts(message)[1]?.prefix(1) ?? []
      case 12: outputs += try Self.texts(message)[1]?.prefix(1) ?? []
      default: break
      }
    }
  }

  private static func fields(_ bytes: [UInt8]) throws -> [(UInt64, ProtobufReader.Value)] {
    try bytes.withUnsafeBytes { buffer in
      var reader = ProtobufReader(buffer, 0..<buffer.count)
      var fields: [(UInt64, ProtobufReader.Value)] = []
      while let field = try reader.next() { fields.append((field.field, field.value)) }
      return fields
    }
  }

  private static func texts(_ bytes: [UInt8]) throws -> [UInt64: [String]] {
    var texts: [UInt64: [String]] = [:]
    for case (let number, .bytes(let range)) in try fields(bytes) {
      texts[number, default: []].append(String(decoding: bytes[range], as: UTF8.self))
    }
    return texts
  }
}
