// The one caller of BLAS: matrix products of row-major matrices, always on the calling thread. Parallel products are
// made by cutting the work into chunks (ThreadPool), because OpenBLAS' own threads give other bits for another number
// of threads, and were slower.

import COpenBLAS
import Glibc
import Resources

/// Whether a matrix is used as stored or with rows and columns exchanged.
public enum Transposition: Sendable {
  case asStored
  case transposed
}

/// A row-major matrix in memory that somebody else owns.
public struct MatrixView {
  public var base: UnsafePointer<Float>
  public var orientation: Transposition
  /// Floats from one stored row to the next.
  public var stride: Int

  public init(_ base: UnsafePointer<Float>, stride: Int, _ orientation: Transposition = .asStored) {
    self.base = base
    self.orientation = orientation
    self.stride = stride
  }
}

/// Single-threaded matrix products.
public enum GEMM {
  /// `result = a * b`, or `result += a * b`, where a is [rows, inner] and b [inner, columns] after their
  /// orientations, and result [rows, columns] row by row.
  public static func multiply(
    _ a: MatrixView, _ b: MatrixView, into result: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int,
    accumulating: Bool = false
  ) {
    guard rows > 0, columns > 0 else { return }
    _ = library
    openblas_multiply(
      Int32(rows), Int32(columns), Int32(inner), a.base, Int32(a.stride), a.orientation == .transposed ? 1 : 0,
      b.base, Int32(b.stride), b.orientation == .transposed ? 1 : 0, result, accumulating ? 1 : 0)
  }

  /// Keeps the library to one thread. For the beginning of a program, before it has threads that read the environment.
  public static func keepToOneThread() { openblas_keep_to_one_thread() }

  /// Loads the library and takes the memory for products on so many threads at the same time. Where this was not
  /// called, the first product does it for itself, and can tell nobody what is lacking.
  /// - Returns: for how many threads there is memory; at least 1.
  /// - Throws: `ResourceShortage` without the library, or memory for one thread.
  static func reserve(threads: Int) throws(ResourceShortage) -> Int {
    if let reason = openblas_load() {
      let reason = String(cString: reason)
      if isForWantOfMemory(reason) {
        throw ResourceShortage(.memory(bufferBytes, purpose: "OpenBLAS"), code: ENOMEM)
      }
      throw ResourceShortage(.library("OpenBLAS (libopenblas0)", reason: reason), code: ENOENT)
    }
    let reserved = Int(openblas_reserve(Int32(clamping: threads)))
    guard reserved > 0 else {
      throw ResourceShortage(.memory(bufferBytes, purpose: "matrix products"), code: ENOMEM)
    }
    return reserved
  }

  /// Whether the library is there, and could not be loaded because address space is short: in the words of dlopen(3).
  /// - Parameter fault: why it cannot be used, as `Kernels.blasFault` has it.
  public static func isForWantOfMemory(_ fault: String) -> Bool {
    ["map segment", "allocate memory"].contains(where: fault.contains)
  }

  /// Address space that OpenBLAS takes for each thread that multiplies.
  private static let bufferBytes = 128 << 20

  private static let library: Void = {
    if let reason = openblas_load() { fatalError("OpenBLAS cannot be used: \(String(cString: reason))") }
  }()
}
