// The residual block: y = F(x) + shortcut(x), He et al. 2015, section 3.2; He et al. 2016 for v2.

import Tensors

/// y = after(body(h) + shortcut(...)), where h is the input, pre-activated in v2.
public final class ResidualBlock: Layer {
  /// Batch norm and ReLU before everything, in v2; empty else.
  private let preActivation: Sequential?
  private let body: Sequential
  /// nil for the identity.
  private let shortcut: (any Layer)?
  private let shortcutSource: ShortcutSource
  /// The ReLU after the addition; nil in v2.
  private let after: ReLU?

  /// What the shortcut reads: in v2 a projection shares the body's pre-activation, everything parameter-free carries
  /// the raw input (He et al. 2016, section 4.1).
  public enum ShortcutSource: Sendable { case input, preActivated }

  public init(
    preActivation: Sequential?, body: Sequential, shortcut: (any Layer)?, shortcutSource: ShortcutSource,
    after: ReLU?
  ) {
    self.preActivation = preActivation
    self.body = body
    self.shortcut = shortcut
    self.shortcutSource = preActivation == nil ? .input : shortcutSource
    self.after = after
  }

  private var parts: [any Layer] {
    [preActivation as (any Layer)?, body as (any Layer)?, shortcut].compactMap { $0 }
  }

  public var parameters: [Parameter] { parts.flatMap(\.parameters) }
  public var buffers: [StateBuffer] { parts.flatMap(\.buffers) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    var carried = input
    let activated = preActivation?.forward(carried, pass) ?? carried
    if shortcutSource == .preActivated { carried = activated }
    var sum = body.forward(activated, pass)
    sum.add(shortcut?.forward(carried, pass) ?? carried, pass.workers)
    guard let after else { return sum }
    return after.forward(sum, pass)
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    var sumGradient = outputGradient
    if let after { sumGradient = after.backward(consume sumGradient, pass) }
    var gradient = body.backward(sumGradient, pass)
    let carriedGradient = shortcut?.backward(sumGradient, pass) ?? sumGradient
    if shortcutSource == .preActivated { gradient.add(carriedGradient, pass.workers) }
    if let preActivation { gradient = preActivation.backward(consume gradient, pass) }
    if shortcutSource == .input { gradient.add(carriedGradient, pass.workers) }
    return gradient
  }
}
