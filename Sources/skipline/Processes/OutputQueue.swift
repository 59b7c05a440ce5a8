// Standard output and standard error while something goes on that must not wait for whoever reads them: a pager, a
// stopped terminal, a program that sleeps.

import Glibc
import Resources
import Synchronization

/// What waits to be written to a descriptor, and the thread that writes it.
///
/// It is `@unchecked Sendable` because `condition` guards every variable.
final class OutputQueue: @unchecked Sendable {
  /// What becomes of a text that nobody reads.
  enum Importance {
    /// It waits, however long.
    case result
    /// It is left out.
    case progress
  }

  private let descriptor: Int32
  private let condition = Condition()
  private var waiting: [[UInt8]] = []
  private var waitingBytes = 0
  /// Counts what was written, so that a reader who is slow can be told from none.
  private var writtenBytes = 0
  private var hasLostResults = false
  /// Whether nobody reads any more, which is their choice and no fault.
  private var isClosed = false

  /// More progress than a screen holds is of no use to anybody.
  private static let mostProgress = 1 << 16
  /// So many bytes of results may wait: some hundred thousand epochs.
  private static let mostResults = 64 << 20
  /// At a time: what a pipe takes at once, or not at all.
  private static let chunk = 4096

  /// - Throws: `ResourceShortage` where there is no thread for it.
  init(descriptor: Int32) throws(ResourceShortage) {
    self.descriptor = descriptor
    try SystemThread.start("output", stackSize: SystemThread.smallStack, attempts: 2) { [self] in writeAll() }
  }

  /// Puts a text in; never waits.
  func write(_ text: [UInt8], _ importance: Importance) {
    condition.lock()
    defer { condition.unlock() }
    guard !isClosed, !text.isEmpty else { return }
    guard waitingBytes + text.count <= (importance == .result ? Self.mostResults : Self.mostProgress) else {
      if importance == .result { hasLostResults = true }
      return
    }
    waiting.append(text)
    waitingBytes += text.count
    condition.broadcast()
  }

  /// Waits until everything is written, but not while nothing is read.
  /// - Parameter timeout: how long nothing may be read.
  /// - Returns: whether every result was taken, or the reader had gone.
  func finish(timeout: Duration) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    var (seen, deadline) = (writtenBytes, ContinuousClock.now + timeout)
    while waitingBytes > 0, !isClosed {
      guard condition.wait(until: deadline) || writtenBytes != seen else { break }
      if writtenBytes != seen { (seen, deadline) = (writtenBytes, ContinuousClock.now + timeout) }
    }
    return (waitingBytes == 0 || isClosed) && !hasLostResults
  }

  private func writeAll() {
    condition.lock()
    defer { condition.unlock() }
    while true {
      while waiting.isEmpty { condition.wait() }
      let text = waiting.removeFirst()
      for start in stride(from: 0, to: text.count, by: Self.chunk) {
        let part = text[start..<min(text.count, start + Self.chunk)]
        condition.unlock()
        let code = part.withUnsafeBytes { Self.write($0, to: descriptor) }
        condition.lock()
        waitingBytes -= part.count
        writtenBytes += part.count
        if code != 0 {
          // Who closes a pipe has read enough; a full disk has not.
          hasLostResults = hasLostResults || code != EPIPE
          isClosed = true
          condition.broadcast()
          return
        }
        condition.broadcast()
      }
    }
  }

  /// Writes all bytes, waiting for whoever reads them.
  /// - Returns: 0 or an error number.
  static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var done = 0
    while done < bytes.count {
      let written = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      if written >= 0 {
        done += written
      } else if errno == EAGAIN {
        // Another program has set it not to wait.
        var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&place, 1, 1000)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}
