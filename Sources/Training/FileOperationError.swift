// What the system answered when a file of a run could not be read or written, in words that say what to do next.

import Foundation

/// A file operation that the system refused.
public struct FileOperationError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Step: String, Sendable {
    case open, read, create, write, sync, remove
    case rename = "move into place"
    case makeFolder = "create the folder"
    case syncFolder = "sync the folder"
  }

  public var path: String
  public var step: Step
  /// The error number, as in `errno.h`.
  public var code: Int32
  /// What is lacking, where that was seen before anything was written.
  public var space: Space?

  /// Bytes.
  public struct Space: Equatable, Sendable {
    public var needed: Int
    public var free: Int
  }

  public init(path: String, step: Step, code: Int32, space: Space? = nil) {
    self.path = path
    self.step = step
    self.code = code
    self.space = space
  }

  public var description: String {
    let reason =
      space.map { "it needs \(bytesText($0.needed)) and \(bytesText($0.free)) are free on that disk" }
      ?? String(cString: strerror(code))
    return "\(path): cannot \(step.rawValue): \(reason)\(hint.map { "; " + $0 } ?? "")"
  }

  private var hint: String? {
    switch code {
    case ENOSPC, EDQUOT: "free some space on that disk"
    case EFBIG: "raise the limit on file sizes (ulimit -f)"
    case EACCES, EPERM, EROFS: "change its permissions or choose another folder"
    case ENOENT: "check that the path is right and that the folder was not removed"
    case ENAMETOOLONG: "choose a shorter name"
    case EMFILE, ENFILE: "close other programs or raise the limit on open files (ulimit -n)"
    case EIO: "the disk or the network mount fails; copy what matters and check it"
    default: nil
    }
  }
}

/// Bytes with a unit, in steps of 1024, for messages: `940 B`, `12.3 MiB`.
func bytesText(_ count: Int) -> String {
  var value = Double(count)
  for unit in ["B", "KiB", "MiB", "GiB"] {
    if value < 1024 { return unit == "B" ? "\(count) B" : String(format: "%.1f \(unit)", value) }
    value /= 1024
  }
  return String(format: "%.1f TiB", value)
}
