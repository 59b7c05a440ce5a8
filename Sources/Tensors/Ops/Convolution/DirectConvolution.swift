// Convolution by its definition, three passes of it: the geometry of each pass as products of a map and a packed
// matrix. The forward pass slides the kernel over the input. The input gradient slides the kernel, turned around, over
// the output gradient; with a stride of s it is s * s such passes, one for each way in which a pixel's row and column
// can lie on the grid of windows, so that no zeros are multiplied. The weight gradient is in
// DirectConvolution+WeightGradient.swift.

/// The geometry of a convolution of a batch; see `Ops.convolve` for its definition.
struct DirectConvolution: Sendable {
  let images: Int
  /// Those of the batch that the input is a part of.
  let batch: Int
  let height: Int
  let width: Int
  let channels: Int
  let outputs: Int
  let kernel: Extent
  let stride: Int
  let padding: Extent
  let outputHeight: Int
  let outputWidth: Int
  /// [N, H', W', O].
  let outputShape: [Int]
  /// What the factors of the products are rounded to.
  let precision: OperandPrecision

  /// - Parameters:
  ///   - input: [N, H, W, C].
  ///   - weight: [KH, KW, C, O].
  ///   - precision: bfloat16 only where C and O are even: pairs are of neighboring channels.
  ///   - batch: the images of the batch that the input is a part of; nil for those of the input.
  init(
    input: [Int], weight: [Int], stride: Int, padding: Extent, _ precision: OperandPrecision = .float32,
    batch: Int? = nil
  ) {
    precondition(input.count == 4 && input[3] == weight[2], "a convolution of \(weight[2]) channels got \(input)")
    // Not height > 0: integer division rounds minus a half up to zero.
    precondition(
      input[1] + 2 * padding.height >= weight[0] && input[2] + 2 * padding.width >= weight[1],
      "a \(weight[0])x\(weight[1]) convolution of \(input) leaves nothing")
    (images, height, width, channels) = (input[0], input[1], input[2], input[3])
    self.batch = batch ?? images
    (kernel, outputs) = (Extent(height: weight[0], width: weight[1]), weight[3])
    self.stride = stride
    self.padding = padding
    self.precision = precision
    precondition(precision == .float32 || channels % 2 == 0 && outputs % 2 == 0, "pairs of odd channels")
    outputHeight = (height + 2 * padding.height - kernel.height) / stride + 1
    outputWidth = (width + 2 * padding.width - kernel.width) / stride + 1
    outputShape = [images, outputHeight, outputWidth, outputs]
  }

  /// Sets y [N, H', W', O] from x [N, H, W, C] and w [KH, KW, C, O].
  func forward(
    x: UnsafePointer<Float>, w: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
    moments: ChannelMoments.Gathering? = nil, finish: ConvolutionFinish? = nil, _ pool: ThreadPool
  ) {
    let gemm = forwardGEMM
    if gemm.goesByColumns(outputs) {
      precondition(moments == nil, "moments of an output that is made by columns")
      gemm.runByColumns(x, columns: outputs, precision, into: y, pool) { weights, columns in
        weights.pack(w + columns.lowerBound, count: gemm.depth, rowStride: outputs)
      }
      finish?.apply(to: y, pixels: images * outputHeight * outputWidth, pool)
      return
    }
    PackedWeights.withScratch(depth: gemm.depth, columns: outputs, precision) { weights in
      weights.pack(w, count: gemm.depth, rowStride: outputs, pool)
      gemm.run(x, weights, into: y, moments: moments, finish: finish, pool)
    }
  }

  /// Whether the forward pass can gather moments of its output.
  var gathersMoments: Bool { !forwardGEMM.goesByPlaces && !forwardGEMM.goesByColumns(outputs) }

  var forwardGEMM: ImplicitGEMM {
    ImplicitGEMM(
      images: images, batch: batch, height: height, width: width, channels: channels,
      taps: (kernel.height, kernel.width),
      origin: (-padding.height, -padding.width), stride: stride, lines: outputHeight, pixels: outputWidth,
      resultStrides: (outputHeight * outputWidth * outputs, outputWidth * outputs, outputs))
  }

  /// Sets dx [N, H, W, C] from dy [N, H', W', O] and w.
  func inputGradient(
    dy: UnsafePointer<Float>, w: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    if leavesPixelsOut {
      pool.run(over: images * height * width * channels) {
        (dx + $0.lowerBound).update(repeating: 0, count: $0.count)
      }
    }
    forEachInputGradientPass { vertical, horizontal, gemm in
      if gemm.goesByColumns(channels) {
        return gemm.runByColumns(dy, columns: channels, precision, into: dx, pool) { weights, columns in
          forEachTurnedTap(vertical, horizontal) { tap, first in
            weights.pack(
              w + tap + columns.lowerBound * outputs, first: first, count: outputs, rowStride: 1,
              columnStride: outputs)
          }
        }
      }
      PackedWeights.withScratch(depth: gemm.depth, columns: channels, precision) { weights in
        turn(w, vertical, horizontal, into: weights, pool)
        gemm.run(dy, weights, into: dx, pool)
      }
    }
  }

  /// Whether some pixels belong to no window.
  var leavesPixelsOut: Bool { stride > min(kernel.height, kernel.width) }

  /// Each way in which a pixel's row and column can lie on the grid of windows.
  func forEachInputGradientPass(
    _ body: (_ vertical: Taps, _ horizontal: Taps, _ gemm: ImplicitGEMM) -> Void
  ) {
    for y in 0..<min(stride, height) {
      for x in 0..<min(stride, width) {
        guard let vertical = Taps(pixel: y, kernel: kernel.height, padding: padding.height, stride: stride),
          let horizontal = Taps(pixel: x, kernel: kernel.width, padding: padding.width, stride: stride)
        else { continue }
        let gemm = ImplicitGEMM(
          images: images, batch: batch, height: outputHeight, width: outputWidth, channels: outputs,
          taps: (vertical.count, horizontal.count), origin: (vertical.origin, horizontal.origin), stride: 1,
          lines: (height - y + stride - 1) / stride, pixels: (width - x + stride - 1) / stride,
          resultStrides: (height * width * channels, stride * width * channels, stride * channels),
          resultOffset: (y * width + x) * channels)
        body(vertical, horizontal, gemm)
      }
    }
  }

  /// The places of the kernel, in one direction, whose windows a pixel belongs to: windows origin, origin + 1, ...
  /// see it at places last, last - stride, ... For pixel + stride every window is one further on.
  struct Taps {
    let count: Int
    let origin: Int
    let last: Int
    let stride: Int

    /// nil where no window reaches the pixel.
    init?(pixel: Int, kernel: Int, padding: Int, stride: Int) {
      // Window j has the pixel at place pixel + padding - j * stride.
      let shifted = pixel + padding
      let first = shifted % stride
      guard first < kernel else { return nil }
      self.stride = stride
      count = (kernel - first + stride - 1) / stride
      last = first + (count - 1) * stride
      // Exact: both leave the same remainder. Negative where the window lies before the image.
      origin = (shifted - last) / stride
    }

    /// The place that window origin + index sees it at.
    func place(_ index: Int) -> Int { last - index * stride }
  }

  /// The weights at those places as a matrix [places * O, C], in the order of the windows.
  private func turn(
    _ w: UnsafePointer<Float>, _ vertical: Taps, _ horizontal: Taps, into weights: PackedWeights,
    _ pool: ThreadPool
  ) {
    forEachTurnedTap(vertical, horizontal) { tap, first in
      weights.pack(w + tap, first: first, count: outputs, rowStride: 1, columnStride: outputs, pool)
    }
  }

  /// Where the weights of each of those places begin, and the first of their rows in the matrix.
  private func forEachTurnedTap(
    _ vertical: Taps, _ horizontal: Taps, _ body: (_ start: Int, _ firstRow: Int) -> Void
  ) {
    for v in 0..<vertical.count {
      for h in 0..<horizontal.count {
        body(
          (vertical.place(v) * kernel.width + horizontal.place(h)) * channels * outputs,
          (v * horizontal.count + h) * outputs)
      }
    }
  }

  // MARK: Memory

  /// Scratch memory of each pass.
  var forwardScratch: ConvolutionScratch { scratch(forwardGEMM, columns: outputs) }

  private func scratch(_ gemm: ImplicitGEMM, columns: Int) -> ConvolutionScratch {
    gemm.goesByColumns(columns)
      ? gemm.columnsScratch(columns, precision)
      : ConvolutionScratch(
        shared: PackedWeights.floats(depth: gemm.depth, columns: columns, precision)
          + gemm.placesScratch(precision),
        each: gemm.scratch(columns: columns, precision))
  }

  var inputGradientScratch: ConvolutionScratch {
    var most = ConvolutionScratch(shared: 0, each: 0, parts: 0)
    forEachInputGradientPass { _, _, gemm in
      let scratch = scratch(gemm, columns: channels)
      most = ConvolutionScratch(
        shared: max(most.shared, scratch.shared), each: max(most.each, scratch.each),
        parts: max(most.parts, scratch.parts))
    }
    return most
  }
}
