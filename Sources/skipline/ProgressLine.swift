// One line on standard error that is written over and over while something takes long; nothing where standard error
// is not a terminal. A return to the line's start and spaces do it: no escape code.

import Canvas
import Glibc
import Synchronization

/// A line of progress. It may be told from any thread.
final class ProgressLine: Sendable {
  private let isShown = isatty(STDERR_FILENO) == 1
  private let line = Mutex(Line())

  private struct Line {
    var width = 0
    var last: ContinuousClock.Instant?
  }

  private static let interval = Duration.milliseconds(100)

  /// Shows a text in place of the one before; at most ten a second, others are left out.
  func show(_ text: @autoclosure () -> String) {
    guard isShown else { return }
    line.withLock { line in
      let now = ContinuousClock.now
      if let last = line.last, now - last < Self.interval { return }
      line.last = now
      let text = Sanitizer.sanitized(text())
      let width = DisplayWidth.of(text)
      write("\r" + text + String(repeating: " ", count: max(0, line.width - width)))
      line.width = width
    }
  }

  /// Leaves an empty line for what comes next.
  func clear() {
    line.withLock { line in
      guard line.width > 0 else { return }
      write("\r" + String(repeating: " ", count: line.width) + "\r")
      line.width = 0
    }
  }

  private func write(_ text: String) { Console.show(text) }
}
