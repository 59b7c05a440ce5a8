// What computes: the vector loops' instruction set and the BLAS. The same numbers added in another order give other
// last bits, so whoever promises the same bits has to name these.

import CKernels
import COpenBLAS

/// The machine code that the results depend on, besides their inputs.
public enum Kernels {
  /// `x86-64-v3, OpenBLAS 0.3.21 Haswell`. Equal texts give equal bits; unequal ones may give other bits.
  public static let description: String = {
    // "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY Haswell MAX_THREADS=64": name and version come first.
    let library = String(cString: openblas_get_config()).split(separator: " ").prefix(2).joined(separator: " ")
    return
      "\(String(cString: ck_processor_level())), \(library) \(String(cString: openblas_get_corename()))"
  }()
}
