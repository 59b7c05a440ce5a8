// The matrix product against three nested loops, in every orientation, with gaps between rows and accumulating.

import Support
import Testing

@testable import Tensors

/// One product's description.
struct ProductCase: Sendable, CustomTestStringConvertible {
  var rows: Int
  var columns: Int
  var inner: Int
  var a: Transposition
  var b: Transposition
  /// Floats between the end of a row of a or b and the next.
  var gap: Int
  var accumulating: Bool

  var testDescription: String {
    "[\(rows), \(inner)] \(a) * [\(inner), \(columns)] \(b), gap \(gap)\(accumulating ? ", accumulating" : "")"
  }

  static let all: [ProductCase] = {
    let sizes = [(1, 1, 1), (1, 7, 5), (7, 1, 5), (5, 7, 1), (3, 5, 7), (16, 16, 16), (17, 33, 65), (64, 10, 200)]
    var cases: [ProductCase] = []
    for (rows, columns, inner) in sizes {
      for (a, b) in [
        (Transposition.asStored, Transposition.asStored), (.asStored, .transposed), (.transposed, .asStored),
        (.transposed, .transposed),
      ] {
        for gap in [0, 3] {
          for accumulating in [false, true] {
            cases.append(
              ProductCase(
                rows: rows, columns: columns, inner: inner, a: a, b: b, gap: gap, accumulating: accumulating))
          }
        }
      }
    }
    return cases
  }()
}

@Suite struct GEMMTests {
  @Test(arguments: ProductCase.all)
  func `a product is that of three nested loops`(_ c: ProductCase) {
    var generator = RandomGenerator(seed: 21)
    /// A stored matrix with NaN in the gaps, which must never be read.
    func stored(_ rows: Int, _ columns: Int) -> (values: [Float], stride: Int) {
      let stride = columns + c.gap
      return (
        (0..<rows * stride).map { $0 % stride < columns ? generator.uniform(in: -1...1) : .nan }, stride
      )
    }
    let a = c.a == .asStored ? stored(c.rows, c.inner) : stored(c.inner, c.rows)
    let b = c.b == .asStored ? stored(c.inner, c.columns) : stored(c.columns, c.inner)
    // What is not accumulated upon may hold anything.
    let before = (0..<c.rows * c.columns).map { _ in c.accumulating ? generator.uniform(in: -1...1) : Float.nan }
    var result = before
    GEMM.multiply(
      MatrixView(a.values, stride: a.stride, c.a), MatrixView(b.values, stride: b.stride, c.b), into: &result,
      rows: c.rows, columns: c.columns, inner: c.inner, accumulating: c.accumulating)

    for row in 0..<c.rows {
      for column in 0..<c.columns {
        var sum = c.accumulating ? Double(before[row * c.columns + column]) : 0
        var size = abs(sum)
        for k in 0..<c.inner {
          let x = a.values[c.a == .asStored ? row * a.stride + k : k * a.stride + row]
          let y = b.values[c.b == .asStored ? k * b.stride + column : column * b.stride + k]
          sum += Double(x) * Double(y)
          size += abs(Double(x) * Double(y))
        }
        // Any order of `inner` additions in Float32 is within this (Higham 2002, section 3.1).
        let bound = Double(c.inner + 1) * 0x1p-24 * size
        #expect(abs(Double(result[row * c.columns + column]) - sum) <= bound, "row \(row), column \(column)")
      }
    }
  }

  @Test func `a product without inner extent is zero, or what was there`() {
    let nothing: [Float] = [.nan]
    var result: [Float] = [1, 2, 3, 4]
    GEMM.multiply(
      MatrixView(nothing, stride: 1), MatrixView(nothing, stride: 2), into: &result, rows: 2, columns: 2, inner: 0,
      accumulating: true)
    #expect(result == [1, 2, 3, 4])
    GEMM.multiply(
      MatrixView(nothing, stride: 1), MatrixView(nothing, stride: 2), into: &result, rows: 2, columns: 2, inner: 0)
    #expect(result == [0, 0, 0, 0])
  }

  @Test func `a product without rows or columns writes nothing`() {
    let one: [Float] = [1]
    var result: [Float] = [7]
    for (rows, columns) in [(0, 1), (1, 0), (0, 0)] {
      GEMM.multiply(
        MatrixView(one, stride: 1), MatrixView(one, stride: 1), into: &result, rows: rows, columns: columns,
        inner: 1)
    }
    #expect(result == [7])
  }

  @Test func `a NaN in a factor reaches the product, even against zero`() {
    let a: [Float] = [0, .nan]
    let b: [Float] = [1, 0]
    var result: [Float] = [0]
    GEMM.multiply(
      MatrixView(a, stride: 2), MatrixView(b, stride: 1), into: &result, rows: 1, columns: 1, inner: 2)
    #expect(result[0].isNaN)
  }
}
