// Signals that ask the program to end, taken as requests: the first is remembered for whoever asks between two steps,
// the second has its usual effect.

import ArgumentParser
import Foundation
import Synchronization

/// Watches SIGHUP, SIGINT and SIGTERM for as long as it exists, but for those that were ignored when it came: so
/// `nohup` has its meaning.
final class SignalWatcher {
  /// What other threads may ask.
  let requests = EndRequests()
  private let sources: [any DispatchSourceSignal]

  init() {
    let registered = DispatchGroup()
    sources = [SIGHUP, SIGINT, SIGTERM].filter { !Self.isIgnored($0) }.map { [requests] number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler { requests.note(number) }
      registered.enter()
      source.setRegistrationHandler { registered.leave() }
      source.resume()
      return source
    }
    // Until then a signal ends the process, which has begun nothing; ignored meanwhile, it would be lost.
    registered.wait()
    for number in [SIGHUP, SIGINT, SIGTERM] where Self.handler(of: number) == Self.standard {
      signal(number, SIG_IGN)
    }
  }

  private static func isIgnored(_ number: Int32) -> Bool { handler(of: number) == ignored }

  private static func handler(of number: Int32) -> Int {
    var action = sigaction()
    sigaction(number, nil, &action)
    // A union of two C function pointers, of which SIG_IGN is the address 1. Swift has no comparison of functions, and
    // this one is none that may be called: so the address, which has an Int's size, is looked at as a number.
    return unsafeBitCast(action.__sigaction_handler, to: Int.self)
  }

  /// The numbers of `SIG_DFL` and `SIG_IGN`, in whose place a handler may stand.
  private static let (standard, ignored) = (0, 1)

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
    Foundation.signal(number, SIG_DFL)
    // The threads that serve queues block signals: raised here it would wait for ever.
    var own = sigset_t()
    sigemptyset(&own)
    sigaddset(&own, number)
    pthread_sigmask(SIG_UNBLOCK, &own, nil)
    raise(number)
  }
}
