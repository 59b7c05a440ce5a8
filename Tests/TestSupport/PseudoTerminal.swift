// A terminal that is only a pair of descriptors: a program thinks it has a screen, and the other end can be closed
// without any signal, as when a terminal emulator or a line breaks down. It can answer what a program asks, and keep what
// it wrote.

import Foundation
import Synchronization

/// The person's end of a terminal.
package final class PseudoTerminal: Sendable {
  /// What a program takes for its terminal.
  package let programEnd: Int32
  private let master: Int32
  private let isOver = Atomic(false)
  private let written = Mutex<[UInt8]>([])

  /// What was written so far, if it is kept.
  package var output: [UInt8] { written.withLock { $0 } }

  /// `TIOCSPTLCK` and `TIOCGPTN` of ioctl_tty(2): posix_openpt(3) and its like are not imported.
  private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

  /// - Parameters:
  ///   - size: columns, rows, and the extent in pixels; nil for a terminal that does not know.
  ///   - answer: what is typed by the terminal itself once it has shown some bytes; with it they are kept.
  /// - Throws: `NoPseudoTerminal`.
  package init(
    size: (columns: UInt16, rows: UInt16, width: UInt16, height: UInt16)? = nil,
    answer: (@Sendable (ArraySlice<UInt8>) -> [UInt8])? = nil
  ) throws {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (locked, number): (Int32, Int32) = (0, 0)
    guard master >= 0, ioctl(master, Self.setLock, &locked) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
      throw NoPseudoTerminal(code: errno)
    }
    let programEnd = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard programEnd >= 0 else { throw NoPseudoTerminal(code: errno) }
    (self.master, self.programEnd) = (master, programEnd)
    if let size {
      var extent = winsize(
        ws_row: size.rows, ws_col: size.columns, ws_xpixel: size.width, ws_ypixel: size.height)
      _ = ioctl(master, UInt(TIOCSWINSZ), &extent)
    }
    // Drawing must not wait for a reader. The thread keeps the descriptor until it sees the end.
    let thread = Thread { [self] in
      var bytes = [UInt8](repeating: 0, count: 4096)
      while !isOver.load(ordering: .acquiring) {
        var state = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&state, 1, 50) > 0 else { continue }
        let count = read(master, &bytes, bytes.count)
        if count <= 0 { usleep(10_000) }
        guard let answer, count > 0 else { continue }
        written.withLock { $0 += bytes.prefix(count) }
        let reply = answer(bytes.prefix(count))
        if !reply.isEmpty { _ = reply.withUnsafeBytes { write(master, $0.baseAddress, $0.count) } }
      }
      close(master)
    }
    thread.start()
  }

  /// The program has its end by now: this process gives its own copy up.
  package func handedOver() { close(programEnd) }

  package func type(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
  }

  /// Takes the terminal away, a moment later.
  package func breakDown() { isOver.store(true, ordering: .releasing) }
}

/// The system has no terminal to give.
package struct NoPseudoTerminal: Error {
  package let code: Int32
}
