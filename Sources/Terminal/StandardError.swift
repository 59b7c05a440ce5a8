// Standard error while a screen is open: what libraries and traps write there would be drawn across the panes, so
// it goes to a log file for that time.

import Glibc

/// A redirection of standard error to a file. Not for use from several threads.
final class StandardErrorLog {
  private let log: Int32
  private var original: Int32?

  /// Opens the log for appending.
  /// - Throws: `TerminalFailure` when it cannot be opened.
  init(path: String) throws {
    // The place may be one where others can put links.
    log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard log >= 0 else {
      let reason = String(cString: strerror(errno))
      throw TerminalFailure(description: "cannot open the log \(path): \(reason); name another place for it")
    }
  }

  func redirect() {
    guard original == nil else { return }
    let copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { return }
    original = copy
    dup2(log, STDERR_FILENO)
  }

  func restore() {
    guard let copy = original else { return }
    dup2(copy, STDERR_FILENO)
    close(copy)
    original = nil
  }

  deinit {
    restore()
    close(log)
  }
}
