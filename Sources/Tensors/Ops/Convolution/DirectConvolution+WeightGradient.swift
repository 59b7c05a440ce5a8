// The weight gradient of a convolution by its definition: dw[ky, kx, c, o] = sum over all output pixels of the input seen
// at (ky, kx, c) times the output gradient. For one kernel row ky, the values (kx, c) of a window are neighbors in the
// (padded) input, and the next pixel's window begins stride * C further on: again a product of something that lies there
// already, though with many channels so far apart that the windows are better copied. On maps of a few pixels each tap is
// a product of its own, over the pixels at which it sees the map. In bfloat16, where the pairs of a product are of
// neighboring pixels, both sides are packed.

import CKernels

extension DirectConvolution {
  /// Sets dw [KH, KW, C, O] from x [N, H, W, C] and dy [N, H', W', O].
  ///
  /// The work is cut over dw; where that makes too few pieces, over the batch too, whose sums are then added in order.
  func weightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ pool: ThreadPool
  ) {
    let (pieces, parts, weights) = (pieces, parts, weights)
    StoragePool.withScratch(parts > 1 ? parts * weights : 0) { partial in
      dw.write { dw in
        pool.run(chunks: pieces * parts) { task in
          let (part, index) = task.quotientAndRemainder(dividingBy: pieces)
          let range = ThreadPool.range(part, of: parts, count: summands)
          let target = parts > 1 ? partial + part * weights : dw
          if takesTapsAlone {
            addPlaces(piece(index), images: range, x: x, dy: dy, to: target)
          } else {
            addLines(piece(index), range, x: x, dy: dy, to: target)
          }
        }
      }
      if parts > 1 { sumChunks(partial, chunks: parts, into: &dw, pool) }
    }
  }

  var weightGradientScratch: ConvolutionScratch {
    let (rows, columns) = (widestRows, min(outputs, Self.pieceSide))
    let lines = takesTapsAlone || !copies ? 0 : copiedLines * rowFloats
    let depth = gathers ? Self.blockPixels : linesInBlock * outputWidth
    return ConvolutionScratch(
      shared: parts > 1 ? parts * weights : 0,
      each: lines + (gathers ? windowFloats(rows: rows) : 0)
        + PackedWeights.floats(depth: depth, columns: columns, precision))
  }

  // MARK: Cuts

  /// A rectangle of dw, or of each of several kernel rows: some of the rows (kx, c), some of the columns o.
  private struct Piece {
    let kernelRows: Range<Int>
    let rows: Range<Int>
    let columns: Range<Int>
  }

  // These, and what decides whether windows are copied, are part of the numerical result, like
  // `ThreadPool.standardChunks`.

  private static let fewestTasks = 16
  private static let pieceSide = 256
  /// Output pixels whose gradients are packed at a time: their panel stays in the first cache. An even number, because
  /// bfloat16 goes by pairs.
  private static let blockPixels = 224

  /// Whether each tap is summed up alone, over all pixels at which it sees the map: of small ones, whose lines are short.
  private var takesTapsAlone: Bool {
    !crossesImages && ImplicitGEMM.isSmall(lines: outputHeight, pixels: outputWidth, batch: batch)
  }

  /// (kx, c) of a kernel row, or the channels of a tap.
  private var rowsOfPieces: Int { takesTapsAlone ? channels : kernel.width * channels }

  /// Whether a piece has all kernel rows: where they are short, packing the gradients for each would take longest.
  private var joinsKernelRows: Bool {
    precision == .float32 && kernel.height > 1 && !takesTapsAlone && kernel.count * channels <= Self.pieceSide
  }

  /// Into how many pieces: kernel rows or taps, and of each the rows and the columns.
  private var cuts: (kernel: Int, rows: Int, columns: Int) {
    func cuts(_ count: Int) -> Int { (count + Self.pieceSide - 1) / Self.pieceSide }
    let kernelCuts = takesTapsAlone ? kernel.count : joinsKernelRows ? 1 : kernel.height
    return (kernelCuts, cuts(rowsOfPieces), cuts(outputs))
  }

  private var pieces: Int { cuts.kernel * cuts.rows * cuts.columns }

  private var widestRows: Int { (rowsOfPieces + cuts.rows - 1) / cuts.rows }

  private func piece(_ index: Int) -> Piece {
    let (rows, column) = index.quotientAndRemainder(dividingBy: cuts.columns)
    let (place, row) = rows.quotientAndRemainder(dividingBy: cuts.rows)
    let (kernelRow, tap) = takesTapsAlone ? place.quotientAndRemainder(dividingBy: kernel.width) : (place, 0)
    let range = ThreadPool.range(row, of: cuts.rows, count: rowsOfPieces)
    let first = column * Self.pieceSide
    return Piece(
      kernelRows: joinsKernelRows ? 0..<kernel.height : kernelRow..<(kernelRow + 1),
      rows: (tap * channels + range.lowerBound)..<(tap * channels + range.upperBound),
      columns: first..<min(first + Self.pieceSide, outputs))
  }

  private var weights: Int { kernel.count * channels * outputs }

  /// What the parts of the batch are made of: images where taps are taken alone, else lines of output.
  private var summands: Int { takesTapsAlone ? images : images * outputHeight }

  private var parts: Int {
    pieces >= Self.fewestTasks ? 1 : min(summands, (Self.fewestTasks + pieces - 1) / pieces)
  }

  private func result(
    _ piece: Piece, kernelRow: Int, in dw: UnsafeMutablePointer<Float>
  ) -> ProductResult {
    ProductResult(
      base: dw + (kernelRow * kernel.width * channels + piece.rows.lowerBound) * outputs + piece.columns.lowerBound,
      line_stride: 0, row_stride: outputs)
  }

  // MARK: Lines

  private var linesInBlock: Int { max(1, Self.blockPixels / outputWidth) }

  /// Floats from line to line of the input, copied with its padding where it has any.
  private var rowFloats: Int { (width + 2 * padding.width) * channels }

  /// Whether lines are copied, for the zeros around them.
  private var copies: Bool { padding != 0 }

  /// Lines of input that the windows of a block of output lines see, of one kernel row or of all.
  private var copiedLines: Int {
    joinsKernelRows ? (linesInBlock - 1) * stride + kernel.height : linesInBlock
  }

  /// Whether the pixels of all images follow each other evenly: without padding and stride.
  private var crossesImages: Bool { kernel == 1 && stride == 1 && padding == 0 }

  /// Whether windows are copied to rows that lie close together: those of pixels far apart, mostly a power of two, are in
  /// few sets of the first cache, and each in a page of its own. In bfloat16 they are packed.
  private var gathers: Bool {
    precision == .bfloat16 || takesTapsAlone || !joinsKernelRows && stride * channels >= Self.farFloats
  }

  private static let farFloats = 256

  private func addLines(
    _ piece: Piece, _ lines: Range<Int>, x: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    to dw: UnsafeMutablePointer<Float>
  ) {
    let (row, size) = (rowFloats, linesInBlock)
    StoragePool.withScratch(copies ? copiedLines * row : 0) { buffer in
      withBlock(piece) { block in
        var line = lines.lowerBound
        while line < lines.upperBound {
          let (image, first) = line.quotientAndRemainder(dividingBy: outputHeight)
          let count = min(size, lines.upperBound - line, crossesImages ? .max : outputHeight - first)
          let imageStart = x + image * height * width * channels
          let top = first * stride + piece.kernelRows.lowerBound - padding.height
          var (base, lineStride) = (imageStart + top * row, stride * row)
          if copies {
            // Of one kernel row only the lines that it sees.
            let (step, copied) =
              joinsKernelRows ? (1, (count - 1) * stride + kernel.height) : (stride, count)
            ck_pad_lines(
              imageStart, height, width, channels, top, step, copied, padding.width, padding.width, buffer)
            (base, lineStride) = (UnsafePointer(buffer), step == 1 ? stride * row : row)
          }
          let windows = Windows(
            base: base + piece.rows.lowerBound, lines: crossesImages ? 1 : count, lineStride: lineStride,
            pixels: crossesImages ? count * outputWidth : outputWidth, pixelStride: stride * channels)
          let gradients = dy + line * outputWidth * outputs + piece.columns.lowerBound
          if gathers {
            gather(windows, gradients, piece, into: dw, &block)
          } else {
            multiply(windows, gradients, piece, into: dw, block, accumulating: line > lines.lowerBound)
          }
          line += count
        }
        if gathers { finish(piece, into: dw, &block) }
      }
    }
  }

  /// The windows of some lines of output: where the first begins, and how far it is to the next one.
  private struct Windows {
    var base: UnsafePointer<Float>
    var lines: Int
    var lineStride: Int
    var pixels: Int
    var pixelStride: Int
  }

  /// Reads the windows where they lie, for each kernel row of the piece.
  private func multiply(
    _ windows: Windows, _ dy: UnsafePointer<Float>, _ piece: Piece, into dw: UnsafeMutablePointer<Float>,
    _ block: Block, accumulating: Bool
  ) {
    block.gradients.pack(dy, count: windows.lines * windows.pixels, rowStride: outputs)
    for kernelRow in piece.kernelRows {
      block.gradients.multiply(
        ProductOperand(
          base: windows.base + (kernelRow - piece.kernelRows.lowerBound) * rowFloats, lines: 1, line_stride: 0,
          rows: piece.rows.count, row_stride: 1, segments: windows.lines, segment_stride: windows.lineStride,
          steps: windows.pixels, step_stride: windows.pixelStride),
        into: result(piece, kernelRow: kernelRow, in: dw), accumulating: accumulating)
    }
  }

  /// Line by line.
  private func gather(
    _ windows: Windows, _ dy: UnsafePointer<Float>, _ piece: Piece, into dw: UnsafeMutablePointer<Float>,
    _ block: inout Block
  ) {
    for line in 0..<windows.lines {
      let steps = Steps(
        window: windows.base + line * windows.lineStride, windowStride: windows.pixelStride,
        gradient: dy + line * windows.pixels * outputs, gradientStride: outputs, count: windows.pixels)
      add(steps, piece, into: dw, &block)
    }
  }

  // MARK: Places

  /// Goes through the output pixels at which the piece's tap sees the map, of all images each.
  private func addPlaces(
    _ piece: Piece, images: Range<Int>, x: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    to dw: UnsafeMutablePointer<Float>
  ) {
    let (tap, channel) = piece.rows.lowerBound.quotientAndRemainder(dividingBy: channels)
    let (map, outputMap) = (height * width * channels, outputHeight * outputWidth * outputs)
    withBlock(piece) { block in
      for line in 0..<outputHeight {
        let y = line * stride + piece.kernelRows.lowerBound - padding.height
        guard (0..<height).contains(y) else { continue }
        for pixel in 0..<outputWidth {
          let place = pixel * stride + tap - padding.width
          guard (0..<width).contains(place) else { continue }
          let steps = Steps(
            window: x + images.lowerBound * map + (y * width + place) * channels + channel, windowStride: map,
            gradient: dy + images.lowerBound * outputMap + (line * outputWidth + pixel) * outputs
              + piece.columns.lowerBound,
            gradientStride: outputMap, count: images.count)
          add(steps, piece, into: dw, &block)
        }
      }
      finish(piece, into: dw, &block)
    }
  }

  // MARK: Blocks

  /// Steps of the sum that lie evenly: windows, and the gradients of the pixels that were made from them.
  private struct Steps {
    var window: UnsafePointer<Float>
    var windowStride: Int
    var gradient: UnsafePointer<Float>
    var gradientStride: Int
    var count: Int
  }

  /// Both sides of a product, as they are filled.
  private struct Block {
    /// [steps, rows], or pairs of steps; unused where windows are read where they lie.
    let windows: UnsafeMutablePointer<Float>
    /// [steps, columns].
    let gradients: PackedWeights
    /// Steps that are there; in bfloat16 each run of them begins with a new pair.
    var filled = 0
    /// Whether the result has been set.
    var accumulating = false
  }

  private func windowFloats(rows: Int) -> Int { precision.places(Self.blockPixels) * windowRow(rows) }

  /// From step to step of gathered windows: never a multiple of 1 KB, where many would be in the same set of the first
  /// cache.
  private func windowRow(_ rows: Int) -> Int { (rows + 16) % 256 == 0 ? rows + 32 : rows + 16 }

  private func withBlock(_ piece: Piece, _ body: (inout Block) -> Void) {
    let depth = gathers ? Self.blockPixels : linesInBlock * outputWidth
    StoragePool.withScratch(gathers ? windowFloats(rows: piece.rows.count) : 0) { windows in
      PackedWeights.withScratch(depth: depth, columns: piece.columns.count, precision) { gradients in
        var block = Block(windows: windows, gradients: gradients)
        body(&block)
      }
    }
  }

  /// Gathers steps, and multiplies whenever there is a block of them.
  private func add(
    _ steps: Steps, _ piece: Piece, into dw: UnsafeMutablePointer<Float>, _ block: inout Block
  ) {
    let row = windowRow(piece.rows.count)
    var done = 0
    while done < steps.count {
      let count = min(steps.count - done, Self.blockPixels - block.filled)
      let window = steps.window + done * steps.windowStride
      block.gradients.pack(
        steps.gradient + done * steps.gradientStride, first: block.filled, count: count,
        rowStride: steps.gradientStride)
      switch precision {
      case .float32:
        for step in 0..<count {
          (block.windows + (block.filled + step) * row)
            .update(from: window + step * steps.windowStride, count: piece.rows.count)
        }
        block.filled += count
      case .bfloat16:
        ck_pack_pairs(
          window, count, piece.rows.count, steps.windowStride, 1, precision.places(block.filled), row, 0,
          block.windows)
        block.filled += 2 * precision.places(count)
      }
      done += count
      if block.filled == Self.blockPixels { multiply(piece, into: dw, &block) }
    }
  }

  /// What has been gathered since the last product.
  private func finish(_ piece: Piece, into dw: UnsafeMutablePointer<Float>, _ block: inout Block) {
    if block.filled > 0 { multiply(piece, into: dw, &block) }
    guard !block.accumulating else { return }
    // A tap that only ever sees padding.
    let result = result(piece, kernelRow: piece.kernelRows.lowerBound, in: dw)
    for row in 0..<piece.rows.count {
      (result.base + row * result.row_stride).update(repeating: 0, count: piece.columns.count)
    }
  }

  private func multiply(_ piece: Piece, into dw: UnsafeMutablePointer<Float>, _ block: inout Block) {
    block.gradients.multiply(
      ProductOperand(
        base: UnsafePointer(block.windows), lines: 1, line_stride: 0, rows: piece.rows.count, row_stride: 1,
        segments: 1, segment_stride: 0, steps: precision.places(block.filled),
        step_stride: windowRow(piece.rows.count)),
      into: result(piece, kernelRow: piece.kernelRows.lowerBound, in: dw), accumulating: block.accumulating)
    (block.filled, block.accumulating) = (0, true)
  }
}
