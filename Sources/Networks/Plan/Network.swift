// A network with weights, built from its plan.

import Messages
import Tensors

/// A network that can be run forwards and, after a training pass, backwards.
///
/// Not `Sendable`: it belongs to the thread that trains or evaluates it.
public final class Network {
  public private(set) var plan: NetworkPlan
  /// The layers as they are connected.
  let graph: LayerGraph

  /// A network with initial weights. Every parameter is a function of the seed and its own name.
  ///
  /// Convolutions: normal with std sqrt(2 / (K * K * O)) (He et al. 2015, arXiv:1502.01852, section 2.2, in the
  /// backward form that torchvision uses), or as `initialization` says. Batch norm: scale 1, shift 0. A whitening layer
  /// has random filters until `PatchWhitening` sets them.
  public init(
    _ plan: NetworkPlan, seed: UInt64, convolutions: ConvolutionAlgorithms = .fastest,
    initialization: ConvolutionInitialization = .he
  ) {
    self.plan = plan
    graph = LayerGraph(
      plan.lowered, seed: seed, convolutions: convolutions, initialization: initialization)
  }

  /// A network whose weights are all to be set by the caller, from a file say: until then they are undefined.
  public init(unset plan: NetworkPlan) {
    self.plan = plan
    graph = LayerGraph(plan.lowered, seed: nil)
  }

  /// Every parameter, frozen or not.
  public var parameters: [Parameter] { graph.parameters }
  /// Those that are trained.
  public var trainedParameters: [Parameter] { parameters.filter(\.isTrained) }
  public var buffers: [StateBuffer] { graph.buffers }
  public var batchNorms: [BatchNorm] { graph.batchNorms }

  /// - Parameter images: [N, H, W, 3], normalized; of as many channels as the plan's input has.
  /// - Returns: logits [N, classes].
  public func forward(_ images: consuming Tensor, _ pass: Pass) -> Tensor { graph.forward(images, pass) }

  /// The same for a step of training.
  /// - Returns: logits [N, classes]; and those of each auxiliary head that is trained, which `forward` leaves out.
  public func forwardWithHeads(
    _ images: consuming Tensor, _ pass: Pass
  ) -> (logits: Tensor, heads: [Tensor]) {
    let (output, heads) = graph.forwardWithHeads(images, pass)
    return (output, heads)
  }

  /// Trains what another plan of the same network trains, and freezes the rest. The weights stay.
  public func follow(_ plan: NetworkPlan) {
    precondition(plan.layers == self.plan.layers, "a plan of another network")
    self.plan = plan
    graph.follow(plan.lowered)
  }

  /// What the frozen layers make of images: [N, ...], the shape of `plan.features`.
  /// - Parameter images: as `forward` takes them.
  public func features(_ images: consuming Tensor, _ pass: Pass) -> Tensor { graph.features(images, pass) }

  /// The logits, from what `features` gave.
  public func forward(features: consuming Tensor, _ pass: Pass) -> Tensor {
    graph.forward(features: features, pass)
  }

  /// Has a probe look at every value of the passes in `body`; what they compute is the same as without.
  public func probed<Result>(by probe: LayerProbe?, _ body: () throws -> Result) rethrows -> Result {
    graph.probe = probe
    defer { graph.probe = nil }
    return try body()
  }

  /// The parameters of a row of the summary; none for a layer that has none.
  public func parameters(ofRow row: Int) -> [Parameter] { graph.parameters(of: row) }

  /// See `LayerGraph.finishesConvolutions`.
  var finishesConvolutions: Bool {
    get { graph.finishesConvolutions }
    set { graph.finishesConvolutions = newValue }
  }

  /// The logits [N, classes], and one of the values on the way to them in its own shape, [N, H, W, C] or [N, C].
  /// - Parameter value: one that is computed (`NetworkPlan.isComputed`).
  public func forward(
    _ images: consuming Tensor, keeping value: LoweredPlan.Value, _ pass: Pass
  ) -> (logits: Tensor, kept: Tensor) {
    let (output, kept) = graph.forward(images, keeping: value, pass)
    return (output, kept)
  }

  /// What comes of images as far as a value.
  public func forward(_ images: consuming Tensor, to value: LoweredPlan.Value, _ pass: Pass) -> Tensor {
    graph.forward(images, from: LoweredPlan.image, to: value, pass)
  }

  /// The logits [N, classes], from a value that everything behind it comes from.
  public func forward(from value: LoweredPlan.Value, _ tensor: consuming Tensor, _ pass: Pass) -> Tensor {
    graph.forward(tensor, from: value, to: plan.lowered.operations.count, pass)
  }

  /// The gradient by a value, of the last pass `forward(from:)` that was one of training or explanation.
  /// - Parameter logitsGradient: [N, classes].
  public func backward(
    _ logitsGradient: consuming Tensor, to value: LoweredPlan.Value, _ pass: Pass
  ) -> Tensor {
    graph.backward(logitsGradient, to: value, pass)
  }

  /// Sets the gradient of every parameter that is trained.
  /// - Parameters:
  ///   - logitsGradient: the loss's gradient by the last training pass's logits.
  ///   - heads: the same by the logits of auxiliary heads, where that pass was with them.
  ///   - leave: called behind each layer with its parameters, whose gradients are there.
  public func backward(
    _ logitsGradient: consuming Tensor, heads: [Tensor] = [], leaving leave: ([Parameter]) -> Void = { _ in },
    _ pass: Pass
  ) {
    _ = graph.backward(logitsGradient, heads: heads, leaving: leave, pass)
  }

  /// Those that are trained, in the order in which `backward` leaves them.
  public var trainedBackwards: [Parameter] { graph.parametersBackwards.filter(\.isTrained) }

  /// The Euclidean norm of the whole gradient, of what is trained.
  public func gradientNorm(_ pool: ThreadPool) -> Double {
    trainedParameters.reduce(0) { $0 + Ops(pool).sumOfSquares($1.gradient) }.squareRoot()
  }
}
