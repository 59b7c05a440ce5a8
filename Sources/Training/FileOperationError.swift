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

  public init(path: String, step: Step, code: Int32) {
    self.path = path
    self.step = step
    self.code = code
  }

  public var description: String {
    "\(path): cannot \(step.rawValue): \(String(cString: strerror(code)))\(hint.map { "; " + $0 } ?? "")"
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
