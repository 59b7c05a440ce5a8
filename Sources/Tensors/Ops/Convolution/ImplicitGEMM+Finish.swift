// The same products for inference, where each number of the result is complete when it leaves the registers. No sum
// crosses the cuts, so they follow what caches hold: a part of the source stays while all panels of the weights go by,
// and where there are few results, threads share out the panels.

import CKernels

extension ImplicitGEMM {
  /// result = activation(as `run` has it + bias + addend), of results that lie close together.
  func finish(
    _ source: UnsafePointer<Float>, _ weights: PackedWeights, into result: UnsafeMutablePointer<Float>,
    _ finish: ProductFinish, _ pool: ThreadPool
  ) {
    precondition(weights.depth == depth, "weights of depth \(weights.depth) for windows of \(depth)")
    if goesByPlaces { return multiplyPlaces(source, weights, into: result, finish, pool) }
    let rows = images * lines * pixels
    let rowChunks = max(1, min(Self.mostRowChunks, rows / Self.fewestRows, readsPixels ? rows : images * lines))
    // Threads that wait are worse than reading the source more than once.
    let wanted = pool.threads == 1 ? 1 : Self.chunksForThread * pool.threads
    let columnChunks = max(1, min(weights.panelCount, (wanted + rowChunks - 1) / rowChunks))
    pool.run(chunks: rowChunks * columnChunks) { chunk in
      let (row, column) = chunk.quotientAndRemainder(dividingBy: columnChunks)
      let columns = weights.columns(column, of: columnChunks)
      if readsPixels {
        finishPixels(
          ThreadPool.range(row, of: rowChunks, count: rows), source, weights, columns, into: result, finish)
      } else {
        finishLines(
          ThreadPool.range(row, of: rowChunks, count: images * lines), source, weights, columns, into: result,
          finish)
      }
    }
  }

  private static let mostRowChunks = 64
  private static let fewestRows = 192
  private static let chunksForThread = 4
  /// Floats of lines that are copied at a time: 1 MB.
  private static let copiedFloats = 262_144

  /// Floats that each thread needs for copies.
  func finishScratch(columns: Int, _ precision: OperandPrecision) -> Int {
    if goesByPlaces { return 0 }
    guard readsPixels else { return copies(precision) ? copiedLines * rowFloats : 0 }
    return gathers(precision) ? pixelsInBlock(columns: columns) * gatheredRow(precision) : 0
  }

  private func finishPixels(
    _ rows: Range<Int>, _ source: UnsafePointer<Float>, _ weights: PackedWeights, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Float>, _ finish: ProductFinish
  ) {
    let places = weights.precision.places(channels)
    let pixelsInBlock = pixelsInBlock(columns: weights.columns)
    let (gathers, row) = (gathers(weights.precision), gatheredRow(weights.precision))
    StoragePool.withScratch(gathers ? pixelsInBlock * row : 0) { gathered in
      for start in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: pixelsInBlock) {
        let block = start..<min(start + pixelsInBlock, rows.upperBound)
        if gathers { gather(block, source, weights.precision, into: gathered) }
        multiply(
          ProductOperand(
            base: gathers ? UnsafePointer(gathered) : source + start * channels, lines: 1, line_stride: 0,
            rows: block.count, row_stride: gathers ? row : places, segments: 1, segment_stride: 0, steps: places,
            step_stride: 1),
          weights, columns, pixel: start, into: result, finish)
      }
    }
  }

  /// Lines of source that a copy has room for: those of one block of results, or of several images.
  private var copiedLines: Int {
    max(taps.vertical, min(Self.copiedFloats / max(1, rowFloats), images * linesOfImage))
  }

  /// Lines of source that all results of an image read, padding included.
  private var linesOfImage: Int { (lines - 1) * stride + taps.vertical }

  /// Some lines of results of one image, and where the first of their windows begins.
  private struct Piece {
    let line: Int
    let count: Int
    let base: UnsafePointer<Float>
  }

  private func finishLines(
    _ range: Range<Int>, _ source: UnsafePointer<Float>, _ weights: PackedWeights, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Float>, _ finish: ProductFinish
  ) {
    let precision = weights.precision
    let (copies, row, room) = (copies(precision), rowFloats, copiedLines)
    StoragePool.withScratch(copies ? room * row : 0) { buffer in
      var line = range.lowerBound
      while line < range.upperBound {
        var pieces: [Piece] = []
        var used = 0
        while line < range.upperBound {
          let (image, first) = line.quotientAndRemainder(dividingBy: lines)
          let fitting = (room - used - taps.vertical) / stride + 1
          guard room - used >= taps.vertical, fitting > 0 else { break }
          let count = min(copies ? fitting : lines, range.upperBound - line, lines - first)
          let imageStart = source + image * height * width * channels
          let top = origin.y + first * stride
          var base = imageStart + top * row + origin.x * channels
          if copies {
            let copied = (count - 1) * stride + taps.vertical
            let target = buffer + used * row
            ck_pad_lines(imageStart, height, width, channels, top, 1, copied, before, after, target)
            if precision == .bfloat16 { ck_round_pairs(target, precision.places(copied * row), target) }
            base = UnsafePointer(target) + precision.places((origin.x + before) * channels)
            used += copied
          }
          pieces.append(Piece(line: line, count: count, base: base))
          line += count
          if !copies { break }
        }
        // A panel of the weights stays while the pieces go by.
        let width = 2 * precision.lanes
        for first in Swift.stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
          let part = first..<min(first + width, columns.upperBound)
          for piece in pieces {
            multiply(
              ProductOperand(
                base: piece.base, lines: piece.count, line_stride: precision.places(stride * row), rows: pixels,
                row_stride: precision.places(stride * channels), segments: taps.vertical,
                segment_stride: precision.places(row), steps: precision.places(taps.horizontal * channels),
                step_stride: 1),
              weights, part, pixel: piece.line * pixels, into: result, finish)
          }
        }
      }
    }
  }

  /// - Parameter pixel: the first of the results.
  private func multiply(
    _ operand: ProductOperand, _ weights: PackedWeights, _ columns: Range<Int>, pixel: Int,
    into result: UnsafeMutablePointer<Float>, _ finish: ProductFinish
  ) {
    var finish = finish
    let start = pixel * weights.columns
    if let addend = finish.addend { finish.addend = addend + start }
    weights.multiply(
      operand,
      into: ProductResult(
        base: result + start, line_stride: pixels * weights.columns, row_stride: weights.columns),
      columns: columns, finish: finish)
  }
}
