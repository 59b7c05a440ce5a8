// A network as an ONNX graph: the operations of its lowered plan one by one, in PyTorch's order of dimensions, with what
// comes before them, the normalization, and after them, the softmax. Runtimes fuse for themselves; nothing is folded here.

import Messages
import Networks
import Tensors
import WeightFiles

/// Writes down a plan's operations.
struct ONNXGraphBuilder {
  private let plan: NetworkPlan
  private let weights: [String: NamedArray]
  private(set) var nodes: [ONNXNode] = []
  private(set) var constants: [ONNXTensor] = []
  /// Of each value of the lowered plan, its name in the graph, and whether it has two dimensions instead of four.
  private var names: [(name: String, isFlat: Bool)]
  private var serial = 0

  /// - Parameters:
  ///   - image: the name of the normalized image.
  ///   - weights: the arrays of the network, as files hold them.
  init(_ plan: NetworkPlan, image: String, weights: [NamedArray]) {
    self.plan = plan
    self.weights = Dictionary(weights.map { ($0.name, $0) }) { first, _ in first }
    names = [(image, false)]
  }

  /// Appends every operation.
  /// - Returns: the name of the logits, [N, classes].
  mutating func addNetwork() throws -> String {
    precondition(plan.lowered.heads.isEmpty, "a plan without what only training uses")
    for (place, operation) in plan.lowered.operations.enumerated() {
      try add(operation, to: "value\(place + 1)")
    }
    return flat(plan.lowered.operations.count)
  }

  /// A node of one output.
  mutating func add(
    _ kind: String, _ inputs: [String], to output: String,
    _ attributes: [(name: String, value: ONNXNode.Attribute)] = []
  ) {
    nodes.append(ONNXNode(kind: kind, inputs: inputs, output: output, attributes: attributes))
  }

  /// A constant of the graph.
  /// - Returns: its name.
  mutating func constant(_ name: String, _ shape: [Int], _ values: ONNXTensor.Values) -> String {
    constants.append(ONNXTensor(name: name, shape: shape, values: values))
    return name
  }

  // MARK: Operations

  private mutating func add(_ operation: LoweredPlan.Operation, to output: String) throws {
    let inputs = operation.inputs.map { names[$0].name }
    let isFlat = names[operation.inputs[0]].isFlat
    var (name, becomesFlat) = (output, isFlat)
    switch operation.kind {
    case .convolution(let layer, _, let kernel, let stride, let padding, let bias, let groups):
      add(
        "Conv", [inputs[0], try stored(layer + ".weight")] + (bias ? [try stored(layer + ".bias")] : []),
        to: output,
        Self.window(kernel.height, kernel.width, stride: stride, padding.height, padding.width)
          + [("group", .integer(groups))])
    case .whitening(let layer, let kernel):
      add(
        "Conv", [inputs[0], try stored(layer + ".weight")], to: output,
        Self.window(kernel, kernel, stride: 1, 0, 0))
    case .sparseConvolution(let layer, let kernel, _):
      add(
        "Conv", [inputs[0], try stored(layer + ".weight"), try stored(layer + ".bias")], to: output,
        Self.window(kernel.height, kernel.width, stride: 1, 0, 0))
    case .batchNorm(let layer, let epsilon):
      let parts = try ["weight", "bias", "running_mean", "running_var"].map { try stored("\(layer).\($0)") }
      add(
        "BatchNormalization", inputs + parts, to: output, [("epsilon", .float(Float(epsilon)))])
    case .relu: add("Relu", inputs, to: output)
    case .scaledTanh:
      let inner = constant(output + ".inner", [], .floats([ScaledTanh.slope]))
      let outer = constant(output + ".outer", [], .floats([ScaledTanh.amplitude]))
      add("Mul", [inputs[0], inner], to: output + ".scaled")
      add("Tanh", [output + ".scaled"], to: output + ".tanh")
      add("Mul", [output + ".tanh", outer], to: output)
    case .subsampling(let layer, let kernel):
      let channels = operation.input.channels
      let area = Float(kernel * kernel)
      let factor = constant(
        layer + ".weight", [channels, 1, 1], .floats(try values(layer + ".weight").map { area * $0 }))
      let bias = constant(layer + ".bias", [channels, 1, 1], .floats(try values(layer + ".bias")))
      add("AveragePool", inputs, to: output + ".mean", Self.window(kernel, kernel, stride: kernel, 0, 0))
      add("Mul", [output + ".mean", factor], to: output + ".times")
      add("Add", [output + ".times", bias], to: output)
    case .luma:
      guard operation.input.channels > 1 else {
        name = inputs[0]
        break
      }
      let weights = constant(output + ".luma", [1, Luma.weights.count, 1, 1], .floats(Luma.weights))
      add("Conv", [inputs[0], weights], to: output, Self.window(1, 1, stride: 1, 0, 0))
    case .maxPool(let kernel, let stride, let padding, let ceilMode):
      let window = MaxPoolWindow(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
      func after(_ side: Int) -> Int { (window.count(along: side) - 1) * stride + kernel - side - padding }
      // The pads say how many windows there are; runtimes differ in what they make of ONNX's own ceil_mode.
      add(
        "MaxPool", inputs, to: output,
        [
          ("kernel_shape", .integers([kernel, kernel])), ("strides", .integers([stride, stride])),
          (
            "pads",
            .integers([
              padding, padding, max(0, after(operation.input.height)), max(0, after(operation.input.width)),
            ])
          ),
        ])
    case .averagePool(let side): averagePool(inputs[0], operation.input, side: side, to: output)
    case .averageWindows(let side):
      // Means of what is there: the map is filled up, and what was filled in does not count.
      let missing = [operation.input.height, operation.input.width].map { (side - $0 % side) % side }
      add(
        "AveragePool", inputs, to: output,
        [
          ("kernel_shape", .integers([side, side])), ("strides", .integers([side, side])),
          ("pads", .integers([0, 0] + missing)), ("count_include_pad", .integer(0)),
        ])
    case .squeezeExcitation(let layer, _):
      add("GlobalAveragePool", inputs, to: output + ".means")
      let parts = try ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"].map { try stored("\(layer).\($0)") }
      add("Conv", [output + ".means", parts[0], parts[1]], to: output + ".reduced")
      add("Relu", [output + ".reduced"], to: output + ".active")
      add("Conv", [output + ".active", parts[2], parts[3]], to: output + ".restored")
      add("Sigmoid", [output + ".restored"], to: output + ".gates")
      add("Mul", [inputs[0], output + ".gates"], to: output)
    case .globalMaxPool: add("GlobalMaxPool", inputs, to: output)
    case .flatten:
      add("Flatten", inputs, to: output, [("axis", .integer(1))])
      becomesFlat = true
    case .dropout, .dropPath: name = inputs[0]  // Nothing in inference.
    case .scale(let factor):
      add("Mul", [inputs[0], constant(output + ".factor", [], .floats([Float(factor)]))], to: output)
    case .dense(let layer, _, _, _):
      add(
        "Gemm", [flat(operation.inputs[0]), try stored(layer + ".weight"), try stored(layer + ".bias")], to: output,
        [("transB", .integer(1))])
      becomesFlat = true
    case .zeroPadding(_, let stride, let channels, let placement):
      zeroPadding(inputs[0], operation.input, stride: stride, channels: channels, placement, to: output)
    case .join(_, .addition): add("Sum", inputs, to: output)
    case .join(_, .concatenation): add("Concat", inputs, to: output, [("axis", .integer(1))])
    }
    names.append((name, becomesFlat))
  }

  /// The name of a value as [N, features].
  private mutating func flat(_ value: LoweredPlan.Value) -> String {
    if names[value].isFlat { return names[value].name }
    let flat = names[value].name + ".flat"
    add("Flatten", [names[value].name], to: flat, [("axis", .integer(1))])
    return flat
  }

  /// Kernel, stride and padding, as Conv and the pools take them.
  private static func window(
    _ height: Int, _ width: Int, stride: Int, _ vertical: Int, _ horizontal: Int
  ) -> [(name: String, value: ONNXNode.Attribute)] {
    [
      ("kernel_shape", .integers([height, width])), ("strides", .integers([stride, stride])),
      ("pads", .integers([vertical, horizontal, vertical, horizontal])),
    ]
  }

  /// The means of a grid of areas. ONNX has no adaptive pool: where areas overlap, they are two products with matrices
  /// of means, along the height and along the width.
  private mutating func averagePool(_ input: String, _ shape: FeatureShape, side: Int, to output: String) {
    if side == 1 {
      add("GlobalAveragePool", [input], to: output)
      return
    }
    if shape.height == side, shape.width == side {
      add("Identity", [input], to: output)
      return
    }
    let rows = constant(output + ".rows", [side, shape.height], .floats(Self.means(of: shape.height, side: side)))
    // [W, side]: the means along the width stand in columns.
    let means = Self.means(of: shape.width, side: side)
    let transposed = (0..<shape.width).flatMap { x in (0..<side).map { means[$0 * shape.width + x] } }
    let columns = constant(output + ".columns", [shape.width, side], .floats(transposed))
    add("MatMul", [rows, input], to: output + ".high")
    add("MatMul", [output + ".high", columns], to: output)
  }

  /// A row for each of `side` areas of a line of pixels, which takes the mean of its area: from floor(i * length / side)
  /// to ceil((i + 1) * length / side), as PyTorch's AdaptiveAvgPool2d.
  private static func means(of length: Int, side: Int) -> [Float] {
    (0..<side).flatMap { area in
      let begin = area * length / side
      let end = ((area + 1) * length + side - 1) / side
      return (0..<length).map { begin <= $0 && $0 < end ? 1 / Float(end - begin) : 0 }
    }
  }

  /// Every `stride`-th pixel, and zeros for new channels.
  private mutating func zeroPadding(
    _ input: String, _ shape: FeatureShape, stride: Int, channels: Int, _ placement: ZeroPlacement,
    to output: String
  ) {
    var value = input
    if stride > 1 {
      let bounds = [
        constant(output + ".starts", [2], .integers([0, 0])),
        constant(output + ".ends", [2], .integers([Int64(shape.height), Int64(shape.width)])),
        constant(output + ".axes", [2], .integers([2, 3])),
        constant(output + ".steps", [2], .integers([Int64(stride), Int64(stride)])),
      ]
      add("Slice", [value] + bounds, to: output + ".taken")
      value = output + ".taken"
    }
    let new = channels - shape.channels
    let before = placement == .split ? new / 2 : 0
    let pads = constant(
      output + ".pads", [8], .integers([0, Int64(before), 0, 0, 0, Int64(new - before), 0, 0]))
    add("Pad", [value, pads], to: output, [("mode", .text("constant"))])
  }

  /// An array of the network, made a constant of the graph.
  private mutating func stored(_ name: String) throws -> String {
    constant(name, weights[name]?.shape ?? [], .floats(try values(name)))
  }

  private func values(_ name: String) throws -> [Float] {
    guard case .float32(let values)? = weights[name]?.values else {
      throw ExportError.unsupported("'\(name)' is not among the network's arrays")
    }
    return values
  }
}
