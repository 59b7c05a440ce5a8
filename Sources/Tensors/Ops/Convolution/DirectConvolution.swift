// Convolution by its definition, three passes of it: the geometry of each pass as products of a map and a packed
// matrix. The forward pass slides the kernel over the input. The input gradient slides the kernel, turned around, over
// the output gradient; with a stride of s it is s * s such passes, one for each way in which a pixel's row and column
// can lie on the grid of windows, so that no zeros are multiplied. The weight gradient multiplies each line of windows
// with the line of output gradients above it.

import CKernels

/// The geometry of a convolution of a batch; see `Ops.convolve` for its definition.
struct DirectConvolution: Sendable {
  let images: Int
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
  init(input: [Int], weight: [Int], stride: Int, padding: Extent, _ precision: OperandPrecision = .float32) {
    precondition(input.count == 4 && input[3] == weight[2], "a convolution of \(weight[2]) channels got \(input)")
    // Not height > 0: integer division rounds minus a half up to zero.
    precondition(
      input[1] + 2 * padding.height >= weight[0] && input[2] + 2 * padding.width >= weight[1],
      "a \(weight[0])x\(weight[1]) convolution of \(input) leaves nothing")
    (images, height, width, channels) = (input[0], input[1], input[2], input[3])
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
    PackedWeights.withScratch(depth: gemm.depth, columns: outputs, precision) { weights in
      weights.pack(w, count: gemm.depth, rowStride: outputs, pool)
      gemm.run(x, weights, into: y, moments: moments, finish: finish, pool)
    }
  }

  var forwardGEMM: ImplicitGEMM {
    ImplicitGEMM(
      images: images, height: height, width: width, channels: channels, taps: (kernel.height, kernel.width),
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
          images: images, height: outputHeight, width: outputWidth, channels: outputs,
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
    for v in 0..<vertical.count {
      for h in 0..<horizontal.count {
        weights.pack(
          w + (vertical.place(v) * kernel.width + horizontal.place(h)) * channels * outputs,
          first: (v * horizontal.count + h) * outputs, count: outputs, rowStride: 1, columnStride: outputs, pool)
      }
    }
  }

  // MARK: Memory

  /// Scratch memory of each pass.
  var forwardScratch: ConvolutionScratch {
    ConvolutionScratch(
      shared: PackedWeights.floats(depth: forwardGEMM.depth, columns: outputs, precision),
      each: forwardGEMM.scratch(columns: outputs, precision))
  }

  var inputGradientScratch: ConvolutionScratch {
    var most = ConvolutionScratch(shared: 0, each: 0)
    forEachInputGradientPass { _, _, gemm in
      most.shared = max(most.shared, PackedWeights.floats(depth: gemm.depth, columns: channels, precision))
      most.each = max(most.each, gemm.scratch(columns: channels, precision))
    }
    return most
  }
}

// MARK: WeightGradient

// The weight gradient: dw[ky, kx, c, o] = sum over all output pixels of the input seen at (ky, kx, c) times the output
// gradient. For one kernel row ky, the values (kx, c) of a window are neighbors in the (padded) input, and the next
// pixel's window begins stride * C further on: again a product of something that lies there already. In bfloat16, where
// the pairs of a product are of neighboring pixels, both sides are packed.

extension DirectConvolution {
  /// Sets dw [KH, KW, C, O] from x [N, H, W, C] and dy [N, H', W', O].
  ///
  /// The work is cut over dw; where that makes too few pieces, over the lines of the batch too, whose sums are then
  /// added in order.
  func weightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ pool: ThreadPool
  ) {
    let (pieces, parts, weights) = (pieces, parts, weights)
    let lines = images * outputHeight
    StoragePool.withScratch(parts > 1 ? parts * weights : 0) { partial in
      dw.write { dw in
        pool.run(chunks: pieces * parts) { task in
          let (part, index) = task.quotientAndRemainder(dividingBy: pieces)
          add(
            piece(index), lines: ThreadPool.range(part, of: parts, count: lines), x: x, dy: dy,
            to: parts > 1 ? partial + part * weights : dw)
        }
      }
      if parts > 1 { sumChunks(partial, chunks: parts, into: &dw, pool) }
    }
  }

  /// A rectangle of dw: some of the rows (kx, c) of one kernel row, some of the columns o.
  private struct Piece {
    let kernelRow: Int
    let rows: Range<Int>
    let columns: Range<Int>
  }

  /// Part of the numerical result, like `ThreadPool.standardChunks`.
  private static let fewestTasks = 16
  private static let pieceSide = 256
  /// Output pixels whose gradients are packed at a time: their panel stays in the first cache.
  private static let blockPixels = 224

  /// Into how many pieces the rows of a kernel row and the columns are cut.
  private var cuts: (rows: Int, columns: Int) {
    func cuts(_ count: Int) -> Int { (count + Self.pieceSide - 1) / Self.pieceSide }
    return (cuts(kernel.width * channels), cuts(outputs))
  }

  private var pieces: Int { kernel.height * cuts.rows * cuts.columns }

  private func piece(_ index: Int) -> Piece {
    let (rows, column) = index.quotientAndRemainder(dividingBy: cuts.columns)
    let (kernelRow, row) = rows.quotientAndRemainder(dividingBy: cuts.rows)
    let first = column * Self.pieceSide
    return Piece(
      kernelRow: kernelRow, rows: ThreadPool.range(row, of: cuts.rows, count: kernel.width * channels),
      columns: first..<min(first + Self.pieceSide, outputs))
  }

  private var weights: Int { kernel.count * channels * outputs }

  /// Into how many parts the lines of the batch are cut.
  private var parts: Int {
    pieces >= Self.fewestTasks
      ? 1 : min(images * outputHeight, (Self.fewestTasks + pieces - 1) / pieces)
  }

  private var linesInBlock: Int { max(1, Self.blockPixels / outputWidth) }

  /// Floats from line to line of the input, copied with its padding where it has any.
  private var rowFloats: Int { (width + 2 * padding.width) * channels }

  /// Whether lines are copied, for the zeros around them.
  private var copies: Bool { padding != 0 }

  /// Output pixels of a block; in bfloat16 each line begins with a new pair.
  private var depthInBlock: Int {
    linesInBlock * (precision == .bfloat16 ? 2 * precision.places(outputWidth) : outputWidth)
  }

  var weightGradientScratch: ConvolutionScratch {
    let columns = min(outputs, Self.pieceSide)
    let depth = depthInBlock
    let windows =
      precision == .bfloat16 ? precision.places(depth) * min(kernel.width * channels, Self.pieceSide) : 0
    return ConvolutionScratch(
      shared: parts > 1 ? parts * weights : 0,
      each: (copies ? linesInBlock * rowFloats : 0) + windows
        + PackedWeights.floats(depth: depth, columns: columns, precision))
  }

  /// Whether the pixels of all images follow each other evenly: without padding and stride.
  private var crossesImages: Bool { kernel == 1 && stride == 1 && padding == 0 }

  private func add(
    _ piece: Piece, lines: Range<Int>, x: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    to dw: UnsafeMutablePointer<Float>
  ) {
    let copies = copies
    let row = rowFloats
    let size = linesInBlock
    let result = ProductResult(
      base: dw + (piece.kernelRow * kernel.width * channels + piece.rows.lowerBound) * outputs
        + piece.columns.lowerBound,
      line_stride: 0, row_stride: outputs)
    var line = lines.lowerBound
    StoragePool.withScratch(copies ? size * row : 0) { buffer in
      // One for all blocks; the last may leave some of its rows unused.
      PackedWeights.withScratch(depth: depthInBlock, columns: piece.columns.count, precision) { gradients in
        while line < lines.upperBound {
          let (image, first) = line.quotientAndRemainder(dividingBy: outputHeight)
          let count = min(size, lines.upperBound - line, crossesImages ? .max : outputHeight - first)
          let imageStart = x + image * height * width * channels
          let top = first * stride + piece.kernelRow - padding.height
          var windows = Windows(
            base: imageStart + top * row, lines: count, lineStride: stride * row, pixels: outputWidth,
            pixelStride: stride * channels)
          if copies {
            ck_pad_lines(
              imageStart, height, width, channels, top, stride, count, padding.width, padding.width, buffer)
            (windows.base, windows.lineStride) = (UnsafePointer(buffer), row)
          }
          if crossesImages { (windows.lines, windows.pixels) = (1, count * outputWidth) }
          windows.base += piece.rows.lowerBound
          let block = dy + line * outputWidth * outputs + piece.columns.lowerBound
          let accumulating = line > lines.lowerBound
          switch precision {
          case .float32: multiply(windows, block, gradients, piece, into: result, accumulating: accumulating)
          case .bfloat16: multiplyPairs(windows, block, gradients, piece, into: result, accumulating: accumulating)
          }
          line += count
        }
      }
    }
  }

  /// The windows of some pixels: where the first begins, and how far it is to the next one.
  private struct Windows {
    var base: UnsafePointer<Float>
    var lines: Int
    var lineStride: Int
    var pixels: Int
    var pixelStride: Int
  }

  /// Reads the windows where they lie.
  private func multiply(
    _ windows: Windows, _ dy: UnsafePointer<Float>, _ gradients: PackedWeights, _ piece: Piece,
    into result: ProductResult, accumulating: Bool
  ) {
    gradients.pack(dy, count: windows.lines * windows.pixels, rowStride: outputs)
    gradients.multiply(
      ProductOperand(
        base: windows.base, lines: 1, line_stride: 0, rows: piece.rows.count, row_stride: 1,
        segments: windows.lines,
        segment_stride: windows.lineStride, steps: windows.pixels, step_stride: windows.pixelStride),
      into: result, accumulating: accumulating)
  }

  /// Packs the windows too, in pairs of neighboring pixels; each line begins with a new pair.
  private func multiplyPairs(
    _ windows: Windows, _ dy: UnsafePointer<Float>, _ gradients: PackedWeights, _ piece: Piece,
    into result: ProductResult, accumulating: Bool
  ) {
    let rows = piece.rows.count
    let pairs = precision.places(windows.pixels)
    StoragePool.withScratch(windows.lines * pairs * rows) { packed in
      for line in 0..<windows.lines {
        gradients.pack(
          dy + line * windows.pixels * outputs, first: line * 2 * pairs, count: windows.pixels, rowStride: outputs)
        ck_pack_pairs(
          windows.base + line * windows.lineStride, windows.pixels, rows, windows.pixelStride, 1, line * pairs,
          rows,
          0, packed)
      }
      gradients.multiply(
        ProductOperand(
          base: packed, lines: 1, line_stride: 0, rows: rows, row_stride: 1, segments: 1, segment_stride: 0,
          steps: windows.lines * pairs, step_stride: rows),
        into: result, accumulating: accumulating)
    }
  }
}
