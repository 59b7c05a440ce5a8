// The right-hand side of the products that convolutions are made of, in the order in which the inner kernels read it.

import CKernels

/// A matrix [depth, columns] packed into panels of neighbouring columns, for `ck_product`.
public struct PackedMatrix: Sendable {
  public let depth: Int
  public let columns: Int
  /// Columns that a panel has room for.
  private let width: Int
  private var panels: Tensor

  /// A matrix whose contents are undefined until packed.
  public init(depth: Int, columns: Int) {
    self.depth = depth
    self.columns = columns
    width = Self.width(columns: columns)
    panels = Tensor(uninitialised: [Self.floats(depth: depth, columns: columns)])
  }

  /// Floats that a packed matrix takes.
  public static func floats(depth: Int, columns: Int) -> Int {
    let width = width(columns: columns)
    return depth * ((columns + width - 1) / width) * width
  }

  private static func width(columns: Int) -> Int {
    columns > ProductPanels.lanes ? ProductPanels.width : ProductPanels.lanes
  }

  /// Fills rows `first` ..< `first` + `count` with source[row * rowStride + column * columnStride], where one of the
  /// strides is 1.
  public mutating func pack(
    _ source: UnsafePointer<Float>, first: Int = 0, count: Int, rowStride: Int, columnStride: Int = 1
  ) {
    let (depth, columns, width) = (depth, columns, width)
    panels.write { ck_pack(source, count, columns, rowStride, columnStride, first, width, depth * width, $0) }
  }

  /// The same by several threads, a range of panels each.
  public mutating func pack(
    _ source: UnsafePointer<Float>, first: Int = 0, count: Int, rowStride: Int, columnStride: Int = 1,
    _ workers: WorkerPool
  ) {
    let (depth, columns, width) = (depth, columns, width)
    panels.write { panels in
      workers.run(over: (columns + width - 1) / width, shards: WorkerPool.shards(of: count * columns)) { part in
        let start = part.lowerBound * width
        ck_pack(
          source + start * columnStride, count, min(columns, part.upperBound * width) - start, rowStride,
          columnStride, first, width, depth * width, panels + start * depth)
      }
    }
  }

  /// result = operand * self, or result += operand * self, on the calling thread.
  public func multiply(_ operand: ProductOperand, into result: ProductResult, accumulating: Bool = false) {
    panels.read {
      ProductPanels(base: $0, panel_stride: depth * width, row: width).multiply(
        operand, into: result, columns: columns, accumulating: accumulating)
    }
  }
}

/// Where a product's left-hand side lies, where its right-hand side does, and where the result goes: see CKernels.
public typealias ProductOperand = ck_operand
public typealias ProductPanels = ck_panels
public typealias ProductResult = ck_result

extension ProductPanels {
  /// Floats in a vector of this processor. It decides how panels are laid out.
  public static let lanes = ck_lanes()

  /// Columns of a panel.
  public static var width: Int { 2 * lanes }

  /// result = operand * self, or result += operand * self, on the calling thread.
  public func multiply(
    _ operand: ProductOperand, into result: ProductResult, columns: Int, accumulating: Bool = false
  ) {
    withUnsafePointer(to: operand) { operand in
      withUnsafePointer(to: self) { panels in
        withUnsafePointer(to: result) { ck_product(operand, panels, columns, Self.lanes, $0, accumulating ? 1 : 0) }
      }
    }
  }
}
