// AdamW, Muon, Lookahead, the weights' average and groups of batches, by themselves: against twins written for reading
// and against PyTorch's numbers.

import Foundation
import Messages
import Networks
import Support
import Tensors
import Testing

@testable import Training

@Suite struct OptimizerTests {
  private let pool = ThreadPool(threads: 2)

  /// One parameter of each kind; the classifier's weight has a weight decay of its own.
  private func parameters() -> [Parameter] {
    var generator = RandomGenerator(3)
    func tensor(_ shape: [Int]) -> Tensor { Tensor(shape) { _ in generator.normal() } }
    return [
      Parameter(name: "conv.weight", role: .convolutionWeight, value: tensor([3, 3, 5, 7])),
      Parameter(name: "wide.weight", role: .convolutionWeight, value: tensor([1, 1, 5, 70])),
      Parameter(name: "bn.weight", role: .norm, value: tensor([7])),
      Parameter(name: "fc.weight", role: .denseWeight(map: [1, 1, 7]), value: tensor([7, 3]), weightDecay: 0.02),
      Parameter(name: "fc.bias", role: .bias, value: tensor([3])),
    ]
  }

  private func difference(_ tensor: Tensor, _ values: [Double]) -> Double {
    zip(tensor.values, values).map { abs(Double($0) - $1) }.max() ?? .nan
  }

  // MARK: AdamW

  @Test(arguments: [true, false])
  func `ten steps of AdamW are those of the naive twin, for every kind of parameter`(decaysNorms: Bool) {
    var settings = OptimizerMethod.adamw.usual
    (settings.betas, settings.epsilon, settings.weightDecay) = (AdamBetas(0.8, 0.95), 1e-4, 0.1)
    settings.decayNormsAndBiases = decaysNorms
    let parameters = parameters()
    var optimizer = AdamW(settings, parameters)
    var values = parameters.map { $0.value.values.map(Double.init) }
    var (m, s) = (values.map { $0.map { _ in 0.0 } }, values.map { $0.map { _ in 0.0 } })
    var generator = RandomGenerator(4)
    for step in 0..<10 {
      let rate = 0.1 / Double(step + 1)
      // What a schedule adds to the first beta.
      let shift = step < 5 ? 0.05 : -0.05
      for parameter in parameters { parameter.gradient = Tensor(parameter.value.shape) { _ in generator.normal() } }
      optimizer.step(
        parameters, StepNumbers(rate: rate, gradientScale: 0.5, momentumShift: shift, done: step), pool)
      for (p, parameter) in parameters.enumerated() {
        let decay = parameter.weightDecay ?? (parameter.isNormOrBias && !decaysNorms ? 0 : 0.1)
        let beta = 0.8 + shift
        for (i, gradient) in parameter.gradient.values.enumerated() {
          let g = 0.5 * Double(gradient)
          m[p][i] = beta * m[p][i] + (1 - beta) * g
          s[p][i] = 0.95 * s[p][i] + 0.05 * g * g
          let mean = m[p][i] / (1 - pow(beta, Double(step + 1)))
          let root = (s[p][i] / (1 - pow(0.95, Double(step + 1)))).squareRoot()
          values[p][i] -= rate * decay * values[p][i]
          values[p][i] -= rate * mean / (root + 1e-4)
        }
      }
    }
    for (index, parameter) in parameters.enumerated() {
      #expect(difference(parameter.value, values[index]) < 4e-6, "\(parameter.name)")
      #expect(difference(optimizer.state[0].tensors[index], m[index]) < 2e-6)
      #expect(difference(optimizer.state[1].tensors[index], s[index]) < 2e-6)
    }
  }

  /// torch.optim.AdamW, float32: lr 0.01, betas (0.9, 0.99), eps 1e-8, weight_decay 0.1.
  @Test func `five steps of AdamW are PyTorch's`() {
    let steps: [[Double]] = [
      [0.489500016, -1.258749962, 1.988000035, 0.04121875, -0.739250004, 1.50849998],
      [0.479004622, -1.266680598, 1.991522789, 0.051148444, -0.729017794, 1.504505515],
      [0.468740344, -1.270472646, 1.997174978, 0.060996559, -0.721869528, 1.496499658],
      [0.460273564, -1.268730521, 2.003690004, 0.069554865, -0.720125079, 1.487166047],
      [0.455943286, -1.263906121, 2.010100126, 0.074381493, -0.721966743, 1.47755909],
    ]
    var settings = OptimizerMethod.adamw.usual
    (settings.betas, settings.weightDecay) = (AdamBetas(0.9, 0.99), 0.1)
    let value = Tensor([6], [0.5, -1.25, 2, 0.03125, -0.75, 1.5])
    let parameter = Parameter(name: "w", role: .bias, value: value)
    var optimizer = AdamW(settings, [parameter])
    for (step, wanted) in steps.enumerated() {
      parameter.gradient = Tensor([6]) { Float(sin(1 + Double($0) + 7 * Double(step))) }
      optimizer.step([parameter], StepNumbers(rate: 0.01, done: step), pool)
      #expect(difference(parameter.value, wanted) < 5e-7, "step \(step)")
    }
  }

  // MARK: Muon

  /// The formula in PyTorch, float64, on filters [3, 2, 2, 2]: lr 0.1, momentum 0.95, weight decay 0.01.
  @Test func `four steps of Muon are those computed with PyTorch`() {
    let steps: [[Double]] = [
      [
        1.000917858, 0.930843451, 0.786587166, 0.586515667, 0.347186173, 0.082485717, -0.194085943, -0.465850798,
        -0.711459485, -0.903974189, -1.015432448, -1.026115643, -0.930042938, -0.737869589, -0.474960006,
        -0.175266312, 0.12457724, 0.399887071, 0.630984971, 0.806889722, 0.920999671, 0.967397206, 0.939366531,
        0.831202858,
      ],
      [
        0.960406801, 0.909250166, 0.793703705, 0.61868088, 0.389035669, 0.114199108, -0.187450883, -0.487328168,
        -0.728741903, -0.926819257, -1.032751678, -1.029386732, -0.917351599, -0.714843444, -0.452152315,
        -0.163217292, 0.136051929, 0.383311731, 0.594011383, 0.766665572, 0.896125308, 0.969205984, 0.966627198,
        0.870732632,
      ],
      [
        0.986399767, 0.942668375, 0.818466806, 0.622828586, 0.370380894, 0.081377708, -0.219029388, -0.502725525,
        -0.72868672, -0.90726249, -1.002547427, -1.002364107, -0.905844296, -0.723922555, -0.477271774,
        -0.192376615, 0.107917724, 0.377498463, 0.613109405, 0.801451459, 0.929921333, 0.985752266, 0.957761589,
        0.840263462,
      ],
      [
        0.99713108, 0.926913572, 0.783272735, 0.584434068, 0.346607354, 0.083268572, -0.192390291, -0.463780677,
        -0.69533054, -0.896865986, -1.019656828, -1.038556549, -0.943722817, -0.745331665, -0.47186669,
        -0.162513209, 0.146701635, 0.406652164, 0.618777882, 0.780727652, 0.89223491, 0.948463022, 0.938027446,
        0.847004753,
      ],
    ]
    let filters = Parameter(name: "conv.weight", role: .convolutionWeight, value: Tensor(zeros: [2, 2, 2, 3]))
    filters.value = filters.innerOrder((0..<24).map { Float(cos(0.3 * Double($0))) })
    var optimizer = Muon(OptimizerMethod.muon.usual, [filters])
    for (step, wanted) in steps.enumerated() {
      filters.gradient = filters.innerOrder((0..<24).map { Float(sin(0.7 * Double($0) + 2 * Double(step))) })
      optimizer.step([filters], StepNumbers(rate: 0.1, done: step), pool)
      let found = zip(filters.fileOrder(filters.value), wanted).map { abs(Double($0) - $1) }.max() ?? .nan
      // Gradients of two sines have two directions: rounding decides the third, which is scaled up too.
      #expect(found < 1e-4, "step \(step): largest difference \(found)")
    }
  }

  @Test func `Muon changes what is no convolution by Nesterov's momentum, with decoupled decay`() {
    let all = parameters()
    let parameters = Array(all[2...])
    var optimizer = Muon(OptimizerMethod.muon.usual, parameters)
    var values = parameters.map { $0.value.values.map(Double.init) }
    var velocity = values.map { $0.map { _ in 0.0 } }
    var generator = RandomGenerator(4)
    for step in 0..<5 {
      for parameter in parameters { parameter.gradient = Tensor(parameter.value.shape) { _ in generator.normal() } }
      let gradients = parameters.map { $0.gradient.values.map(Double.init) }
      optimizer.step(parameters, StepNumbers(rate: 0.02, gradientScale: 0.5, done: step), pool)
      for (p, parameter) in parameters.enumerated() {
        let decay = parameter.weightDecay ?? 0.01
        for i in values[p].indices {
          let g = 0.5 * gradients[p][i]
          velocity[p][i] = 0.95 * velocity[p][i] + g
          values[p][i] = (1 - 0.02 * decay) * values[p][i] - 0.02 * (g + 0.95 * velocity[p][i])
        }
      }
    }
    for (index, parameter) in parameters.enumerated() {
      #expect(difference(parameter.value, values[index]) < 2e-6, "\(parameter.name)")
    }
  }

  @Test(arguments: OptimizerMethod.allCases, [nil, LookaheadSettings(steps: 2)])
  func `a step has the same bits on any number of threads`(method: OptimizerMethod, lookahead: LookaheadSettings?) {
    func values(threads: Int) -> [[Float]] {
      let pool = ThreadPool(threads: threads)
      let parameters = parameters()
      var settings = method.usual
      settings.lookahead = lookahead
      var optimizer = settings.optimizer(for: parameters)
      var generator = RandomGenerator(5)
      for step in 0..<4 {
        for parameter in parameters {
          parameter.gradient = Tensor(parameter.value.shape) { _ in generator.normal() }
        }
        optimizer.step(parameters, StepNumbers(rate: 0.1, gradientScale: 0.75, done: step), pool)
      }
      return parameters.map(\.value.values) + optimizer.state.flatMap { $0.tensors.map(\.values) }
    }
    let one = values(threads: 1)
    #expect(values(threads: 2) == one && values(threads: 3) == one)
  }

  // MARK: Lookahead

  /// Plain descent with rate 1 and a gradient of -1 adds 1 a step; every second step the slow weight goes half of the way.
  @Test func `slow weights follow by hand`() throws {
    let x = Parameter(name: "x", role: .bias, value: Tensor([1], [0]))
    var optimizer = OptimizerSettings(
      momentum: 0, weightDecay: 0, lookahead: LookaheadSettings(steps: 2, share: 0.5)
    ).optimizer(for: [x])
    var path: [[Float]] = []
    for step in 0..<4 {
      x.gradient = Tensor([1], [-1])
      optimizer.step([x], StepNumbers(rate: 1, done: step), pool)
      path.append([x.value[0], try #require(optimizer.evaluated)[0][0]])
    }
    #expect(path == [[1, 0], [1, 1], [2, 1], [2, 2]])
    x.value = Tensor([1], [7])
    optimizer.reset([x])
    #expect(optimizer.evaluated?[0][0] == 7)
  }

  // MARK: The average

  @Test func `the average is that of the formula, its statistics too, and begins quickly`() throws {
    #expect(WeightAverage.decay(0.9, averaged: 0) == 0.1)
    #expect(WeightAverage.decay(0.9, averaged: 70) == 71.0 / 80)
    #expect(WeightAverage.decay(0.9, averaged: 1000) == 0.9)
    let network = try Specimen.network(Specimen.cifar)
    var average = WeightAverage(decay: 0.5, of: network)
    var (weight, variance) = (network.parameters[0].value.values, network.buffers[1].value.values)
    var generator = RandomGenerator(9)
    for step in 0..<6 {
      network.parameters[0].value = Tensor(network.parameters[0].value.shape) { _ in generator.normal() }
      network.buffers[1].value = Tensor(network.buffers[1].value.shape) { _ in abs(generator.normal()) }
      average.add(network, averaged: step, Ops(pool))
      let d = Float(min(0.5, Double(1 + step) / Double(10 + step)))
      weight = zip(weight, network.parameters[0].value.values).map { d * $0 + (1 - d) * $1 }
      variance = zip(variance, network.buffers[1].value.values).map { d * $0 + (1 - d) * $1 }
    }
    #expect(difference(average.weights.parameters[0], weight.map(Double.init)) < 1e-5)
    #expect(difference(average.weights.buffers[1], variance.map(Double.init)) < 1e-5)
    #expect(average.weights.parameters[1] == network.parameters[1].value, "what stays is its own average")
  }

  // MARK: Groups of batches

  @Test func `a group's gradient is the mean over its images, and its statistics can be put back`() throws {
    let network = try Specimen.network(Specimen.cifar)
    let before = network.buffers.map(\.value.values)
    var group = BatchGroup(TrainingSettings(data: "", network: Specimen.cifar.network, accumulate: 3, batchSize: 4))
    // Batches of 4, 4 and 1 images; each with the gradient of its mean.
    let counts = [4, 4, 1]
    var generator = RandomGenerator(8)
    for round in 0..<2 {
      var wanted = [Double](repeating: 0, count: network.parameters[0].value.count)
      for (slot, count) in counts.enumerated() {
        for parameter in network.parameters {
          let mean = Tensor(parameter.value.shape) { _ in generator.normal() }
          parameter.gradient = group.weighted(mean, images: count, Ops(pool))
          guard parameter === network.parameters[0] else { continue }
          for i in wanted.indices { wanted[i] += Double(count) / 9 * Double(mean[i]) }
        }
        let tally = BatchTally(
          slot: slot, images: count, loss: Double(count), correct: 1, items: [], skipped: [])
        group.add(network, tally, waiting: 0.5, Ops(pool))
      }
      #expect(group.isWhole && group.images == 9 && group.tally.correct == 3 && group.waiting == 1.5)
      #expect(group.loss == 33.0 / 9)
      group.putGradient(into: network)
      let found = network.parameters[0].gradient.values.map { Double($0) * group.gradientScale }
      #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 1e-5 }, "round \(round)")
      group.clear()
      #expect(group.isEmpty && group.images == 0)
    }
    #expect(network.buffers.map(\.value.values) == before)
  }

  // MARK: What does not go together

  @Test(arguments: ["--momentum", "--nesterov", "--betas", "--epsilon"])
  func `AdamW refuses numbers of others, and needs its own`(option: String) {
    var settings = OptimizerMethod.adamw.usual
    #expect(throws: Never.self) { try settings.validate() }
    switch option {
    case "--momentum": settings.momentum = 0.5
    case "--nesterov": settings.nesterov = true
    case "--betas": settings.betas = nil
    default: settings.epsilon = nil
    }
    let error = #expect(throws: SettingsError.self) { try settings.validate() }
    #expect(error?.description.contains(option) == true && error?.description.contains("adamw") == true)
  }

  @Test(arguments: ["--betas", "--epsilon", "--momentum"], [OptimizerMethod.sgd, .muon])
  func `SGD and Muon refuse AdamW's numbers, and need a momentum`(option: String, method: OptimizerMethod) {
    var settings = method.usual
    #expect(throws: Never.self) { try settings.validate() }
    switch option {
    case "--betas": settings.betas = AdamBetas()
    case "--epsilon": settings.epsilon = 1e-8
    default: settings.momentum = nil
    }
    let error = #expect(throws: SettingsError.self) { try settings.validate() }
    #expect(error?.description.contains(option) == true)
    settings = method.usual
    settings.nesterov = true
    #expect((try? settings.validate()) == nil || method == .sgd)
  }

  @Test func `a cycle that would raise the momentum to 1 is refused`() {
    var settings = Settings.usual
    settings.schedule = .oneCycle(warmUp: 0.3, divisor: 25)
    #expect(settings.refusal == nil)
    settings.optimizer.momentum = 0.95
    #expect(settings.refusal?.contains("--momentum") == true)
    settings.optimizer = OptimizerMethod.muon.usual
    #expect(settings.refusal == nil, "Muon's momentum stays")
    settings.optimizer = OptimizerMethod.adamw.usual
    #expect(settings.refusal == nil)
    settings.optimizer.betas = AdamBetas(0.95, 0.999)
    #expect(settings.refusal?.contains("--betas") == true)
  }

  @Test func `what is usual for an optimizer takes the place of what is usual for another, and of nothing else`() {
    var settings = Settings.usual
    #expect(
      settings.optimizer == OptimizerMethod.sgd.usual && settings.learningRate == OptimizerMethod.sgd.usualRate)
    settings.optimizer.weightDecay = 0.25
    for method in [OptimizerMethod.adamw, .muon, .sgd] {
      let before = settings.optimizer.method
      settings.optimizer.method = method
      settings.optimizerChanged(from: before)
      #expect(settings.learningRate == method.usualRate && settings.optimizer.weightDecay == 0.25)
      #expect(
        settings.optimizer.momentum == method.usual.momentum && settings.optimizer.betas == method.usual.betas)
      #expect(settings.refusal == nil)
    }
  }

  @Test func `memory counts what is remembered`() throws {
    func needed(_ change: (inout TrainingSettings) -> Void) throws -> Int {
      var settings = TrainingSettings(data: "data", network: NetworkSettings(name: "resnet18"), batchSize: 4)
      settings.threads = 1
      change(&settings)
      let plan = try NetworkPlan(settings.network, imageSize: 32, classes: 10)
      return MemoryCheck(plan, settings).needed(batch: 4)
    }
    let plan = try NetworkPlan(NetworkSettings(name: "resnet18"), imageSize: 32, classes: 10)
    let weights = 4 * plan.state.filter { $0.kind == .parameter }.reduce(0) { $0 + $1.shape.reduce(1, *) }
    let plain = try needed { _ in }
    // Each is held in memory, and all but gradients are in `last` too.
    #expect(try needed { $0.accumulate = 2 } >= plain + weights)
    for change: (inout TrainingSettings) -> Void in [
      { $0.ema = 0.9 }, { $0.optimizer = OptimizerMethod.adamw.usual },
      { $0.optimizer.lookahead = LookaheadSettings() },
    ] { #expect(try needed(change) >= plain + 2 * weights) }
    #expect(try needed { $0.optimizer = OptimizerMethod.muon.usual } >= plain)
  }
}
