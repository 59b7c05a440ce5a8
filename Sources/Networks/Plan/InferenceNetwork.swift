// A network for inference alone, made once from a plan and the weights of the moment. Batch norms are multiplied into the
// convolutions before them, which add their shortcut and clip at zero as they go; nothing is kept for a way back. Training
// changes nothing here: whoever validates between two steps makes a new one, which costs as much as a copy of the weights.

import Messages
import Tensors

/// A network that runs forwards only. It gives what `Network` gives in a pass of inference but for rounding: the factors of
/// a batch norm are multiplied into weights before products are added up instead of into the sums.
///
/// The bits of a result do not depend on the number of threads. Not `Sendable`: it belongs to the thread that evaluates.
///
///     let network = InferenceNetwork(trained)
///     let logits = network.forward(images, pool)    // [N, H, W, 3] to [N, classes]
public final class InferenceNetwork {
  public let plan: NetworkPlan
  private let steps: [Step]
  private let stages: [InferenceStage]
  private let isForOneBatch: Bool
  /// The values that are there at some time.
  private let computed: Set<LoweredPlan.Value>

  private struct Step {
    let work: Work
    /// For a convolution its own input and what it adds.
    var inputs: [(value: LoweredPlan.Value, isLast: Bool)]
    let output: LoweredPlan.Value
  }

  private enum Work {
    case convolution(PreparedConvolution, Activation)
    case quantized(QuantizedConvolution, Activation, output: ByteFormat?)
    case maxPool(MaxPoolWindow)
    case layer(any Layer)
    /// A norm that adds its second input.
    case normAndSum(BatchNorm)
    case sum
    case concatenation
  }

  /// - Parameters:
  ///   - network: whose weights and statistics of now it has. Both may share memory until one changes.
  ///   - convolutions: `.bfloat16` rounds the factors of those convolutions that training would round so.
  ///   - quantization: which convolutions are computed in bytes; nil for none.
  ///   - isForOneBatch: whether the first is likely to be the last. `forward(_:_:)` then lets weights that are packed for
  ///     a convolution in float go behind it, and the next one's come into their memory: to clear new pages takes longer
  ///     than a single image.
  public convenience init(
    _ network: Network, convolutions: ConvolutionAlgorithms = .fastest, quantization: Quantization? = nil,
    isForOneBatch: Bool = false
  ) {
    self.init(network.plan, layers: network.graph.layers, convolutions, quantization, isForOneBatch: isForOneBatch)
  }

  init(
    _ plan: NetworkPlan, layers: [(any Layer)?], _ algorithms: ConvolutionAlgorithms, _ quantization: Quantization?,
    isForOneBatch: Bool = false
  ) {
    self.plan = plan
    self.isForOneBatch = isForOneBatch
    let lowered = plan.lowered
    let steps = InferenceSteps(lowered).steps
    let formats = quantization.map { Self.formats($0, steps, lowered) } ?? [:]
    self.steps = steps.map { step in
      Step(
        work: Self.work(step, layers, lowered, algorithms, quantization, formats), inputs: step.inputs,
        output: step.output)
    }
    stages = InferenceStage.stages(of: steps, lowered)
    computed = Set(steps.map(\.output)).union([LoweredPlan.image])
  }

  /// The formats of the values that are bytes.
  private static func formats(
    _ quantization: Quantization, _ steps: [InferenceSteps.Step], _ plan: LoweredPlan
  ) -> [LoweredPlan.Value: ByteFormat] {
    var formats: [LoweredPlan.Value: ByteFormat] = [:]
    for step in steps {
      guard let name = plan.operations[step.operation].quantizableName else { continue }
      if let format = quantization.inputs[name] { formats[step.inputs[0].value] = format }
      if let format = quantization.outputs[name] { formats[step.output] = format }
    }
    // The maximum of bytes is that of what they stand for.
    for step in steps.reversed() {
      guard case .maxPool = plan.operations[step.operation].kind, let format = formats[step.output],
        formats[step.inputs[0].value] == nil
      else { continue }
      formats[step.inputs[0].value] = format
    }
    return formats
  }

  private static func work(
    _ step: InferenceSteps.Step, _ layers: [(any Layer)?], _ plan: LoweredPlan, _ algorithms: ConvolutionAlgorithms,
    _ quantization: Quantization?, _ formats: [LoweredPlan.Value: ByteFormat]
  ) -> Work {
    if let quantization, let name = plan.operations[step.operation].quantizableName,
      let weights = quantization.weights[name], let input = quantization.inputs[name],
      let convolution = layers[step.operation] as? Convolution
    {
      return .quantized(
        convolution.quantized(weights, norm: step.norm.flatMap { layers[$0] as? BatchNorm }, input: input),
        step.activates ? .relu : .none, output: formats[step.output])
    }
    if quantization != nil,
      case .maxPool(let kernel, let stride, let padding, let ceilMode) = plan.operations[
        step.operation
      ].kind
    {
      return .maxPool(MaxPoolWindow(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode))
    }
    return switch layers[step.operation] {
    case let convolution as Convolution:
      .convolution(
        convolution.prepared(norm: step.norm.flatMap { layers[$0] as? BatchNorm }, algorithms),
        step.activates ? .relu : .none)
    case let norm as BatchNorm where step.inputs.count > 1: .normAndSum(norm)
    case let layer?: .layer(layer)
    case nil:
      if case .join(_, .addition) = plan.operations[step.operation].kind { .sum } else { .concatenation }
    }
  }

  /// - Parameter images: [N, H, W, 3], normalized; of as many channels as the plan's input has.
  /// - Returns: logits [N, classes].
  public func forward(_ images: Tensor, _ pool: ThreadPool) -> Tensor {
    let pass = Pass(.inference, pool)
    var values = InferenceValues(count: plan.lowered.operations.count + 1, pass.ops)
    advance(&values, through: stages.count - 1, 0..<images.shape[0], of: images, pass)
    return values.floats((plan.lowered.operations.count, true))
  }

  /// Brings some images of a batch through a stage and all before it, as many at a time as each has room for.
  private func advance(
    _ values: inout InferenceValues, through stage: Int, _ part: Range<Int>, of images: Tensor, _ pass: Pass
  ) {
    guard stage >= 0 else { return values.put(.floats(images.images(part)), at: LoweredPlan.image) }
    let (output, most) = (stages[stage].output, stages[stage].images(threads: pass.ops.threads))
    var parts = JoinedMaps(images: part.count, pass.ops)
    for start in stride(from: part.lowerBound, to: part.upperBound, by: most) {
      let some = start..<min(start + most, part.upperBound)
      advance(&values, through: stage - 1, some, of: images, pass)
      let isLast = isForOneBatch && some.upperBound == images.shape[0]
      for step in steps[stages[stage].steps] {
        perform(step, &values, ofBatch: images.shape[0], pass)
        if isLast, case .convolution(let convolution, _) = step.work { convolution.forgetPrepared() }
      }
      // Nothing is copied where all of them go at once.
      if some != part { parts.append(values.any((output, true))) }
    }
    if part.count > most { values.put(parts.joined(), at: output) }
  }

  /// Whether a value is there at some time, and no part of a larger step.
  public func computes(_ value: LoweredPlan.Value) -> Bool { computed.contains(value) }

  /// The logits [N, classes], and a value on the way to them that is computed.
  public func forward(
    _ images: consuming Tensor, keeping value: LoweredPlan.Value, _ pool: ThreadPool
  ) -> (logits: Tensor, kept: Tensor) {
    let outcome = run(images, to: plan.lowered.operations.count, keeping: value, pool)
    guard let kept = outcome.kept else { preconditionFailure("value \(value) is not computed") }
    return (outcome.output, kept)
  }

  /// What comes of images as far as a value that is computed.
  public func forward(_ images: consuming Tensor, to value: LoweredPlan.Value, _ pool: ThreadPool) -> Tensor {
    precondition(computes(value), "value \(value) is not computed")
    return run(images, to: value, keeping: nil, pool).output
  }

  /// Shows each value that is computed, as floats, the images first.
  func forward(
    _ images: Tensor, _ pool: ThreadPool, showing look: (_ value: LoweredPlan.Value, _ tensor: Tensor) -> Void
  ) {
    look(LoweredPlan.image, images)
    _ = run(images, to: plan.lowered.operations.count, keeping: nil, pool) { look($0, $1()) }
  }

  private func run(
    _ images: consuming Tensor, to last: LoweredPlan.Value, keeping kept: LoweredPlan.Value?, _ pool: ThreadPool,
    _ look: (LoweredPlan.Value, () -> Tensor) -> Void = { _, _ in }
  ) -> (output: Tensor, kept: Tensor?) {
    let (pass, batch) = (Pass(.inference, pool), images.shape[0])
    var values = InferenceValues(count: plan.lowered.operations.count + 1, pass.ops)
    values.put(.floats(consume images), at: LoweredPlan.image)
    var keptTensor: Tensor?
    for step in steps where step.output <= last {
      perform(step, &values, ofBatch: batch, pass)
      look(step.output) { values.floats((step.output, false)) }
      if step.output == kept { keptTensor = values.floats((step.output, false)) }
    }
    return (values.floats((last, true)), keptTensor)
  }

  private func perform(_ step: Step, _ values: inout InferenceValues, ofBatch batch: Int, _ pass: Pass) {
    let inputs = step.inputs
    let made: QuantizedConvolution.Map
    switch step.work {
    case .convolution(let convolution, let activation):
      // Its input is let go behind it: what it adds may become the output.
      let input = values.floats(inputs[0])
      let addend = inputs.count > 1 ? values.floats(inputs[1]) : nil
      made = .floats(convolution(input, adding: addend, activation, ofBatch: batch, pass.ops))
    case .quantized(let convolution, let activation, let format):
      let input = values.bytes(inputs[0], convolution.input)
      let addend = inputs.count > 1 ? values.any(inputs[1]) : nil
      made = convolution(input, adding: addend, activation, to: format, pass.ops)
    case .maxPool(let window):
      switch values.any(inputs[0]) {
      case .bytes(let map): made = .bytes(pass.ops.maxima(map, window))
      case .floats(let tensor): made = .floats(pass.ops.maxima(tensor, window))
      }
    case .layer(let layer): made = .floats(layer.forward(values.floats(inputs[0]), pass))
    case .normAndSum(let norm):
      let inner = values.floats(inputs[0])
      made = .floats(norm.forward(consume inner, adding: values.floats(inputs[1]), pass))
    case .sum:
      var sum = values.floats(inputs[0])
      for input in inputs.dropFirst() { pass.ops.add(values.floats(input), to: &sum) }
      made = .floats(sum)
    case .concatenation:
      made = .floats(Concatenation().forward(inputs.map { values.floats($0) }, pass))
    }
    values.put(made, at: step.output)
  }
}

/// The values that are there during a pass, in the form in which they were made and in that in which they are read.
private struct InferenceValues {
  typealias Input = (value: LoweredPlan.Value, isLast: Bool)

  private var floats: [Tensor?]
  private var bytes: [ByteMap?]
  private let ops: Ops

  init(count: Int, _ ops: Ops) {
    floats = Array(repeating: nil, count: count)
    bytes = Array(repeating: nil, count: count)
    self.ops = ops
  }

  mutating func put(_ map: consuming QuantizedConvolution.Map, at value: LoweredPlan.Value) {
    switch consume map {
    case .floats(let tensor): floats[value] = tensor
    case .bytes(let map): bytes[value] = map
    }
  }

  /// A value as floats; where it is read for the last time, nobody else has it.
  mutating func floats(_ input: Input) -> Tensor {
    if floats[input.value] == nil {
      guard let map = bytes[input.value] else {
        preconditionFailure("value \(input.value) is read before it is made")
      }
      floats[input.value] = ops.floats(map)
    }
    guard let tensor = input.isLast ? floats[input.value].take() : floats[input.value] else {
      preconditionFailure("value \(input.value) has been let go")
    }
    if input.isLast { bytes[input.value] = nil }
    return tensor
  }

  /// A value as bytes of a format.
  mutating func bytes(_ input: Input, _ format: ByteFormat) -> ByteMap {
    guard let map = bytes[input.value] else {
      let map = ops.rounded(floats(input), to: format)
      if !input.isLast { bytes[input.value] = map }
      return map
    }
    // A maximum has the format of what it is of, which may be another.
    guard map.format == format else { return ops.rounded(floats(input), to: format) }
    if input.isLast { (floats[input.value], bytes[input.value]) = (nil, nil) }
    return map
  }

  /// As it was made.
  mutating func any(_ input: Input) -> QuantizedConvolution.Map {
    if let map = input.isLast ? bytes[input.value].take() : bytes[input.value] {
      if input.isLast { floats[input.value] = nil }
      return .bytes(map)
    }
    return .floats(floats(input))
  }
}

/// What inference does in one go: the steps of a plan, without auxiliary heads, where convolutions have taken up the batch
/// norm, the addition and the ReLU behind them that alone read what they make.
struct InferenceSteps {
  struct Step {
    /// The operation that is done.
    var operation: Int
    /// The batch norm that a convolution does too, by its operation.
    var norm: Int?
    var activates: Bool
    var inputs: [(value: LoweredPlan.Value, isLast: Bool)]
    var output: LoweredPlan.Value
  }

  private(set) var steps: [Step] = []

  init(_ plan: LoweredPlan) {
    var steps = plan.steps.filter { !$0.isAuxiliary }.map { step in
      Step(
        operation: step.operation, norm: nil, activates: step.activates,
        inputs: step.inputs.map { ($0.value, false) },
        output: step.output)
    }
    var readers = [Int](repeating: 0, count: plan.operations.count + 1)
    for step in steps { for input in step.inputs { readers[input.value] += 1 } }
    func isConvolution(_ operation: Int) -> Bool {
      switch plan.operations[operation].kind {
      case .convolution, .sparseConvolution, .whitening: true
      default: false
      }
    }
    func hasBias(_ operation: Int) -> Bool {
      switch plan.operations[operation].kind {
      case .convolution(_, _, _, _, _, let bias, _): bias
      case .sparseConvolution: true
      default: false
      }
    }
    // The convolution is done where the norm or the ReLU stands: what it reads is still there, and what it adds is.
    var makers: [LoweredPlan.Value: Int] = [:]
    var isTaken = [Bool](repeating: false, count: steps.count)
    for place in steps.indices {
      makers[steps[place].output] = place
      let read = steps[place].inputs[0].value
      guard let maker = makers[read], readers[read] == 1, isConvolution(steps[maker].operation), !isTaken[maker]
      else { continue }
      let convolution = steps[maker]
      switch plan.operations[steps[place].operation].kind {
      case .batchNorm where convolution.norm == nil && !convolution.activates && !hasBias(convolution.operation):
        steps[place].norm = steps[place].operation
      case .relu where !convolution.activates:
        steps[place].norm = convolution.norm
        steps[place].activates = true
      default: continue
      }
      steps[place].operation = convolution.operation
      steps[place].inputs = convolution.inputs + steps[place].inputs.dropFirst()
      isTaken[maker] = true
    }
    self.steps = zip(steps, isTaken).filter { !$0.1 }.map(\.0)
    var isReadLater = [Bool](repeating: false, count: plan.operations.count + 1)
    for place in self.steps.indices.reversed() {
      for index in self.steps[place].inputs.indices.reversed() {
        let value = self.steps[place].inputs[index].value
        self.steps[place].inputs[index].isLast = !isReadLater[value]
        isReadLater[value] = true
      }
    }
  }
}
