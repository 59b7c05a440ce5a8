// What every layer is: a forward and a backward pass written out, no graph behind it. Letters: N batch, H height,
// W width, C channels in, O channels out, K kernel (KH high, KW wide). Activations are [N, H, W, C].

import Tensors

/// How one trip through the network is to be made.
public struct Pass {
  public enum Mode: Sendable {
    /// Batch norm uses the batch's statistics and updates the running ones, dropout drops, layers keep what their
    /// backward pass needs.
    case training
    /// Batch norm uses the running statistics, nothing is dropped or kept.
    case inference
    /// As in inference, but layers keep what their backward pass needs: for gradients of what the network says by what it
    /// computed on the way. Batch norm has no way back here.
    case explanation
  }

  public var mode: Mode
  public var pool: ThreadPool
  /// Where dropout's choices come from; differs at every step.
  public var seed: UInt64

  public init(_ mode: Mode, _ pool: ThreadPool, seed: UInt64 = 0) {
    self.mode = mode
    self.pool = pool
    self.seed = seed
  }

  /// Whether a backward pass follows.
  var goesBack: Bool { mode != .inference }

  /// What computes it.
  public var ops: Ops { Ops(pool) }
}

/// A differentiable function of a batch of activations.
///
/// `forward` in training mode keeps a cache that the next `backward` uses up, so the two come in pairs:
///
///     let pass = Pass(.training, ThreadPool(threads: 2))
///     let logits = layer.forward(images, pass)
///     let imageGradient = layer.backward(logitGradient, pass)
///     for parameter in layer.parameters { ... }    // each with its gradient
public protocol Layer: AnyObject {
  /// - Parameter input: [N, H, W, C] (or [N, C] after the pool).
  /// - Returns: the output, a new tensor or the input changed in place.
  func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor

  /// - Parameter outputGradient: the loss's gradient by the output of the last training pass, same shape.
  /// - Returns: the gradient by that pass's input; the parameters' gradients are overwritten.
  func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor

  /// `backward`, plus what reaches the input on another way; a layer that can adds it in the same trip through memory.
  /// - Parameter skipGradient: of the input's shape.
  func backward(_ outputGradient: consuming Tensor, adding skipGradient: consuming Tensor, _ pass: Pass) -> Tensor

  /// In the order of the network.
  var parameters: [Parameter] { get }
  var buffers: [StateBuffer] { get }
}

extension Layer {
  public var parameters: [Parameter] { [] }
  public var buffers: [StateBuffer] { [] }

  public func backward(
    _ outputGradient: consuming Tensor, adding skipGradient: consuming Tensor, _ pass: Pass
  ) -> Tensor {
    var gradient = backward(outputGradient, pass)
    pass.ops.add(skipGradient, to: &gradient)
    return gradient
  }
}

/// Takes a layer's cache, which a training pass must have left.
func used<Cache>(_ cache: inout Cache?, by layer: String) -> Cache {
  guard let kept = cache.take() else {
    preconditionFailure("backward of \(layer) without a training pass before it")
  }
  return kept
}
