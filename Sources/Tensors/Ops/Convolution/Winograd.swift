// Winograd's fast convolution (Lavin and Gray 2015, arXiv:1509.09308): which convolutions it is for, in tiles of what
// size, and how the work on one is cut so that it stays in cache. The passes are in Winograd+Convolution.swift and
// Winograd+WeightGradient.swift, the transforms in C. It is no layer: it has no parameters and keeps nothing.

import CKernels

/// A 3x3 convolution with stride 1 and padding 1, [N, H, W, C] to [N, H, W, O], by way of transformed tiles.
///
/// A tile of m x m outputs becomes n x n numbers, n = m + 2, a channel; the same numbers of all tiles form n * n
/// matrices (planes) [tiles, channels], each multiplied by the transformed filter's [channels, outputs]. That makes
/// n^2 products of m^2 outputs, where the formula has 9 m^2: four times fewer for m = 4, 2.25 times for m = 2.
///
/// The price is precision. Against the exact result the error of random data is some ten times a matrix product's;
/// `errorBound` says how large it may be. Also a NaN or an infinity spreads over its whole tile.
struct Winograd: Sendable {
  /// F(m x m, 3 x 3), by m.
  enum Tile: Int, Sendable, CaseIterable {
    case f2 = 2
    case f4 = 4

    /// n * n.
    var points: Int { (rawValue + 2) * (rawValue + 2) }
  }

  /// What a convolution is asked for.
  enum Quantity: Sendable, CaseIterable { case output, inputGradient, weightGradient }

  /// The shape of the convolution.
  struct Geometry: Sendable, Hashable {
    var images: Int
    var height: Int
    var width: Int
    /// C.
    var channels: Int
    /// O.
    var outputs: Int

    /// Multiplications of an image by the formula, for each channel of input and output: on small maps those with
    /// padding are left out.
    fileprivate var taps: Double {
      ImplicitGEMM.isSmall(lines: height, pixels: width, batch: images)
        ? Double((3 * height - 2) * (3 * width - 2)) : 9 * Double(height) * Double(width)
    }
  }

  let geometry: Geometry
  let tile: Tile
  /// What transformed tiles and filters are rounded to, the factors of the products.
  let precision: OperandPrecision

  /// - Parameter precision: bfloat16 only where C and O are even.
  init(_ geometry: Geometry, _ tile: Tile, _ precision: OperandPrecision = .float32) {
    self.geometry = geometry
    self.tile = tile
    self.precision = precision
  }

  /// Tiles of the whole batch; those at the lower and right edge may reach over the map.
  var tiles: Int {
    let (m, g) = (tile.rawValue, geometry)
    return g.images * ((g.height + m - 1) / m) * ((g.width + m - 1) / m)
  }

  /// The convolution that makes the gradient by the input out of the gradient by the output.
  var exchanged: Winograd {
    var exchanged = geometry
    swap(&exchanged.channels, &exchanged.outputs)
    return Winograd(exchanged, tile, precision)
  }

  /// The tiles that make a convolution fastest; nil where its formula is faster or nearly as fast. The same for all
  /// three quantities, and for every machine.
  ///
  /// A rule by counting, in multiply-adds: the transforms of a tile cost about 16 for each of its n * n numbers and
  /// each channel of input and output, those of the filter about 24 for each of its. Measured, the gain is mostly up
  /// to a fifth less than the one counted, and more than that on maps of a few pixels. In bfloat16 what is transformed
  /// takes half the room, and what is not has to be packed: cifar20, whose first maps have 16 channels, trains a tenth
  /// faster with all its convolutions in tiles.
  static func choice(for geometry: Geometry, _ precision: OperandPrecision = .float32) -> Tile? {
    guard min(geometry.channels, geometry.outputs) >= fewestChannels else { return nil }
    let products = geometry.taps * Double(geometry.images) * Double(geometry.channels) * Double(geometry.outputs)
    let direct = products * precision.costOfProducts
    let costs = Tile.allCases.map { ($0, Winograd(geometry, $0, precision).cost) }
    guard let (tile, cost) = costs.min(by: { $0.1 < $1.1 }) else { return nil }
    return direct > leastGain * cost ? tile : nil
  }

  /// Below, vectors are half empty.
  private static let fewestChannels = 16
  private static let leastGain = 1.3

  /// Exact while it is below 2^53; a plan too large for any machine is counted too.
  private var cost: Double {
    let (channels, outputs) = (Double(geometry.channels), Double(geometry.outputs))
    let each = channels * outputs * precision.costOfProducts + costOfTransforms * (channels + outputs)
    return Double(tile.points) * (Double(tiles) * each + 24 * channels * outputs)
  }

  private var costOfTransforms: Double {
    switch precision {
    case .float32: 16
    case .bfloat16: 8
    }
  }

  /// The largest error relative to the largest magnitude of the exact result, for data of one scale: `terms` is the
  /// number of products in a sum, 9 * C, 9 * O or N * H * W. Errors of random data grow with its square root at most.
  /// Those of factors rounded to bfloat16 are as large for any number: they are as random as the products are.
  func errorBound(terms: Int) -> Double {
    switch precision {
    case .float32: (tile == .f4 ? 2e-7 : 6e-8) * Double(max(terms, 64)).squareRoot()
    case .bfloat16: tile == .f4 ? 6e-2 : 2e-2
    }
  }
}

// MARK: - Memory

extension Winograd {
  /// The most scratch memory that is in use at one time.
  func scratch(for quantity: Quantity) -> ConvolutionScratch {
    switch quantity {
    case .output: convolutionScratch(.asStored)
    case .inputGradient: exchanged.convolutionScratch(.transposed)
    case .weightGradient: weightGradientScratch
    }
  }
}

// MARK: - Planes

extension Winograd {
  /// n * n matrices of a transform, one behind the other.
  struct Planes: Sendable {
    var layout: ck_winograd_planes
    /// Of all planes together.
    let floats: Int

    /// Row-major matrices [rows, columns].
    init(_ tile: Tile, rows: Int, columns: Int) {
      // An odd number of cache lines from plane to plane: a tile is written to all of them, and at powers of two
      // they would share the same few places of the cache.
      let lines = (rows * columns + 15) / 16
      let plane = 16 * (lines | 1)
      layout = ck_winograd_planes(plane: plane, panel: Int.max, panel_stride: 0, row: columns)
      floats = plane * tile.points
    }

    /// Matrices [rows, columns] as the right side of a product: in panels of columns. Rows are places.
    static func rightOperand(_ tile: Tile, rows: Int, columns: Int, _ precision: OperandPrecision) -> Planes {
      let width = precision.panelWidth(columns: columns)
      var planes = Planes(tile, rows: rows, columns: (columns + width - 1) / width * width)
      planes.layout.panel = width
      planes.layout.panel_stride = rows * width
      planes.layout.row = width
      return planes
    }

    /// Where a column begins, from the start of a plane.
    func start(ofColumn column: Int) -> Int {
      column / layout.panel * layout.panel_stride + column % layout.panel
    }
  }

  /// Some columns of planes in memory, as one side of a product.
  struct Operand {
    var base: UnsafePointer<Float>
    var planes: Planes
    var firstColumn = 0
    var orientation = Transposition.asStored
  }

  /// Plane by plane `result = left * right`, or `result += left * right`; the result's planes are row-major and as
  /// wide as `columns`. The one caller of matrix products.
  /// - Parameters:
  ///   - inner: numbers in a sum, of which `precision` says how many places they take.
  ///   - points: the planes to multiply; nil for all.
  func multiply(
    _ left: Operand, _ right: Operand, into result: UnsafeMutablePointer<Float>, _ resultPlanes: Planes, rows: Int,
    columns: Int, inner: Int, points: Range<Int>? = nil, accumulating: Bool = false
  ) {
    for point in points ?? 0..<tile.points {
      let a = left.base + point * left.planes.layout.plane + left.planes.start(ofColumn: left.firstColumn)
      let b = right.base + point * right.planes.layout.plane + right.planes.start(ofColumn: right.firstColumn)
      let (row, step) = left.orientation == .asStored ? (left.planes.layout.row, 1) : (1, left.planes.layout.row)
      ProductPanels(base: b, panel_stride: right.planes.layout.panel_stride, row: right.planes.layout.row).multiply(
        ProductOperand(
          base: a, lines: 1, line_stride: 0, rows: rows, row_stride: row, segments: 1, segment_stride: 0,
          steps: precision.places(inner), step_stride: step),
        into: ProductResult(
          base: result + point * resultPlanes.layout.plane, line_stride: 0, row_stride: resultPlanes.layout.row),
        columns: columns, precision, accumulating: accumulating)
    }
  }
}

// MARK: - Transforms

extension Winograd {
  /// Images [N, H, W, pixelStride].
  func map(pixelStride: Int) -> ck_winograd_map {
    ck_winograd_map(
      height: Int32(geometry.height), width: Int32(geometry.width), tile: Int32(tile.rawValue),
      pixel_stride: pixelStride)
  }

  /// What the products sum along, and so what pairs are of.
  enum SummedAxis: Sendable { case channels, tiles }

  /// Planes [tiles, C] that tiles of the input are transformed to.
  func inputPlanes(tiles: Int, summedAlong axis: SummedAxis) -> Planes {
    switch axis {
    case .channels: Planes(tile, rows: tiles, columns: precision.places(geometry.channels))
    case .tiles: Planes(tile, rows: precision.places(tiles), columns: geometry.channels)
    }
  }

  /// x [N, H, W, C] to `inputPlanes`.
  func transformInput(
    _ x: UnsafePointer<Float>, tiles: Range<Int>, summedAlong axis: SummedAxis,
    into out: UnsafeMutablePointer<Float>, _ planes: Planes
  ) {
    var (map, layout) = (map(pixelStride: geometry.channels), planes.layout)
    switch precision {
    case .float32: ck_winograd_input(&map, x, geometry.channels, tiles.lowerBound, tiles.count, out, &layout)
    case .bfloat16:
      ck_winograd_input_pairs(
        &map, x, geometry.channels, tiles.lowerBound, tiles.count, axis == .tiles ? 1 : 0, out, &layout)
    }
  }

  /// dy [N, H, W, O] to planes [tiles, O], to be summed along tiles.
  func transformOutputGradient(
    _ dy: UnsafePointer<Float>, tiles: Range<Int>, into out: UnsafeMutablePointer<Float>, _ planes: Planes
  ) {
    var (map, layout) = (map(pixelStride: geometry.outputs), planes.layout)
    let transform = precision == .float32 ? ck_winograd_output_gradient : ck_winograd_output_gradient_pairs
    transform(&map, dy, geometry.outputs, tiles.lowerBound, tiles.count, out, &layout)
  }

  /// Planes [C, columns] of a transformed filter, in panels.
  func filterPlanes(columns: Int) -> Planes {
    Planes.rightOperand(tile, rows: precision.places(geometry.channels), columns: columns, precision)
  }

  /// w [3, 3, C, columns] to some columns of `filterPlanes`, from the first of a panel on.
  func transformFilter(
    _ w: UnsafePointer<Float>, _ taps: ck_winograd_taps, columns: Int, into out: UnsafeMutablePointer<Float>,
    _ planes: Planes
  ) {
    var (taps, layout) = (taps, planes.layout)
    guard precision == .bfloat16 else {
      return ck_winograd_filter(Int32(tile.rawValue), w, &taps, geometry.channels, columns, out, &layout)
    }
    let floats = Planes(tile, rows: Self.roundedRows, columns: columns)
    var floatLayout = floats.layout
    StoragePool.withScratch(floats.floats) { u in
      for row in stride(from: 0, to: geometry.channels, by: Self.roundedRows) {
        let rows = min(Self.roundedRows, geometry.channels - row)
        ck_winograd_filter(Int32(tile.rawValue), w + row * taps.row, &taps, rows, columns, u, &floatLayout)
        for point in 0..<tile.points {
          ck_pack_pairs(
            u + point * floatLayout.plane, rows, columns, columns, 1, precision.places(row), layout.panel,
            layout.panel_stride, out + point * layout.plane)
        }
      }
    }
  }

  /// Rows of a filter that are transformed before they are rounded, an even number: with the columns of a group they
  /// stay in the second cache.
  private static let roundedRows = 32

  /// Floats that `transformFilter` needs for itself.
  var filterScratch: Int {
    guard precision == .bfloat16 else { return 0 }
    return Planes(tile, rows: Self.roundedRows, columns: min(Self.groupWidth, geometry.outputs)).floats
  }

  /// Planes [tiles, columns] to some columns of y [N, H, W, O].
  /// - Parameter finish: what follows, of all columns; nil for nothing.
  func transformOutput(
    _ products: UnsafePointer<Float>, _ planes: Planes, tiles: Range<Int>, columns: Range<Int>,
    into y: UnsafeMutablePointer<Float>, finish: ProductFinish? = nil
  ) {
    var (map, layout) = (map(pixelStride: geometry.outputs), planes.layout)
    guard var finish else {
      return ck_winograd_output(
        &map, products, &layout, columns.count, tiles.lowerBound, tiles.count, y + columns.lowerBound, nil)
    }
    finish.bias += columns.lowerBound
    if let addend = finish.addend { finish.addend = addend + columns.lowerBound }
    ck_winograd_output(
      &map, products, &layout, columns.count, tiles.lowerBound, tiles.count, y + columns.lowerBound, &finish)
  }
}

// MARK: - Cuts

extension Winograd {
  /// What the blocks of the work are, so that each thread's part stays in cache. Part of the numerical result: by the
  /// shape alone.
  enum Cut: Sendable {
    /// Some tiles from beginning to end, while the transformed filter, or its gradient, stays in cache.
    case tiles
    /// Some outputs of many tiles, with their part of the transformed filter.
    case outputs
    /// One of the n * n products of many tiles.
    case points
  }

  var convolutionCut: Cut {
    groups > 1 && (filterFloats > Self.largestFilter || blocks < Self.fewestBlocks) ? .outputs : .tiles
  }

  var gradientCut: Cut {
    filterFloats > Self.largestGradient || blocks < Self.fewestBlocks ? .points : .tiles
  }

  /// So many blocks of tiles there are for the threads to share out.
  private var blocks: Int { runs / runsInBlock(columns: geometry.channels + geometry.outputs) }

  /// With fewer, some threads would wait for the others.
  private static let fewestBlocks = 8

  private var filterFloats: Int { tile.points * geometry.channels * geometry.outputs }

  /// Floats of a transformed filter that stay in a cache of some 32 MB while blocks of tiles go by: 12 MB. It is only
  /// read, so that all threads share it.
  private static let largestFilter = 3 << 20

  /// Floats of a filter's gradient that every thread has for itself, and reads and writes for each block: 3 MB.
  private static let largestGradient = 3 << 18

  /// Outputs that are worked on together where the work is cut by outputs: a panel of the matrix product's.
  static let groupWidth = 32

  var groups: Int { (geometry.outputs + Self.groupWidth - 1) / Self.groupWidth }

  func group(_ index: Int) -> Range<Int> {
    (index * Self.groupWidth)..<min(geometry.outputs, (index + 1) * Self.groupWidth)
  }

  /// Tiles that matrix products work on together: blocks are multiples of it, except the last.
  static let tilesInRun = 14

  /// Runs of tiles in the batch, the last perhaps shorter.
  var runs: Int { (tiles + Self.tilesInRun - 1) / Self.tilesInRun }

  func tiles(inRuns runs: Range<Int>) -> Range<Int> {
    (runs.lowerBound * Self.tilesInRun)..<min(tiles, runs.upperBound * Self.tilesInRun)
  }

  /// The runs of a block whose planes with `columns` columns fit half a megabyte, which leaves room in the cache next
  /// to the processor for the filters that pass by.
  func runsInBlock(columns: Int) -> Int {
    max(1, min(runs, max(2, Self.blockFloats / (tile.points * columns * Self.tilesInRun))))
  }

  private static let blockFloats = 1 << 17

  /// Where the work is not cut by tiles: the runs that are transformed before the products begin.
  func runsInBatch(columns: Int) -> Int {
    max(1, min(runs, Self.batchFloats / (tile.points * columns * Self.tilesInRun)))
  }

  /// 16 MB.
  private static let batchFloats = 1 << 22

  /// A range cut into parts of nearly equal length, about `length` each. Lazily mapped, a closure for each walk would
  /// be allocated.
  struct Parts: Sequence, IteratorProtocol {
    private let range: Range<Int>
    private let count: Int
    private var index = 0

    init(of range: Range<Int>, length: Int) {
      self.range = range
      count = range.isEmpty ? 1 : (range.count + length - 1) / length
    }

    mutating func next() -> Range<Int>? {
      guard index < count else { return nil }
      let part = ThreadPool.range(index, of: count, count: range.count)
      index += 1
      return (range.lowerBound + part.lowerBound)..<(range.lowerBound + part.upperBound)
    }
  }
}
