// Layers in a row, as one layer.

import Tensors

/// Layers one after another.
public final class Sequential: Layer {
  public let layers: [any Layer]

  public init(_ layers: [any Layer]) { self.layers = layers }

  public var parameters: [Parameter] { layers.flatMap(\.parameters) }
  public var buffers: [StateBuffer] { layers.flatMap(\.buffers) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    var activation = input
    // `consume` leaves each layer the only owner of its input, which is what lets it work in place.
    for layer in layers { activation = layer.forward(consume activation, pass) }
    return activation
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    var gradient = outputGradient
    for layer in layers.reversed() { gradient = layer.backward(consume gradient, pass) }
    return gradient
  }

  public func backward(
    _ outputGradient: consuming Tensor, adding carried: consuming Tensor, _ pass: Pass
  ) -> Tensor {
    var gradient = outputGradient
    for layer in layers.dropFirst().reversed() { gradient = layer.backward(consume gradient, pass) }
    if let first = layers.first { return first.backward(gradient, adding: carried, pass) }
    gradient.add(carried, pass.workers)
    return gradient
  }
}
