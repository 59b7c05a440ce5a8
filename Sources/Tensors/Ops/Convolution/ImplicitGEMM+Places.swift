// Products over maps of a few pixels. A line of results is too short there to fill the registers of a tile, and much of
// what its windows see is padding: so the results at one place of all images are the rows of a product, and taps that see
// padding are left out.

import CKernels

extension ImplicitGEMM {
  /// Whether results are made place by place.
  var goesByPlaces: Bool {
    !readsPixels && Self.isSmall(lines: lines, pixels: pixels, batch: batch)
      && (0..<lines).allSatisfy { !verticalTaps(line: $0).isEmpty }
      && (0..<pixels).allSatisfy { !horizontalTaps(pixel: $0).isEmpty }
  }

  /// Whether the images of a batch make more rows than the pixels of a line. By the shape of the whole batch, because it
  /// decides in which order sums are added up.
  static func isSmall(lines: Int, pixels: Int, batch: Int) -> Bool {
    pixels <= mostPixels && lines * pixels <= mostPlaces && batch >= fewestImages
  }

  private static let mostPixels = 4
  private static let mostPlaces = 16
  private static let fewestImages = 8
  private static let mostTasks = 64

  /// The taps of a line's windows that see the map.
  func verticalTaps(line: Int) -> Range<Int> {
    let top = origin.y + line * stride
    let first = max(0, -top)
    return first..<max(first, min(taps.vertical, height - top))
  }

  /// The taps of windows at a place of a line that see the map.
  func horizontalTaps(pixel: Int) -> Range<Int> {
    let left = origin.x + pixel * stride
    let first = max(0, -left)
    return first..<max(first, min(taps.horizontal, width - left))
  }

  /// Sets the result, with what follows, by weights that are packed. No sum crosses a cut, and each is added up tap row by
  /// tap row.
  func multiplyPlaces(
    _ source: UnsafePointer<Float>, _ weights: PackedWeights, into result: UnsafeMutablePointer<Float>,
    _ finish: ProductFinish?, _ pool: ThreadPool
  ) {
    StoragePool.withScratch(placesScratch(weights.precision)) { gathered in
      gatherImages(source, weights.precision, into: gathered, pool)
      let places = lines * pixels
      // One panel of weights for all places, then the next.
      pool.run(over: weights.panelCount * places, chunks: Self.mostTasks) { tasks in
        for task in tasks {
          let (panel, place) = task.quotientAndRemainder(dividingBy: places)
          let columns = weights.columns(panel, of: weights.panelCount)
          multiply(place: place, of: gathered, weights, columns, into: result, finish)
        }
      }
    }
  }

  /// Floats that all threads share.
  func placesScratch(_ precision: OperandPrecision) -> Int {
    goesByPlaces ? images * imageRow(precision) : 0
  }

  /// From image to image of what is gathered: never a multiple of 4 KB, where all would be in the same set of the first
  /// cache.
  private func imageRow(_ precision: OperandPrecision) -> Int {
    let floats = precision.places(height * width * channels)
    return floats + (floats % 1024 == 0 ? 16 : 0)
  }

  func gatherImages(
    _ source: UnsafePointer<Float>, _ precision: OperandPrecision, into gathered: UnsafeMutablePointer<Float>,
    _ pool: ThreadPool
  ) {
    let (floats, row) = (height * width * channels, imageRow(precision))
    pool.run(over: images, chunks: ThreadPool.chunks(of: images * floats)) { images in
      for image in images {
        let (from, target) = (source + image * floats, gathered + image * row)
        switch precision {
        case .float32: target.update(from: from, count: floats)
        case .bfloat16: ck_round_pairs(from, precision.places(floats), target)
        }
      }
    }
  }

  /// - Parameter result: where the first of the weights' columns goes.
  func multiply(
    place: Int, of gathered: UnsafePointer<Float>, _ weights: PackedWeights, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Float>, _ finish: ProductFinish?
  ) {
    let precision = weights.precision
    let (line, pixel) = place.quotientAndRemainder(dividingBy: pixels)
    let (vertical, horizontal) = (verticalTaps(line: line), horizontalTaps(pixel: pixel))
    let left = origin.x + pixel * stride + horizontal.lowerBound
    let start = line * resultStrides.line + pixel * resultStrides.pixel
    for tap in vertical {
      let top = origin.y + line * stride + tap
      weights.multiply(
        ProductOperand(
          base: gathered + precision.places((top * width + left) * channels), lines: 1, line_stride: 0,
          rows: images,
          row_stride: imageRow(precision), segments: 1, segment_stride: 0,
          steps: precision.places(horizontal.count * channels), step_stride: 1),
        from: (tap * taps.horizontal + horizontal.lowerBound) * channels,
        into: ProductResult(
          base: result + resultOffset + start, line_stride: 0, row_stride: resultStrides.image), columns: columns,
        accumulating: tap > vertical.lowerBound,
        finish: finish.map {
          $0.part(from: start, isFirst: tap == vertical.lowerBound, isLast: tap == vertical.upperBound - 1)
        })
    }
  }
}

extension ProductFinish {
  /// What one of several products that are added up does of it: what is added comes with the first, what is done to the
  /// sum with the last.
  /// - Parameter start: where its results begin.
  fileprivate func part(from start: Int, isFirst: Bool, isLast: Bool) -> ProductFinish {
    ProductFinish(
      bias: isFirst ? bias : nil, addend: isFirst ? addend.map { $0 + start } : nil, relu: isLast ? relu : 0)
  }
}
