// Signals that ask the program to end, taken as requests: the first is remembered for whoever asks between two steps,
// the second has its usual effect.

import ArgumentParser
import CResources
import Glibc
import Resources
import Synchronization

/// Watches SIGHUP, SIGINT and SIGTERM for as long as it exists, but for those that were ignored when it came: so
/// `nohup` has its meaning.
final class SignalWatcher {
  /// What other threads may ask.
  let requests = EndRequests()
  /// Where the handler writes the numbers of signals for the thread that notes them.
  private let writing: Int32
  private let watched: [Int32]

  /// - Throws: `ResourceShortage` where there is no thread for it.
  init() throws(ResourceShortage) {
    var ends: (reading: Int32, writing: Int32) = (-1, -1)
    let code = -ResourceCalls.current.pipe(&ends)
    guard code == 0 else { throw ResourceShortage(.pipe, code: code) }
    writing = ends.writing
    watched = [SIGHUP, SIGINT, SIGTERM].filter { Self.handler(of: $0) == Self.standard }
    do throws(ResourceShortage) {
      try SystemThread.start("signals", stackSize: SystemThread.smallStack, attempts: SystemThread.patientAttempts)
      {
        [requests, reading = ends.reading] in
        defer { close(reading) }
        var number: UInt8 = 0
        while true {
          let count = read(reading, &number, 1)
          if count < 0 && errno == EINTR { continue }
          guard count == 1 else { return }
          requests.note(Int32(number))
        }
      }
    } catch {
      close(ends.reading)
      close(ends.writing)
      throw error
    }
    resources_note_signals_at(writing)
    for number in watched { _ = resources_note_signal(number) }
  }

  deinit {
    for number in watched { signal(number, SIG_DFL) }
    resources_note_signals_at(-1)
    close(writing)
  }

  private static func handler(of number: Int32) -> Int {
    var action = sigaction()
    sigaction(number, nil, &action)
    // A union of two C function pointers, of which SIG_DFL is the address 0. Swift has no comparison of functions, and
    // this one is none that may be called: so the address, which has an Int's size, is looked at as a number.
    return unsafeBitCast(action.__sigaction_handler, to: Int.self)
  }

  /// The number of `SIG_DFL`, in whose place a handler may stand, or `SIG_IGN`.
  private static let standard = 0

  /// The first signal that came; nil before.
  var received: Int32? { requests.first }

  /// Does what a signal is to cancel, and what asks now and then whether one came.
  /// - Throws: what `body` throws; the exit status of the signal where it was cancelled.
  func cancelling<Result>(_ body: (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Result) throws -> Result
  {
    do {
      return try body { [requests] in requests.first != nil }
    } catch let error as CancellationError {
      throw received.map { ExitCode(128 + $0) } ?? error
    }
  }

  /// Has `body` called, from another thread, when the first signal comes, or now if it came; maybe both.
  func onFirst(_ body: @escaping @Sendable () -> Void) { requests.onFirst(body) }

  /// Whether one came, for any thread to ask.
  var hasReceived: @Sendable () -> Bool { { [requests] in requests.first != nil } }
}

/// The first signal, and the end of patience at the second.
final class EndRequests: Sendable {
  private let signal = Mutex<Int32?>(nil)
  private let body = Mutex<(@Sendable () -> Void)?>(nil)

  var first: Int32? { signal.withLock { $0 } }

  func onFirst(_ new: @escaping @Sendable () -> Void) {
    body.withLock { $0 = new }
    // It may have come already; called twice is no harm, not at all would be.
    if first != nil { new() }
  }

  func note(_ number: Int32) {
    let isFirst = signal.withLock { first in
      defer { first = first ?? number }
      return first == nil
    }
    if isFirst {
      body.withLock { $0 }?()
      return
    }
    Glibc.signal(number, SIG_DFL)
    // A thread may have been started with signals blocked: raised here it would wait for ever.
    var own = sigset_t()
    sigemptyset(&own)
    sigaddset(&own, number)
    pthread_sigmask(SIG_UNBLOCK, &own, nil)
    raise(number)
  }
}
