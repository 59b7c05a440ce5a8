// What `--version` says: the version, what it was built from, and what computes.

import CBuildInfo
import Tensors
import Training

/// The program's version for people, and as `doctor --json` gives it.
struct Version: Encodable, CustomStringConvertible {
  /// The release, `0.1.0`.
  var version = Skipline.version
  /// Abbreviated; nil in a build of a developer's.
  var commit: String? = String(cString: build_commit()).nilIfEmpty
  /// Of the commit.
  var date: String? = String(cString: build_date()).nilIfEmpty
  /// The vector kernels in use.
  var kernels = Kernels.level

  /// `0.1.0 (commit 1a18719 of 2026-11-28; avx512 kernels)`
  var description: String {
    let source = commit.map { "commit \($0)" + (date.map { " of \($0)" } ?? "") } ?? "development build"
    return "\(version) (\(source); \(kernels) kernels)"
  }
}

extension String {
  fileprivate var nilIfEmpty: String? { isEmpty ? nil : self }
}
