// One map slid over another as matrix products that read the map where it lies: the form that a convolution's
// forward pass and its input gradient share. No matrix of columns exists; where there is padding, a block of lines is
// copied with its zeros, small enough to stay in the second cache; likewise where it is rounded to bfloat16.

import CKernels

/// result[n, y, x, o] = sum over v, h, c of
/// source[n, origin.y + y * stride + v, origin.x + x * stride + h, c] * weights[v, h, c, o],
/// where the source is zero outside.
struct ImplicitGEMM: Sendable {
  /// The source: [images, height, width, channels].
  var images: Int
  /// Those of the batch that the source is a part of: they decide in which order sums are added up.
  var batch: Int
  var height: Int
  var width: Int
  var channels: Int
  /// How many source pixels a result reads each way.
  var taps: (vertical: Int, horizontal: Int)
  /// The first of them, for the first result; negative in the padding.
  var origin: (y: Int, x: Int)
  var stride: Int
  /// The results of an image.
  var lines: Int
  var pixels: Int
  /// Floats from result to result, and before the first.
  var resultStrides: (image: Int, line: Int, pixel: Int)
  var resultOffset = 0

  /// Rows of the packed weights.
  var depth: Int { taps.vertical * taps.horizontal * channels }

  /// Zero pixels that a copied line needs before and after.
  var before: Int { max(0, -origin.x) }
  var after: Int { max(0, origin.x + (pixels - 1) * stride + taps.horizontal - width) }
  private var reachesOutside: Bool {
    before + after > 0 || origin.y < 0 || origin.y + (lines - 1) * stride + taps.vertical > height
  }

  /// Whether each result reads a single pixel: then those pixels are the rows of one matrix, though not neighbors.
  var readsPixels: Bool { taps == (1, 1) && !reachesOutside }

  /// About so many floats of the source are walked over before the next panel of weights is: 192 KB.
  private static let blockFloats = 49_152

  /// Where each result reads one pixel, about so many floats of results are made before the next panel of weights is
  /// walked over: 112 KB. What the tiles write comes into the second cache beside the source and the panel.
  private static let blockResultFloats = 28_672

  /// Fewer pixels would wait for the weights: four tiles of the largest kind.
  private static let fewestPixels = 56

  /// Pixels that are multiplied at a time. They are part of the numerical result where moments are gathered.
  func pixelsInBlock(columns: Int) -> Int {
    let fitting = min(Self.blockFloats / channels, Self.blockResultFloats / columns)
    return min(max(Self.fewestPixels, fitting), images * lines * pixels)
  }

  /// - Parameters:
  ///   - moments: what the results are added to, in standard chunks, where they lie close together.
  ///   - finish: done to the results, where they lie close together.
  func run(
    _ source: UnsafePointer<Float>, _ weights: PackedWeights, into result: UnsafeMutablePointer<Float>,
    moments: ChannelMoments.Gathering? = nil, finish: ConvolutionFinish? = nil, _ pool: ThreadPool
  ) {
    precondition(weights.depth == depth, "weights of depth \(weights.depth) for windows of \(depth)")
    precondition(
      moments == nil && finish == nil || !scatters(columns: weights.columns), "something of results that are apart")
    if goesByPlaces {
      precondition(moments == nil, "moments of results that are made by places")
      multiplyPlaces(source, weights, into: result, nil, pool)
      finish?.apply(to: result, pixels: images * lines * pixels, pool)
      return
    }
    let (readsPixels, columns) = (readsPixels, weights.columns)
    let count = readsPixels ? images * lines * pixels : images * lines
    let chunks = min(ThreadPool.standardChunks, count)
    pool.run(chunks: chunks) { chunk in
      let range = ThreadPool.range(chunk, of: chunks, count: count)
      if readsPixels {
        multiplyPixels(range, source, weights, into: result) { rows in
          moments?.add(result + rows.lowerBound * columns, rows: rows.count, chunk: chunk)
          finish?.apply(to: result, pixels: rows)
        }
      } else {
        multiplyLines(range, source, weights, into: result) { lines in
          moments?.add(result + lines.lowerBound * pixels * columns, rows: lines.count * pixels, chunk: chunk)
          finish?.apply(to: result, pixels: (lines.lowerBound * pixels)..<(lines.upperBound * pixels))
        }
      }
    }
  }

  /// Gathers the pixels where they are apart or are rounded, and scatters the results where those are apart: many rows
  /// that lie evenly make better products than a few of each line.
  private func multiplyPixels(
    _ rows: Range<Int>, _ source: UnsafePointer<Float>, _ weights: PackedWeights,
    into result: UnsafeMutablePointer<Float>, _ whenDone: (_ rows: Range<Int>) -> Void
  ) {
    let columns = weights.columns
    let places = weights.precision.places(channels)
    let pixelsInBlock = pixelsInBlock(columns: columns)
    let (gathers, row) = (gathers(weights.precision), gatheredRow(weights.precision))
    let scatters = scatters(columns: columns)
    StoragePool.withScratch(gathers ? pixelsInBlock * row : 0) { gathered in
      StoragePool.withScratch(scatters ? pixelsInBlock * columns : 0) { products in
        for start in Swift.stride(from: rows.lowerBound, to: rows.upperBound, by: pixelsInBlock) {
          let block = start..<min(start + pixelsInBlock, rows.upperBound)
          if gathers { gather(block, source, weights.precision, into: gathered) }
          weights.multiply(
            ProductOperand(
              base: gathers ? UnsafePointer(gathered) : source + start * channels, lines: 1, line_stride: 0,
              rows: block.count, row_stride: gathers ? row : places, segments: 1, segment_stride: 0, steps: places,
              step_stride: 1),
            into: ProductResult(
              base: scatters ? products : result + resultOffset + start * columns, line_stride: 0,
              row_stride: columns))
          if scatters { scatter(products, columns: columns, into: result, block) }
          whenDone(block)
        }
      }
    }
  }

  /// Pixels to rows that lie evenly, `gatheredRow` places apart.
  func gather(
    _ block: Range<Int>, _ source: UnsafePointer<Float>, _ precision: OperandPrecision,
    into gathered: UnsafeMutablePointer<Float>
  ) {
    let places = precision.places(channels)
    let distance = gatheredRow(precision)
    if isSourceDense, distance == places, precision == .bfloat16 {
      return ck_round_pairs(source + block.lowerBound * channels, block.count * places, gathered)
    }
    for (index, row) in block.enumerated() {
      let (image, y, x) = position(row)
      let pixel =
        source + ((image * height + origin.y + y * stride) * width + origin.x + x * stride) * channels
      switch precision {
      case .float32: (gathered + index * distance).update(from: pixel, count: channels)
      case .bfloat16: ck_round_pairs(pixel, places, gathered + index * distance)
      }
    }
  }

  /// - Parameter result: where the first of the columns goes.
  func scatter(
    _ products: UnsafePointer<Float>, columns: Int, into result: UnsafeMutablePointer<Float>, _ block: Range<Int>
  ) {
    for (index, row) in block.enumerated() {
      let (image, y, x) = position(row)
      let offset = image * resultStrides.image + y * resultStrides.line + x * resultStrides.pixel
      (result + resultOffset + offset).update(from: products + index * columns, count: columns)
    }
  }

  /// Image, line and pixel of a result.
  private func position(_ row: Int) -> (image: Int, y: Int, x: Int) {
    let (line, x) = row.quotientAndRemainder(dividingBy: pixels)
    let (image, y) = line.quotientAndRemainder(dividingBy: lines)
    return (image, y, x)
  }

  private var isSourceDense: Bool { stride == 1 && origin == (0, 0) && lines == height && pixels == width }

  func gathers(_ precision: OperandPrecision) -> Bool {
    precision == .bfloat16 || !isSourceDense || collides(precision)
  }

  /// Rows a multiple of 4 KB apart are in the same set of the first cache, which holds fewer of them than a tile has: they
  /// are copied to a distance that is none.
  private func collides(_ precision: OperandPrecision) -> Bool { precision.places(channels) % 1024 == 0 }

  /// Places from row to row of what is gathered.
  func gatheredRow(_ precision: OperandPrecision) -> Int {
    precision.places(channels) + (collides(precision) ? 16 : 0)
  }

  /// Whether results of so many columns are apart.
  func scatters(columns: Int) -> Bool {
    resultStrides != (lines * pixels * columns, pixels * columns, columns)
  }

  /// Floats that each thread needs for copies.
  func scratch(columns: Int, _ precision: OperandPrecision) -> Int {
    if goesByPlaces { return 0 }
    guard readsPixels else { return copies(precision) ? bufferFloats : 0 }
    let pixelsInBlock = pixelsInBlock(columns: columns)
    return (gathers(precision) ? pixelsInBlock * gatheredRow(precision) : 0)
      + (scatters(columns: columns) ? pixelsInBlock * columns : 0)
  }

  /// Lines are copied where they need zeros around them, or are rounded.
  func copies(_ precision: OperandPrecision) -> Bool { reachesOutside || precision == .bfloat16 }

  var rowFloats: Int { (before + width + after) * channels }

  /// Lines of results that are made from one block of source lines.
  private var linesInBlock: Int { min(max(1, Self.blockFloats / (stride * rowFloats)), lines) }

  private var bufferFloats: Int { ((linesInBlock - 1) * stride + taps.vertical) * rowFloats }

  private func multiplyLines(
    _ range: Range<Int>, _ source: UnsafePointer<Float>, _ weights: PackedWeights,
    into result: UnsafeMutablePointer<Float>, _ whenDone: (_ lines: Range<Int>) -> Void
  ) {
    let precision = weights.precision
    let copies = copies(precision)
    let row = rowFloats
    let size = linesInBlock
    var line = range.lowerBound
    StoragePool.withScratch(copies ? bufferFloats : 0) { buffer in
      while line < range.upperBound {
        let (image, first) = line.quotientAndRemainder(dividingBy: lines)
        let count = min(size, range.upperBound - line, lines - first)
        let imageStart = source + image * height * width * channels
        let top = origin.y + first * stride
        let base: UnsafePointer<Float>
        if copies {
          let copied = (count - 1) * stride + taps.vertical
          ck_pad_lines(imageStart, height, width, channels, top, 1, copied, before, after, buffer)
          if precision == .bfloat16 { ck_round_pairs(buffer, precision.places(copied * row), buffer) }
          base = UnsafePointer(buffer) + precision.places((origin.x + before) * channels)
        } else {
          base = imageStart + top * row + origin.x * channels
        }
        weights.multiply(
          ProductOperand(
            base: base, lines: count, line_stride: precision.places(stride * row), rows: pixels,
            row_stride: precision.places(stride * channels), segments: taps.vertical,
            segment_stride: precision.places(row), steps: precision.places(taps.horizontal * channels),
            step_stride: 1),
          into: ProductResult(
            base: result + resultOffset + image * resultStrides.image + first * resultStrides.line,
            line_stride: resultStrides.line, row_stride: resultStrides.pixel))
        whenDone(line..<(line + count))
        line += count
      }
    }
  }
}
