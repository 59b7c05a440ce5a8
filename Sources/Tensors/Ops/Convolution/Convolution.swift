// A convolution and its two gradients, by the method that suits the shape. Bias and padding aside there is nothing to
// it but products: DirectConvolution, Winograd and
// GroupedConvolution.

extension Ops {
  /// y[n, i, j, o] = sum over u, v, c of x[n, i * stride + u - padding, j * stride + v - padding, c] * w[u, v, c, o],
  /// where with groups the sum is over the C / G channels of the group that output o is of.
  /// - Parameters:
  ///   - x: [N, H, W, C], as `method` was made for.
  ///   - w: [KH, KW, C, O]; with G groups [KH, KW, C / G, O], here and below.
  ///   - moments: gathers those of y, where the method can while y is in cache; else it is left alone.
  /// - Returns: [N, H', W', O].
  public func convolve(
    _ x: Tensor, _ w: Tensor, _ method: ConvolutionMethod, gathering moments: ChannelMoments? = nil
  ) -> Tensor {
    precondition(x.shape == method.inputShape, "a convolution for \(method.inputShape) got \(x.shape)")
    var output = Tensor(uninitialized: method.outputShape)
    Tensor.read(x, w) { x, w in
      output.write { y in method.forward(x: x, w: w, y: y, moments: moments, pool) }
    }
    return output
  }

  /// The same for inference, with what follows it: y = activation((x * w) * foldedWeight + foldedBias + addend), while y
  /// is in cache where the method can. The result is the same to the bit as one after the other.
  /// - Parameters:
  ///   - x, w: as above.
  ///   - addend: [N, H', W', O].
  public func convolve(
    _ x: Tensor, _ w: Tensor, _ method: ConvolutionMethod, finishing map: FoldedBatchNorm, adding addend: Tensor?,
    _ activation: Activation
  ) -> Tensor {
    precondition(x.shape == method.inputShape, "a convolution for \(method.inputShape) got \(x.shape)")
    precondition(addend.map { $0.shape == method.outputShape } ?? true, "an addend of another shape")
    var output = Tensor(uninitialized: method.outputShape)
    Tensor.read(x, w) { x, w in
      read(addend) { addend in
        ConvolutionFinish.with(map, adding: addend, activation) { finish in
          output.write { y in method.forward(x: x, w: w, y: y, finish: finish, pool) }
        }
      }
    }
    return output
  }

  /// dw = the sum over all pixels of y of dy there times the window of x that it was made from.
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - dy: [N, H', W', O].
  ///   - dw: [KH, KW, C, O].
  public func convolutionWeightGradient(
    _ x: Tensor, _ dy: Tensor, _ method: ConvolutionMethod, into dw: inout Tensor
  ) {
    precondition(dy.shape == method.outputShape, "a gradient \(dy.shape) of an output \(method.outputShape)")
    Tensor.read(x, dy) { x, dy in method.weightGradient(x: x, dy: dy, dw: &dw, pool) }
  }

  /// dx = the transposed convolution of dy.
  /// - Parameters:
  ///   - dy: [N, H', W', O].
  ///   - w: [KH, KW, C, O].
  /// - Returns: [N, H, W, C].
  public func convolutionInputGradient(_ dy: Tensor, _ w: Tensor, _ method: ConvolutionMethod) -> Tensor {
    precondition(dy.shape == method.outputShape, "a gradient \(dy.shape) of an output \(method.outputShape)")
    var gradient = Tensor(uninitialized: method.inputShape)
    Tensor.read(dy, w) { dy, w in
      gradient.write { dx in method.inputGradient(dy: dy, w: w, dx: dx, pool) }
    }
    return gradient
  }
}
