// Layers that summarize neighboring pixels: maximum, maximum or mean of the whole map, mean of a grid of areas or of
// squares of pixels.

import Tensors

/// The maximum of each window; padding never wins.
public final class MaxPool: Layer {
  private let window: MaxPoolWindow
  /// Of each output, which of its window's places had the maximum; and the input's shape.
  private var cache: (argmax: PooledArray<UInt8>, inputShape: [Int])?

  public init(_ window: MaxPoolWindow) { self.window = window }

  /// - Parameter kernel: the window's side, at most 15.
  public convenience init(kernel: Int, stride: Int, padding: Int) {
    self.init(MaxPoolWindow(kernel: kernel, stride: stride, padding: padding))
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    guard pass.goesBack else { return pass.ops.maxima(input, window) }
    let (output, argmax) = pass.ops.maxPool(input, window)
    cache = (argmax, input.shape)
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let (argmax, inputShape) = used(&cache, by: "max pool")
    return pass.ops.maxPoolGradient(outputGradient, argmax: argmax, window, inputShape: inputShape)
  }
}

/// The maximum of each channel over the whole map, whatever its size: [N, H, W, C] to [N, 1, 1, C].
public final class GlobalMaxPool: Layer {
  /// Of each channel the pixel that had the maximum; and the input's shape.
  private var cache: (argmax: PooledArray<Int32>, inputShape: [Int])?

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let (output, argmax) = pass.ops.globalMaxPool(input)
    if pass.goesBack { cache = (argmax, input.shape) }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let (argmax, inputShape) = used(&cache, by: "global max pool")
    return pass.ops.globalMaxPoolGradient(outputGradient, argmax: argmax, inputShape: inputShape)
  }
}

/// The mean of each square of `side` x `side` pixels, at the lower and the right edge of what is there of it:
/// [N, H, W, C] to [N, ceil(H / side), ceil(W / side), C].
public final class AverageWindows: Layer {
  private let side: Int
  private var inputShape: [Int]?

  public init(side: Int) { self.side = side }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    if pass.goesBack { inputShape = input.shape }
    return pass.ops.averageWindows(input, side: side)
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let inputShape = used(&inputShape, by: "average of windows")
    return pass.ops.averageWindowsGradient(consume outputGradient, side: side, inputShape: inputShape)
  }
}

/// The mean of each area of a `side` x `side` grid laid over the map; areas overlap where the map's side is no
/// multiple of `side` (PyTorch's AdaptiveAvgPool2d). With side 1 it is global average pooling.
public final class AdaptiveAveragePool: Layer {
  private let side: Int
  private var inputShape: [Int]?

  public init(side: Int) { self.side = side }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    if pass.goesBack { inputShape = input.shape }
    return pass.ops.averagePool(input, side: side)
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let inputShape = used(&inputShape, by: "average pool")
    return pass.ops.averagePoolGradient(consume outputGradient, side: side, inputShape: inputShape)
  }
}
