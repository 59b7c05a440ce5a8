// The pipe by which other threads end the screen's wait for input.

import Glibc

/// Wakes a screen that waits for input. Any thread may hold and use it, also after the screen was closed.
public final class TerminalWaker: Sendable {
  let readEnd: Int32
  let writeEnd: Int32

  /// - Throws: `TerminalFailure` when the process has no descriptors left.
  init() throws {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      let reason = String(cString: strerror(errno))
      throw TerminalFailure(
        description: "cannot make a pipe (\(reason)); raise the limit of open files (ulimit -n)")
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
  }

  /// Makes the current or the next wait return. Never blocks: a pipe that is full wakes as well.
  public func wake() {
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
  }

  /// Forgets every wake until now.
  func drain() {
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(readEnd, &bytes, bytes.count) > 0 {}
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }
}
