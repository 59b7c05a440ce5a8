// Products of few rows with many weights: most of their time would go to packing the weights into memory and reading them
// from there for each part of the rows. So the work is cut by the columns of the weights, a panel at a time, and each part
// packs its own panel, which is still in the cache when all rows are multiplied with it.

extension ImplicitGEMM {
  /// Puts some columns of the weights into a matrix of them alone, on the calling thread.
  typealias Filling = (_ weights: PackedWeights, _ columns: Range<Int>) -> Void

  /// Whether the work is cut by columns: where results are made by places, and where each reads a pixel and they are few.
  /// Sums are added up in the same order as otherwise.
  func goesByColumns(_ columns: Int) -> Bool {
    columns >= Self.manyColumns && (goesByPlaces || readsPixels && rows <= Self.fewRows)
  }

  private static let fewRows = 448
  private static let manyColumns = 256

  /// result[n, y, x, o], as `run` has it.
  /// - Parameters:
  ///   - columns: of the weights, and of the result.
  ///   - fill: is asked for each column once, from several threads.
  func runByColumns(
    _ source: UnsafePointer<Float>, columns: Int, _ precision: OperandPrecision,
    into result: UnsafeMutablePointer<Float>, _ pool: ThreadPool, filledBy fill: Filling
  ) {
    let width = Self.columnsAtOnce(columns, precision)
    StoragePool.withScratch(columnsSharedScratch(precision)) { gathered in
      if goesByPlaces {
        gatherImages(source, precision, into: gathered, pool)
      } else if gathers(precision) {
        pool.run(over: rows, chunks: ThreadPool.chunks(of: rows * channels)) {
          gather($0, source, precision, into: gathered + $0.lowerBound * gatheredRow(precision))
        }
      }
      pool.run(chunks: (columns + width - 1) / width) { chunk in
        let part = (chunk * width)..<min(columns, (chunk + 1) * width)
        PackedWeights.withScratch(depth: depth, columns: part.count, precision) { weights in
          fill(weights, part)
          if goesByPlaces {
            for place in 0..<(lines * pixels) {
              multiply(place: place, of: gathered, weights, 0..<part.count, into: result + part.lowerBound, nil)
            }
          } else {
            multiplyRows(
              gathers(precision) ? UnsafePointer(gathered) : source, weights, into: result + part.lowerBound,
              columns: columns)
          }
        }
      }
    }
  }

  /// Some columns of all results that read a pixel each.
  /// - Parameters:
  ///   - pixels: gathered, or the source where nothing is.
  ///   - result: where the first of the columns goes.
  ///   - columns: of the whole result.
  private func multiplyRows(
    _ pixels: UnsafePointer<Float>, _ weights: PackedWeights, into result: UnsafeMutablePointer<Float>, columns: Int
  ) {
    let (precision, scatters) = (weights.precision, scatters(columns: columns))
    let places = precision.places(channels)
    StoragePool.withScratch(scatters ? rows * weights.columns : 0) { products in
      weights.multiply(
        ProductOperand(
          base: pixels, lines: 1, line_stride: 0, rows: rows,
          row_stride: gathers(precision) ? gatheredRow(precision) : places, segments: 1, segment_stride: 0,
          steps: places, step_stride: 1),
        into: ProductResult(
          base: scatters ? products : result + resultOffset, line_stride: 0,
          row_stride: scatters ? weights.columns : columns))
      if scatters { scatter(products, columns: weights.columns, into: result, 0..<rows) }
    }
  }

  private var rows: Int { images * lines * pixels }

  /// A panel.
  private static func columnsAtOnce(_ columns: Int, _ precision: OperandPrecision) -> Int {
    min(columns, 2 * precision.lanes)
  }

  private func columnsSharedScratch(_ precision: OperandPrecision) -> Int {
    if goesByPlaces { return placesScratch(precision) }
    return gathers(precision) ? rows * gatheredRow(precision) : 0
  }

  /// Memory that the pass needs for itself.
  func columnsScratch(_ columns: Int, _ precision: OperandPrecision) -> ConvolutionScratch {
    let width = Self.columnsAtOnce(columns, precision)
    return ConvolutionScratch(
      shared: columnsSharedScratch(precision),
      each: PackedWeights.floats(depth: depth, columns: width, precision)
        + (!goesByPlaces && scatters(columns: columns) ? rows * width : 0),
      parts: (columns + width - 1) / width)
  }
}
