// A network with weights, built from its plan.

import Messages
import Tensors

/// A network that can be run forwards and, after a training pass, backwards.
///
/// Not `Sendable`: it belongs to the thread that trains or evaluates it.
public final class Network {
  public let plan: NetworkPlan
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

  public var parameters: [Parameter] { layers.parameters }
  public var buffers: [StateBuffer] { layers.buffers }
  public var batchNorms: [BatchNorm] { layers.batchNorms }

  /// - Parameter images: [N, H, W, 3], normalized; of as many channels as the plan's input has.
  /// - Returns: logits [N, classes].
  public func forward(_ images: consuming Tensor, _ pass: Pass) -> Tensor { layers.forward(images, pass) }

  /// Sets every parameter's gradient.
  /// - Parameter logitsGradient: the loss's gradient by the last training pass's logits.
  public func backward(_ logitsGradient: consuming Tensor, _ pass: Pass) {
    _ = layers.backward(logitsGradient, pass)
  }

  /// The Euclidean norm of the whole gradient.
  public func gradientNorm(_ pool: ThreadPool) -> Double {
    parameters.reduce(0) { $0 + Ops(pool).sumOfSquares($1.gradient) }.squareRoot()
  }
}
