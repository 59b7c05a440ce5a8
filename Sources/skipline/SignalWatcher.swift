// Signals that ask the program to end, taken as requests: the first is remembered for whoever asks between two steps,
// the second has its usual effect.

import Foundation
import Synchronization

/// Watches SIGHUP, SIGINT and SIGTERM for as long as it exists.
final class SignalWatcher {
  /// What other threads may ask.
  let requests = EndRequests()
  private let sources: [any DispatchSourceSignal]

  init() {
    sources = [SIGHUP, SIGINT, SIGTERM].map { number in
      // The source sees a signal only if its default action does not end the process first.
      signal(number, SIG_IGN)
      return DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
    }
    for (source, number) in zip(sources, [SIGHUP, SIGINT, SIGTERM]) {
      source.setEventHandler { [requests] in requests.note(number) }
      source.resume()
    }
  }

  /// The first signal that came; nil before.
  var received: Int32? { requests.first }

  /// Has `body` called, from another thread, when the first signal comes.
  func onFirst(_ body: @escaping @Sendable () -> Void) { requests.onFirst(body) }

  /// Whether one came, for any thread to ask.
  var hasReceived: @Sendable () -> Bool { { [requests] in requests.first != nil } }
}

/// The first signal, and the end of patience at the second.
final class EndRequests: Sendable {
  private let signal = Mutex<Int32?>(nil)
  private let body = Mutex<(@Sendable () -> Void)?>(nil)

  var first: Int32? { signal.withLock { $0 } }

  func onFirst(_ new: @escaping @Sendable () -> Void) { body.withLock { $0 = new } }

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
    raise(number)
  }
}
