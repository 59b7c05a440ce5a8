// The arrays of an ONNX file given to a network by their place: exporters rename arrays and fold batch norms into the
// convolutions before them, but the graph says what each array does. It is followed from its outputs backwards along the
// network's own operations; where the two differ, the file is not this network's.

import Messages
import Networks
import WeightFiles

/// Which node of a graph does each operation of a network.
struct GraphPlacement {
  /// Names and shapes as the network has them, in the place of the file's.
  let outline: WeightsOutline
  private let sources: [String: Source]

  /// Where an array of the network comes from.
  private enum Source {
    case stored(String)
    /// [inputs, outputs] instead of [outputs, inputs].
    case transposed(String)
    case constant(Float, count: Int)
    /// A variance that was used with another epsilon.
    case variance(String, change: Float)
    /// A mean, before which another bias was added.
    case mean(String, bias: String)
  }

  /// - Returns: nil for a file without a graph, and for one whose arrays have the network's own names.
  /// - Throws: `CheckpointError.doesNotFit`, saying where the graph differs.
  init?(_ plan: NetworkPlan, _ file: WeightsOutline) throws {
    guard let graph = file.graph, !plan.state.allSatisfy({ file.shape(of: $0.name) != nil }) else { return nil }
    var matching = GraphMatching(plan.lowered, graph, file)
    do { try matching.run() } catch {
      let found = Self.network(file).map { "; it looks like \($0.name)\($0.optionText)" } ?? ""
      throw CheckpointError.doesNotFit(
        path: file.path,
        reason: "its graph is not that of \(plan.settings.name)\(plan.settings.optionText): \(error.reason)\(found)"
      )
    }
    var shapes: [String: [Int]] = [:]
    var sources: [String: Source] = [:]
    func put(_ name: String, _ shape: [Int], _ source: Source) {
      shapes[name] = shape
      sources[name] = source
    }
    // Of convolutions that have none in the network: the batch norm behind them takes it away with the mean.
    var biases: [Int: String] = [:]
    for (index, node) in matching.nodes.sorted(by: { $0.key < $1.key }) {
      let operation = plan.lowered.operations[index]
      switch operation.kind {
      case .convolution(let name, let outputs, _, _, _, let bias, _):
        let weight = node.arrays[0]
        put(name + ".weight", file.shape(of: weight) ?? [], .stored(weight))
        let own = node.arrays.count > 1 && !matching.folded.contains(index) ? node.arrays[1] : nil
        if bias {
          put(name + ".bias", [outputs], own.map { .stored($0) } ?? .constant(0, count: outputs))
        } else if let own {
          biases[index] = own
        }
      case .batchNorm(let name, let own):
        let channels = operation.input.channels
        switch node.kind {
        case .norm(let epsilon):
          put(name + ".weight", [channels], .stored(node.arrays[0]))
          put(name + ".bias", [channels], .stored(node.arrays[1]))
          let bias = biases.removeValue(forKey: operation.inputs[0] - 1)
          put(
            name + ".running_mean", [channels],
            bias.map { .mean(node.arrays[2], bias: $0) } ?? .stored(node.arrays[2]))
          put(
            name + ".running_var", [channels],
            .variance(node.arrays[3], change: epsilon - Float(own)))
        default:
          // Folded: the convolution has its own scale and shift, and this one must change nothing but add the bias.
          put(name + ".weight", [channels], .constant((1 + Float(own)).squareRoot(), count: channels))
          put(name + ".bias", [channels], node.arrays.first.map { .stored($0) } ?? .constant(0, count: channels))
          put(name + ".running_mean", [channels], .constant(0, count: channels))
          put(name + ".running_var", [channels], .constant(1, count: channels))
        }
      case .dense(let name, _, _, _):
        let weight = node.arrays[0]
        let shape = Array((file.shape(of: weight) ?? []).prefix(2))
        let isTransposed = node.kind == .product(outputsFirst: false)
        put(
          name + ".weight", isTransposed ? shape.reversed() : shape,
          isTransposed ? .transposed(weight) : .stored(weight))
        let outputs = (isTransposed ? shape.last : shape.first) ?? 0
        put(
          name + ".bias", [outputs],
          node.arrays.count > 1 ? .stored(node.arrays[1]) : .constant(0, count: outputs))
      default: break
      }
    }
    if let (index, bias) = biases.first {
      throw CheckpointError.doesNotFit(
        path: file.path,
        reason: "its graph adds '\(bias)' behind \(plan.lowered.operations[index].kind.label), which has none in "
          + "\(plan.settings.name)\(plan.settings.optionText)")
    }
    self.sources = sources
    outline = WeightsOutline(
      path: file.path, format: file.format, metadata: file.metadata, notes: file.notes + matching.notes,
      shapes: shapes)
  }

  /// The file's arrays as those of the network.
  /// - Throws: as `WeightsContents.floats`.
  func contents(_ file: WeightsContents) throws -> WeightsContents {
    let arrays = try sources.map { name, source in
      let shape = outline.shape(of: name) ?? []
      var values: [Float]
      switch source {
      case .stored(let array): values = try file.floats(array)
      case .constant(let value, let count): values = Array(repeating: value, count: count)
      case .variance(let array, let change): values = try file.floats(array).map { $0 + change }
      case .mean(let array, let bias):
        values = zip(try file.floats(array), try file.floats(bias)).map { $0 - $1 }
      case .transposed(let array):
        let stored = try file.floats(array)
        let (outputs, inputs) = (shape[0], shape[1])
        values = (0..<stored.count).map { stored[$0 % inputs * outputs + $0 / inputs] }
      }
      return NamedArray(name: name, shape: shape, floats: values)
    }
    return WeightsContents(outline, checksum: file.checksum, arrays: arrays)
  }
}

extension GraphPlacement {
  /// The network of the table whose graph a file has.
  /// - Returns: nil for none.
  static func network(_ file: WeightsOutline) -> NetworkSettings? {
    guard let graph = file.graph else { return nil }
    let convolutions = graph.nodes.filter { $0.operation == "Conv" }
    guard let first = convolutions.first, first.inputs.count > 1, let shape = file.shape(of: first.inputs[1]),
      let width = shape.first, width > 0
    else { return nil }
    let blocks = graph.nodes.count { $0.operation == "Add" }
    for name in Architecture.candidates(blocksInFirstStage: blocks / 3) {
      guard let full = try? NetworkPlan(NetworkSettings(name: name), imageSize: 224, classes: 1) else { continue }
      let own = full.lowered.operations.compactMap { operation -> Int? in
        guard case .convolution(_, let outputs, _, _, _, _, _) = operation.kind else { return nil }
        return outputs
      }
      guard let first = own.first, first > 0 else { continue }
      // Most convolutions tell the width; the first one may have another.
      var ratios: [Double: Int] = [Double(width) / Double(first): 0]
      let found = convolutions.compactMap { node in
        node.inputs.count > 1 ? file.shape(of: node.inputs[1])?.first : nil
      }
      for (own, found) in zip(own, found) where own > 0 { ratios[Double(found) / Double(own), default: 0] += 1 }
      let multiplier = ratios.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 1
      for settings in variants(name, widthMultiplier: multiplier, stem: width) {
        guard let plan = try? NetworkPlan(settings, imageSize: 224, classes: 1),
          plan.lowered.operations.count(where: { if case .convolution = $0.kind { true } else { false } })
            == convolutions.count
        else { continue }
        var matching = GraphMatching(plan.lowered, graph, file)
        if (try? matching.run()) != nil { return settings }
      }
    }
    return nil
  }

  /// Each way to build a network that a graph tells apart.
  private static func variants(_ name: String, widthMultiplier: Double, stem: Int) -> [NetworkSettings] {
    guard let architecture = try? Architecture(name: name) else { return [] }
    guard architecture.hasBlocks else { return [NetworkSettings(name: name, widthMultiplier: widthMultiplier)] }
    let versions: [BlockVersion?] = [nil] + BlockVersion.allCases.map { $0 }
    let shortcuts: [Shortcut?] = architecture.hasShortcuts ? [nil] + Shortcut.allCases.map { $0 } : [nil]
    return versions.flatMap { version in
      shortcuts.flatMap { shortcut in
        [Stem.large, .small].map {
          NetworkSettings(
            name: name, shortcut: shortcut, version: version, stem: $0, widthMultiplier: widthMultiplier,
            stemWidth: stem)
        }
      }
    }
  }
}

/// A node that does an operation with arrays.
struct PlacedNode: Equatable {
  enum Kind: Equatable {
    case convolution
    case norm(epsilon: Float)
    /// A norm that was folded into the convolution whose bias this is.
    case folded
    /// [outputs, inputs], or the other way around.
    case product(outputsFirst: Bool)
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
      guard let node = producers[name], Self.handsOn.contains(node.operation), let input = node.inputs.first else {
        return name
      }
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
      return try input(of: node)
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
  fileprivate var label: String {
    switch self {
    case .convolution(let name, _, _, _, _, _, _): "the convolution '\(name)'"
    case .batchNorm(let name, _): "the batch norm '\(name)'"
    case .dense(let name, _, _, _): "the dense layer '\(name)'"
    case .relu: "a ReLU"
    case .maxPool: "a max pool"
    case .averagePool: "an average pool"
    case .globalMaxPool: "a global max pool"
    case .join(let name, _): "the join '\(name)'"
    default: "a layer of another kind"
    }
  }
}
