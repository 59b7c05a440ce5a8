// Winograd's fast convolution (Lavin and Gray 2015, arXiv:1509.09308): which convolutions it is for, in tiles of what
// size, and how the work on one is cut so that it stays in cache. The passes are in Winograd+Convolution.swift and
// Winograd+WeightGradient.swift, the transforms in C; Winograd+Transforms.swift says which. It is no layer: it has no
// parameters and keeps nothing.

import CKernels

/// A 3x3 convolution with stride 1 or 2 and padding 1, [N, H, W, C] to [N, H', W', O], by way of transformed tiles.
///
/// A tile of m x m outputs becomes n x n numbers, n = m + 2, a channel; the same numbers of all tiles form n * n
/// matrices (planes) [tiles, channels], each multiplied by the transformed filter's [channels, outputs]. That makes
/// n^2 products of m^2 outputs, where the formula has 9 m^2: four times fewer for m = 4, 2.25 times for m = 2. With a
/// stride of 2 there are 25 products in place of 36, added up in 9 planes (see CKernels).
///
/// The price is precision. Against the exact result the error of random data is up to some ten times a matrix product's,
/// with a stride of 2 about one and a half times; `errorBound` says how large it may be. Also a NaN or an infinity spreads over its whole tile.
struct Winograd: Sendable {
  /// F(m x m, 3 x 3).
  enum Tile: Sendable, CaseIterable {
    /// m = 2 and 4, of a stride of 1.
    case f2, f4
    /// m = 2, of a stride of 2. In float32 alone.
    case strided

    var stride: Int { self == .strided ? 2 : 1 }
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

    /// H and W of x, or H' and W' of what a stride leaves.
    func map(stride: Int) -> Extent {
      Extent(height: (height + stride - 1) / stride, width: (width + stride - 1) / stride)
    }

    /// Multiplications of an image by the formula, for each channel of input and output: on small maps those with
    /// padding are left out.
    fileprivate func taps(stride: Int) -> Double {
      let outputs = map(stride: stride)
      guard ImplicitGEMM.isSmall(lines: outputs.height, pixels: outputs.width, batch: images) else {
        return 9 * Double(outputs.height) * Double(outputs.width)
      }
      func inside(_ outputs: Int, of side: Int) -> Int {
        3 * outputs - 1 - ((outputs - 1) * stride + 1 == side ? 1 : 0)
      }
      return Double(inside(outputs.height, of: height) * inside(outputs.width, of: width))
    }
  }

  let geometry: Geometry
  let tile: Tile
  /// What transformed tiles and filters are rounded to, the factors of the products.
  let precision: OperandPrecision
  let transforms: Transforms

  /// - Parameters:
  ///   - geometry: the input's height and width, whatever the stride.
  ///   - precision: bfloat16 only where C and O are even, and the stride is 1.
  init(_ geometry: Geometry, _ tile: Tile, _ precision: OperandPrecision = .float32) {
    precondition(
      tile != .strided || precision == .float32, "pairs of a strided convolution by Winograd's algorithm")
    self.init(geometry, tile, precision, Transforms(tile))
  }

  private init(_ geometry: Geometry, _ tile: Tile, _ precision: OperandPrecision, _ transforms: Transforms) {
    (self.geometry, self.tile, self.precision, self.transforms) = (geometry, tile, precision, transforms)
  }

  /// The map that is convolved: x, or where a gradient by it is made dy.
  var inputMap: Extent { geometry.map(stride: transforms == .stridedGradient ? 2 : 1) }
  /// The map that comes of it.
  var outputMap: Extent { geometry.map(stride: transforms == .strided ? 2 : 1) }

  /// Tiles of an image, down and across; those at the lower and right edge may reach over the map.
  var tileRows: Int { (outputMap.height + transforms.side - 1) / transforms.side }
  var tileColumns: Int { (outputMap.width + transforms.side - 1) / transforms.side }

  /// Tiles of the whole batch.
  var tiles: Int { geometry.images * tileRows * tileColumns }

  /// The convolution that makes the gradient by the input out of the gradient by the output.
  var exchanged: Winograd {
    var exchanged = geometry
    swap(&exchanged.channels, &exchanged.outputs)
    return Winograd(exchanged, tile, precision, transforms == .strided ? .stridedGradient : transforms)
  }

  /// The tiles that make a convolution fastest; nil where its formula is faster or nearly as fast. The same for all
  /// three quantities, and for every machine.
  ///
  /// A rule by counting, in multiply-adds: the transforms of a tile cost about 16 for each of its n * n numbers and
  /// each channel of input and output, those of the filter about 24 for each of its. Measured, the gain is mostly up
  /// to a fifth less than the one counted, and more than that on maps of a few pixels. In bfloat16 what is transformed
  /// takes half the room, and what is not has to be packed: cifar20, whose first maps have 16 channels, trains a tenth
  /// faster with all its convolutions in tiles.
  ///
  /// - Parameter stride: 1 or 2; with 2, the formula is taken in bfloat16.
  static func choice(
    for geometry: Geometry, stride: Int = 1, _ precision: OperandPrecision = .float32
  ) -> Tile? {
    guard min(geometry.channels, geometry.outputs) >= fewestChannels else { return nil }
    guard stride == 1 || precision == .float32 else { return nil }
    let products =
      geometry.taps(stride: stride) * Double(geometry.images) * Double(geometry.channels) * Double(geometry.outputs)
    let direct = products * precision.costOfProducts
    guard stride == 1 else {
      return direct > leastGainOfStrides * Winograd(geometry, .strided).cost ? .strided : nil
    }
    let costs = [Tile.f2, .f4].map { ($0, Winograd(geometry, $0, precision).cost) }
    guard let (tile, cost) = costs.min(by: { $0.1 < $1.1 }) else { return nil }
    return direct > leastGain * cost ? tile : nil
  }

  /// Below, vectors are half empty.
  private static let fewestChannels = 16
  private static let leastGain = 1.3
  /// Of a stride of 2, which gains a little more than counted: the formula's pixels lie two apart.
  private static let leastGainOfStrides = 1.15

  /// Exact while it is below 2^53; a plan too large for any machine is counted too.
  private var cost: Double {
    let (channels, outputs) = (Double(geometry.channels), Double(geometry.outputs))
    let products = Double(transforms.filterPlaneCount) * channels * outputs
    let inputs = Double(transforms.inputPlaneCount) * channels
    let sums = Double(transforms.sumPlaneCount) * outputs
    let each = products * precision.costOfProducts + costOfTransforms * (inputs + sums)
    return Double(tiles) * each + 24 * products
  }

  private var costOfTransforms: Double {
    switch precision {
    case .float32: 16
    case .bfloat16: 8
    }
  }

  /// The largest error relative to the largest magnitude of the exact result, for data of one scale: `terms` is the
  /// number of products in a sum, 9 * C, 9 * O or N * H' * W'. Errors of random data grow with its square root at most.
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
  /// The matrices of a transform.
  struct Planes: Sendable {
    var layout: ck_winograd_planes
    /// Of all planes together.
    let floats: Int

    /// Row-major matrices [rows, columns], one behind the other.
    init(count: Int, rows: Int, columns: Int) {
      // An odd number of cache lines from plane to plane: a tile is written to all of them, and at powers of two
      // they would share the same few places of the cache.
      let lines = (rows * columns + 15) / 16
      let plane = 16 * (lines | 1)
      layout = ck_winograd_planes(plane: plane, panel: Int.max, panel_stride: 0, row: columns)
      floats = plane * count
    }

    /// Matrices [rows, columns] as the right side of a product: in panels of columns. Rows are places.
    static func rightOperand(
      count: Int, rows: Int, columns: Int, _ precision: OperandPrecision
    ) -> Planes {
      let width = precision.panelWidth(columns: columns)
      var planes = Planes(count: count, rows: rows, columns: (columns + width - 1) / width * width)
      planes.layout.panel = width
      planes.layout.panel_stride = rows * width
      planes.layout.row = width
      return planes
    }

    /// The same, a panel of all matrices behind the other's, so that neighboring matrices are one of more rows. Then there
    /// is no room between them: as the numbers of a tile are written they may share places of the cache, once a pass.
    static func joinedRightOperand(count: Int, rows: Int, columns: Int) -> Planes {
      let width = OperandPrecision.float32.panelWidth(columns: columns)
      let panels = (columns + width - 1) / width
      return Planes(
        layout: ck_winograd_planes(
          plane: rows * width, panel: width, panel_stride: count * rows * width, row: width),
        floats: count * panels * rows * width)
    }

    private init(layout: ck_winograd_planes, floats: Int) { (self.layout, self.floats) = (layout, floats) }

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

  /// Product by product `result = left * right`, or `result += left * right`; the result's planes are row-major and as
  /// wide as `columns`. The one caller of matrix products.
  /// - Parameter inner: numbers in a sum, of which `precision` says how many places they take.
  func multiply(
    _ products: some Sequence<Product>, _ left: Operand, _ right: Operand,
    into result: UnsafeMutablePointer<Float>, _ resultPlanes: Planes, rows: Int, columns: Int, inner: Int,
    accumulating: Bool = false
  ) {
    for product in products {
      let a = left.base + product.left * left.planes.layout.plane + left.planes.start(ofColumn: left.firstColumn)
      let b =
        right.base + product.right * right.planes.layout.plane
        + right.planes.start(ofColumn: right.firstColumn)
      let (row, step) = left.orientation == .asStored ? (left.planes.layout.row, 1) : (1, left.planes.layout.row)
      ProductPanels(base: b, panel_stride: right.planes.layout.panel_stride, row: right.planes.layout.row).multiply(
        ProductOperand(
          base: a, lines: 1, line_stride: 0, rows: rows, row_stride: row, segments: product.terms,
          segment_stride: left.planes.layout.plane, steps: precision.places(inner), step_stride: step),
        into: ProductResult(
          base: result + product.result * resultPlanes.layout.plane, line_stride: 0,
          row_stride: resultPlanes.layout.row),
        columns: columns, precision, accumulating: accumulating)
    }
  }
}

// MARK: - Transforms

extension Winograd {
  /// Images [N, height, width, pixelStride].
  private func map(_ extent: Extent, pixelStride: Int) -> ck_winograd_map {
    ck_winograd_map(
      height: Int32(extent.height), width: Int32(extent.width), form: transforms.form, pixel_stride: pixelStride)
  }

  /// What the products sum along, and so what pairs are of.
  enum SummedAxis: Sendable { case channels, tiles }

  /// Planes [tiles, C] that tiles of the input are transformed to.
  func inputPlanes(tiles: Int, summedAlong axis: SummedAxis) -> Planes {
    switch axis {
    case .channels:
      Planes(count: transforms.inputPlaneCount, rows: tiles, columns: precision.places(geometry.channels))
    case .tiles:
      Planes(count: transforms.inputPlaneCount, rows: precision.places(tiles), columns: geometry.channels)
    }
  }

  /// The map to `inputPlanes`.
  func transformInput(
    _ x: UnsafePointer<Float>, tiles: Range<Int>, summedAlong axis: SummedAxis,
    into out: UnsafeMutablePointer<Float>, _ planes: Planes
  ) {
    var (map, layout) = (map(inputMap, pixelStride: geometry.channels), planes.layout)
    switch precision {
    case .float32: ck_winograd_input(&map, x, geometry.channels, tiles.lowerBound, tiles.count, out, &layout)
    case .bfloat16:
      ck_winograd_input_pairs(
        &map, x, geometry.channels, tiles.lowerBound, tiles.count, axis == .tiles ? 1 : 0, out, &layout)
    }
  }

  /// dy [N, H', W', O] to planes [tiles, O], to be summed along tiles.
  func transformOutputGradient(
    _ dy: UnsafePointer<Float>, tiles: Range<Int>, into out: UnsafeMutablePointer<Float>, _ planes: Planes
  ) {
    var (map, layout) = (map(outputMap, pixelStride: geometry.outputs), planes.layout)
    let transform = precision == .float32 ? ck_winograd_output_gradient : ck_winograd_output_gradient_pairs
    transform(&map, dy, geometry.outputs, tiles.lowerBound, tiles.count, out, &layout)
  }

  /// Planes [C, columns] of a transformed filter, in panels.
  func filterPlanes(columns: Int) -> Planes {
    switch transforms {
    case .f2, .f4:
      Planes.rightOperand(
        count: transforms.filterPlaneCount, rows: precision.places(geometry.channels), columns: columns, precision)
    case .strided, .stridedGradient:
      Planes.joinedRightOperand(count: transforms.filterPlaneCount, rows: geometry.channels, columns: columns)
    }
  }

  /// w [3, 3, C, columns] to some columns of `filterPlanes`, from the first of a panel on.
  func transformFilter(
    _ w: UnsafePointer<Float>, _ taps: ck_winograd_taps, columns: Int, into out: UnsafeMutablePointer<Float>,
    _ planes: Planes
  ) {
    var (taps, layout) = (taps, planes.layout)
    guard precision == .bfloat16 else {
      return ck_winograd_filter(transforms.form, w, &taps, geometry.channels, columns, out, &layout)
    }
    let floats = Planes(count: transforms.filterPlaneCount, rows: Self.roundedRows, columns: columns)
    var floatLayout = floats.layout
    StoragePool.withScratch(floats.floats) { u in
      for row in stride(from: 0, to: geometry.channels, by: Self.roundedRows) {
        let rows = min(Self.roundedRows, geometry.channels - row)
        ck_winograd_filter(transforms.form, w + row * taps.row, &taps, rows, columns, u, &floatLayout)
        for point in 0..<transforms.filterPlaneCount {
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
    return Planes(
      count: transforms.filterPlaneCount, rows: Self.roundedRows, columns: min(Self.groupWidth, geometry.outputs)
    ).floats
  }

  /// Planes [tiles, columns] to some columns of the map that comes of it.
  /// - Parameter finish: what follows, of all columns; nil for nothing.
  func transformOutput(
    _ products: UnsafePointer<Float>, _ planes: Planes, tiles: Range<Int>, columns: Range<Int>,
    into y: UnsafeMutablePointer<Float>, finish: ProductFinish? = nil
  ) {
    var (map, layout) = (map(outputMap, pixelStride: geometry.outputs), planes.layout)
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
    /// One of the products of planes, of many tiles.
    case points
  }

  var convolutionCut: Cut {
    groups > 1 && (filterFloats > Self.largestFilter || blocks < Self.fewestBlocks) ? .outputs : .tiles
  }

  var gradientCut: Cut {
    filterFloats > Self.largestGradient || blocks < Self.fewestBlocks ? .points : .tiles
  }

  /// So many blocks of tiles there are for the threads to share out.
  private var blocks: Int { runs / runsInBlock(floatsOfTile: floatsOfTile) }

  /// Of a tile, transformed, and of its products.
  var floatsOfTile: Int {
    transforms.inputPlaneCount * geometry.channels + transforms.sumPlaneCount * geometry.outputs
  }

  /// With fewer, some threads would wait for the others.
  private static let fewestBlocks = 8

  private var filterFloats: Int { transforms.filterPlaneCount * geometry.channels * geometry.outputs }

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

  /// The runs of a block whose planes fit half a megabyte, which leaves room in the cache next to the processor for the
  /// filters that pass by.
  func runsInBlock(floatsOfTile floats: Int) -> Int {
    max(1, min(runs, max(2, Self.blockFloats / (floats * Self.tilesInRun))))
  }

  private static let blockFloats = 1 << 17

  /// Where the work is not cut by tiles: the runs that are transformed before the products begin.
  func runsInBatch(floatsOfTile floats: Int) -> Int {
    max(1, min(runs, Self.batchFloats / (floats * Self.tilesInRun)))
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
