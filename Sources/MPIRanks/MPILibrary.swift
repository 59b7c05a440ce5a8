// The library that `scripts/build-mpi` makes with the machine's mpicc: where it is looked for, and its functions.

import CMPI
import Glibc
import Ranks

/// The calls of MPI, loaded. `CMPI.h` says what each does.
///
/// It is `@unchecked Sendable` because the table of functions is constant; who calls them one at a time is
/// `MPICommunicator`.
public final class MPILibrary: @unchecked Sendable {
  /// Names another place of the library.
  public static let variable = "SKIPLINE_MPI"
  public static let fileName = "libskipline-mpi.so"

  public let path: String
  let functions: cmpi_functions

  /// - Throws: `MPILibraryError`.
  public init(path: String) throws(MPILibraryError) {
    var why = [CChar](repeating: 0, count: 1024)
    guard let functions = cmpi_load(path, &why, Int32(why.count)) else {
      throw MPILibraryError(path: path, reason: Self.text(why))
    }
    self.path = path
    self.functions = functions.pointee
  }

  /// Name and version of the MPI.
  public var name: String { text { functions.library_name($0, $1) } }

  /// What this machine is called.
  var host: String { text { functions.host_name($0, $1) } }

  /// - Throws: `RankFailure` for a code that is not 0.
  func check(_ code: Int32, _ what: String) throws(RankFailure) {
    guard code != 0 else { return }
    throw RankFailure("\(what) failed: \(text { functions.error_text(code, $0, $1) })")
  }

  private func text(_ fill: (UnsafeMutablePointer<CChar>, Int32) -> Void) -> String {
    var bytes = [CChar](repeating: 0, count: 1024)
    let room = Int32(bytes.count)
    bytes.withUnsafeMutableBufferPointer { if let start = $0.baseAddress { fill(start, room) } }
    return Self.text(bytes)
  }

  /// The text up to the first zero byte.
  static func text(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// The library is not there, or cannot be used.
public struct MPILibraryError: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String { "the MPI library \(path) cannot be used: \(reason)" }
}
