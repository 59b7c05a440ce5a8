// The optimizer against a twin that is written for reading.

import Support
import Messages
import Networks
import Tensors
import Testing

@testable import Training

/// SGD as the formula says it, one number at a time, in double precision.
private struct NaiveSGD {
  var settings: OptimizerSettings
  var velocity: [Double]

  mutating func step(_ value: inout [Double], gradient: [Double], scale: Double, rate: Double, decay: Double) {
    for i in value.indices {
      let g = gradient[i] * scale + decay * value[i]
      let momentum = settings.momentum ?? 0
      velocity[i] = momentum * velocity[i] + g
      value[i] -= rate * (settings.nesterov ? g + momentum * velocity[i] : velocity[i])
    }
  }
}

@Suite struct SGDTests {
  /// One parameter of each kind; the classifier's weight has a weight decay of its own.
  private func parameters() -> [Parameter] {
    var generator = RandomGenerator(3)
    func tensor(_ shape: [Int]) -> Tensor { Tensor(shape) { _ in generator.normal() } }
    return [
      Parameter(name: "conv.weight", role: .convolutionWeight, value: tensor([3, 3, 5, 7])),
      Parameter(name: "bn.weight", role: .norm, value: tensor([7])),
      Parameter(name: "bn.bias", role: .norm, value: tensor([7])),
      Parameter(name: "whiten.weight", role: .convolutionWeight, value: tensor([2, 2, 3, 24]), isFixed: true),
      Parameter(name: "fc.weight", role: .denseWeight(map: [1, 1, 7]), value: tensor([7, 3]), weightDecay: 0.02),
      Parameter(name: "fc.bias", role: .bias, value: tensor([3])),
    ]
  }

  @Test(arguments: [
    OptimizerSettings(momentum: 0, weightDecay: 0), OptimizerSettings(momentum: 0.9, weightDecay: 0.1),
    OptimizerSettings(momentum: 0.9, nesterov: true, weightDecay: 0.1),
    OptimizerSettings(momentum: 0.5, weightDecay: 0.1, decayNormsAndBiases: false),
    OptimizerSettings(momentum: 0.9, nesterov: true, weightDecay: 0.1, gradientClip: 2),
    OptimizerSettings(momentum: 0.9, nesterov: true, weightDecay: 0.1, normBiasRate: 8),
    OptimizerSettings(momentum: 0.9, weightDecay: 0.1, decayNormsAndBiases: false, normBiasRate: 0.5),
  ])
  func `ten steps are those of the naive twin, for every kind of parameter`(settings: OptimizerSettings) {
    let parameters = parameters()
    let workers = ThreadPool(threads: 2)
    var optimizer = SGD(settings, parameters)
    var twins = parameters.map {
      NaiveSGD(settings: settings, velocity: [Double](repeating: 0, count: $0.value.count))
    }
    var values = parameters.map { $0.value.values.map(Double.init) }
    var generator = RandomGenerator(4)

    for step in 0..<10 {
      let rate = 0.1 / Double(step + 1)
      for parameter in parameters where !parameter.isFixed {
        parameter.gradient = Tensor(parameter.value.shape) { _ in generator.normal() }
      }
      let gradients = parameters.map { $0.gradient.values.map(Double.init) }
      let norm = gradients.joined().reduce(0) { $0 + $1 * $1 }.squareRoot()
      // The norms are about 19 here: a clip of 2 always shortens.
      let scale = settings.gradientClip.map { min(1, $0 / norm) } ?? 1
      #expect(abs(settings.clippingScale(gradientNorm: norm) - scale) < 1e-12)
      optimizer.step(
        parameters,
        StepNumbers(rate: rate, gradientScale: settings.clippingScale(gradientNorm: norm), done: step), workers)
      for (index, parameter) in parameters.enumerated() {
        let spared = parameter.isNormOrBias && !settings.decayNormsAndBiases
        let decay = parameter.weightDecay ?? (spared ? 0 : settings.weightDecay)
        // Only batch norms' shifts have a rate of their own; what they lose by decay in a step stays the same.
        let factor = parameter.name == "bn.bias" ? settings.normBiasRate : 1
        twins[index].step(
          &values[index], gradient: gradients[index], scale: scale, rate: rate * factor, decay: decay / factor)
      }
    }
    for (index, parameter) in parameters.enumerated() {
      let difference = zip(parameter.value.values, values[index]).map { abs(Double($0) - $1) }.max() ?? .nan
      #expect(difference < 2e-6, "\(parameter.name): largest difference \(difference)")
      let velocity = zip(optimizer.state[0].tensors[index].values, twins[index].velocity).map {
        abs(Double($0) - $1)
      }
      #expect(velocity.max() ?? .nan < 1e-5, "momentum of \(parameter.name)")
    }
  }

  @Test func `what is fixed stays as it is, whatever is asked of the optimizer`() {
    let fixed = parameters()[3]
    let before = fixed.value
    var optimizer = SGD(OptimizerSettings(momentum: 0.9, nesterov: true, weightDecay: 1), [fixed])
    for _ in 0..<3 { optimizer.step([fixed], StepNumbers(rate: 10), ThreadPool(threads: 1)) }
    #expect(fixed.name == "whiten.weight" && fixed.value == before)
  }

  @Test func `a gradient within the clip is left alone, a longer one shortened to it`() {
    let settings = OptimizerSettings(gradientClip: 2)
    #expect(settings.clippingScale(gradientNorm: 2) == 1)
    #expect(settings.clippingScale(gradientNorm: 8) == 0.25)
    #expect(OptimizerSettings().clippingScale(gradientNorm: 1e30) == 1)
  }

  /// y = x^2 / 2 has gradient x: two steps by hand, with rate 0.5, momentum 0.5 and no decay.
  @Test(arguments: [(false, [4.0, 2.0, 0.0]), (true, [4.0, 1.0, -0.25])])
  func `two steps down a parabola are those computed by hand`(nesterov: Bool, path: [Double]) {
    let x = Parameter(name: "x", role: .bias, value: Tensor([1], [4]))
    var optimizer = SGD(OptimizerSettings(momentum: 0.5, nesterov: nesterov, weightDecay: 0), [x])
    let workers = ThreadPool(threads: 1)
    for expected in path {
      #expect(Double(x.value[0]) == expected)
      x.gradient = x.value
      optimizer.step([x], StepNumbers(rate: 0.5), workers)
    }
  }
}
