// The residual block and the parameter-free shortcut: y = F(x) + shortcut(x), He et al. 2015, section 3.2.

import Messages
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
}

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

/// Shortcut option A: every `stride`-th pixel, and zeros for the channels that are new.
public final class ZeroPaddedShortcut: Layer {
  private let stride: Int
  private let channels: Int
  private let placement: ZeroPlacement
  private var inputShape: [Int]?

  public init(stride: Int, channels: Int, placement: ZeroPlacement) {
    self.stride = stride
    self.channels = channels
    self.placement = placement
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let copy = StridedCopy(input: input.shape, stride: stride, channels: channels, placement: placement)
    var output = Tensor(zeros: copy.outputShape)
    input.read { x in
      output.write { y in
        pass.workers.run(over: copy.images) { images in
          copy.forEachPixel(of: images) { small, large in
            (y + large).update(from: x + small, count: copy.inputChannels)
          }
        }
      }
    }
    if pass.mode == .training { inputShape = input.shape }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = used(&inputShape, by: "zero-padded shortcut")
    let copy = StridedCopy(input: shape, stride: stride, channels: channels, placement: placement)
    var gradient = Tensor(zeros: shape)
    outputGradient.read { dy in
      gradient.write { dx in
        pass.workers.run(over: copy.images) { images in
          copy.forEachPixel(of: images) { small, large in
            (dx + small).update(from: dy + large, count: copy.inputChannels)
          }
        }
      }
    }
    return gradient
  }

  /// Which run of input channels becomes which run of output channels.
  private struct StridedCopy: Sendable {
    let images: Int
    let inputChannels: Int
    let outputShape: [Int]
    private let input: [Int]
    private let stride: Int
    private let firstChannel: Int

    init(input: [Int], stride: Int, channels: Int, placement: ZeroPlacement) {
      precondition(channels >= input[3], "a zero-padded shortcut cannot drop channels")
      images = input[0]
      inputChannels = input[3]
      outputShape = [images, (input[1] + stride - 1) / stride, (input[2] + stride - 1) / stride, channels]
      self.input = input
      self.stride = stride
      firstChannel = placement == .split ? (channels - input[3]) / 2 : 0
    }

    /// Offsets of each copied pixel's channels in input and output.
    func forEachPixel(of images: Range<Int>, _ body: (_ input: Int, _ output: Int) -> Void) {
      for image in images {
        for y in 0..<outputShape[1] {
          for x in 0..<outputShape[2] {
            let source = ((image * input[1] + y * stride) * input[2] + x * stride) * input[3]
            let target = ((image * outputShape[1] + y) * outputShape[2] + x) * outputShape[3]
            body(source, target + firstChannel)
          }
        }
      }
    }
  }
}
