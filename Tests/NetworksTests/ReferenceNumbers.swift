// Numbers that Swift and Python compute alike from names; References/reference_tools.py states the formulas.

import Support
import Tensors

@testable import Networks

/// The weights, inputs and labels of the reference networks.
enum ReferenceNumbers {
  /// A tensor in its own order: element i from the i-th uniform number of the name's stream.
  static func tensor(_ name: String, _ shape: [Int], _ formula: (Double) -> Double) -> Tensor {
    var generator = RandomGenerator(seed: stableHash(name))
    return Tensor(shape) { _ in Float(formula(Double(generator.uniform()))) }
  }

  /// The numbers of a name's stream under a formula, in the order of files.
  private static func values(_ name: String, _ count: Int, _ formula: (Double) -> Double) -> [Float] {
    tensor(name, [count], formula).values
  }

  static func value(of parameter: Parameter) -> Tensor {
    let count = parameter.value.count
    let name = parameter.name
    switch parameter.role {
    case .convolutionWeight, .denseWeight:
      let fanIn = parameter.fileShape.dropFirst().reduce(1, *)
      let bound = (6 / Double(fanIn)).squareRoot()
      return parameter.innerOrder(values(name, count) { (2 * $0 - 1) * 0.7 * bound })
    case .norm where name.hasSuffix(".weight"): return tensor(name, [count]) { 0.5 + $0 }
    case .norm: return tensor(name, [count]) { ($0 - 0.5) * 0.4 }
    case .bias: return tensor(name, [count]) { ($0 - 0.5) * 0.2 }
    }
  }

  static func value(of buffer: StateBuffer) -> Tensor {
    tensor(buffer.name, buffer.value.shape) { buffer.name.hasSuffix("running_var") ? 0.5 + $0 : ($0 - 0.5) * 0.2 }
  }

  /// Gives a network the reference weights and running statistics.
  static func fill(_ network: Network) {
    for parameter in network.parameters { parameter.value = value(of: parameter) }
    for buffer in network.buffers { buffer.value = value(of: buffer) }
  }

  /// Images [N, side, side, 3], drawn in the order [N, 3, side, side].
  static func images(_ count: Int, side: Int, name: String = "input") -> Tensor {
    let planes = values(name, count * 3 * side * side) { (2 * $0 - 1) * 1.7 }
    return Tensor([count, side, side, 3]) { index in
      let (pixel, channel) = (index / 3, index % 3)
      let (image, place) = (pixel / (side * side), pixel % (side * side))
      return planes[(image * 3 + channel) * side * side + place]
    }
  }

  static func labels(_ count: Int, classes: Int, name: String = "labels") -> [Int] {
    var generator = RandomGenerator(seed: stableHash(name))
    return (0..<count).map { _ in Int(generator.next() % UInt64(classes)) }
  }

  /// The direction that a parameter's gradient is summarized along, in the order of files.
  static func probe(of parameter: Parameter) -> [Float] {
    values("probe:" + parameter.name, parameter.value.count) { 2 * $0 - 1 }
  }
}
