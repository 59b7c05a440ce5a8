// The right-hand side of the products that convolutions are made of, in the order in which the inner kernels read it.

import CKernels

/// A matrix [depth, columns] packed into panels of neighboring columns, for `ck_gemm` and `ck_gemm_pairs`. Its
/// memory is lent: several threads may fill different rows or read the same.
struct PackedWeights {
  /// A number of steps that is even where they are packed in pairs and in several portions.
  let depth: Int
  let columns: Int
  let precision: OperandPrecision
  /// Places of a panel's column.
  private let places: Int
  /// Columns that a panel has room for.
  private let width: Int
  private let panels: UnsafeMutablePointer<Float>

  /// A matrix in memory of `floats(depth:columns:_:)`, packed or to be packed.
  init(depth: Int, columns: Int, _ precision: OperandPrecision, _ panels: UnsafeMutablePointer<Float>) {
    self.depth = depth
    self.columns = columns
    self.precision = precision
    self.panels = panels
    places = precision.places(depth)
    width = precision.panelWidth(columns: columns)
  }

  /// Calls `body` with a matrix whose contents are undefined until packed; it is valid only inside.
  static func withScratch<Result>(
    depth: Int, columns: Int, _ precision: OperandPrecision = .float32, _ body: (PackedWeights) throws -> Result
  ) rethrows -> Result {
    try StoragePool.withScratch(floats(depth: depth, columns: columns, precision)) { panels in
      try body(PackedWeights(depth: depth, columns: columns, precision, panels))
    }
  }

  /// Several of one size.
  static func withScratch<Result>(
    count: Int, depth: Int, columns: Int, _ body: ([PackedWeights]) throws -> Result
  ) rethrows -> Result {
    let floats = floats(depth: depth, columns: columns)
    return try StoragePool.withScratch(count * floats) { panels in
      try body((0..<count).map { PackedWeights(depth: depth, columns: columns, .float32, panels + $0 * floats) })
    }
  }

  /// Floats that a packed matrix takes.
  static func floats(depth: Int, columns: Int, _ precision: OperandPrecision = .float32) -> Int {
    let width = precision.panelWidth(columns: columns)
    return precision.places(depth) * ((columns + width - 1) / width) * width
  }

  /// Fills rows `first` ..< `first` + `count` with source[row * rowStride + column * columnStride], where one of the
  /// strides is 1. In bfloat16 `first` is even, and `count` may be odd: what follows then begins at the next even row.
  func pack(
    _ source: UnsafePointer<Float>, first: Int = 0, count: Int, rowStride: Int, columnStride: Int = 1
  ) {
    layout(first: first).pack(source, columns, count, rowStride, columnStride, into: panels)
  }

  /// The same by several threads, a range of panels each.
  func pack(
    _ source: UnsafePointer<Float>, first: Int = 0, count: Int, rowStride: Int, columnStride: Int = 1,
    _ pool: ThreadPool
  ) {
    let layout = layout(first: first)
    pool.run(over: (columns + width - 1) / width, chunks: ThreadPool.chunks(of: count * columns)) { part in
      let start = part.lowerBound * width
      layout.pack(
        source + start * columnStride, min(columns, part.upperBound * width) - start, count, rowStride,
        columnStride, into: panels + start * places)
    }
  }

  private func layout(first: Int) -> PanelLayout {
    PanelLayout(precision: precision, first: precision.places(first), width: width, stride: places * width)
  }

  /// result = operand * self, or result += operand * self, on the calling thread. The operand is of the same precision:
  /// in bfloat16 its strides and steps are places.
  func multiply(_ operand: ProductOperand, into result: ProductResult, accumulating: Bool = false) {
    let panels = ProductPanels(base: panels, panel_stride: places * width, row: width)
    panels.multiply(operand, into: result, columns: columns, precision, accumulating: accumulating)
  }

  /// result = activation(operand * self + bias + addend) of some columns, from the first of a panel to the last of one.
  /// - Parameters:
  ///   - step: the row that the operand begins with, an even one in bfloat16.
  ///   - accumulating: to what is in the result.
  ///   - finish: of all columns; nil for nothing.
  func multiply(
    _ operand: ProductOperand, from step: Int = 0, into result: ProductResult, columns part: Range<Int>,
    accumulating: Bool = false, finish: ProductFinish?
  ) {
    let panels = ProductPanels(
      base: UnsafePointer(panels) + part.lowerBound * places + precision.places(step) * width,
      panel_stride: places * width, row: width)
    var (result, finish) = (result, finish)
    result.base += part.lowerBound
    if let bias = finish?.bias { finish?.bias = bias + part.lowerBound }
    if let addend = finish?.addend { finish?.addend = addend + part.lowerBound }
    panels.multiply(
      operand, into: result, columns: part.count, precision, accumulating: accumulating, finish: finish)
  }

  /// Columns `range` of so many ranges of whole panels.
  func columns(_ index: Int, of count: Int) -> Range<Int> {
    let panels = ThreadPool.range(index, of: count, count: self.panelCount)
    return (panels.lowerBound * width)..<min(columns, panels.upperBound * width)
  }

  var panelCount: Int { (columns + width - 1) / width }
}

/// Where a portion of rows goes.
private struct PanelLayout: Sendable {
  let precision: OperandPrecision
  /// The first place of a panel's column.
  let first: Int
  let width: Int
  let stride: Int

  func pack(
    _ source: UnsafePointer<Float>, _ columns: Int, _ count: Int, _ rowStride: Int, _ columnStride: Int,
    into panels: UnsafeMutablePointer<Float>
  ) {
    switch precision {
    case .float32: ck_pack(source, count, columns, rowStride, columnStride, first, width, stride, panels)
    case .bfloat16: ck_pack_pairs(source, count, columns, rowStride, columnStride, first, width, stride, panels)
    }
  }
}

/// Where a product's left-hand side lies, where its right-hand side does, and where the result goes: see CKernels.
typealias ProductOperand = ck_operand
typealias ProductPanels = ck_panels
typealias ProductResult = ck_result
typealias ProductFinish = ck_finish

extension ProductPanels {
  /// Floats in a vector of this processor. It decides how panels are laid out.
  static let lanes = ck_lanes()

  /// result = operand * self, or result += operand * self, on the calling thread.
  /// - Parameters:
  ///   - precision: what both sides are made of; in bfloat16 their strides and steps are places.
  ///   - finish: what follows; nil for nothing.
  func multiply(
    _ operand: ProductOperand, into result: ProductResult, columns: Int, _ precision: OperandPrecision,
    accumulating: Bool = false, finish: ProductFinish? = nil
  ) {
    let product = precision == .float32 ? ck_gemm : ck_gemm_pairs
    withUnsafePointer(to: operand) { operand in
      withUnsafePointer(to: self) { panels in
        withUnsafePointer(to: result) { result in
          Self.withPointer(to: finish) {
            product(operand, panels, columns, precision.lanes, result, accumulating ? 1 : 0, $0)
          }
        }
      }
    }
  }

  private static func withPointer(to finish: ProductFinish?, _ body: (UnsafePointer<ProductFinish>?) -> Void) {
    guard var finish else { return body(nil) }
    body(&finish)
  }
}
