// The test of a backward pass. The forward pass of the layers is compared with its naive twin in double precision;
// their gradients, with central differences of that twin. In double precision a step of 1e-6 errs by about 1e-10, and
// meets a kink of a ReLU or a tie of a maximum a thousandth as often as the 1e-3 that Float32 would need.

import Support
import Messages
import Tensors
import Testing

@testable import NaiveNetworks
@testable import Networks

/// Some layers and a shape to run them on.
struct LayerCase: Sendable, CustomTestStringConvertible {
  var name: String
  var layers: [LayerPlan]
  /// [N, H, W, C].
  var input: [Int]
  /// What a gradient is compared by.
  var sampling = Sampling.everyElement
  /// The first so many operations are frozen.
  var frozen = 0
  /// Whether batch norms normalize by their running statistics.
  var keepsStatistics = false

  enum Sampling: Sendable {
    case everyElement
    /// One random direction through each parameter and some of its elements: for whole networks.
    case directionAndElements(Int)
  }

  var testDescription: String { name }
}

/// The largest relative differences of one case.
struct GradientReport: CustomStringConvertible {
  var inference = 0.0
  var training = 0.0
  /// Of a gradient, and whose.
  var gradient = (difference: 0.0, name: "")

  var description: String {
    "outputs \(brief(inference)) in inference, \(brief(training)) in training; "
      + "gradients \(brief(gradient.difference)) (\(gradient.name))"
  }
}

/// Three digits, for reports.
func brief(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  var (mantissa, exponent) = (value, 0)
  while abs(mantissa) < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
  return exponent == 0 ? "\((value * 100).rounded() / 100)" : "\((mantissa * 10).rounded() / 10)e\(exponent)"
}

/// Real layers and their naive twin, with the same values.
struct TwinLayers {
  let layers: LayerGraph
  var twin: NaiveNetwork
  let pool = ThreadPool(threads: 2)
  private let seed: UInt64 = 99

  /// Weights by the formula of the reference networks, from the parameters' names.
  init(_ plans: [LayerPlan], input: FeatureShape, frozen: Int = 0, keepsStatistics: Bool = false) {
    guard let lowered = try? LoweredPlan(plans, image: input, imageGradient: frozen == 0, frozen: frozen) else {
      preconditionFailure("\(input) is too small for \(plans)")
    }
    layers = LayerGraph(lowered, seed: 1)
    twin = NaiveNetwork(layers: plans, values: [:], mode: .training, seed: seed)
    for parameter in layers.parameters {
      parameter.value = ReferenceNumbers.value(of: parameter)
      // Whatever is left of an earlier pass must be overwritten.
      if parameter.isTrained, !parameter.isFixed {
        parameter.gradient = Tensor(parameter.value.shape) { _ in .nan }
      }
      twin.values[parameter.name] = NaiveTensor(parameter.value)
    }
    for norm in layers.batchNorms { norm.keepsStatistics = keepsStatistics }
    let kept = keepsStatistics ? lowered.operations.count : frozen
    for case .batchNorm(let name, _) in lowered.operations.prefix(kept).map(\.kind) {
      twin.frozenNorms.insert(name)
    }
    for buffer in layers.buffers {
      buffer.value = ReferenceNumbers.value(of: buffer)
      twin.values[buffer.name] = NaiveTensor(buffer.value)
    }
  }

  func pass(_ mode: Pass.Mode) -> Pass { Pass(mode, pool, seed: seed) }
}

/// Compares outputs in both modes, and the gradients by input and parameters of sum(output * probe).
func compareWithTwin(_ c: LayerCase) -> GradientReport {
  var report = GradientReport()
  var twins = TwinLayers(
    c.layers, input: FeatureShape(height: c.input[1], width: c.input[2], channels: c.input[3]),
    frozen: c.frozen, keepsStatistics: c.keepsStatistics)
  let input = ReferenceNumbers.tensor("input:" + c.name, c.input) { (2 * $0 - 1) * 1.7 }
  let naiveInput = NaiveTensor(input)

  twins.twin.mode = .inference
  let inference = twins.twin.forward(naiveInput)
  report.inference = Deviation.largest(twins.layers.forward(input, twins.pass(.inference)), from: inference)

  twins.twin.mode = .training
  let expected = twins.twin.forward(naiveInput)
  let output = twins.layers.forward(input, twins.pass(.training))
  precondition(output.shape == expected.shape, "\(c.name): shape \(output.shape), the twin's is \(expected.shape)")
  report.training = Deviation.largest(output, from: expected)

  let probe = ReferenceNumbers.tensor("probe:" + c.name, output.shape) { 2 * $0 - 1 }
  let probeValues = probe.values.map(Double.init)
  let inputGradient = twins.layers.backward(probe, twins.pass(.training))

  let twin = twins.twin
  // What is fixed has no gradient.
  var checks = twins.layers.parameters.filter { $0.isTrained && !$0.isFixed }.map { parameter in
    GradientCheck(name: parameter.name, gradient: parameter.gradient, point: NaiveTensor(parameter.value)) {
      value in
      var moved = twin
      moved.values[parameter.name] = value
      return moved.forward(naiveInput).dot(probeValues)
    }
  }
  if c.frozen == 0 {
    checks.append(
      GradientCheck(name: "input", gradient: inputGradient, point: naiveInput) { twin.forward($0).dot(probeValues) }
    )
  }
  // A bias before a batch norm has no gradient but rounding: measure such ones by the others.
  let floor = 0.01 * checks.reduce(0) { max($0, NaiveTensor($1.gradient).norm) }
  for check in checks {
    let difference = check.difference(c.sampling, floor: floor)
    if difference >= report.gradient.difference { report.gradient = (difference, check.name) }
  }
  return report
}

/// One gradient, and the function it is meant to be of.
struct GradientCheck {
  var name: String
  var gradient: Tensor
  var point: NaiveTensor
  var objective: (NaiveTensor) -> Double

  /// The largest difference found, relative to the gradient's norm (at least `floor`).
  func difference(_ sampling: LayerCase.Sampling, floor: Double) -> Double {
    let count = gradient.count
    precondition(count == point.values.count, "the gradient of \(name) has \(gradient.shape) for \(point.shape)")
    switch sampling {
    case .everyElement:
      let numeric = NaiveTensor(point.shape, (0..<count).map { slope(along: [($0, 1)]) })
      return Deviation.norm(gradient, from: numeric, floor: floor)
    case .directionAndElements(let elements):
      let norm = max(floor, NaiveTensor(gradient).norm)
      let direction = ReferenceNumbers.tensor("direction:" + name, [count]) { 2 * $0 - 1 }.values.map(Double.init)
      // Scaled to length one, it meets the whole gradient with about 1 / sqrt(count) of its norm.
      let length = NaiveTensor([count], direction).norm
      var differences = [
        abs(
          slope(along: direction.enumerated().map { ($0, $1 / length) }) - NaiveTensor(gradient).dot(direction)
            / length)
      ]
      var generator = RandomGenerator(seed: stableHash("elements:" + name))
      for _ in 0..<elements {
        let index = generator.integer(below: count)
        differences.append(abs(slope(along: [(index, 1)]) - Double(gradient[index])))
      }
      return differences.reduce(0) { $1.isNaN ? .infinity : max($0, $1) } / norm
    }
  }

  /// The central difference of the objective along a direction.
  private func slope(along direction: [(index: Int, amount: Double)]) -> Double {
    let step = 1e-6
    func moved(_ sign: Double) -> NaiveTensor {
      var moved = point
      for (index, amount) in direction { moved.values[index] += sign * step * amount }
      return moved
    }
    return (objective(moved(1)) - objective(moved(-1))) / (2 * step)
  }
}

/// Compares a case with its twin, prints the largest differences and fails above the bounds.
/// - Parameters:
///   - output: bound for outputs, relative to the largest one.
///   - gradient: bound for gradients, relative to their norm.
func expectAgreement(
  _ c: LayerCase, output: Double, gradient: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  let report = compareWithTwin(c)
  print("\(c.name): \(report)")
  #expect(report.inference <= output, "\(report)", sourceLocation: sourceLocation)
  #expect(report.training <= output, "\(report)", sourceLocation: sourceLocation)
  #expect(report.gradient.difference <= gradient, "\(report)", sourceLocation: sourceLocation)
}
