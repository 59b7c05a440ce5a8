// The weight gradient: dw[ky, kx, c, o] = sum over all output pixels of the input seen at (ky, kx, c) times the output
// gradient. For one kernel row ky, the values (kx, c) of a window are neighbours in the (padded) input, and the next
// pixel's window begins stride * C further on: again a product of something that lies there already.

import CKernels
import Tensors

extension DirectConvolution {
  /// Sets dw [K, K, C, O] from x [N, H, W, C] and dy [N, H', W', O].
  ///
  /// The work is cut over dw; where that makes too few pieces, over the lines of the batch too, whose sums are then
  /// added in order.
  func weightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ workers: WorkerPool
  ) {
    let (pieces, parts, weights) = (pieces, parts, weights)
    let lines = images * outputHeight
    var partial = Tensor(uninitialised: [parts > 1 ? parts * weights : 0])
    partial.write { partial in
      dw.write { dw in
        workers.run(shards: pieces.count * parts) { task in
          let (part, piece) = task.quotientAndRemainder(dividingBy: pieces.count)
          add(
            pieces[piece], lines: WorkerPool.range(part, of: parts, count: lines), x: x, dy: dy,
            to: parts > 1 ? partial + part * weights : dw)
        }
      }
    }
    if parts > 1 { sumShards(partial, shards: parts, into: &dw, workers) }
  }

  /// A rectangle of dw: some of the rows (kx, c) of one kernel row, some of the columns o.
  private struct Piece {
    let kernelRow: Int
    let rows: Range<Int>
    let columns: Range<Int>
  }

  /// Part of the numerical result, like `WorkerPool.standardShards`.
  private static let fewestTasks = 16
  private static let pieceSide = 256
  /// Output pixels whose gradients are packed at a time: their panel stays in the first cache.
  private static let blockPixels = 224

  private var pieces: [Piece] {
    let rows = kernel * channels
    let rowParts = (rows + Self.pieceSide - 1) / Self.pieceSide
    return (0..<kernel).flatMap { kernelRow in
      (0..<rowParts).flatMap { part in
        Swift.stride(from: 0, to: outputs, by: Self.pieceSide).map { column in
          Piece(
            kernelRow: kernelRow, rows: WorkerPool.range(part, of: rowParts, count: rows),
            columns: column..<min(column + Self.pieceSide, outputs))
        }
      }
    }
  }

  private var weights: Int { kernel * kernel * channels * outputs }

  /// Into how many parts the lines of the batch are cut.
  private var parts: Int {
    let pieces = pieces.count
    return pieces >= Self.fewestTasks
      ? 1 : min(images * outputHeight, (Self.fewestTasks + pieces - 1) / pieces)
  }

  private var linesInBlock: Int { max(1, Self.blockPixels / outputWidth) }

  /// Floats from line to line of the input, copied with its padding where it has any.
  private var rowFloats: Int { (width + 2 * padding) * channels }

  var weightGradientScratch: ConvolutionScratch {
    let columns = min(outputs, Self.pieceSide)
    return ConvolutionScratch(
      shared: parts > 1 ? parts * weights : 0,
      each: (padding > 0 ? linesInBlock * rowFloats : 0)
        + PackedMatrix.floats(depth: linesInBlock * outputWidth, columns: columns))
  }

  private func add(
    _ piece: Piece, lines: Range<Int>, x: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    to dw: UnsafeMutablePointer<Float>
  ) {
    let copies = padding > 0
    let row = rowFloats
    let size = linesInBlock
    var buffer = Tensor(uninitialised: [copies ? size * row : 0])
    let result = ProductResult(
      base: dw + (piece.kernelRow * kernel * channels + piece.rows.lowerBound) * outputs + piece.columns.lowerBound,
      line_stride: 0, row_stride: outputs)
    // Without padding and stride the lines of all images follow each other evenly.
    let crossesImages = kernel == 1 && stride == 1 && !copies
    var line = lines.lowerBound
    buffer.write { buffer in
      while line < lines.upperBound {
        let (image, first) = line.quotientAndRemainder(dividingBy: outputHeight)
        let count = min(size, lines.upperBound - line, crossesImages ? .max : outputHeight - first)
        let imageStart = x + image * height * width * channels
        let top = first * stride + piece.kernelRow - padding
        let base: UnsafePointer<Float>
        if copies {
          ck_pad_lines(imageStart, height, width, channels, top, stride, count, padding, padding, buffer)
          base = UnsafePointer(buffer)
        } else {
          base = imageStart + top * row
        }
        var gradients = PackedMatrix(depth: count * outputWidth, columns: piece.columns.count)
        gradients.pack(
          dy + line * outputWidth * outputs + piece.columns.lowerBound, count: count * outputWidth,
          rowStride: outputs)
        gradients.multiply(
          ProductOperand(
            base: base + piece.rows.lowerBound, lines: 1, line_stride: 0, rows: piece.rows.count, row_stride: 1,
            segments: count, segment_stride: (copies ? 1 : stride) * row, steps: outputWidth,
            step_stride: stride * channels),
          into: result, accumulating: line > lines.lowerBound)
        line += count
      }
    }
  }
}
