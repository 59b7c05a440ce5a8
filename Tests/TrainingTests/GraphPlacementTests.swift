// Weights out of ONNX graphs, whose arrays have names that say nothing: a network written as a graph in the ways of
// several exporters comes back with the same outputs, and a graph of another network is refused.

import Foundation
import Messages
import Networks
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import Training

/// Writes a network's graph as exporters do.
private struct GraphWriter {
  /// Whether batch norms go into the convolutions before them.
  var isFolded = false
  /// Whether dense layers are a product and a sum, and the image has its channels last.
  var isTensorFlow = false
  /// Another epsilon than PyTorch's.
  var epsilon: Float = 1e-5

  private var nodes: [[UInt8]] = []
  private var arrays: [[UInt8]] = []
  private var stored: [String: (shape: [Int], values: [Float])] = [:]
  private var count = 0

  init(isFolded: Bool = false, isTensorFlow: Bool = false, epsilon: Float = 1e-5) {
    (self.isFolded, self.isTensorFlow, self.epsilon) = (isFolded, isTensorFlow, epsilon)
  }

  private mutating func array(_ shape: [Int], _ values: [Float]) -> String {
    count += 1
    arrays.append(ONNXSample.array("array_\(count)", shape, values))
    return "array_\(count)"
  }

  private func values(_ name: String) -> [Float] { stored[name]?.values ?? [] }

  mutating func write(_ network: Network) -> [UInt8] {
    for array in network.stateArrays() {
      if case .float32(let values) = array.values { stored[array.name] = (array.shape, values) }
    }
    let operations = network.plan.lowered.operations
    var names = ["image"]
    if isTensorFlow {
      nodes.append(
        ONNXSample.node("Transpose", ["image"], ["first"], [ONNXSample.attribute("perm", [0, 3, 1, 2])]))
      names = ["first"]
    }
    /// Whether a batch norm alone reads what a convolution makes.
    func isFoldable(_ value: Int) -> Bool { operations.count { $0.inputs.contains(value) } == 1 }
    for (index, operation) in operations.enumerated() {
      let inputs = operation.inputs.map { names[$0] }
      let output = index == operations.count - 1 ? "scores" : "value_\(index)"
      names.append(output)
      switch operation.kind {
      case .convolution(let name, let outputs, let kernel, let stride, let padding, let bias, _):
        let shape = [outputs, operation.input.channels, kernel.height, kernel.width]
        var weight = values(name + ".weight")
        var shift = bias ? values(name + ".bias") : nil
        if isFolded, index + 1 < operations.count, case .batchNorm(let norm, _) = operations[index + 1].kind,
          operations[index + 1].inputs == [index + 1], isFoldable(index + 1)
        {
          let (gamma, beta) = (values(norm + ".weight"), values(norm + ".bias"))
          let (mean, variance) = (values(norm + ".running_mean"), values(norm + ".running_var"))
          let scale = zip(gamma, variance).map { $0 / ($1 + 1e-5).squareRoot() }
          let size = weight.count / outputs
          for place in weight.indices { weight[place] *= scale[place / size] }
          let before = shift ?? [Float](repeating: 0, count: outputs)
          shift = (0..<outputs).map { beta[$0] + (before[$0] - mean[$0]) * scale[$0] }
        }
        let named = [array(shape, weight)] + (shift.map { [array([outputs], $0)] } ?? [])
        nodes.append(
          ONNXSample.node(
            "Conv", inputs + named, [output],
            [
              ONNXSample.attribute("strides", [stride, stride]),
              ONNXSample.attribute("pads", [padding.height, padding.width, padding.height, padding.width]),
            ]))
      case .batchNorm(let name, _):
        if isFolded, operation.inputs[0] > 0, isFoldable(operation.inputs[0]),
          case .convolution = operations[operation.inputs[0] - 1].kind
        {
          nodes.append(ONNXSample.node("Identity", inputs, [output]))
          continue
        }
        let channels = [operation.input.channels]
        let variance = values(name + ".running_var").map { $0 - (epsilon - 1e-5) }
        let named = [
          array(channels, values(name + ".weight")), array(channels, values(name + ".bias")),
          array(channels, values(name + ".running_mean")), array(channels, variance),
        ]
        nodes.append(
          ONNXSample.node(
            "BatchNormalization", inputs + named, [output], [ONNXSample.attribute("epsilon", epsilon)]))
      case .relu: nodes.append(ONNXSample.node("Relu", inputs, [output]))
      case .maxPool(let kernel, let stride, let padding, _):
        nodes.append(
          ONNXSample.node(
            "MaxPool", inputs, [output],
            [
              ONNXSample.attribute("kernel_shape", [kernel, kernel]),
              ONNXSample.attribute("strides", [stride, stride]),
              ONNXSample.attribute("pads", Array(repeating: padding, count: 4)),
            ]))
      case .averagePool: nodes.append(ONNXSample.node("GlobalAveragePool", inputs, [output]))
      case .averageWindows(let side):
        nodes.append(
          ONNXSample.node(
            "AveragePool", inputs, [output],
            [
              ONNXSample.attribute("kernel_shape", [side, side]), ONNXSample.attribute("strides", [side, side]),
              ONNXSample.attribute("ceil_mode", 1),
            ]))
      case .squeezeExcitation(let name, let reduced):
        let channels = operation.input.channels
        func weights(_ layer: String, _ outputs: Int, _ inputs: Int) -> [String] {
          let path = "\(name).\(layer)"
          return [
            array([outputs, inputs, 1, 1], values(path + ".weight")), array([outputs], values(path + ".bias")),
          ]
        }
        let (first, second) = (weights("fc1", reduced, channels), weights("fc2", channels, reduced))
        nodes.append(ONNXSample.node("ReduceMean", inputs, [output + "_means"]))
        nodes.append(ONNXSample.node("Conv", [output + "_means"] + first, [output + "_first"]))
        nodes.append(ONNXSample.node("Relu", [output + "_first"], [output + "_relu"]))
        nodes.append(ONNXSample.node("Conv", [output + "_relu"] + second, [output + "_second"]))
        nodes.append(ONNXSample.node("Sigmoid", [output + "_second"], [output + "_factors"]))
        let factors = [inputs[0], output + "_factors"]
        nodes.append(ONNXSample.node("Mul", isTensorFlow ? factors.reversed() : factors, [output]))
      case .globalMaxPool: nodes.append(ONNXSample.node("GlobalMaxPool", inputs, [output]))
      case .flatten, .dropout, .dropPath: nodes.append(ONNXSample.node("Flatten", inputs, [output]))
      case .dense(let name, let outputs, _, _):
        let (weight, width) = (values(name + ".weight"), operation.input.count)
        let bias = array([outputs], values(name + ".bias"))
        if isTensorFlow {
          let turned = (0..<weight.count).map { weight[$0 % outputs * width + $0 / outputs] }
          nodes.append(
            ONNXSample.node("MatMul", inputs + [array([width, outputs], turned)], [output + "_product"]))
          nodes.append(ONNXSample.node("Add", [bias, output + "_product"], [output]))
        } else {
          nodes.append(
            ONNXSample.node(
              "Gemm", inputs + [array([outputs, width], weight), bias], [output],
              [ONNXSample.attribute("transB", 1)]))
        }
      case .join(_, .addition):
        nodes.append(ONNXSample.node("Add", isTensorFlow ? inputs.reversed() : inputs, [output]))
      case .join(_, .concatenation):
        nodes.append(ONNXSample.node("Concat", inputs, [output], [ONNXSample.attribute("axis", 1)]))
      default: Issue.record("\(operation.kind) is not written")
      }
    }
    return ONNXSample.model(nodes: nodes, arrays: arrays)
  }
}

@Suite struct GraphPlacementTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let networks: [(NetworkSettings, Int)] = [
    (NetworkSettings(name: "resnet18", shortcut: .projection, stem: .large, widthMultiplier: 0.0625), 32),
    (NetworkSettings(name: "resnet50", version: .v1, stem: .small, widthMultiplier: 0.0625), 8),
    (NetworkSettings(name: "cifar8", shortcut: .projection, version: .v2, widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "plain20", widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "vgg19_bn", widthMultiplier: 0.03125), 32),
    (NetworkSettings(name: "vgg19", widthMultiplier: 0.03125), 32),
    (NetworkSettings(name: "seresnet18", stem: .small, widthMultiplier: 0.0625), 8),
    (NetworkSettings(name: "resnet18d", widthMultiplier: 0.0625), 32),
  ]

  @Test(arguments: networks, 0..<4)
  func `a network comes back from its graph with the same outputs`(
    network: (settings: NetworkSettings, side: Int), way: Int
  ) throws {
    let model = Specimen.model(network.settings, side: network.side)
    let original = try Specimen.network(model)
    var writer = [
      GraphWriter(), GraphWriter(isFolded: true), GraphWriter(isFolded: true, isTensorFlow: true),
      GraphWriter(epsilon: 0.001),
    ][way]
    let path = try folder.write(writer.write(original), to: "w.onnx")
    let loaded = try Checkpoint.load(path: path, as: model)
    let (expected, found) = (
      Specimen.logits(original, side: network.side), Specimen.logits(loaded.network, side: network.side)
    )
    let largest = expected.map(abs).max() ?? 0
    let difference = zip(expected, found).map { abs($0 - $1) }.max() ?? .infinity
    #expect(difference <= 2e-5 * largest, "\(difference) of \(largest)")
    #expect(loaded.notes.isEmpty)
    if way == 0 {
      let floats = original.stateArrays().filter { $0.dtype == .float32 }
      #expect(loaded.network.stateArrays().filter { $0.dtype == .float32 } == floats)
    }
    // And it starts a run.
    let weights = try InitialWeights(path)
    let other = Network(try model.plan(), seed: 5)
    #expect(
      try weights.load(into: other, classes: model.classes, naming: .names(model.classes)) == .kept(rows: nil))
    #expect(Specimen.logits(other, side: network.side) == found)
  }

  @Test func `a graph of another network is refused, saying where it differs`() throws {
    let cases: [(NetworkSettings, NetworkSettings, String)] = [
      (
        Self.networks[1].0,
        NetworkSettings(name: "resnet50", version: .v1_5, stem: .small, widthMultiplier: 0.0625), "stride"
      ),
      (Self.networks[0].0, NetworkSettings(name: "resnet34", stem: .large, widthMultiplier: 0.0625), "resnet34"),
      (
        Self.networks[0].0, NetworkSettings(name: "resnet18", stem: .small, widthMultiplier: 0.0625),
        "MaxPool where"
      ),
      (
        Self.networks[0].0, NetworkSettings(name: "resnet18", stem: .large, widthMultiplier: 0.125),
        "looks like resnet18 ("
      ),
      (Self.networks[4].0, NetworkSettings(name: "vgg19", widthMultiplier: 0.03125), "BatchNormalization"),
    ]
    for (own, asked, word) in cases {
      var writer = GraphWriter()
      let path = try folder.write(writer.write(try Specimen.network(Specimen.model(own, side: 32))), to: "w.onnx")
      let error = #expect(throws: CheckpointError.self) {
        try Checkpoint.load(path: path, as: Specimen.model(asked, side: 32))
      }
      #expect(error?.description.contains(word) == true, "\(error?.description ?? "read")")
    }
  }

  @Test func `a bias before a batch norm goes into its mean`() throws {
    let model = Specimen.model(Self.networks[0].0, side: 32)
    let original = try Specimen.network(model)
    var plain = GraphWriter()
    let file = try WeightsFile.read(try folder.write(plain.write(original), to: "w.onnx"))
    let graph = try #require(file.outline.graph)
    let first = try #require(graph.nodes.first { $0.operation == "Conv" })
    let channels = try #require(file.shape(of: first.inputs[1])?.first)
    // The same graph, whose first convolution adds 0.5.
    let nodes = graph.nodes.map { node in
      let inputs = node == first ? node.inputs + ["bias"] : node.inputs
      return ONNXSample.node(
        node.operation, inputs, node.outputs,
        node.attributes.compactMap { name, value in
          switch value {
          case .integer(let number): ONNXSample.attribute(name, number)
          case .integers(let numbers): ONNXSample.attribute(name, numbers)
          case .number(let number): ONNXSample.attribute(name, number)
          default: nil
          }
        })
    }
    let arrays = try file.names.map { ONNXSample.array($0, file.shape(of: $0) ?? [], try file.floats($0)) }
    let bias = ONNXSample.array("bias", [channels], Array(repeating: 0.5, count: channels))
    let path = try folder.write(ONNXSample.model(nodes: nodes, arrays: arrays + [bias]), to: "b.onnx")
    let loaded = try Checkpoint.load(path: path, as: model).network
    let name = try #require(original.buffers.first { $0.name == "bn1.running_mean" })
    let mean = try #require(loaded.buffers.first { $0.name == "bn1.running_mean" })
    #expect(mean.value.values == name.value.values.map { $0 - 0.5 })
  }

  @Test(arguments: networks)
  func `the network of a graph is found`(network: (settings: NetworkSettings, side: Int)) throws {
    let model = Specimen.model(network.settings, side: network.side)
    var writer = GraphWriter(isFolded: true)
    let path = try folder.write(writer.write(try Specimen.network(model)), to: "w.onnx")
    let found = try InitialWeights(path).network().settings
    _ = try Checkpoint.load(path: path, as: Specimen.model(found, side: network.side))
    #expect(found.widthMultiplier == network.settings.widthMultiplier)
  }
}
