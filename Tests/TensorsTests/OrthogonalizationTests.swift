// Newton-Schulz iterations against loops over the formula, and against what orthogonal means.

import Foundation
import Support
import Testing

@testable import Tensors

@Suite struct OrthogonalizationTests {
  /// The formula on nested arrays in double precision: X = a X + (b A + c A A) X with A = X X', of the shorter side.
  private func naive(_ matrix: [[Double]]) -> [[Double]] {
    func product(_ a: [[Double]], _ b: [[Double]]) -> [[Double]] {
      a.map { row in b[0].indices.map { column in row.indices.reduce(0) { $0 + row[$1] * b[$1][column] } } }
    }
    func transposed(_ a: [[Double]]) -> [[Double]] { a[0].indices.map { column in a.map { $0[column] } } }
    if matrix.count > matrix[0].count { return transposed(naive(transposed(matrix))) }
    let norm = matrix.joined().reduce(0) { $0 + $1 * $1 }.squareRoot() + 1e-7
    var x = matrix.map { $0.map { $0 / norm } }
    for _ in 0..<5 {
      let gram = product(x, transposed(x))
      let square = product(gram, gram)
      let polynomial = gram.indices.map { i in gram.indices.map { -4.7750 * gram[i][$0] + 2.0315 * square[i][$0] } }
      let change = product(polynomial, x)
      x = x.indices.map { i in x[i].indices.map { 3.4445 * x[i][$0] + change[i][$0] } }
    }
    return x
  }

  @Test(arguments: [(1, 1), (1, 9), (27, 16), (16, 27), (144, 33), (40, 40)])
  func `it is the formula, whichever side is longer, on any number of threads`(rows: Int, columns: Int) {
    var generator = RandomGenerator(UInt64(rows))
    let matrix = Tensor([rows, columns]) { _ in generator.normal() }
    let found = Ops(ThreadPool(threads: 1)).orthogonalized(matrix)
    let wanted = naive((0..<rows).map { row in (0..<columns).map { Double(matrix[row * columns + $0]) } })
    let difference = zip(found.values, wanted.joined()).map { abs(Double($0) - $1) }.max() ?? .nan
    #expect(difference < 2e-4, "largest difference \(difference)")
    for threads in [2, 3] { #expect(Ops(ThreadPool(threads: threads)).orthogonalized(matrix) == found) }
    // The singular values are near 1, so the squares add up to about the shorter side.
    let squares = found.values.reduce(0) { $0 + Double($1) * Double($1) } / Double(min(rows, columns))
    #expect((0.4...1.5).contains(squares), "\(squares)")
  }

  @Test func `of nothing it is nothing`() {
    #expect(Ops(ThreadPool(threads: 1)).orthogonalized(Tensor(zeros: [3, 4])) == Tensor(zeros: [3, 4]))
  }

  /// The same operations in PyTorch, on [8, 3].
  @Test func `it agrees with PyTorch`() {
    let matrix = Tensor([8, 3]) { Float(sin(0.7 * Double($0 * $0))) }
    let wanted = [
      -0.006440727, 0.542762618, 0.209151517, -0.031739647, -0.734016887, -0.784375089, 0.199614007, 0.090349884,
      0.693117858, 0.203570586, 0.694210793, -0.0074443, 0.395530376, -0.687613971, -0.647424168, 0.837923195,
      -0.344944326, 1.03684685, 0.81145086, 0.953941802, -0.499081175, 1.214322932, -0.432469014, -0.195510766,
    ]
    let found = Ops(ThreadPool(threads: 1)).orthogonalized(matrix).values
    for (one, other) in zip(found, wanted) {
      #expect(abs(Double(one) * (8.0 / 3).squareRoot() - other) < 2e-5)
    }
  }
}
