// Waiting for input: keys, mouse, pasted text, changes of size, wakes, signals, and the terminal's end. The terminal's
// bytes are read here and decoded by `InputDecoder`; ncurses reads nothing, because what it makes of a sequence that
// comes in pieces cannot be put together again.

import CNcurses
import CTerminal
import Canvas
import Glibc

extension TerminalScreen {
  /// So many bytes are read at a time: a large paste must not keep the screen from being drawn.
  private static let batch = 4096

  private static let start = ContinuousClock.now

  /// Milliseconds on a clock that never goes back.
  private static var now: Int {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
  }

  /// Waits until something was typed, the terminal changed, another thread called `waker.wake()`, or time is up.
  ///
  /// ctrl-c arrives as a key, and so does a SIGINT from elsewhere. ctrl-z is carried out here: the job stops, and
  /// when it is continued the answer is a change of size, so that a new frame is drawn. SIGTERM, SIGHUP and a
  /// terminal that is gone are `.endOfInput`.
  /// - Parameter milliseconds: nil waits without limit, 0 not at all.
  /// - Returns: what came in, in order; empty after a wake or when time was up.
  public func waitForInput(timeout milliseconds: Int?) -> [Input] {
    guard state != .closed else { return [.endOfInput] }
    var sources = [
      pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
      pollfd(fd: waker.readEnd, events: Int16(POLLIN), revents: 0),
    ]
    let due = decoder.deadline.map { max(0, $0 - Self.now) }
    let limit = [milliseconds.map { max(0, $0) }, due].compactMap { $0 }.min()
    // A signal ends the wait early with an error; what it meant is found below all the same.
    let ready = poll(&sources, 2, limit.map { Int32(clamping: $0) } ?? -1)
    waker.drain()
    let events = ready > 0 ? Int32(sources[0].revents) : 0
    var inputs: [Input] = []
    var isAtEnd = events & (POLLERR | POLLNVAL) != 0 || (events & POLLHUP != 0 && events & POLLIN == 0)
    if state == .active {
      if let size = adoptSize() { inputs.append(.resized(size)) }
      if events & POLLIN != 0 { isAtEnd = !read(into: &inputs) || isAtEnd }
      // After the reading: what came in time may have waited here.
      inputs += decoder.expire(at: Self.now)
    }
    carryOutStops(in: &inputs)
    takeSignals(into: &inputs)
    if isAtEnd { inputs.append(.endOfInput) }
    return inputs
  }

  /// - Returns: false when there is nothing more to come.
  private func read(into inputs: inout [Input]) -> Bool {
    var bytes = [UInt8](repeating: 0, count: Self.batch)
    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
    guard count > 0 else { return count < 0 && [EINTR, EAGAIN].contains(errno) }
    inputs += decoder.feed(bytes.prefix(count), at: Self.now)
    return true
  }

  /// Gives the screen the terminal's size.
  /// - Returns: the new size where it changed.
  private func adoptSize() -> Size? {
    guard let now = Self.askSize(), now != reportedSize else { return nil }
    reportedSize = now
    resizeterm(Int32(now.height), Int32(now.width))
    // The terminal may have moved its content about; everything is drawn again.
    shown = nil
    clearok(window, true)
    return size
  }

  private func carryOutStops(in inputs: inout [Input]) {
    guard inputs.contains(.key(.control("z"))) else { return }
    inputs.removeAll { $0 == .key(.control("z")) }
    suspend()
    terminal_stop_job()
    resume()
    _ = adoptSize()
    inputs.append(.resized(size))
  }

  private func takeSignals(into inputs: inout [Input]) {
    while true {
      switch terminal_signals_take() {
      case 0: return
      case SIGINT: inputs.append(.key(.control("c")))
      case let signal:
        endingSignal = endingSignal ?? signal
        inputs.append(.endOfInput)
      }
    }
  }
}
