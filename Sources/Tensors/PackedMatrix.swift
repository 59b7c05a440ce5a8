// The right-hand side of the products that convolutions are made of, in the order in which the inner kernels read it.

import CKernels

/// A matrix [depth, columns] packed into panels of neighbouring columns, for `ck_product`.
public struct PackedMatrix: Sendable {
  public let depth: Int
  public let columns: Int
  private var panels: Tensor

  /// Floats in a vector of this processor. It decides how panels are laid out, never what a product's bits are on
  /// one processor.
  public static let lanes = ck_lanes()

  /// Columns of a full panel; a range of columns may begin at any multiple of it.
  public static var panelWidth: Int { 2 * lanes }

  /// A matrix whose contents are undefined until packed.
  public init(depth: Int, columns: Int) {
    self.depth = depth
    self.columns = columns
    panels = Tensor(uninitialised: [ck_packed_floats(depth, columns, Self.lanes)])
  }

  /// Fills rows `first` ..< `first` + `count` with source[row * rowStride + column * columnStride], where one of the
  /// strides is 1.
  public mutating func pack(
    _ source: UnsafePointer<Float>, first: Int = 0, count: Int, rowStride: Int, columnStride: Int = 1
  ) {
    let (depth, columns) = (depth, columns)
    panels.write { ck_pack(source, count, columns, rowStride, columnStride, first, depth, Self.lanes, $0) }
  }

  /// Calls `body` with the panels, from the one that begins with `column` on.
  public func read(from column: Int = 0, _ body: (UnsafePointer<Float>) -> Void) {
    precondition(column % Self.panelWidth == 0, "a product cannot begin inside a panel")
    panels.read { body($0 + column * depth) }
  }
}

/// Where a product's left-hand side lies and where its result goes: see `ck_operand` and `ck_result`.
public typealias ProductOperand = ck_operand
public typealias ProductResult = ck_result

extension PackedMatrix {
  /// result = operand * self, or result += operand * self, for `columns` columns from `column` on; on the calling
  /// thread.
  public func multiply(
    _ operand: ProductOperand, into result: ProductResult, from column: Int = 0, columns: Int? = nil,
    accumulating: Bool = false
  ) {
    read(from: column) { panels in
      withUnsafePointer(to: operand) { operand in
        withUnsafePointer(to: result) { result in
          ck_product(operand, panels, columns ?? self.columns - column, Self.lanes, result, accumulating ? 1 : 0)
        }
      }
    }
  }
}
