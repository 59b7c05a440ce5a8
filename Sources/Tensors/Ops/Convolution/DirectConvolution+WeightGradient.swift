// The weight gradient of a convolution by its definition: dw[ky, kx, c, o] = sum over all output pixels of the input seen
// at (ky, kx, c) times the output gradient. For one kernel row ky, the values (kx, c) of a window are neighbors in the
// (padded) input, and the next pixel's window begins stride * C further on: again a product of something that lies there
// already. In bfloat16, where the pairs of a product are of neighboring pixels, both sides are packed.

import CKernels

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
