// What the system refused, in words that say what to do next.

import Glibc

/// Something of which there is no more.
public struct ResourceShortage: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Resource: Equatable, Sendable {
    case thread(purpose: String)
    case socket
    case pipe
    case process
    /// Bytes.
    case memory(Int, purpose: String)
    /// A library that the program needs.
    case library(String, reason: String)
  }

  public var resource: Resource
  /// The error number, as in `errno.h`.
  public var code: Int32

  public init(_ resource: Resource, code: Int32) {
    self.resource = resource
    self.code = code
  }

  public var description: String { "\(summary); \(advice)" }

  /// What could not be had, without what to do next.
  public var summary: String {
    let reason = String(cString: strerror(code))
    return switch resource {
    case .thread(let purpose): "no thread can be started (\(purpose)): \(reason)"
    case .socket: "no socket can be made: \(reason)"
    case .pipe: "no pipe can be made: \(reason)"
    case .process: "no process can be started: \(reason)"
    case .memory(let bytes, let purpose): "there are no \(bytes >> 20) MiB of memory for \(purpose)"
    case .library(let name, let reason): "\(name) cannot be used: \(reason)"
    }
  }

  private var advice: String {
    switch (resource, code) {
    case (_, EMFILE): "raise the limit on open files (ulimit -n)"
    case (_, ENFILE): "the machine has no more open files to give: close other programs"
    case (.thread, _), (.process, _):
      "end other programs, or raise the limits on processes (ulimit -u) and memory (ulimit -v)"
    case (.library(let name, _), _): "install \(name)"
    case (.memory, _), (_, ENOMEM): "end other programs, or raise the limit on memory (ulimit -v)"
    default: "end other programs"
    }
  }
}
