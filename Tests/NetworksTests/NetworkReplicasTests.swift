// Replicas that go through a network together: against the naive twin of the whole batch, and against one network that
// has it all.

import Messages
import Testing

@testable import NaiveNetworks
@testable import Networks
@testable import Tensors

/// Adds sums up as they come, of replicas that are all here.
private struct Here: NormMeeting {
  func whole<Sum: NormSum>(_ own: [Sum]) -> Sum {
    var sum = own[0]
    for next in own.dropFirst() { sum.add(next) }
    return sum
  }
}

@Suite struct NetworkReplicasTests {
  /// Images of each replica; 0 for one without.
  private static let parts = [[1, 2, 2], [2, 0, 3], [0, 4, 1], [5]]

  private static func rows(_ tensor: Tensor, _ range: Range<Int>) -> Tensor {
    let width = tensor.count / tensor.shape[0]
    let values = tensor.values
    return Tensor([range.count] + tensor.shape.dropFirst()) { values[range.lowerBound * width + $0] }
  }

  private static func ranges(_ parts: [Int]) -> [Range<Int>] {
    var start = 0
    return parts.map { count in
      defer { start += count }
      return start..<(start + count)
    }
  }

  private static let plans: [(name: String, layers: [LayerPlan])] = {
    func convolution(_ name: String, _ channels: Int) -> LayerPlan {
      .convolution(name: name, outputs: channels, kernel: 3, padding: 1)
    }
    func norm(_ name: String) -> LayerPlan { .batchNorm(name: name) }
    let body = [convolution("a", 4), norm("bn"), .relu, convolution("b", 3), norm("last")]
    return [
      ("in a row", [convolution("conv", 5), norm("first"), .relu] + body),
      (
        "with a shortcut",
        [convolution("conv", 3), norm("first"), .relu]
          + [
            .block(
              name: "sum", [.branches(name: "sum.add", [body, []], joined: .addition), .relu])
          ]
      ),
      (
        "with another norm on the shortcut",
        [
          .block(
            name: "sum",
            [
              .branches(name: "sum.add", [body, [convolution("side", 3), norm("other")]], joined: .addition), .relu,
            ])
        ]
      ),
    ]
  }()

  /// Outputs of every replica, and the sum of their gradients, are those of the twin for the whole batch: the gradients by
  /// finite differences of the twin.
  @Test(arguments: plans.indices, parts)
  func `parts of a batch give what the whole batch does`(plan: Int, parts: [Int]) throws {
    let (name, layers) = Self.plans[plan]
    let shape = FeatureShape(height: 4, width: 3, channels: 3)
    let all = parts.map { _ in TwinLayers(layers, input: shape) }
    var twin = all[0].twin
    twin.mode = .training
    let input = ReferenceNumbers.tensor("input:" + name, [5, 4, 3, 3]) { (2 * $0 - 1) * 1.7 }
    let naive = NaiveTensor(input)
    let expected = twin.forward(naive)
    let probe = ReferenceNumbers.tensor("probe:" + name, expected.shape) { 2 * $0 - 1 }

    let graphs = all.map(\.layers)
    let passes = all.map { $0.pass(.training) }
    let ranges = Self.ranges(parts)
    let outputs = try LayerGraph.forward(
      graphs, ranges.map { $0.isEmpty ? nil : Self.rows(input, $0) }, passes, Here())
    var left: [String] = []
    for (range, output) in zip(ranges, outputs) {
      #expect((output == nil) == range.isEmpty)
      guard let output = output?.output else { continue }
      let width = expected.values.count / 5
      let part = NaiveTensor(
        output.shape, Array(expected.values[(range.lowerBound * width)..<(range.upperBound * width)]))
      let difference = Deviation.largest(output, from: part)
      #expect(difference < 2e-6, "\(name) in \(parts): \(difference)")
    }
    try LayerGraph.backward(
      graphs, ranges.map { $0.isEmpty ? nil : Self.rows(probe, $0) }, heads: parts.map { _ in [] },
      leaving: { left += $0.map(\.name) }, passes, Here())
    #expect(Set(left) == Set(graphs[0].parameters.map(\.name)))

    let probeValues = probe.values.map(Double.init)
    let checks = graphs[0].parameters.enumerated().map { place, parameter in
      var sum = [Float](repeating: 0, count: parameter.value.count)
      for (range, graph) in zip(ranges, graphs) where !range.isEmpty {
        for (index, value) in graph.parameters[place].gradient.values.enumerated() { sum[index] += value }
      }
      return GradientCheck(
        name: parameter.name, gradient: Tensor(parameter.value.shape) { sum[$0] },
        point: NaiveTensor(parameter.value)
      ) { value in
        var moved = twin
        moved.values[parameter.name] = value
        return moved.forward(naive).dot(probeValues)
      }
    }
    let floor = 0.01 * checks.reduce(0) { max($0, NaiveTensor($1.gradient).norm) }
    for check in checks {
      let difference = check.difference(.directionAndElements(3), floor: floor)
      print("\(name) in \(parts), \(check.name): \(brief(difference))")
      #expect(difference < 2e-6, "\(name) in \(parts), \(check.name): \(difference)")
    }
  }

  @Test(arguments: [
    (NetworkSettings(name: "cifar8", widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "cifar14", version: .v2, widthMultiplier: 0.25), 8),
    (NetworkSettings(name: "resnet18d", widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "seresnet18", widthMultiplier: 0.0625), 64),
    (NetworkSettings(name: "plain8", widthMultiplier: 0.25), 8),
  ])
  func `replicas of a network are one network, but for rounding`(settings: NetworkSettings, side: Int) throws {
    let plan = try NetworkPlan(settings, imageSize: side, classes: 3)
    let pool = ThreadPool(threads: 2)
    func make() -> Network { Network(plan, seed: 5, convolutions: .direct) }
    let whole = make()
    let images = ReferenceNumbers.images(8, side: side)
    let probe = ReferenceNumbers.tensor("probe", [8, 3]) { 2 * $0 - 1 }
    let pass = Pass(.training, pool)
    let logits = whole.forward(images, pass)
    whole.backward(probe, pass)

    let replicas = NetworkReplicas(of: make(), count: 3, make: make)
    let ranges = Self.ranges([3, 1, 4])
    replicas.begin()
    let passes = ranges.map { _ in pass }
    let outputs = try replicas.forward(ranges.map { Self.rows(images, $0) }, passes, Here())
    try replicas.backward(
      ranges.map { Self.rows(probe, $0) }, heads: ranges.map { _ in [] }, leaving: { _ in }, passes, Here())
    replicas.end()

    let largest = logits.values.map(abs).max() ?? 0
    let own = outputs.flatMap { $0?.output.values ?? [] }
    let difference = zip(own, logits.values).map { abs($0 - $1) }.max() ?? 1
    #expect(own.count == 24 && difference / largest < 1e-3, "\(difference) of \(largest)")
    let norm = whole.gradientNorm(pool)
    for (place, parameter) in whole.parameters.enumerated() {
      var sum = [Float](repeating: 0, count: parameter.value.count)
      for network in replicas.networks {
        for (index, value) in network.parameters[place].gradient.values.enumerated() { sum[index] += value }
      }
      let distance = zip(sum, parameter.gradient.values).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
      #expect(distance.squareRoot() / norm < 2e-3, "\(parameter.name): \(distance.squareRoot()) of \(norm)")
    }
    let network = replicas.networks[0]
    for (own, other) in zip(network.buffers, whole.buffers) {
      for (a, b) in zip(own.value.values, other.value.values) { #expect(abs(a - b) < 1e-4, "\(own.name)") }
    }
    #expect(network.batchNorms.map(\.batchesTracked) == whole.batchNorms.map(\.batchesTracked))
    // Copies hold nothing between the steps, and the network its weights.
    #expect(replicas.networks[1].parameters.allSatisfy { $0.value.count == 0 })
    #expect(network.parameters.allSatisfy { $0.value.count > 0 })
  }

  @Test func `sums come back as they were sent`() {
    var moments = MomentSum(numbers: [3, 1, -2, 0.5, 4])
    #expect(moments.numbers == [3, 1, -2, 0.5, 4] && moments.mean == [1, -2])
    moments.add(MomentSum(channels: 2))
    #expect(moments.numbers == [3, 1, -2, 0.5, 4])
    var none = MomentSum(channels: 2)
    none.add(moments)
    #expect(none == moments)
    // 0, 2, 1 and 5: mean 2, squared deviations 4 + 0 + 1 + 9.
    var whole = MomentSum(numbers: [3, 1, 2])
    whole.add(MomentSum(numbers: [1, 5, 0]))
    #expect(whole.numbers == [4, 2, 14] && whole.variance == [3.5])
    var gradients = NormGradientSum(numbers: [3, 1, 2])
    gradients.add(NormGradientSum(numbers: [1, 5, 0.5]))
    #expect(gradients.numbers == [4, 6, 2.5])
  }
}
