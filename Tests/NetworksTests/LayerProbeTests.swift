// What a probe says of a network at work, against the values themselves; that it changes nothing; and receptive fields,
// against a walk back through the layers and figures from a paper.

import Messages
import Tensors
import Testing

@testable import Networks

@Suite struct LayerProbeTests {
  private static func network(_ settings: NetworkSettings, side: Int) throws -> Network {
    let network = Network(try NetworkPlan(settings, imageSize: side, classes: 5), seed: 3)
    for (index, norm) in network.batchNorms.enumerated() {
      norm.runningMean.value = Tensor(norm.runningMean.value.shape) { Float(($0 + index) % 3) / 10 }
      norm.runningVariance.value = Tensor(norm.runningVariance.value.shape) { Float($0 % 4) + 0.5 }
      norm.bias.value = Tensor(norm.bias.value.shape) { Float(($0 + index) % 5) / 10 - 0.3 }
    }
    return network
  }

  private static func settings(_ name: String) -> NetworkSettings {
    var settings = NetworkSettings(name: name, widthMultiplier: 0.25)
    if name == "resnet18" { settings.dropPath = 0.3 }
    return settings
  }

  static let names = [
    "cifar8", "resnet18", "resnet18d", "seresnet18", "wrn-10-2", "plain20", "vgg11_bn", "googlenet", "resnet9",
    "lenet5-classic", "squeezenet1_1",
  ]

  @Test(arguments: names)
  func `mean, std, dead channels and histograms are those of the values, and the outputs stay as they are`(
    name: String
  ) throws {
    let side = ["vgg11_bn", "googlenet", "squeezenet1_1"].contains(name) ? 64 : 32
    let network = try Self.network(Self.settings(name), side: side)
    let images = ReferenceNumbers.tensor("images", [2, side, side, 3]) { 2 * $0 - 1 }
    let pass = Pass(.inference, ThreadPool(threads: 2))
    let plain = network.forward(images, pass)
    let probe = LayerProbe()
    let probed = network.probed(by: probe) { network.forward(images, pass) }
    #expect(probed.values == plain.values)
    #expect(!probe.activations.isEmpty)
    let operations = network.plan.lowered.operations
    for (row, found) in probe.activations {
      let value = network.forward(images, to: row + 1, pass)
      let values = value.values.map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(abs(found.mean - mean) < 1e-4 * (1 + variance.squareRoot()), "\(name) \(row)")
      #expect(abs(found.std - variance.squareRoot()) < 1e-4 * (1 + variance.squareRoot()), "\(name) \(row)")
      let channels = value.shape.last ?? 1
      let dead = (0..<channels).count { c in
        stride(from: c, to: values.count, by: channels).allSatisfy { values[$0] == 0 }
      }
      #expect(found.channels == channels)
      #expect(found.dead == (operations[row].kind == .relu ? dead : nil), "\(name) \(row)")
      #expect(found.histogram?.counts.reduce(0, +) == values.count && found.nonFinite == 0)
    }
    // Each ReLU of the network itself, and the logits.
    let rectified = operations.indices.filter { operations[$0].kind == .relu && !operations[$0].isAuxiliary }
    #expect(Set(rectified).isSubset(of: probe.activations.keys))
    if case .dense = operations.last?.kind { #expect(probe.activations[operations.count - 1] != nil) }
  }

  @Test(arguments: ["cifar8", "resnet18", "resnet18d", "seresnet18", "wrn-10-2", "resnet9"])
  func `the branches of a block are as large as what they add`(name: String) throws {
    let side = 32
    let network = try Self.network(Self.settings(name), side: side)
    network.finishesConvolutions = false
    let images = ReferenceNumbers.tensor("images", [2, side, side, 3]) { 2 * $0 - 1 }
    let pass = Pass(.inference, ThreadPool(threads: 1))
    let probe = LayerProbe()
    _ = network.probed(by: probe) { network.forward(images, pass) }
    let lowered = network.plan.lowered
    let sums = lowered.operations.indices.filter {
      if case .join(_, .addition) = lowered.operations[$0].kind { true } else { false }
    }
    #expect(!sums.isEmpty && Set(probe.balances.keys) == Set(sums))
    /// A value that may be a norm's own output, which is never there: then from what the norm reads.
    func squares(_ value: LoweredPlan.Value) -> Double {
      guard !network.plan.isComputed(value) else {
        return Ops(pass.pool).sumOfSquares(network.forward(images, to: value, pass))
      }
      guard case .batchNorm(let layer, let epsilon) = lowered.operations[value - 1].kind,
        let norm = network.batchNorms.first(where: { $0.name == layer })
      else { return .nan }
      let input = network.forward(images, to: lowered.operations[value - 1].inputs[0], pass).values
      let channels = norm.weight.value.count
      return input.enumerated().reduce(0) { sum, element in
        let c = element.offset % channels
        let deviation = Double(element.element - norm.runningMean.value[c])
        let y =
          Double(norm.weight.value[c]) * deviation / (Double(norm.runningVariance.value[c]) + epsilon).squareRoot()
          + Double(norm.bias.value[c])
        return sum + y * y
      }
    }
    for sum in sums {
      let inputs = lowered.operations[sum].inputs
      let (body, shortcut) = (squares(inputs[0]).squareRoot(), squares(inputs[1]).squareRoot())
      let found = try #require(probe.balances[sum])
      #expect(abs(found.residual / body - 1) < 1e-3, "\(name) \(sum): \(found), body \(body)")
      #expect(abs(found.shortcut / shortcut - 1) < 1e-3, "\(name) \(sum): \(found), shortcut \(shortcut)")
    }
  }

  @Test(arguments: names)
  func `a training pass that is looked at gives the same gradients`(name: String) throws {
    let side = ["vgg11_bn", "googlenet", "squeezenet1_1"].contains(name) ? 64 : 32
    func gradients(_ probe: LayerProbe?) throws -> [[Float]] {
      let network = try Self.network(Self.settings(name), side: side)
      let images = ReferenceNumbers.tensor("images", [2, side, side, 3]) { 2 * $0 - 1 }
      let pass = Pass(.training, ThreadPool(threads: 2), seed: 5)
      let logits = network.probed(by: probe) { network.forwardWithHeads(images, pass).logits }
      network.backward(Tensor(logits.shape) { Float($0 % 3) - 1 }, pass)
      return [logits.values] + network.parameters.map(\.gradient.values) + network.buffers.map(\.value.values)
    }
    let probe = LayerProbe()
    #expect(try gradients(probe) == gradients(nil))
    // Of a batch, batch norm makes mean and std what its shift and scale say: behind a block without ReLU at the least.
    #expect(probe.activations.values.allSatisfy { $0.std.isFinite && $0.nonFinite == 0 })
  }

  @Test func `a batch norm's branch counts as it is in training, by the batch's own statistics`() throws {
    let network = try Self.network(NetworkSettings(name: "cifar8"), side: 16)
    let images = ReferenceNumbers.tensor("images", [4, 16, 16, 3]) { 2 * $0 - 1 }
    let probe = LayerProbe()
    _ = network.probed(by: probe) { network.forward(images, Pass(.training, ThreadPool(threads: 1))) }
    for (sum, balance) in probe.balances {
      let shape = network.plan.lowered.operations[sum].output
      let block = network.plan.lowered.operations[sum].name.dropLast("add".count)
      let norm = try #require(network.batchNorms.first { $0.name == block + "bn2" })
      // Normalized numbers have mean 0 and variance 1, less what epsilon takes: rows (gamma^2 + beta^2) a channel.
      let expected = (0..<shape.channels).reduce(0.0) { total, c in
        let (gamma, beta) = (Double(norm.weight.value[c]), Double(norm.bias.value[c]))
        return total + Double(4 * shape.height * shape.width) * (gamma * gamma + beta * beta)
      }
      #expect(abs(balance.residual / expected.squareRoot() - 1) < 1e-2)
    }
    #expect(probe.balances.count == 3)
  }

  @Test func `values that are not finite are counted, and spoil nothing but their own figures`() throws {
    let network = try Self.network(NetworkSettings(name: "cifar8", widthMultiplier: 0.25), side: 8)
    network.parameters[0].value[0] = .nan
    let pool = ThreadPool(threads: 1)
    let probe = LayerProbe()
    let images = ReferenceNumbers.tensor("images", [2, 8, 8, 3]) { 2 * $0 - 1 }
    _ = network.probed(by: probe) { network.forward(images, Pass(.inference, pool)) }
    let measures = network.measures(probe, pool)
    let first = try #require(measures.first)
    #expect(first.name == "conv1" && first.weights?.nonFinite == 1 && first.weights?.norm.isFinite == true)
    #expect(measures.contains { ($0.activations?.nonFinite ?? 0) > 0 })
    #expect(measures.allSatisfy { $0.activations?.mean.isFinite ?? true })
    #expect(measures.allSatisfy { $0.balance.map { $0.shortcutShare == nil } ?? true })
  }

  @Test func `every row has a name of its own`() throws {
    for name in Self.names {
      let plan = try NetworkPlan(NetworkSettings(name: name), imageSize: 64, classes: 5)
      #expect(Set(plan.measureNames).count == plan.measureNames.count, "\(name)")
    }
    let plan = try NetworkPlan(NetworkSettings(name: "cifar8"), imageSize: 32, classes: 5)
    #expect(plan.measureNames.prefix(3) == ["conv1", "bn1", "bn1.relu"])
    #expect(plan.measureNames.contains("layer1.0.add.relu"))
  }

  // MARK: Receptive fields

  /// Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", table 1; of resnet18
  /// and the plain sum of its kernels the same formula.
  @Test(arguments: [
    ("alexnet", 195), ("vgg16", 212), ("resnet18", 435), ("resnet50", 483), ("resnet101", 1027),
    ("resnet152", 1507),
  ])
  func `the last map sees as much of the image as the paper says`(name: String, field: Int) throws {
    var settings = NetworkSettings(name: name)
    if name.hasPrefix("resnet"), name != "resnet18" { settings.version = .v1 }
    let plan = try NetworkPlan(settings, imageSize: 224, classes: 1000)
    let layers = plan.summary(batchSize: 1).layers
    let pooled = try #require(
      layers.firstIndex { $0.kind == .globalAveragePool || $0.kind == .averagePool || $0.kind == .flatten })
    #expect(layers[pooled].inputs.map { layers[$0 - 1].receptiveField } == [field])
  }

  @Test(arguments: ["cifar8", "resnet18d", "wrn-10-2", "lenet5-classic", "squeezenet1_1"])
  func `a receptive field is that of a walk back to the image`(name: String) throws {
    let plan = try NetworkPlan(NetworkSettings(name: name), imageSize: 64, classes: 5)
    let layers = plan.summary(batchSize: 1).layers
    for (index, operation) in plan.lowered.operations.enumerated() {
      guard let lines = Self.lines(0...0, of: index + 1, plan.lowered) else { break }
      #expect(layers[index].receptiveField == lines.count, "\(name) \(operation.kind)")
    }
  }

  /// The lines of the image that lines of a value are made from, those beyond its edge too; nil behind what sees all of
  /// it.
  private static func lines(
    _ range: ClosedRange<Int>, of value: LoweredPlan.Value, _ plan: LoweredPlan
  ) -> ClosedRange<Int>? {
    guard value > 0 else { return range }
    let operation = plan.operations[value - 1]
    /// Line i of the output reads from line i * stride - padding on.
    func read(_ kernel: Int, _ stride: Int, _ padding: Int) -> ClosedRange<Int> {
      range.lowerBound * stride - padding...range.upperBound * stride - padding + kernel - 1
    }
    let lines: ClosedRange<Int>
    switch operation.kind {
    case .convolution(_, _, let kernel, let stride, let padding, _, _):
      lines = read(kernel.height, stride, padding.height)
    case .sparseConvolution(_, let kernel, _): lines = read(kernel.height, 1, 0)
    case .subsampling(_, let kernel): lines = read(kernel, kernel, 0)
    case .maxPool(let kernel, let stride, let padding, _): lines = read(kernel, stride, padding)
    case .averageWindows(let side): lines = read(side, side, 0)
    case .zeroPadding(_, let stride, _, _): lines = read(1, stride, 0)
    case .averagePool, .globalMaxPool, .flatten, .squeezeExcitation, .dense: return nil
    default: lines = range
    }
    let fields = operation.inputs.map { Self.lines(lines, of: $0, plan) }
    guard let low = fields.compactMap({ $0?.lowerBound }).min(),
      let high = fields.compactMap({ $0?.upperBound }).max(),
      !fields.contains(nil)
    else { return nil }
    return low...high
  }

  @Test func `sizes that papers state are ours, as they round`() throws {
    for name in [
      "resnet18", "resnet34", "resnet50", "cifar20", "cifar56", "cifar110", "plain34", "vgg11", "vgg19",
      "wrn-28-10", "wrn-40-4", "resnext50_32x4d", "squeezenet1_0",
    ] {
      var settings = NetworkSettings(name: name)
      if name == "resnet50" { settings.version = .v1 }
      let usual = try Architecture(name: name).usual
      let plan = try NetworkPlan(settings, imageSize: usual.imageSize, classes: usual.classes)
      let (summary, size) = (plan.summary(batchSize: 1), try #require(plan.publishedFigures?.size))
      if let parameters = size.parameters {
        #expect(abs(Double(summary.parameters) / parameters - 1) < 0.03, "\(name): \(summary.parameters)")
      }
      if let multiplyAdds = size.multiplyAdds {
        #expect(abs(Double(summary.multiplyAdds) / multiplyAdds - 1) < 0.03, "\(name): \(summary.multiplyAdds)")
      }
    }
  }
}

extension LoweredPlan.Operation {
  fileprivate var name: String { kind.name ?? "" }
}
