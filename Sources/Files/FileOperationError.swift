// What the system answered when a file could not be read or written, in words that say what to do next.

import Glibc
import Support

/// A file operation that failed.
public struct FileOperationError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Step: String, Sendable {
    case open, read, create, write, sync, remove
    case rename = "move into place"
    case makeFolder = "create the folder"
    case syncFolder = "sync the folder"
    case listFolder = "list the folder"
  }

  public enum Reason: Equatable, Sendable {
    case system(SystemError)
    /// Too little room, which was seen before anything was written; bytes.
    case noSpace(needed: Int, free: Int)
    /// A folder, pipe, device or socket in a file's place.
    case notARegularFile
    /// A link in the place of a file that is written: where it leads is for whoever put it there to say.
    case link
    /// More bytes than such a file can have.
    case tooLarge(bytes: Int, bound: Int)
  }

  public var path: String
  public var step: Step
  public var reason: Reason

  public init(path: String, step: Step, reason: Reason) {
    self.path = path
    self.step = step
    self.reason = reason
  }

  /// - Parameter code: the error number, as in `errno.h`.
  public init(path: String, step: Step, code: Int32) {
    self.init(path: path, step: step, reason: .system(SystemError(number: code)))
  }

  /// The error number that stands for the reason; nil where there is none.
  public var code: Int32? {
    switch reason {
    case .system(let error): error.number
    case .noSpace: ENOSPC
    case .notARegularFile, .link, .tooLarge: nil
    }
  }

  public var description: String { "\(summary)\(hint.map { "; " + $0 } ?? "")" }

  /// What happened to which file, without what to do next: for whoever knows better.
  public var summary: String { "\(path): cannot \(step.rawValue): \(reason)" }

  private var hint: String? {
    switch reason {
    case .notARegularFile: return "name a file"
    case .link, .tooLarge: return "move it elsewhere"
    case .system, .noSpace: break
    }
    return switch code {
    case ENOSPC, EDQUOT: "free some space on that disk"
    case EFBIG: "raise the limit on file sizes (ulimit -f)"
    case EACCES where [.open, .read, .listFolder].contains(step):
      "you may not read it: ask its owner, or change its permissions"
    case EACCES, EPERM, EROFS: "change its permissions or choose another folder"
    case ENOENT: "check that the path is right and that the folder was not removed"
    case ENAMETOOLONG: "choose a shorter name"
    case EMFILE, ENFILE: "close other programs or raise the limit on open files (ulimit -n)"
    case ENOMEM: "close other programs or raise the limit on memory (ulimit -v)"
    case EIO: "the disk or the network mount fails; copy what matters and check it"
    default: nil
    }
  }
}

extension FileOperationError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .system(let error): "\(error)"
    case .noSpace(let needed, let free):
      "it needs \(bytesText(needed)) and \(bytesText(free)) are free on that disk"
    case .notARegularFile: "it is not a regular file"
    case .link: "it is a link, which is not followed"
    case .tooLarge(let bytes, let bound):
      "it has \(bytesText(bytes)), and such a file has \(bytesText(bound)) at most"
    }
  }
}

/// Bytes with a unit, in steps of 1024, for messages: `940 B`, `12.3 MiB`.
public func bytesText(_ count: Int) -> String {
  var value = Double(count)
  for unit in ["B", "KiB", "MiB", "GiB"] {
    if value < 1024 { return unit == "B" ? "\(count) B" : printed("%.1f ", value) + unit }
    value /= 1024
  }
  return printed("%.1f TiB", value)
}
