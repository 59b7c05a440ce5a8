// ONNX files put together by hand (onnx.proto's fields by their numbers).

import Protobuf

package enum ONNXSample {
  package static func field(_ number: UInt64, _ text: String) -> [UInt8] {
    ProtobufWriter.field(number, Array(text.utf8))
  }

  package static func field(_ number: UInt64, _ value: Int) -> [UInt8] {
    ProtobufWriter.varint(number << 3) + ProtobufWriter.varint(UInt64(bitPattern: Int64(value)))
  }

  package static func packed(_ number: UInt64, _ values: [Int]) -> [UInt8] {
    ProtobufWriter.field(number, values.flatMap { ProtobufWriter.varint(UInt64(bitPattern: Int64($0))) })
  }

  /// An array whose numbers lie as in memory.
  package static func array(_ name: String, _ shape: [Int], _ values: [Float]) -> [UInt8] {
    tensor(name, shape, type: 1) + ProtobufWriter.field(9, floatBytes(values))
  }

  package static func tensor(_ name: String, _ shape: [Int], type: Int) -> [UInt8] {
    packed(1, shape) + field(2, type) + field(8, name)
  }

  package static func node(
    _ operation: String, _ inputs: [String], _ outputs: [String], _ attributes: [[UInt8]] = []
  ) -> [UInt8] {
    inputs.flatMap { field(1, $0) } + outputs.flatMap { field(2, $0) } + field(4, operation)
      + attributes.flatMap { ProtobufWriter.field(5, $0) }
  }

  package static func attribute(_ name: String, _ values: [Int]) -> [UInt8] { field(1, name) + packed(8, values) }

  package static func attribute(_ name: String, _ value: Int) -> [UInt8] { field(1, name) + field(3, value) }

  package static func attribute(_ name: String, _ value: Float) -> [UInt8] {
    field(1, name) + [0x15] + Pickle.little(Int(value.bitPattern), 4)
  }

  package static func model(
    nodes: [[UInt8]], arrays: [[UInt8]], inputs: [String] = ["image"], outputs: [String] = ["scores"]
  ) -> [UInt8] {
    let graph =
      nodes.flatMap { ProtobufWriter.field(1, $0) } + field(2, "main")
      + arrays.flatMap { ProtobufWriter.field(5, $0) }
      + inputs.flatMap { ProtobufWriter.field(11, field(1, $0)) }
      + outputs.flatMap { ProtobufWriter.field(12, field(1, $0)) }
    return field(1, 8) + field(2, "by hand") + ProtobufWriter.field(7, graph)
      + ProtobufWriter.field(8, field(1, "") + field(2, 17))
  }

  /// A convolution, batch norm and a dense layer.
  package static let small = model(
    nodes: [
      node("Conv", ["image", "c.w"], ["c"], [attribute("strides", [2, 2]), attribute("pads", [1, 1, 1, 1])]),
      node("BatchNormalization", ["c", "b.s", "b.b", "b.m", "b.v"], ["b"], [attribute("epsilon", Float(0.001))]),
      node("Gemm", ["b", "f.w", "f.b"], ["scores"], [attribute("transB", 1)]),
    ],
    arrays: [
      array("c.w", [1, 1, 1, 2], [1, 2]), array("b.s", [1], [3]), array("b.b", [1], [4]), array("b.m", [1], [5]),
      array("b.v", [1], [6]), array("f.w", [2, 1], [7, 8]), array("f.b", [2], [9, 10]),
    ])
}
