// The memory that a training step takes, by a rehearsal: the steps of forward and backward pass with blocks that have
// a size but no contents, kept and let go as the layers keep and let go of their tensors. What changes there must
// change here; a test compares the two.

import Messages

extension NetworkPlan {
  /// Bytes in use at one time, at most: value, gradient and momentum of each parameter, and what a step holds besides.
  func trainingMemory(batchSize: Int, parameters: Int, threads: Int) -> Int {
    let ledger = Ledger()
    let rehearsal = Rehearsal(ledger: ledger, images: batchSize, threads: threads, goesBack: true)
    let images = Block(batchSize * input.count, ledger)
    var (output, steps) = rehearsal.forward(layers, images, input)
    output = rehearsal.backward(&steps, output)
    return MemoryLayout<Float>.stride * (3 * parameters + withExtendedLifetime(output) { ledger.peak })
  }

  /// Bytes in use at one time, at most, when images only go forwards: the weights, and what a layer takes and gives.
  public func inferenceMemory(batchSize: Int, threads: Int) -> Int {
    let ledger = Ledger()
    let rehearsal = Rehearsal(ledger: ledger, images: batchSize, threads: threads, goesBack: false)
    let (output, _) = rehearsal.forward(layers, Block(batchSize * input.count, ledger), input)
    let weights = state.reduce(0) { $0 + $1.shape.reduce(1, *) }
    return MemoryLayout<Float>.stride * (weights + withExtendedLifetime(output) { ledger.peak })
  }
}

/// Floats in use, now and at most.
private final class Ledger {
  private var inUse = 0
  private(set) var peak = 0

  func take(_ count: Int) {
    inUse += count
    peak = max(peak, inUse)
  }

  func giveBack(_ count: Int) { inUse -= count }

  /// Taken and given back at once.
  func pass(_ count: Int) { peak = max(peak, inUse + count) }
}

/// A tensor's memory: in use as long as anybody refers to it.
private final class Block {
  let count: Int
  private let ledger: Ledger

  init(_ count: Int, _ ledger: Ledger) {
    self.count = count
    self.ledger = ledger
    ledger.take(count)
  }

  deinit { ledger.giveBack(count) }
}

/// Goes through a plan as `Network` does.
private struct Rehearsal {
  let ledger: Ledger
  let images: Int
  let threads: Int
  /// Whether steps are kept for the way back, and with them what layers keep.
  let goesBack: Bool

  /// A layer's way back, from the gradient by its output to that by its input. What the layer keeps is what this
  /// closure refers to.
  typealias Step = (consuming Block) -> Block

  func forward(_ plans: [LayerPlan], _ input: Block, _ inputShape: FeatureShape) -> (Block, [Step]) {
    var (activation, shape) = (input, inputShape)
    var steps: [Step] = []
    for (index, plan) in plans.enumerated() {
      guard let output = try? plan.output(for: shape) else {
        preconditionFailure("a plan's shapes are checked when it is made")
      }
      if plan == .relu, index > 0, case .batchNorm = plans[index - 1] { continue }
      let step: Step
      (activation, step) = forward(plan, activation, shape, images * output.count)
      if goesBack { steps.append(step) }
      shape = output
    }
    return (activation, steps)
  }

  func backward(_ steps: inout [Step], _ outputGradient: consuming Block) -> Block {
    var gradient = outputGradient
    while let step = steps.popLast() { gradient = step(consume gradient) }
    return gradient
  }

  private func forward(
    _ plan: LayerPlan, _ input: Block, _ shape: FeatureShape, _ outputs: Int
  ) -> (Block, Step) {
    switch plan {
    case .convolution(_, let channels, let kernel, let stride, let padding, _):
      let method = ConvolutionMethod(
        input: [images, shape.height, shape.width, shape.channels],
        weight: [kernel, kernel, shape.channels, channels], stride: stride, padding: padding)
      let output = block(outputs)
      ledger.pass(method.forwardScratch.floats(threads: threads))
      var kept: Block? = input
      return (
        output,
        { [self] gradient in
          ledger.pass(method.weightGradientScratch.floats(threads: threads))
          let count = kept?.count ?? 0
          kept = nil
          let inputGradient = block(count)
          withExtendedLifetime(gradient) { ledger.pass(method.inputGradientScratch.floats(threads: threads)) }
          return inputGradient
        }
      )
    case .dense:
      return (block(outputs), { [self] gradient in withExtendedLifetime(gradient) { block(input.count) } })
    case .batchNorm: return (block(outputs), { gradient in withExtendedLifetime(input) { gradient } })
    case .relu: return (input, { gradient in withExtendedLifetime(input) { gradient } })
    case .maxPool:
      let (count, places) = (input.count, block(outputs / 4))
      return (
        block(outputs),
        { [self] gradient in withExtendedLifetime((gradient, places)) { block(count) } }
      )
    case .averagePool:
      let count = input.count
      return (block(outputs), { [self] gradient in withExtendedLifetime(gradient) { block(count) } })
    case .flatten: return (input, { $0 })
    case .dropout:
      // The factors, and a copy of what the ReLU before it keeps.
      let factors = block(outputs)
      return (block(outputs), { gradient in withExtendedLifetime(factors) { gradient } })
    case .residual(let plan): return forward(plan, input, shape, outputs)
    }
  }

  private func forward(
    _ plan: ResidualPlan, _ input: Block, _ shape: FeatureShape, _ outputs: Int
  ) -> (Block, Step) {
    var (activated, before) = forward(plan.preActivation, input, shape)
    var body = plan.body
    var addingNorm = false
    if case .batchNorm = body.last {
      body.removeLast()
      addingNorm = true
    }
    var (bodyOutput, bodySteps) = forward(body, activated, shape)
    var shortcutSteps: [Step] = []
    var carried = input
    switch plan.shortcut {
    case .identity: break
    case .zeroPadding:
      carried = block(outputs)
      let count = input.count
      shortcutSteps = [{ [self] gradient in withExtendedLifetime(gradient) { block(count) } }]
    case .projection(let layers): (carried, shortcutSteps) = forward(layers, activated, shape)
    }
    activated = carried  // Whoever needs it keeps it.
    let carriedIsNew = plan.shortcut != .identity

    guard addingNorm else {
      // The sum takes the place of the body's output.
      return (
        bodyOutput,
        { [self] gradient in
          let carriedGradient = backward(&shortcutSteps, gradient)
          let inputGradient = backward(&bodySteps, gradient)
          return withExtendedLifetime(carriedGradient) { backward(&before, inputGradient) }
        }
      )
    }
    // The sum takes the place of what was carried, unless that is the input itself; a bit an element says where it is
    // positive. On the way back the gradient takes the place of the norm's input.
    var kept: Block? = bodyOutput
    bodyOutput = carriedIsNew ? carried : block(outputs)
    let mask = block(plan.activatesSum ? outputs / 32 : 0)
    return (
      bodyOutput,
      { [self] gradient in
        let carriedGradient = withExtendedLifetime(mask) { backward(&shortcutSteps, gradient) }
        guard let norm = kept.take() else { preconditionFailure("a step goes back once") }
        let inputGradient = backward(&bodySteps, norm)
        return withExtendedLifetime(carriedGradient) { backward(&before, inputGradient) }
      }
    )
  }

  private func block(_ count: Int) -> Block { Block(count, ledger) }
}
