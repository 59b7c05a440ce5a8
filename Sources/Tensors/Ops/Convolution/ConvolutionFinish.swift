// What follows a convolution in inference: a batch norm's multiplication and addition, a shortcut's addition, the ReLU.
// Done to each block of the output while it is in cache, they cost no trip through memory.

import CKernels

/// y = activation(y * weight + bias + addend), of some pixels of an output [pixels, channels].
struct ConvolutionFinish {
  private let channels: Int
  /// [channels].
  private let weight: UnsafePointer<Float>
  private let bias: UnsafePointer<Float>
  /// [pixels, channels]; nil for none.
  private let addend: UnsafePointer<Float>?
  private let relu: Int32

  /// Calls `body` with one; it is valid only inside.
  static func with<Result>(
    _ map: FoldedBatchNorm, adding addend: UnsafePointer<Float>?, _ activation: Activation,
    _ body: (ConvolutionFinish) throws -> Result
  ) rethrows -> Result {
    try map.withFolded { weight, bias in
      try body(
        ConvolutionFinish(
          channels: map.mean.count, weight: weight, bias: bias, addend: addend,
          relu: activation == .relu ? 1 : 0))
    }
  }

  /// - Parameter y: the whole output.
  func apply(to y: UnsafeMutablePointer<Float>, pixels: Range<Int>) {
    let start = pixels.lowerBound * channels
    ck_batchnorm_apply(
      y + start, y + start, addend.map { $0 + start }, pixels.count, channels, weight, bias, relu, nil, 0)
  }

  /// To all pixels, by several threads: where the output was made in another order.
  func apply(to y: UnsafeMutablePointer<Float>, pixels: Int, _ pool: ThreadPool) {
    pool.run(over: pixels, chunks: ThreadPool.chunks(of: pixels * channels)) { apply(to: y, pixels: $0) }
  }
}
