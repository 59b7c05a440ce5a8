// Signals that ask the program to end, taken as requests: the first is remembered for whoever asks between two steps,
// the second has its usual effect.

import Foundation
import Synchronization

final class SignalWatcher: Sendable {
  private static let watched = [SIGHUP, SIGINT, SIGTERM]
  private let first = Mutex<Int32?>(nil)
  private let sources: Mutex<[any DispatchSourceSignal]> = Mutex([])

  init() {
    for number in Self.watched {
      // The source sees a signal only if its default action does not end the process first.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler { [weak self] in self?.receive(number) }
      source.resume()
      sources.withLock { $0.append(source) }
    }
  }

  /// The first signal that came; nil before.
  var received: Int32? { first.withLock { $0 } }

  private func receive(_ number: Int32) {
    let isFirst = first.withLock { first in
      defer { first = first ?? number }
      return first == nil
    }
    if isFirst { return }
    signal(number, SIG_DFL)
    raise(number)
  }
}
