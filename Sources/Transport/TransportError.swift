// Why a connection cannot be made, or cannot go on, in words.

import Files
import Glibc

/// Why a connection cannot go on.
public enum TransportError: Error, Equatable, CustomStringConvertible {
  /// A message is longer than any that this program sends.
  case tooLong(bytes: Int)
  /// The bytes are no message.
  case malformed(reason: String)
  case otherVersion(theirs: Int)
  case refused(reason: String)
  /// The other end is gone.
  case closed
  /// The other end is there and says nothing, as a process does that was stopped.
  case silent
  /// Another user's process listens where this user's run should.
  case foreign
  case system(step: String, code: Int32)

  public var description: String {
    switch self {
    case .tooLong(let bytes):
      "a message of \(bytes) bytes was announced, which is more than is taken"
    case .malformed(let reason): "a message cannot be understood: \(reason)"
    case .otherVersion(let theirs):
      "the other end speaks version \(theirs) of the messages, this one version \(protocolVersion); "
        + "use the same skipline for both"
    case .refused(let reason): "the engine refused: \(reason)"
    case .closed: "the connection is closed"
    case .silent: "the other end does not answer; its process may be stopped or very busy"
    case .foreign: "the process that listens there belongs to another user, and is not trusted"
    case .system(let step, EACCES):
      "\(step): \(SystemError(number: EACCES)); only who trains the run may attach to it"
    case .system(let step, let code): "\(step): \(SystemError(number: code))"
    }
  }
}
