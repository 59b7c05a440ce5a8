// The messages of an ONNX file that an exported network needs (github.com/onnx/onnx, onnx.proto3, IR version 8), as
// values that know how they are written. Weights are not copied into messages: they are appended as the file is written.

import Files
import Protobuf

/// The element types that are written, with their numbers in `TensorProto.DataType`.
enum ONNXElement: Int64 {
  case float = 1
  case uint8 = 2
  case int64 = 7
}

/// `TensorProto`: a constant of the graph.
struct ONNXTensor {
  enum Values {
    case floats([Float])
    case integers([Int64])

    var bytes: Int {
      switch self {
      case .floats(let values): 4 * values.count
      case .integers(let values): 8 * values.count
      }
    }

    var element: ONNXElement {
      switch self {
      case .floats: .float
      case .integers: .int64
      }
    }
  }

  var name: String
  var shape: [Int]
  var values: Values

  /// Everything before the values.
  private var head: [UInt8] {
    var head = shape.flatMap { ProtobufWriter.field(1, integer: Int64($0)) }
    head += ProtobufWriter.field(2, integer: values.element.rawValue)
    head += ProtobufWriter.field(8, name)
    return head + ProtobufWriter.opening(9, length: values.bytes)
  }

  var size: Int { head.count + values.bytes }

  /// Appends the message, which is `size` bytes.
  func write(to output: OutputFile) throws {
    try head.withUnsafeBytes { try output.append($0) }
    switch values {
    case .floats(let values): try values.withUnsafeBytes { try output.append($0) }
    case .integers(let values): try values.withUnsafeBytes { try output.append($0) }
    }
  }
}

/// `NodeProto`: an operation of the graph.
struct ONNXNode {
  /// `AttributeProto`, of the types that are needed; their numbers are those of `AttributeProto.AttributeType`.
  enum Attribute {
    case float(Float)
    case integer(Int)
    case integers([Int])
    case text(String)

    func message(_ name: String) -> [UInt8] {
      let head = ProtobufWriter.field(1, name)
      switch self {
      case .float(let value):
        return head + ProtobufWriter.field(2, float: value) + ProtobufWriter.field(20, integer: 1)
      case .integer(let value):
        return head + ProtobufWriter.field(3, integer: Int64(value)) + ProtobufWriter.field(20, integer: 2)
      case .text(let value):
        return head + ProtobufWriter.field(4, value) + ProtobufWriter.field(20, integer: 3)
      case .integers(let values):
        return head + values.flatMap { ProtobufWriter.field(8, integer: Int64($0)) }
          + ProtobufWriter.field(20, integer: 7)
      }
    }
  }

  var kind: String
  var inputs: [String]
  var output: String
  var attributes: [(name: String, value: Attribute)] = []

  var message: [UInt8] {
    inputs.flatMap { ProtobufWriter.field(1, $0) }
      + ProtobufWriter.field(2, output) + ProtobufWriter.field(3, output)
      + ProtobufWriter.field(4, kind)
      + attributes.flatMap { ProtobufWriter.field(5, $0.value.message($0.name)) }
  }
}

/// `ValueInfoProto`: what goes in and comes out.
struct ONNXValue {
  enum Dimension {
    case fixed(Int)
    /// Any number, under a name.
    case free(String)

    var message: [UInt8] {
      switch self {
      case .fixed(let count): ProtobufWriter.field(1, integer: Int64(count))
      case .free(let name): ProtobufWriter.field(2, name)
      }
    }
  }

  var name: String
  var element: ONNXElement
  var shape: [Dimension]

  var message: [UInt8] {
    let dimensions = shape.flatMap { ProtobufWriter.field(1, $0.message) }
    let tensor = ProtobufWriter.field(1, integer: element.rawValue) + ProtobufWriter.field(2, dimensions)
    return ProtobufWriter.field(1, name) + ProtobufWriter.field(2, ProtobufWriter.field(1, tensor))
  }
}

/// `ModelProto` with its `GraphProto`.
struct ONNXModel {
  static let intermediateVersion: Int64 = 8
  /// The version of the operators; the runtimes of 2022 and later have it.
  static let operators: Int64 = 17

  var graphName: String
  var producerVersion: String
  var nodes: [ONNXNode] = []
  var constants: [ONNXTensor] = []
  var inputs: [ONNXValue] = []
  var outputs: [ONNXValue] = []
  /// In the order in which they are written.
  var metadata: [(key: String, value: String)] = []

  /// Writes the file, whole or not at all.
  /// - Throws: `ExportError.tooLarge` beyond what protocol buffers hold, or `FileOperationError`.
  func write(to path: String, calls: FileCalls = .system) throws {
    let beforeConstants =
      nodes.flatMap { ProtobufWriter.field(1, $0.message) } + ProtobufWriter.field(2, graphName)
    let openings = constants.map { ProtobufWriter.opening(5, length: $0.size) }
    let afterConstants =
      inputs.flatMap { ProtobufWriter.field(11, $0.message) }
      + outputs.flatMap { ProtobufWriter.field(12, $0.message) }
    let graphSize =
      beforeConstants.count + afterConstants.count
      + zip(openings, constants).reduce(0) { $0 + $1.0.count + $1.1.size }
    let head =
      ProtobufWriter.field(1, integer: Self.intermediateVersion) + ProtobufWriter.field(2, "skipline")
      + ProtobufWriter.field(3, producerVersion) + ProtobufWriter.opening(7, length: graphSize)
    let tail =
      ProtobufWriter.field(8, ProtobufWriter.field(1, []) + ProtobufWriter.field(2, integer: Self.operators))
      + metadata.flatMap { entry in
        ProtobufWriter.field(
          14, ProtobufWriter.field(1, entry.key) + ProtobufWriter.field(2, entry.value))
      }
    let size = head.count + graphSize + tail.count
    guard size <= Int(Int32.max) else { throw ExportError.tooLarge(path: path, bytes: size) }
    try AtomicFile.write(to: path, size: size, calls: calls) { output in
      try (head + beforeConstants).withUnsafeBytes { try output.append($0) }
      for (opening, constant) in zip(openings, constants) {
        try opening.withUnsafeBytes { try output.append($0) }
        try constant.write(to: output)
      }
      try (afterConstants + tail).withUnsafeBytes { try output.append($0) }
    }
  }
}

/// A model that cannot be written in a form.
public enum ExportError: Error, Equatable, CustomStringConvertible {
  case tooLarge(path: String, bytes: Int)
  /// The reason says what to do.
  case unsupported(String)

  public var description: String {
    switch self {
    case .tooLarge(let path, let bytes):
      "\(path) would have \(bytes) bytes, and ONNX files hold no more than 2 GiB; export it with --safetensors or "
        + "--pytorch"
    case .unsupported(let reason): reason
    }
  }
}
