// The residual block: y = F(x) + shortcut(x), He et al. 2015, section 3.2; He et al. 2016 for v2.

import Tensors

/// v1: y = relu(norm(body(x)) + shortcut(x)); v2: y = body(h) + shortcut(x or h), where h is the pre-activated input.
public final class ResidualBlock: Layer {
  /// Batch norm and ReLU before everything, in v2; nil else.
  private let preActivation: Sequential?
  private let body: Sequential
  /// The body's last norm, joined with the addition and the ReLU after it; nil in v2, which ends in a convolution.
  private let norm: BatchNorm?
  /// nil for the identity.
  private let shortcut: (any Layer)?
  private let shortcutSource: ShortcutSource

  /// What the shortcut reads: in v2 a projection shares the body's pre-activation, everything parameter-free carries
  /// the raw input (He et al. 2016, section 4.1).
  public enum ShortcutSource: Sendable { case input, preActivated }

  public init(
    preActivation: Sequential?, body: Sequential, norm: BatchNorm?, shortcut: (any Layer)?,
    shortcutSource: ShortcutSource
  ) {
    self.preActivation = preActivation
    self.body = body
    self.norm = norm
    self.shortcut = shortcut
    self.shortcutSource = preActivation == nil ? .input : shortcutSource
  }

  private var parts: [any Layer] {
    [preActivation as (any Layer)?, body as (any Layer)?, norm, shortcut].compactMap { $0 }
  }

  public var parameters: [Parameter] { parts.flatMap(\.parameters) }
  public var buffers: [StateBuffer] { parts.flatMap(\.buffers) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    var carried = input
    var activated = carried
    if let preActivation { activated = preActivation.forward(consume activated, pass) }
    if shortcutSource == .preActivated { carried = activated }
    var output = body.forward(consume activated, pass)
    if let shortcut { carried = shortcut.forward(consume carried, pass) }
    if let norm { return norm.forward(output, adding: carried, pass) }
    output.add(carried, pass.workers)
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    guard let norm else {
      let carried = copy outputGradient
      return backward(body: outputGradient, shortcut: carried, pass)
    }
    let (inner, carried) = norm.backwardOfSum(outputGradient, pass)
    // `consume` leaves each layer the only owner of its gradient, which is what lets it work in place.
    return backward(body: consume inner, shortcut: consume carried, pass)
  }

  /// - Parameters:
  ///   - bodyGradient: the gradient by the body's output.
  ///   - carried: the gradient by the shortcut's.
  private func backward(
    body bodyGradient: consuming Tensor, shortcut carried: consuming Tensor, _ pass: Pass
  ) -> Tensor {
    if let shortcut { carried = shortcut.backward(consume carried, pass) }
    guard let preActivation else { return body.backward(bodyGradient, adding: carried, pass) }
    switch shortcutSource {
    case .input:
      return preActivation.backward(body.backward(bodyGradient, pass), adding: carried, pass)
    case .preActivated:
      return preActivation.backward(body.backward(bodyGradient, adding: carried, pass), pass)
    }
  }
}
