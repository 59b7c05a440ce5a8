// A graph of an ONNX file followed along a network's own operations: which node does what each operation does, and so
// which of its arrays are whose. Where the two differ, the file is not this network's.

import Messages
import Networks
import WeightFiles

/// A node that does an operation with arrays.
struct PlacedNode: Equatable {
  enum Kind: Equatable {
    case convolution
    case norm(epsilon: Float)
    /// A norm that was folded into the convolution whose bias this is.
    case folded
    /// [outputs, inputs], or the other way around.
    case product(outputsFirst: Bool)
    /// Weights and biases of two 1x1 convolutions.
    case excitation
  }

  var kind: Kind
  var arrays: [String]
}

/// Where a graph differs from a network.
struct GraphDifference: Error {
  var reason: String
}

/// Follows a network's operations and a graph's nodes from their ends to the image.
struct GraphMatching {
  private let plan: LoweredPlan
  private let file: WeightsOutline
  private let producers: [String: ONNXGraph.Node]
  private let inputs: Set<String>
  /// Indices that change nothing.
  private let identities: Set<String>
  private let output: String?
  /// How many operations read each value of the network.
  private var readers: [Int]

  /// By the network's operation.
  private(set) var nodes: [Int: PlacedNode] = [:]
  /// Convolutions whose bias went into the batch norm behind them.
  private(set) var folded: Set<Int> = []
  private(set) var notes: [String] = []
  /// What each value of the network is in the graph.
  private var values: [Int: String] = [:]
  private var open: [(value: Int, name: String)] = []

  init(_ plan: LoweredPlan, _ graph: ONNXGraph, _ file: WeightsOutline) {
    self.plan = plan
    self.file = file
    var producers: [String: ONNXGraph.Node] = [:]
    for node in graph.nodes {
      for output in node.outputs where !output.isEmpty { producers[output] = node }
    }
    self.producers = producers
    inputs = Set(graph.inputs.map(\.name))
    identities = graph.identities
    output = graph.outputs.first?.name
    readers = Array(repeating: 0, count: plan.operations.count + 1)
    for operation in plan.operations {
      for value in operation.inputs { readers[value] += 1 }
    }
  }

  mutating func run() throws(GraphDifference) {
    guard var name = output else { throw GraphDifference(reason: "it has no output") }
    // Probabilities, and the most likely class: what comes after the scores.
    var steps = 0
    while let node = producers[name],
      ["Softmax", "LogSoftmax", "Identity", "ArgMax", "Sigmoid"].contains(node.operation),
      let input = node.inputs.first, steps < 16
    {
      name = input
      steps += 1
    }
    open = [(plan.operations.count, name)]
    while let (value, name) = open.popLast() {
      let name = plain(name)
      if let known = values[value] {
        guard known == name else { throw GraphDifference(reason: "branches that part in one place join others") }
        continue
      }
      values[value] = name
      if value == LoweredPlan.image {
        try matchImage(name)
      } else {
        let end = try follow(value, name, isBranch: false)
        if end.value != value { open.append(end) }
      }
    }
  }

  /// What only hands on what it gets.
  private static let handsOn: Set<String> = [
    "Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
  ]

  /// The value that a name stands for, behind nodes that change no number.
  private func plain(_ name: String) -> String {
    var name = name
    // A graph that is none has circles.
    for _ in 0...producers.count {
      guard let node = producers[name], let input = node.inputs.first,
        Self.handsOn.contains(node.operation)
          || (node.operation == "Gather" && node.inputs.count == 2 && identities.contains(node.inputs[1]))
      else { return name }
      name = input
    }
    return name
  }

  /// Follows operations backwards from a value up to the image, or to one that several operations read.
  /// - Returns: where that is, and which of the graph's values it is.
  private mutating func follow(
    _ start: Int, _ name: String, isBranch: Bool
  ) throws(GraphDifference) -> (value: Int, name: String) {
    var (value, name) = (start, plain(name))
    while value != LoweredPlan.image {
      if readers[value] > 1, isBranch || value != start { break }
      let index = value - 1
      let operation = plan.operations[index]
      switch operation.kind {
      case .dropout, .dropPath, .flatten: break
      case .join(_, let join):
        if isBranch { return (value, name) }
        try matchJoin(join, operation, name)
        return (start, name)
      default: name = try step(index, operation, name)
      }
      value = operation.inputs[0]
      name = plain(name)
    }
    return (value, name)
  }

  private func node(_ name: String, _ wanted: [String], for operation: LoweredPlan.Operation)
    throws(GraphDifference)
    -> ONNXGraph.Node
  {
    guard let node = producers[name], wanted.contains(node.operation) else {
      let found = producers[name].map(\.operation) ?? (inputs.contains(name) ? "the image" : "nothing")
      throw GraphDifference(
        reason: "it has \(found) where \(operation.kind.label) should be (\(name))")
    }
    return node
  }

  /// One operation and the node that does it.
  /// - Returns: what the node reads.
  private mutating func step(
    _ index: Int, _ operation: LoweredPlan.Operation, _ name: String
  ) throws(GraphDifference) -> String {
    switch operation.kind {
    case .relu:
      return try input(of: try node(name, ["Relu"], for: operation))
    case .convolution(let own, let outputs, let kernel, let stride, let padding, _, let groups):
      let node = try node(name, ["Conv"], for: operation)
      let arrays = Array(node.inputs.dropFirst().filter { !$0.isEmpty })
      let shape = [outputs, operation.input.channels / groups, kernel.height, kernel.width]
      guard let weight = arrays.first, file.shape(of: weight) == shape else {
        throw GraphDifference(
          reason: "'\(own)' needs \(shape), and its node has \(arrays.first.flatMap { file.shape(of: $0) } ?? [])")
      }
      guard node.integer("group", default: 1) == groups,
        node.integers("dilations")?.allSatisfy({ $0 == 1 }) ?? true
      else {
        throw GraphDifference(reason: "'\(own)' has other groups or is dilated in it")
      }
      guard node.integers("strides") ?? [1, 1] == [stride, stride] else {
        throw GraphDifference(
          reason: "'\(own)' has the stride \(stride), and its node \(node.integers("strides") ?? [1, 1])")
      }
      notePadding(node, own, [padding.height, padding.width, padding.height, padding.width])
      nodes[index] = PlacedNode(kind: .convolution, arrays: arrays)
      return try input(of: node)
    case .batchNorm:
      if let node = producers[name], node.operation == "BatchNormalization", node.inputs.count == 5 {
        guard node.inputs.dropFirst().allSatisfy({ file.shape(of: $0) == [operation.input.channels] }) else {
          throw GraphDifference(reason: "a batch norm has other channels than \(operation.input.channels)")
        }
        nodes[index] = PlacedNode(
          kind: .norm(epsilon: node.number("epsilon", default: 1e-5)), arrays: Array(node.inputs.dropFirst()))
        return node.inputs[0]
      }
      // Folded into the convolution before it, which nothing else may read then.
      guard operation.inputs[0] > 0, readers[operation.inputs[0]] == 1,
        case .convolution = plan.operations[operation.inputs[0] - 1].kind
      else {
        _ = try node(name, ["BatchNormalization"], for: operation)
        throw GraphDifference(reason: "a batch norm without its arrays")
      }
      let node = try node(name, ["Conv"], for: operation)
      nodes[index] = PlacedNode(kind: .folded, arrays: Array(node.inputs.dropFirst(2).filter { !$0.isEmpty }))
      folded.insert(operation.inputs[0] - 1)
      return name
    case .dense: return try matchDense(index, operation, name)
    case .maxPool(let kernel, let stride, let padding, _):
      let node = try node(name, ["MaxPool"], for: operation)
      guard node.integers("kernel_shape") == [kernel, kernel],
        node.integers("strides") ?? [1, 1] == [stride, stride]
      else { throw GraphDifference(reason: "a max pool is another than \(kernel)x\(kernel), stride \(stride)") }
      notePadding(node, "its max pool", Array(repeating: padding, count: 4))
      return try input(of: node)
    case .averagePool(let side):
      guard let node = producers[name], ["GlobalAveragePool", "AveragePool", "ReduceMean"].contains(node.operation)
      else {
        // A grid of as many means as there are pixels changes nothing.
        if side > 1 { return name }
        _ = try self.node(name, ["GlobalAveragePool", "AveragePool", "ReduceMean"], for: operation)
        return name
      }
      var pooled = try input(of: node)
      // A grid of means may be written as means of what is picked for each.
      for _ in 0..<4 where side > 1 {
        guard let picking = producers[pooled],
          ["Transpose", "GatherND", "Gather", "Reshape"].contains(picking.operation)
        else { break }
        pooled = try input(of: picking)
      }
      return pooled
    case .averageWindows(let side):
      let node = try node(name, ["AveragePool"], for: operation)
      guard node.integers("kernel_shape") == [side, side], node.integers("strides") == [side, side] else {
        throw GraphDifference(reason: "an average pool is another than \(side)x\(side), stride \(side)")
      }
      return try input(of: node)
    // A graph's own image is gray.
    case .luma: return name
    case .squeezeExcitation(_, let reduced): return try matchExcitation(index, operation, reduced: reduced, name)
    case .globalMaxPool:
      return try input(of: try node(name, ["GlobalMaxPool", "ReduceMax", "MaxPool"], for: operation))
    default:
      throw GraphDifference(reason: "\(operation.kind.label) is not looked for in graphs")
    }
  }

  private func input(of node: ONNXGraph.Node) throws(GraphDifference) -> String {
    guard let input = node.inputs.first, !input.isEmpty else {
      throw GraphDifference(reason: "a node (\(node.operation)) has no input")
    }
    return input
  }

  private mutating func notePadding(_ node: ONNXGraph.Node, _ name: String, _ wanted: [Int]) {
    let automatic = node.text("auto_pad") ?? "NOTSET"
    let found = node.integers("pads") ?? [0, 0, 0, 0]
    let isSame =
      automatic == "NOTSET" || automatic == "VALID"
      ? found == wanted : node.integers("strides") ?? [1, 1] == [1, 1]
    guard !isSame, !notes.contains(where: { $0.contains("pads") }) else { return }
    let how = automatic == "NOTSET" ? "\(found)" : automatic
    notes.append(
      "\(name) pads by \(how) in the graph and by \(wanted) here, so that its maps may lie a pixel apart")
  }

  /// Gemm, or a product with a sum behind it, or a 1x1 convolution of a single pixel.
  private mutating func matchDense(
    _ index: Int, _ operation: LoweredPlan.Operation, _ name: String
  ) throws(GraphDifference) -> String {
    var name = name
    var bias: [String] = []
    if let node = producers[name], node.operation == "Add", node.inputs.count == 2,
      let place = node.inputs.firstIndex(where: { file.shape(of: $0) != nil })
    {
      bias = [node.inputs[place]]
      name = plain(node.inputs[1 - place])
    }
    let node = try node(name, ["Gemm", "MatMul", "Conv"], for: operation)
    let arrays = Array(node.inputs.dropFirst().filter { !$0.isEmpty }) + bias
    guard let weight = arrays.first, let shape = file.shape(of: weight), arrays.count <= 2 else {
      throw GraphDifference(reason: "a product (\(name)) is with something that is no array")
    }
    var outputsFirst = true
    switch node.operation {
    case "Gemm":
      outputsFirst = node.integer("transB", default: 0) == 1
      guard node.integer("transA", default: 0) == 0, node.number("alpha", default: 1) == 1,
        node.number("beta", default: 1) == 1
      else { throw GraphDifference(reason: "a product (\(name)) is scaled") }
    case "MatMul": outputsFirst = false
    default:
      guard shape.dropFirst(2).allSatisfy({ $0 == 1 }) else {
        throw GraphDifference(reason: "a convolution (\(name)) stands where a dense layer should")
      }
    }
    let (outputs, inputs) = outputsFirst ? (shape.first, shape.dropFirst().first) : (shape.last, shape.first)
    guard shape.count >= 2, inputs == operation.input.count,
      arrays.count < 2 || file.shape(of: arrays[1])?.reduce(1, *) == outputs
    else {
      throw GraphDifference(
        reason: "a product (\(name)) has \(inputs ?? 0) inputs, and \(operation.input.count) come")
    }
    nodes[index] = PlacedNode(kind: .product(outputsFirst: outputsFirst), arrays: arrays)
    return try input(of: node)
  }

  /// A product with the sigmoid of two 1x1 convolutions of the channels' means.
  private mutating func matchExcitation(
    _ index: Int, _ operation: LoweredPlan.Operation, reduced: Int, _ name: String
  ) throws(GraphDifference) -> String {
    let product = try node(name, ["Mul"], for: operation)
    guard product.inputs.count == 2,
      let place = product.inputs.firstIndex(where: { producers[plain($0)]?.operation == "Sigmoid" }),
      let sigmoid = producers[plain(product.inputs[place])]
    else { throw GraphDifference(reason: "a product (\(name)) is not with a sigmoid") }
    let input = plain(product.inputs[1 - place])
    func convolution(_ name: String, _ outputs: Int, _ inputs: Int) throws(GraphDifference) -> ONNXGraph.Node {
      let node = try node(plain(name), ["Conv"], for: operation)
      guard node.inputs.count == 3, file.shape(of: node.inputs[1]) == [outputs, inputs, 1, 1],
        file.shape(of: node.inputs[2]) == [outputs]
      else { throw GraphDifference(reason: "a convolution (\(name)) has another shape than \([outputs, inputs])") }
      return node
    }
    let channels = operation.input.channels
    let second = try convolution(try self.input(of: sigmoid), channels, reduced)
    let relu = try node(plain(try self.input(of: second)), ["Relu"], for: operation)
    let first = try convolution(try self.input(of: relu), reduced, channels)
    let means = try node(plain(try self.input(of: first)), ["GlobalAveragePool", "ReduceMean"], for: operation)
    guard plain(try self.input(of: means)) == input else {
      throw GraphDifference(reason: "a product (\(name)) is with the means of another map")
    }
    nodes[index] = PlacedNode(
      kind: .excitation, arrays: [first.inputs[1], first.inputs[2], second.inputs[1], second.inputs[2]])
    return input
  }

  /// Branches: which of them is which input of the node is found out by what they are made of.
  private mutating func matchJoin(
    _ join: Join, _ operation: LoweredPlan.Operation, _ name: String
  ) throws(GraphDifference) {
    let node = try node(name, join == .addition ? ["Add", "Sum"] : ["Concat"], for: operation)
    guard node.inputs.count == operation.inputs.count else {
      throw GraphDifference(reason: "a node (\(node.operation), \(name)) joins \(node.inputs.count) branches")
    }
    var orders = [node.inputs]
    if join == .addition { orders.append(node.inputs.reversed()) }
    var first: GraphDifference?
    for order in orders {
      var attempt = self
      do throws(GraphDifference) {
        for (value, name) in zip(operation.inputs, order) {
          let end = try attempt.follow(value, name, isBranch: true)
          attempt.open.append(end)
        }
        // Branches that part in one place have to do so in the graph.
        var parted: [Int: String] = [:]
        for (value, name) in attempt.open.suffix(order.count) {
          let name = plain(name)
          if let known = parted.updateValue(name, forKey: value) ?? values[value], known != name {
            throw GraphDifference(reason: "branches (\(name)) part in other places")
          }
        }
        self = attempt
        return
      } catch {
        if first == nil { first = error }
      }
    }
    throw first ?? GraphDifference(reason: "a node (\(name)) joins other branches")
  }

  /// The image itself, or what is done with it before the network.
  private mutating func matchImage(_ name: String) throws(GraphDifference) {
    var name = name
    var operations: [String] = []
    for _ in 0..<32 {
      if inputs.contains(name) {
        if !operations.isEmpty {
          notes.append(
            "its graph prepares the image itself (\(operations.reversed().joined(separator: ", "))), which is not done here: "
              + "give the same as --mean and --std")
        }
        return
      }
      guard let node = producers[name],
        ["Transpose", "Sub", "Add", "Mul", "Div", "Pad", "Identity", "Cast", "Reshape"].contains(node.operation),
        let input = node.inputs.first(where: { file.shape(of: $0) == nil && !$0.isEmpty })
      else { break }
      if ["Sub", "Add", "Mul", "Div"].contains(node.operation) { operations.append(node.operation) }
      name = input
    }
    throw GraphDifference(
      reason: "it goes on with \(producers[name]?.operation ?? "nothing") where the network begins (\(name))")
  }
}

extension LayerKind {
  /// What it is called where it is missed.
  var label: String {
    switch self {
    case .convolution(let name, _, _, _, _, _, _): "the convolution '\(name)'"
    case .batchNorm(let name, _): "the batch norm '\(name)'"
    case .dense(let name, _, _, _): "the dense layer '\(name)'"
    case .relu: "a ReLU"
    case .maxPool: "a max pool"
    case .averagePool: "an average pool"
    case .globalMaxPool: "a global max pool"
    case .join(let name, _): "the join '\(name)'"
    case .squeezeExcitation(let name, _): "the squeeze and excitation '\(name)'"
    case .averageWindows: "an average pool"
    default: "a layer of another kind"
    }
  }
}
