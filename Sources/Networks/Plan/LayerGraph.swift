// The layers of a lowered plan and the way through them: which tensor goes where, forwards and backwards. It keeps no
// tensor between the passes; each layer keeps its own.

import Messages
import Support
import Tensors

/// A network's layers, or some of them, as one layer.
public final class LayerGraph: Layer {
  public let parameters: [Parameter]
  public let buffers: [StateBuffer]
  public let batchNorms: [BatchNorm]
  let layers: [(any Layer)?]
  fileprivate var steps: [Step] = []
  /// The value at which the layers that are trained begin.
  private var start = LoweredPlan.image
  /// The value that is the output.
  private let output: LoweredPlan.Value
  /// Whether convolutions do the work of the norms behind them in inference. It makes no difference but in time.
  var finishesConvolutions = true
  /// What looks at the values of the next passes; nil where nobody does. It changes none of them.
  var probe: LayerProbe?
  /// The outputs of the auxiliary heads that are trained.
  private var heads: [LoweredPlan.Value] = []

  fileprivate struct Step {
    let work: Work
    let inputs: [LoweredPlan.Input]
    let output: LoweredPlan.Value
    let isFrozen: Bool
    let isAuxiliary: Bool
    /// What a probe looks at.
    let isMeasured: Bool
    let isRectified: Bool
    let sum: (operation: Int, beginsWithBody: Bool)?
    /// In inference, a convolution waits for the step that normalizes what it makes, and is done there.
    var finishedAt: Int?
    /// And this is it, seen from there.
    var finishes: Int?

    /// nil where nothing can be learned.
    var layer: (any Layer)? {
      switch work {
      case .layer(let layer): layer
      case .normAndSum(let norm): norm
      case .sum, .concatenation: nil
      }
    }

    /// The norm, of one that can finish a convolution.
    var norm: BatchNorm? {
      switch work {
      case .layer(let layer): layer as? BatchNorm
      case .normAndSum(let norm): norm
      case .sum, .concatenation: nil
      }
    }

    /// The convolution, of one that can be finished.
    var convolution: Convolution? {
      guard case .layer(let layer) = work, let convolution = layer as? Convolution, convolution.bias == nil else {
        return nil
      }
      return convolution
    }
  }

  fileprivate enum Work {
    case layer(any Layer)
    /// A norm that adds its second input.
    case normAndSum(BatchNorm)
    case sum
    case concatenation(Concatenation)
  }

  /// Layers with initial weights; without a seed these are undefined.
  public convenience init(
    _ plan: LoweredPlan, seed: UInt64?, convolutions: ConvolutionAlgorithms = .fastest,
    initialization: ConvolutionInitialization = .he
  ) {
    var builder = LayerBuilder(seed: seed, convolutions: convolutions, initialization: initialization)
    self.init(plan, builder.build(plan))
  }

  /// - Parameter layers: a layer for each operation that is neither fused nor a sum.
  private init(_ plan: LoweredPlan, _ layers: [(any Layer)?]) {
    // The operations' order, not the steps': a norm that waits for a shortcut still comes before its layers in files.
    let made = layers.compactMap { $0 }
    parameters = made.flatMap(\.parameters)
    buffers = made.flatMap(\.buffers)
    batchNorms = made.compactMap { $0 as? BatchNorm }
    output = plan.operations.count
    self.layers = layers
    follow(plan)
  }

  /// Goes by another plan of the same layers from now on, one that freezes others. What is frozen has no gradient.
  func follow(_ plan: LoweredPlan) {
    precondition(plan.operations.count == layers.count, "a plan of other layers")
    start = plan.features
    heads = plan.heads.filter { $0 > plan.frozen }
    for (index, layer) in layers.enumerated() {
      for parameter in layer?.parameters ?? [] { parameter.isTrained = index >= plan.frozen }
    }
    steps = plan.steps.map { step in
      let work: Work =
        switch layers[step.operation] {
        case let norm as BatchNorm where step.adds: .normAndSum(norm)
        case let layer?: .layer(layer)
        case nil:
          if case .join(_, .addition) = plan.operations[step.operation].kind {
            .sum
          } else {
            .concatenation(.init())
          }
        }
      if let reader = step.momentsFor, let norm = layers[reader] as? BatchNorm {
        (layers[step.operation] as? Convolution)?.outputMoments = norm.moments
      }
      if let convolution = layers[step.operation] as? Convolution {
        convolution.inputGradient = step.inputs[0].hasGradient ? .computed : .omitted
      }
      return Step(
        work: work, inputs: step.inputs, output: step.output, isFrozen: step.isFrozen,
        isAuxiliary: step.isAuxiliary, isMeasured: plan.givesActivations(step), isRectified: plan.isRectified(step),
        sum: plan.sum(step))
    }
    findFinishedConvolutions()
  }

  /// A convolution and a norm that alone reads what it makes go together, unless others take the convolution's input
  /// away in between.
  private func findFinishedConvolutions() {
    var readers = [Int](repeating: 0, count: output + 1)
    for step in steps { for input in step.inputs { readers[input.value] += 1 } }
    let makers = Dictionary(uniqueKeysWithValues: steps.enumerated().map { ($1.output, $0) })
    for (place, step) in steps.enumerated() where step.norm != nil {
      let read = step.inputs[0].value
      guard let maker = makers[read], readers[read] == 1, steps[maker].convolution != nil,
        steps[maker].isFrozen == step.isFrozen, steps[maker].inputs[0].isLast || maker + 1 == place
      else { continue }
      steps[maker].finishedAt = place
      steps[place].finishes = maker
    }
  }

  /// Auxiliary heads are left out.
  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    forward(input, from: LoweredPlan.image, to: output, pass)
  }

  /// The output, and that of each auxiliary head that is trained.
  func forwardWithHeads(_ input: consuming Tensor, _ pass: Pass) -> (output: Tensor, heads: [Tensor]) {
    let outcome = forward(input, from: LoweredPlan.image, to: output, heads: heads, keeping: nil, pass)
    return (outcome.output, outcome.heads)
  }

  /// What the frozen layers make of images: what the others begin with.
  func features(_ images: consuming Tensor, _ pass: Pass) -> Tensor {
    forward(images, from: LoweredPlan.image, to: start, pass)
  }

  /// The layers behind the frozen ones.
  func forward(features: consuming Tensor, _ pass: Pass) -> Tensor {
    forward(features, from: start, to: output, pass)
  }

  /// What the layers between two values make of the first: everything in between reads nothing before it.
  func forward(
    _ input: consuming Tensor, from first: LoweredPlan.Value, to last: LoweredPlan.Value, _ pass: Pass
  ) -> Tensor {
    forward(input, from: first, to: last, heads: [], keeping: nil, pass).output
  }

  /// The output, and a value on the way to it.
  func forward(
    _ input: consuming Tensor, keeping value: LoweredPlan.Value, _ pass: Pass
  ) -> (output: Tensor, kept: Tensor) {
    let outcome = forward(input, from: LoweredPlan.image, to: output, heads: [], keeping: value, pass)
    guard let kept = outcome.kept else { preconditionFailure("value \(value) is not computed") }
    return (outcome.output, kept)
  }

  /// What comes out of a pass.
  private struct Outcome {
    var output: Tensor
    var heads: [Tensor]
    var kept: Tensor?
  }

  private func forward(
    _ input: consuming Tensor, from first: LoweredPlan.Value, to last: LoweredPlan.Value,
    heads: [LoweredPlan.Value], keeping kept: LoweredPlan.Value?, _ pass: Pass
  ) -> Outcome {
    var trip = Trip(from: first, to: last, withHeads: !heads.isEmpty, keeping: kept, values: output + 1)
    trip.values.put(consume input, at: first)
    for step in steps where trip.takes(step) { take(step, &trip, pass) }
    return Outcome(
      output: trip.values.take(last), heads: heads.map { trip.values.take($0) }, kept: trip.keptTensor)
  }

  /// A pass under way.
  struct Trip {
    fileprivate let first: LoweredPlan.Value
    fileprivate let last: LoweredPlan.Value
    fileprivate let withHeads: Bool
    fileprivate let kept: LoweredPlan.Value?
    fileprivate var values: Values
    fileprivate var keptTensor: Tensor?

    fileprivate init(
      from first: LoweredPlan.Value, to last: LoweredPlan.Value, withHeads: Bool, keeping kept: LoweredPlan.Value?,
      values: Int
    ) {
      (self.first, self.last, self.withHeads, self.kept) = (first, last, withHeads, kept)
      self.values = Values(count: values)
    }

    fileprivate func takes(_ step: Step) -> Bool {
      step.output > first && step.output <= last && !(step.isAuxiliary && (step.isFrozen || !withHeads))
    }
  }

  private func take(_ step: Step, _ trip: inout Trip, _ training: Pass) {
    let kept = trip.kept
    /// Whether a convolution is left to the norm behind it.
    func waits(_ step: Step, _ trip: borrowing Trip) -> Bool {
      guard let place = step.finishedAt else { return false }
      return steps[place].output <= trip.last && step.output > trip.first && step.output != kept
    }
    let inputs = step.inputs
    var pass = training
    if step.isFrozen { pass.mode = .inference }
    // Who looks on has to see what a norm adds to; not in frozen layers, which take no more memory for that.
    if pass.mode == .inference, finishesConvolutions, probe == nil || step.isFrozen {
      if waits(step, trip) { return }
      if let place = step.finishes, waits(steps[place], trip), let norm = step.norm,
        let convolution = steps[place].convolution
      {
        let input = trip.values.take(steps[place].inputs[0])
        let addend = inputs.count > 1 ? trip.values.take(inputs[1]) : nil
        trip.values.put(
          norm.forward(convolvedBy: convolution, consume input, adding: addend, pass), at: step.output)
        look(at: step, trip.values, pass)
        if step.output == kept { trip.keptTensor = trip.values.copy(of: step.output) }
        return
      }
    }
    switch step.work {
    case .layer(let layer): trip.values.put(layer.forward(trip.values.take(inputs[0]), pass), at: step.output)
    case .normAndSum(let norm):
      // In this order: both may be the same value.
      let inner = trip.values.take(inputs[0])
      let addend = trip.values.take(inputs[1])
      let parts = probe?.parts(normalized: inner, added: addend, channels: norm.channels, pass.ops)
      trip.values.put(norm.forward(consume inner, adding: consume addend, pass), at: step.output)
      if let parts, let sum = step.sum {
        probe?.take(parts, normalizedBy: norm.lastNormalization(pass), step: sum)
      }
    case .sum:
      var sum = trip.values.take(inputs[0])
      if let probe, let place = step.sum, let other = trip.values.copy(of: inputs[1].value) {
        probe.take(first: sum, second: other, step: place, pass.ops)
      }
      for input in inputs.dropFirst() { pass.ops.add(trip.values.take(input), to: &sum) }
      trip.values.put(consume sum, at: step.output)
    case .concatenation(let layer):
      trip.values.put(layer.forward(inputs.map { trip.values.take($0) }, pass), at: step.output)
    }
    look(at: step, trip.values, pass)
    if step.output == kept { trip.keptTensor = trip.values.copy(of: step.output) }
  }

  /// Has the probe look at what a step has made.
  private func look(at step: Step, _ values: Values, _ pass: Pass) {
    guard let probe, step.isMeasured, let output = values.copy(of: step.output) else { return }
    probe.take(output, row: step.output - 1, isRectified: step.isRectified, pass.ops)
  }

  /// The parameters of an operation's layer.
  func parameters(of operation: Int) -> [Parameter] { layers[operation]?.parameters ?? [] }

  /// - Returns: the gradient by the input; an empty tensor where the plan leaves that out.
  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    backward(outputGradient, heads: [], pass)
  }

  /// - Parameters:
  ///   - headGradients: by what `forwardWithHeads` gave of auxiliary heads; none after `forward`.
  ///   - leave: called behind each layer with its parameters, whose gradients are there.
  func backward(
    _ outputGradient: consuming Tensor, heads headGradients: [Tensor],
    leaving leave: ([Parameter]) -> Void = { _ in },
    _ pass: Pass
  ) -> Tensor {
    precondition(headGradients.isEmpty || headGradients.count == heads.count, "a gradient for each head")
    return backward(outputGradient, headGradients, to: LoweredPlan.image, leaving: leave, pass)
  }

  /// The parameters in the order in which `backward` leaves their layers.
  var parametersBackwards: [Parameter] { steps.reversed().flatMap { $0.layer?.parameters ?? [] } }

  /// The same as far as a value that everything behind it comes from.
  /// - Returns: the gradient by that value.
  func backward(_ outputGradient: consuming Tensor, to first: LoweredPlan.Value, _ pass: Pass) -> Tensor {
    backward(outputGradient, [], to: first, leaving: { _ in }, pass)
  }

  private func backward(
    _ outputGradient: consuming Tensor, _ headGradients: [Tensor], to first: LoweredPlan.Value,
    leaving leave: ([Parameter]) -> Void, _ pass: Pass
  ) -> Tensor {
    var gradients = Values(count: output + 1)
    gradients.put(consume outputGradient, at: output)
    for (head, gradient) in zip(heads, headGradients) { gradients.put(gradient, at: head) }
    for step in steps.reversed() where step.output > first {
      // Nothing learns there, or it was left out, and so nothing has reached it.
      guard gradients.has(step.output) else { continue }
      goBack(step, &gradients, pass)
      leave(step.layer?.parameters ?? [])
    }
    return gradients.has(first) ? gradients.take(first) : Tensor(uninitialized: [0])
  }

  private func goBack(_ step: Step, _ gradients: inout Values, _ pass: Pass) {
    let inputs = step.inputs
    let gradient = gradients.take(step.output)
    switch step.work {
    case .layer(let layer):
      let input = inputs[0]
      if gradients.has(input.value) {
        let skipGradient = gradients.take(input.value)
        gradients.put(layer.backward(consume gradient, adding: consume skipGradient, pass), at: input.value)
      } else {
        let inner = layer.backward(consume gradient, pass)
        if input.hasGradient { gradients.put(consume inner, at: input.value) }
      }
    case .normAndSum(let norm):
      let (inner, skipGradient) = norm.backwardOfSum(consume gradient, pass)
      gradients.add(consume skipGradient, to: inputs[1], pass)
      gradients.add(consume inner, to: inputs[0], pass)
    case .sum:
      for input in inputs.dropFirst() { gradients.add(copy gradient, to: input, pass) }
      gradients.add(consume gradient, to: inputs[0], pass)
    case .concatenation(let layer):
      for (part, input) in zip(layer.backward(consume gradient, pass), inputs) {
        gradients.add(part, to: input, pass)
      }
    }
  }

  /// Tensors on their way. What is taken for the last time is let go, which leaves a layer the only owner of its input:
  /// that is what lets it work in place.
  fileprivate struct Values {
    private var tensors: [Tensor?]

    init(count: Int) { tensors = [Tensor?](repeating: nil, count: count) }

    func has(_ value: LoweredPlan.Value) -> Bool { tensors[value] != nil }

    mutating func put(_ tensor: consuming Tensor, at value: LoweredPlan.Value) { tensors[value] = tensor }

    /// A value that others still read.
    func copy(of value: LoweredPlan.Value) -> Tensor? { tensors[value] }

    mutating func take(_ value: LoweredPlan.Value) -> Tensor {
      guard let tensor = tensors[value].take() else {
        preconditionFailure("value \(value) is read before it is made")
      }
      return tensor
    }

    mutating func take(_ input: LoweredPlan.Input) -> Tensor {
      if input.isLast { return take(input.value) }
      guard let tensor = tensors[input.value] else {
        preconditionFailure("value \(input.value) is read before it is made")
      }
      return tensor
    }

    /// Adds a gradient to what has reached the value on other ways.
    mutating func add(_ gradient: consuming Tensor, to input: LoweredPlan.Input, _ pass: Pass) {
      guard input.hasGradient else { return }
      if has(input.value) {
        var sum = take(input.value)
        pass.ops.add(gradient, to: &sum)
        put(consume sum, at: input.value)
      } else {
        put(gradient, at: input.value)
      }
    }
  }
}

// MARK: Replicas

/// What the norms of all replicas of a network add up; see `NetworkReplicas`.
public protocol NormMeeting {
  /// - Parameter own: of each replica that is computed here, in their order; of no rows where it has no images.
  /// - Returns: the sum over all replicas, the same wherever they are computed.
  func whole<Sum: NormSum>(_ own: [Sum]) throws -> Sum
}

extension LayerGraph {
  /// Training passes through graphs of the same plan, layer by layer: a norm normalizes by what all of them have.
  ///
  /// What norms meet for does not depend on which graphs have anything to go through them.
  /// - Parameters:
  ///   - graphs: the running statistics of the first are moved.
  ///   - inputs: for each graph; nil where it has none.
  ///   - passes: likewise.
  /// - Returns: what `forwardWithHeads` would, for each that has an input.
  /// - Throws: what `meeting` throws.
  static func forward(
    _ graphs: [LayerGraph], _ inputs: consuming [Tensor?], _ passes: [Pass], _ meeting: some NormMeeting
  ) throws -> [(output: Tensor, heads: [Tensor])?] {
    let main = graphs[0]
    var trips: [Trip?] = []
    for place in graphs.indices {
      guard let input = inputs[place].take() else {
        trips.append(nil)
        continue
      }
      var trip = Trip(
        from: LoweredPlan.image, to: main.output, withHeads: !main.heads.isEmpty, keeping: nil,
        values: main.output + 1)
      trip.values.put(consume input, at: LoweredPlan.image)
      trips.append(trip)
    }
    let whole = Trip(
      from: LoweredPlan.image, to: main.output, withHeads: !main.heads.isEmpty, keeping: nil, values: 0)
    for (number, step) in main.steps.enumerated() where whole.takes(step) {
      if let norm = step.norm, norm.measures {
        let own = graphs.indices.map { place -> MomentSum in
          guard let input = trips[place]?.values.copy(of: step.inputs[0].value),
            let norm = graphs[place].steps[number].norm
          else { return MomentSum(channels: norm.channels) }
          return norm.moments(of: input, passes[place])
        }
        let sum = try meeting.whole(own)
        norm.follow(sum, passes[0])
        for place in graphs.indices where trips[place] != nil {
          graphs[place].steps[number].norm?.normalize(by: sum)
        }
      }
      for place in graphs.indices where trips[place] != nil {
        graphs[place].take(graphs[place].steps[number], &trips[place]!, passes[place])
      }
    }
    return trips.indices.map { place in
      guard var trip = trips[place].take() else { return nil }
      return (trip.values.take(main.output), main.heads.map { trip.values.take($0) })
    }
  }

  /// The way back of these passes.
  /// - Parameters:
  ///   - outputGradients, headGradients: for each graph, as `backward` takes them; nil where it had no input.
  ///   - leave: called behind each layer with the first graph's parameters: every graph that had an input has the
  ///     gradients of its own.
  /// - Throws: what `meeting` and `leave` throw.
  static func backward(
    _ graphs: [LayerGraph], _ outputGradients: consuming [Tensor?], heads headGradients: [[Tensor]],
    leaving leave: ([Parameter]) throws -> Void, _ passes: [Pass], _ meeting: some NormMeeting
  ) throws {
    let main = graphs[0]
    var reached = [Bool](repeating: false, count: main.output + 1)
    for value in [main.output] + main.heads { reached[value] = true }
    var gradients: [Values?] = []
    for place in graphs.indices {
      guard let gradient = outputGradients[place].take() else {
        gradients.append(nil)
        continue
      }
      var values = Values(count: main.output + 1)
      values.put(consume gradient, at: main.output)
      for (head, gradient) in zip(main.heads, headGradients[place]) { values.put(gradient, at: head) }
      gradients.append(values)
    }
    for (number, step) in main.steps.enumerated().reversed() where reached[step.output] {
      if let norm = step.norm, norm.measures {
        let own = graphs.indices.map { place -> NormGradientSum in
          guard gradients[place] != nil, let norm = graphs[place].steps[number].norm else {
            return NormGradientSum(channels: norm.channels)
          }
          var gradient = gradients[place]!.take(step.output)
          let sum = norm.sums(of: &gradient, passes[place])
          gradients[place]!.put(consume gradient, at: step.output)
          return sum
        }
        let sum = try meeting.whole(own)
        for place in graphs.indices where gradients[place] != nil {
          graphs[place].steps[number].norm?.goBack(by: sum)
        }
      }
      for place in graphs.indices where gradients[place] != nil {
        graphs[place].goBack(graphs[place].steps[number], &gradients[place]!, passes[place])
      }
      for input in step.inputs where input.hasGradient { reached[input.value] = true }
      try leave(step.layer?.parameters ?? [])
    }
  }
}
