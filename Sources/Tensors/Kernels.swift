// What computes: the vector loops' instruction set and the BLAS. The same numbers added in another order give other
// last bits, so whoever promises the same bits has to name these.

import CKernels
import COpenBLAS

/// The machine code that the results depend on, besides their inputs.
public enum Kernels {
  /// `avx2, OpenBLAS 0.3.21 Haswell`. Equal texts give equal bits; unequal ones may give other bits.
  public static var description: String { "\(level), \(blas)" }

  /// `OpenBLAS 0.3.21 Haswell`: the library, its version, and the processor that its own kernels are for.
  public static let blas: String = {
    // "OpenBLAS 0.3.21 DYNAMIC_ARCH NO_AFFINITY Haswell MAX_THREADS=64": name and version come first.
    let library = String(cString: openblas_configuration()).split(separator: " ").prefix(2).joined(separator: " ")
    return "\(library) \(String(cString: openblas_processor()))"
  }()

  /// How OpenBLAS was built to use threads; it is given one in any case.
  public enum BlasThreading: Sendable { case serial, pthreads, openMP }

  /// Why OpenBLAS cannot be loaded; nil where it can.
  public static var blasFault: String? { openblas_load().map { String(cString: $0) } }

  public static var blasThreading: BlasThreading {
    switch openblas_threading() {
    case 0: .serial
    case 2: .openMP
    default: .pthreads
    }
  }

  /// The instruction set of the vector loops in use: `avx512`, `avx2`, `sse2`, `neon` or `portable`.
  public static var level: String { String(cString: ck_level()) }

  /// The environment variable that names another level.
  public static let variable = "SKIPLINE_KERNELS"

  /// To be called by a program that may have to `choose`, before it has threads.
  public static func keepRoom() { openblas_keep_room() }

  /// Computes by a level that other machines have too, and by OpenBLAS's kernels for an ordinary processor of this level,
  /// so that the results have the same bits on all of them. To be called before anything is computed.
  /// - Parameter level: one that this processor has.
  /// - Returns: nil, or why not.
  public static func choose(_ level: String) -> String? {
    guard ck_choose_level(level) != 0 else { return "this processor has no \(level)" }
    guard let processor = ordinaryProcessors[level] else { return nil }
    return openblas_choose_processor(processor) != 0 ? nil : "the environment has no room for OPENBLAS_CORETYPE"
  }

  /// As OpenBLAS names them: of all that have a level's instructions, the first or the plainest. There is one of 64-bit
  /// ARM.
  static let ordinaryProcessors = [
    "avx512": "SkylakeX", "avx2": "Haswell", "sse2": "Prescott", "neon": "ARMV8",
  ]

  /// The best level that all of several machines have; nil where they have none in common.
  /// - Parameter levels: those of each, the best first.
  public static func common(_ levels: [[String]]) -> String? {
    levels.first?.first { level in levels.allSatisfy { $0.contains(level) } }
  }

  /// The level in use and those below it that this processor has.
  public static var usableLevels: [String] { Array(levels.drop { $0 != level }) }

  /// The levels that this processor has, the best first.
  public static var levels: [String] {
    var levels: [String] = []
    while let name = ck_level_at(levels.count) { levels.append(String(cString: name)) }
    return levels
  }

  /// - Throws: `UnknownKernels` where the environment names a level that this processor does not have.
  public static func validate() throws(UnknownKernels) {
    if let name = ck_refused_level() { throw UnknownKernels(name: String(cString: name), levels: levels) }
  }
}

/// `SKIPLINE_KERNELS` names kernels that there are not, here.
public struct UnknownKernels: Error, CustomStringConvertible {
  public let name: String
  public let levels: [String]

  public var description: String {
    "\(Kernels.variable)=\(name): this processor has no such kernels; it has \(levels.joined(separator: ", "))"
  }
}
