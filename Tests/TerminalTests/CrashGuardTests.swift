// The restore sequence, the signal handlers, and the pipe that wakes.

import CTerminal
import Foundation
import Testing

@testable import Terminal

struct RestoreSequenceTests {
  @Test(arguments: [
    ("\u{1B}[?1049l", "\u{1B}[?1049l"), ("\u{1B}[0m$<2>", "\u{1B}[0m"), ("a$<10/>b$<5*>c", "abc"), ("a$<5", "a$<5"),
    ("", ""), ("$<1>", ""),
  ])
  func `delays are not written to the terminal`(text: String, expected: String) {
    #expect(CrashGuard.withoutPadding(text) == expected)
  }

  @Test func `it leaves the screen last, and skips what the terminal lacks`() {
    let known = ["rmcup": "<rmcup>", "cnorm": "<cnorm>$<5>"]
    let none = TerminalModes(isANSI: false, mouse: false)
    #expect(CrashGuard.restoreSequence(modes: none) { known[$0] } == "<cnorm><rmcup>")
    let sequence = CrashGuard.restoreSequence(modes: TerminalModes(isANSI: true, mouse: true)) { _ in nil }
    #expect(sequence.contains("\u{1B}[?1000l") && sequence.contains("\u{1B}[?2004l"))
  }
}

struct SignalTests {
  /// Guards a pretended screen on standard output.
  private static func guardStandardOutput() {
    var settings = termios()
    _ = terminal_guard_begin(STDOUT_FILENO, &settings, "<restored>", 10, "<message>", 9)
  }

  /// Whoever started the tests may have them ignored, and worker threads block them.
  private static func letSignalsThrough() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, nil)
    for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
  }

  @Test func `a fatal signal restores the screen, speaks, and still ends the process, in a process of its own`()
    async throws
  {
    let result = try await #require(
      processExitsWith: .signal(SIGSEGV), observing: [\.standardOutputContent]
    ) {
      SignalTests.guardStandardOutput()
      raise(SIGSEGV)
    }
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).hasSuffix("<restored><message>"))
  }

  @Test func `a crash on another thread does so too, in a process of its own`() async throws {
    let result = try await #require(
      processExitsWith: .signal(SIGABRT), observing: [\.standardOutputContent]
    ) {
      SignalTests.guardStandardOutput()
      Thread.detachNewThread { abort() }
      while true { sleep(1) }
    }
    #expect(String(decoding: result.standardOutputContent, as: UTF8.self).hasSuffix("<restored><message>"))
  }

  @Test func `after the end, and while the terminal is given back, nothing is written, in a process of its own`()
    async throws
  {
    let ended = try await #require(processExitsWith: .signal(SIGABRT), observing: [\.standardOutputContent]) {
      SignalTests.guardStandardOutput()
      terminal_guard_end()
      abort()
    }
    #expect(!String(decoding: ended.standardOutputContent, as: UTF8.self).contains("<restored>"))
    let given = try await #require(processExitsWith: .signal(SIGABRT), observing: [\.standardOutputContent]) {
      SignalTests.guardStandardOutput()
      terminal_guard_set_active(0)
      abort()
    }
    #expect(!String(decoding: given.standardOutputContent, as: UTF8.self).contains("<restored>"))
  }

  @Test func `ending signals are counted, wake the reader, and die again after the end, in a process of its own`()
    async
  {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      SignalTests.letSignalsThrough()
      let waker = try TerminalWaker()
      precondition(terminal_signals_begin(waker.writeEnd) == 0)
      raise(SIGINT)
      raise(SIGTERM)
      raise(SIGINT)
      var byte: UInt8 = 0
      precondition(read(waker.readEnd, &byte, 1) == 1)
      let taken = (0..<4).map { _ in terminal_signals_take() }
      precondition(taken == [SIGTERM, SIGINT, SIGINT, 0])
      terminal_signals_end()
      raise(SIGTERM)
    }
  }

  @Test func `a signal that was ignored stays ignored, in a process of its own`() async {
    await #expect(processExitsWith: .exitCode(7)) {
      SignalTests.letSignalsThrough()
      signal(SIGHUP, SIG_IGN)
      let waker = try TerminalWaker()
      precondition(terminal_signals_begin(waker.writeEnd) == 0)
      raise(SIGHUP)
      exit(terminal_signals_take() == 0 ? 7 : 1)
    }
  }
}

struct WakerTests {
  private func isReadable(_ descriptor: Int32) -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&state, 1, 0) == 1
  }

  @Test func `a wake is seen once, however often it was called, and never blocks`() throws {
    let waker = try TerminalWaker()
    #expect(!isReadable(waker.readEnd))
    for _ in 0..<100_000 { waker.wake() }
    #expect(isReadable(waker.readEnd))
    waker.drain()
    #expect(!isReadable(waker.readEnd))
  }

  @Test func `a descriptor whose other end is closed is at its end, a silent one is not`() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    #expect(terminal_is_at_end(ends[0]) == 0)
    close(ends[1])
    #expect(terminal_is_at_end(ends[0]) == 1)
    close(ends[0])
    #expect(terminal_is_at_end(ends[0]) == 1)
  }
}

struct StandardErrorLogTests {
  @Test func `a log in a folder that is not there is an error that names it`() {
    #expect {
      _ = try StandardErrorLog(path: "/nowhere/at/all.txt")
    } throws: { error in
      "\(error)".contains("/nowhere/at/all.txt")
    }
  }
}
