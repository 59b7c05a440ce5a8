// The one caller of BLAS: matrix products of row-major matrices, always on the calling thread. Parallel products are
// made by cutting the work into shards (WorkerPool), because OpenBLAS' own threads give other bits for another number
// of threads, and were slower.

import COpenBLAS

/// Whether a matrix is used as stored or with rows and columns exchanged.
public enum Orientation: Sendable {
  case asStored
  case transposed

  fileprivate var blas: CBLAS_TRANSPOSE { self == .asStored ? CblasNoTrans : CblasTrans }
}

/// A row-major matrix in memory that somebody else owns.
public struct MatrixView {
  public var base: UnsafePointer<Float>
  public var orientation: Orientation
  /// Floats from one stored row to the next.
  public var stride: Int

  public init(_ base: UnsafePointer<Float>, stride: Int, _ orientation: Orientation = .asStored) {
    self.base = base
    self.orientation = orientation
    self.stride = stride
  }
}

/// Single-threaded matrix products.
public enum MatrixProduct {
  /// `result = a * b`, or `result += a * b`, where a is [rows, inner] and b [inner, columns] after their
  /// orientations, and result [rows, columns] row by row.
  public static func multiply(
    _ a: MatrixView, _ b: MatrixView, into result: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int,
    accumulating: Bool = false
  ) {
    guard rows > 0, columns > 0 else { return }
    _ = singleThreaded
    cblas_sgemm(
      CblasRowMajor, a.orientation.blas, b.orientation.blas, blasint(rows), blasint(columns), blasint(inner), 1,
      a.base, blasint(a.stride), b.base, blasint(b.stride), accumulating ? 1 : 0, result, blasint(columns))
  }

  /// Set once, before the first product. An OpenMP build ignores it, so there it would be a lie to go on.
  private static let singleThreaded: Void = {
    openblas_set_num_threads(1)
    precondition(
      openblas_get_parallel() != 2 || openblas_get_num_threads() == 1,
      "this OpenBLAS is built with OpenMP: set OMP_NUM_THREADS=1, or install libopenblas0-pthread")
  }()
}
