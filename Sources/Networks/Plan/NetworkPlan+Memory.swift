// The memory that a training step takes, by a rehearsal: the steps of forward and backward pass with blocks that have
// a size but no contents, kept and let go as the layers keep and let go of their tensors. What changes there must
// change here; a test compares the two.

import Messages
import Tensors

extension NetworkPlan {
  /// Bytes in use at one time, at most: the value of each parameter, gradient and the optimizer's state of each that is
  /// trained, and what a step holds besides.
  /// - Parameters:
  ///   - optimizerState: numbers that the optimizer remembers of each number of a parameter.
  ///   - optimizerScratch: numbers that its step takes, when those of the way back are let go.
  func trainingMemory(batchSize: Int, threads: Int, optimizerState: Int, optimizerScratch: Int = 0) -> Int {
    let parameters = parameters + (1 + optimizerState) * trainedParameters
    let peak = peak(batchSize: batchSize, threads: threads)
    // A validation in between has weights of its own.
    let validation = inferencePeak(batchSize: batchSize, threads: threads)
    return MemoryLayout<Float>.stride * (parameters + max(peak, optimizerScratch, validation))
  }

  /// Bytes in use at one time, at most, when images only go forwards: the weights, as they are in files and as
  /// `InferenceNetwork` has them, and what a step takes and gives.
  public func inferenceMemory(
    batchSize: Int, threads: Int, convolutions: ConvolutionAlgorithms = .fastest
  ) -> Int {
    let weights = state.reduce(0) { $0 + $1.shape.reduce(1, *) }
    return MemoryLayout<Float>.stride
      * (weights + inferencePeak(batchSize: batchSize, threads: threads, convolutions))
  }

  private var parameters: Int { lowered.operations.reduce(0) { $0 + $1.parameters } }
  /// Numbers in parameters that are trained.
  public var trainedParameters: Int {
    lowered.operations.dropFirst(lowered.frozen).reduce(0) { $0 + $1.parameters }
  }

  /// Floats, of a step of training.
  private func peak(batchSize: Int, threads: Int) -> Int {
    let tally = MemoryTally()
    MemoryPlanner(plan: lowered, tally: tally, images: batchSize, threads: threads, goesBack: true).run()
    return tally.peak
  }

  /// Floats, of a batch through `InferenceNetwork`, its weights included.
  private func inferencePeak(
    batchSize: Int, threads: Int, _ convolutions: ConvolutionAlgorithms = .fastest
  ) -> Int {
    let tally = MemoryTally()
    MemoryPlanner(plan: lowered, tally: tally, images: batchSize, threads: threads, goesBack: false)
      .runInference(convolutions)
    return tally.peak
  }
}

/// Floats in use, now and at most.
private final class MemoryTally {
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
  private let tally: MemoryTally

  init(_ count: Int, _ tally: MemoryTally) {
    self.count = count
    self.tally = tally
    tally.take(count)
  }

  deinit { tally.giveBack(count) }
}

/// Goes through a plan as `LayerGraph` does.
private struct MemoryPlanner {
  let plan: LoweredPlan
  let tally: MemoryTally
  let images: Int
  let threads: Int
  /// Whether steps are kept for the way back, and with them what layers keep.
  let goesBack: Bool

  /// A step's way back, from the gradient by its output to those by its inputs. What its layer keeps is what this
  /// closure refers to.
  typealias WayBack = (consuming Block) -> [Block]

  func run() {
    var values = [Block?](repeating: nil, count: plan.operations.count + 1)
    let image = block(plan.image)
    defer { withExtendedLifetime(image) {} }  // Whoever has loaded the images may keep them.
    values[LoweredPlan.image] = image
    /// None through what is frozen.
    var waysBack: [WayBack?] = []
    // What several read counts until it has come together again, although the last reader may let it go before.
    var branched: [Block] = []
    let steps = plan.steps.filter { !$0.isAuxiliary || (goesBack && !$0.isFrozen) }
    for step in steps {
      var inputs = step.inputs.map { input in
        guard let block = input.isLast ? values[input.value].take() : values[input.value] else {
          preconditionFailure("value \(input.value) is read before it is made")
        }
        if !input.isLast { branched.append(block) }
        return block
      }
      let (output, wayBack) = forward(step, &inputs)
      values[step.output] = output
      if step.inputs.count > 1 { branched.removeAll() }
      if goesBack { waysBack.append(step.isFrozen ? nil : wayBack) }
    }
    guard goesBack else { return }
    branched.removeAll()

    var gradients = [Block?](repeating: nil, count: values.count)
    for output in [values.count - 1] + plan.heads where output > plan.frozen { gradients[output] = values[output] }
    // Likewise a sum's mask and gradients, until its branches have come together again, on this way at their beginning.
    var joined: [(WayBack, [Block])] = []
    for step in steps.reversed() {
      guard let wayBack = waysBack.removeLast(), let gradient = gradients[step.output].take() else { continue }
      let joins = step.inputs.count > 1
      let held = joins ? [gradient] : []
      let made = wayBack(consume gradient)
      if joins { joined.append((wayBack, made + held)) }
      var hasMet = false
      for (input, gradient) in zip(step.inputs, made) where input.hasGradient {
        if gradients[input.value] != nil { hasMet = true }
        gradients[input.value] = gradient
      }
      if hasMet { joined.removeAll() }
    }
  }

  /// As `InferenceNetwork` goes through it. Each convolution's weights stay from its first pass on.
  func runInference(_ convolutions: ConvolutionAlgorithms) {
    let steps = InferenceSteps(plan).steps
    var passage = InferencePassage(
      steps: steps, stages: InferenceStage.stages(of: steps, plan), batch: images,
      convolutions: convolutions, image: block(plan.image),
      singles: Dictionary(plan.steps.map { ($0.output, $0) }) { first, _ in first },
      values: [Block?](repeating: nil, count: plan.operations.count + 1))
    advance(&passage, through: passage.stages.count - 1, images)
    withExtendedLifetime(passage) {}
  }

  private struct InferencePassage {
    let steps: [InferenceSteps.Step]
    let stages: [InferenceStage]
    /// Images of the whole batch, and their memory.
    let batch: Int
    let convolutions: ConvolutionAlgorithms
    let image: Block
    /// The plan's own steps, by their outputs.
    let singles: [LoweredPlan.Value: LoweredPlan.Step]
    var values: [Block?]
    /// By the convolution's output.
    var prepared: [LoweredPlan.Value: Block] = [:]
  }

  /// - Parameter part: how many images of the batch.
  private func advance(_ passage: inout InferencePassage, through index: Int, _ part: Int) {
    guard index >= 0 else { return passage.values[LoweredPlan.image] = passage.image }
    let stage = passage.stages[index]
    let most = stage.images(threads: threads)
    let joined = part > most ? Block(part * plan.operations[stage.output - 1].output.count, tally) : nil
    // The first part takes the most; the others are like it.
    let planner = MemoryPlanner(
      plan: plan, tally: tally, images: min(part, most), threads: threads, goesBack: false)
    planner.advance(&passage, through: index - 1, planner.images)
    for step in passage.steps[stage.steps] { planner.infer(step, &passage) }
    if let joined { passage.values[stage.output] = joined }
  }

  private func infer(_ step: InferenceSteps.Step, _ passage: inout InferencePassage) {
    var inputs = step.inputs.map { input in
      guard let block = input.isLast ? passage.values[input.value].take() : passage.values[input.value] else {
        preconditionFailure("value \(input.value) is read before it is made")
      }
      return block
    }
    let operation = plan.operations[step.operation]
    if let method = method(operation, passage.convolutions, ofBatch: passage.batch) {
      if passage.prepared[step.output] == nil {
        tally.pass((step.norm == nil ? 0 : method.weights) + method.preparationScratch(threads: threads))
        passage.prepared[step.output] = block(method.preparedFloats)
      }
      let output = inputs.count > 1 ? inPlace(&inputs[1], operation) : block(operation.output)
      tally.pass(method.finishScratch(threads: threads))
      passage.values[step.output] = output
    } else if let single = passage.singles[step.output] {
      passage.values[step.output] = forward(single, &inputs).0
    }
  }

  /// How a convolution is computed; nil for an operation of another kind.
  private func method(
    _ operation: LoweredPlan.Operation, _ convolutions: ConvolutionAlgorithms, ofBatch batch: Int
  ) -> ConvolutionMethod? {
    let input = operation.input
    func method(_ kernel: Extent, _ stride: Int, _ padding: Extent, _ groups: Int) -> ConvolutionMethod {
      ConvolutionMethod(
        input: [images, input.height, input.width, input.channels],
        weight: [kernel.height, kernel.width, input.channels / groups, operation.output.channels], stride: stride,
        padding: padding, groups: groups, convolutions, batch: batch)
    }
    return switch operation.kind {
    case .convolution(_, _, let kernel, let stride, let padding, _, let groups):
      method(kernel, stride, padding, groups)
    case .sparseConvolution(_, let kernel, _): method(kernel, 1, 0, 1)
    case .whitening(_, let kernel): method(Extent(kernel), 1, 0, 1)
    default: nil
    }
  }

  /// - Parameter inputs: what nobody else refers to may become the output.
  private func forward(_ step: LoweredPlan.Step, _ inputs: inout [Block]) -> (Block, WayBack) {
    let operation = plan.operations[step.operation]
    switch operation.kind {
    case .convolution(_, let channels, let kernel, let stride, let padding, _, let groups):
      let shape = operation.input
      return convolution(
        operation, inputs[0],
        ConvolutionMethod(
          input: [images, shape.height, shape.width, shape.channels],
          weight: [kernel.height, kernel.width, shape.channels / groups, channels], stride: stride,
          padding: padding, groups: groups))
    case .sparseConvolution(_, let kernel, let sources):
      let shape = operation.input
      return convolution(
        operation, inputs[0],
        ConvolutionMethod(
          input: [images, shape.height, shape.width, shape.channels],
          weight: [kernel.height, kernel.width, shape.channels, sources.count], stride: 1, padding: 0))
    case .subsampling:
      // The sums, which become the gradient of the factors.
      let (count, sums) = (inputs[0].count, block(operation.output))
      return (
        block(operation.output),
        { [self] gradient in withExtendedLifetime((gradient, sums)) { [block(count)] } }
      )
    case .dense:
      let input = inputs[0]
      return (
        block(operation.output), { [self] gradient in withExtendedLifetime(gradient) { [block(input.count)] } }
      )
    case .batchNorm:
      if step.adds { return normAndSum(operation, step, &inputs) }
      let input = inputs[0]
      return (block(operation.output), { gradient in withExtendedLifetime(input) { [gradient] } })
    case .relu, .scaledTanh:
      let output = inPlace(&inputs[0], operation)
      return (output, { gradient in withExtendedLifetime(output) { [gradient] } })
    case .maxPool:
      let (count, places) = (inputs[0].count, block(operation.output, share: 4))
      return (
        block(operation.output),
        { [self] gradient in withExtendedLifetime((gradient, places)) { [block(count)] } }
      )
    case .globalMaxPool:
      let (count, places) = (inputs[0].count, block(operation.output))
      return (
        block(operation.output),
        { [self] gradient in withExtendedLifetime((gradient, places)) { [block(count)] } }
      )
    case .whitening(_, let kernel):
      // Nothing goes back through it.
      let shape = operation.input
      let method = ConvolutionMethod(
        input: [images, shape.height, shape.width, shape.channels],
        weight: [kernel, kernel, shape.channels, operation.output.channels], stride: 1, padding: 0)
      let output = block(operation.output)
      tally.pass(method.forwardScratch.floats(threads: threads))
      return (output, { [$0] })
    case .averagePool, .averageWindows, .zeroPadding, .luma:
      let count = inputs[0].count
      return (block(operation.output), { [self] gradient in withExtendedLifetime(gradient) { [block(count)] } })
    case .squeezeExcitation:
      // It keeps its input, so that training cannot work in its place; the numbers of a channel are few.
      let input = inputs[0]
      let output = goesBack ? block(operation.output) : inPlace(&inputs[0], operation)
      return (output, { gradient in withExtendedLifetime(input) { [gradient] } })
    case .flatten: return (inputs[0], { [$0] })
    case .dropPath, .scale: return (inPlace(&inputs[0], operation), { [$0] })
    case .dropout:
      // The factors, and a copy of what the ReLU before it keeps.
      let factors = block(operation.output)
      return (block(operation.output), { gradient in withExtendedLifetime(factors) { [gradient] } })
    case .join(_, .addition):
      // The sum takes the place of what the first branch brings, and its gradient is that of all of them.
      let count = inputs.count
      return (inPlace(&inputs[0], operation), { gradient in [Block](repeating: gradient, count: count) })
    case .join(_, .concatenation):
      let counts = inputs.map(\.count)
      return (
        block(operation.output),
        { [self] gradient in withExtendedLifetime(gradient) { counts.map { block($0) } } }
      )
    }
  }

  private func convolution(
    _ operation: LoweredPlan.Operation, _ input: Block, _ method: ConvolutionMethod
  ) -> (Block, WayBack) {
    let output = block(operation.output)
    tally.pass(method.forwardScratch.floats(threads: threads))
    var kept: Block? = input
    return (
      output,
      { [self] gradient in
        tally.pass(method.weightGradientScratch.floats(threads: threads))
        let count = kept?.count ?? 0
        kept = nil
        // Counted also where it is left out, by a convolution that reads the image.
        let inputGradient = block(count)
        withExtendedLifetime(gradient) { tally.pass(method.inputGradientScratch.floats(threads: threads)) }
        return [inputGradient]
      }
    )
  }

  /// The sum takes the place of what was carried, unless somebody else has that too; a bit an element says where it is
  /// positive. On the way back the gradient goes on to the shortcut, and the norm's own takes the place of its input.
  private func normAndSum(
    _ operation: LoweredPlan.Operation, _ step: LoweredPlan.Step, _ inputs: inout [Block]
  ) -> (Block, WayBack) {
    var kept: Block? = inputs[0]
    let output = inPlace(&inputs[1], operation)
    let mask = step.activates ? block(operation.output, share: 32) : nil
    return (
      output,
      { gradient in
        withExtendedLifetime(mask) {
          guard let norm = kept.take() else { preconditionFailure("a step goes back once") }
          return [norm, gradient]
        }
      }
    )
  }

  /// The input's own block, if nobody else refers to it.
  private func inPlace(_ input: inout Block, _ operation: LoweredPlan.Operation) -> Block {
    isKnownUniquelyReferenced(&input) ? input : block(operation.output)
  }

  private func block(_ shape: FeatureShape, share: Int = 1) -> Block { block(images * shape.count / share) }
  private func block(_ count: Int) -> Block { Block(count, tally) }
}
