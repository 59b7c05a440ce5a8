// The nearest matrix with orthogonal rows or columns, roughly, by matrix products alone.

import CKernels

/// How a matrix is orthogonalized.
public enum NewtonSchulz {
  /// Of the quintic a * X + b * X X'X + c * X X'X X'X, which drives all singular values to near 1 (Jordan et al. 2024,
  /// "Muon: An optimizer for hidden layers in neural networks", kellerjordan.github.io/posts/muon): steeper at zero than
  /// one that converges, so that they end in about 0.7 ... 1.2.
  public static let coefficients: (a: Float, b: Float, c: Float) = (3.4445, -4.7750, 2.0315)
  public static let iterations = 5
  /// Added to the norm by which a matrix is divided first.
  static let epsilon = 1e-7

  /// Numbers that it takes besides its argument for a matrix [rows, columns].
  public static func scratch(rows: Int, columns: Int) -> Int {
    let small = min(rows, columns)
    return 2 * rows * columns + 2 * small * small
  }
}

extension Ops {
  /// U V' for the argument's singular value decomposition U S V', roughly: its singular values become about 1. It is the
  /// same for a matrix and its transpose, and whatever the order of rows and columns is.
  /// - Parameter matrix: [..., C], taken as [rows, C].
  public func orthogonalized(_ matrix: Tensor) -> Tensor {
    let columns = matrix.shape.last ?? 1
    let rows = matrix.count / max(1, columns)
    let small = min(rows, columns)
    let (a, b, c) = NewtonSchulz.coefficients
    var x = matrix
    scale(&x, by: Float(1 / (sumOfSquares(matrix).squareRoot() + NewtonSchulz.epsilon)))
    var next = Tensor(uninitialized: matrix.shape)
    var gram = Tensor(uninitialized: [small, small])
    var polynomial = Tensor(uninitialized: [small, small])
    for _ in 0..<NewtonSchulz.iterations {
      // Of the shorter side: X'X or X X'.
      x.read { x in
        let (plain, turned) = (MatrixView(x, stride: columns), MatrixView(x, stride: columns, .transposed))
        gram.write { gram in
          if columns == small {
            multiply(turned, plain, into: gram, rows: small, columns: small, inner: rows)
          } else {
            multiply(plain, turned, into: gram, rows: small, columns: small, inner: columns)
          }
        }
      }
      // a + b * G + c * G G
      gram.read { gram in
        polynomial.write { result in
          let view = MatrixView(gram, stride: small)
          multiply(view, view, into: result, rows: small, columns: small, inner: small)
          pool.run(over: small, chunks: ThreadPool.chunks(of: small * small)) { rows in
            for row in rows {
              for i in (row * small)..<((row + 1) * small) { result[i] = c * result[i] + b * gram[i] }
              result[row * small + row] += a
            }
          }
        }
      }
      Tensor.read(x, polynomial) { x, polynomial in
        let (x, polynomial) = (MatrixView(x, stride: columns), MatrixView(polynomial, stride: small))
        next.write { next in
          if columns == small {
            multiply(x, polynomial, into: next, rows: rows, columns: columns, inner: small)
          } else {
            multiply(polynomial, x, into: next, rows: rows, columns: columns, inner: small)
          }
        }
      }
      swap(&x, &next)
    }
    return x
  }

  /// A product of whole matrices, a range of the result's rows a chunk; see `GEMM.multiply`.
  private func multiply(
    _ a: MatrixView, _ b: MatrixView, into result: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int
  ) {
    pool.run(over: rows, chunks: ThreadPool.chunks(of: rows * columns)) { part in
      var a = a
      a.base += part.lowerBound * (a.orientation == .asStored ? a.stride : 1)
      GEMM.multiply(
        a, b, into: result + part.lowerBound * columns, rows: part.count, columns: columns, inner: inner)
    }
  }
}
