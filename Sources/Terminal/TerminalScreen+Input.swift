// Waiting for input: keys, mouse, changes of size, wakes, signals, and the terminal's end.

import CNcurses
import CTerminal
import Canvas
import Foundation

extension TerminalScreen {
  /// So many are read at a time: a large paste must not keep the screen from being drawn.
  private static let batch = 512

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
    let limit = mayHoldInput ? 0 : milliseconds.map { Int32(clamping: max(0, $0)) } ?? -1
    // A signal ends the wait early with an error; what it meant is found below all the same.
    let ready = poll(&sources, 2, limit)
    waker.drain()
    let events = ready > 0 ? Int32(sources[0].revents) : 0
    let raw = state == .active ? readRaw() : []
    var inputs = KeyDecoder.decode(raw)
    carryOutStops(in: &inputs)
    takeSignals(into: &inputs)
    if events & (POLLHUP | POLLERR | POLLNVAL) != 0
      || (events & POLLIN != 0 && raw.isEmpty && terminal_is_at_end(STDIN_FILENO) != 0)
    {
      inputs.append(.endOfInput)
    }
    return inputs
  }

  private func readRaw() -> [RawInput] {
    var raw: [RawInput] = []
    while raw.count < Self.batch {
      var value: wint_t = 0
      switch wget_wch(window, &value) {
      case OK: if let scalar = Unicode.Scalar(value) { raw.append(.character(scalar)) }
      case KEY_CODE_YES:
        switch Int32(bitPattern: value) {
        case KEY_MOUSE: if let event = readMouse() { raw.append(event) }
        case KEY_RESIZE:
          // The terminal may have moved its content about; everything is drawn again.
          shown = nil
          clearok(window, true)
          raw.append(.resized(size))
        case let code: raw.append(.code(code))
        }
      default:
        mayHoldInput = false
        return raw
      }
    }
    mayHoldInput = true
    return raw
  }

  private func readMouse() -> RawInput? {
    var event = MEVENT()
    guard getmouse(&event) == OK else { return nil }
    let (x, y) = (Int(event.x), Int(event.y))
    if event.bstate & shim_left_pressed != 0 { return .click(x: x, y: y) }
    if event.bstate & shim_wheel_up != 0 { return .wheel(x: x, y: y, rows: -3) }
    if event.bstate & shim_wheel_down != 0 { return .wheel(x: x, y: y, rows: 3) }
    return nil
  }

  private func carryOutStops(in inputs: inout [Input]) {
    guard inputs.contains(.key(.control("z"))) else { return }
    inputs.removeAll { $0 == .key(.control("z")) }
    suspend()
    terminal_stop_job()
    resume()
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
