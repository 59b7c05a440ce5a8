// A network with weights, built from its plan.

import Messages
import Tensors

/// A network that can be run forwards and, after a training pass, backwards.
///
/// Not `Sendable`: it belongs to the thread that trains or evaluates it.
public final class Network {
  public private(set) var plan: NetworkPlan
  private let layers: LayerGraph

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
    layers = LayerGraph(
      plan.lowered, seed: seed, convolutions: convolutions, initialization: initialization)
  }

  /// Every parameter, frozen or not.
  public var parameters: [Parameter] { layers.parameters }
  /// Those that are trained.
  public var trainedParameters: [Parameter] { parameters.filter(\.isTrained) }
  public var buffers: [StateBuffer] { layers.buffers }
  public var batchNorms: [BatchNorm] { layers.batchNorms }

  /// - Parameter images: [N, H, W, 3], normalized; of as many channels as the plan's input has.
  /// - Returns: logits [N, classes].
  public func forward(_ images: consuming Tensor, _ pass: Pass) -> Tensor { layers.forward(images, pass) }

  /// Trains what another plan of the same network trains, and freezes the rest. The weights stay.
  public func follow(_ plan: NetworkPlan) {
    precondition(plan.layers == self.plan.layers, "a plan of another network")
    self.plan = plan
    layers.follow(plan.lowered)
  }

  /// What the frozen layers make of images: [N, ...], the shape of `plan.features`.
  /// - Parameter images: as `forward` takes them.
  public func features(_ images: consuming Tensor, _ pass: Pass) -> Tensor { layers.features(images, pass) }

  /// The logits, from what `features` gave.
  public func forward(features: consuming Tensor, _ pass: Pass) -> Tensor {
    layers.forward(features: features, pass)
  }

  /// Sets the gradient of every parameter that is trained.
  /// - Parameter logitsGradient: the loss's gradient by the last training pass's logits.
  public func backward(_ logitsGradient: consuming Tensor, _ pass: Pass) {
    _ = layers.backward(logitsGradient, pass)
  }

  /// The Euclidean norm of the whole gradient, of what is trained.
  public func gradientNorm(_ pool: ThreadPool) -> Double {
    trainedParameters.reduce(0) { $0 + Ops(pool).sumOfSquares($1.gradient) }.squareRoot()
  }
}
