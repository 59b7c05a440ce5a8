// The engine's mailboxes for commands, and what of a command takes effect before its turn.

import Messages
import Support
import Synchronization

/// The commands for one thread. Once closed, those that still wait are not given out any more.
final class Inbox: Sendable {
  private let commands: Mailbox<Command>
  private let closed = Atomic(false)
  /// Stops that were taken in and not given out.
  private let stops = Atomic(0)
  private let readings = Mutex(Readings())

  /// How many readings of datasets were asked for, how many begun, and how many of the first were cancelled.
  private struct Readings {
    var asked = 0
    var begun = 0
    var cancelled = 0
  }

  init(coalescing: @escaping @Sendable (_ newest: Command, _ next: Command) -> Command? = { _, _ in nil }) {
    commands = Mailbox(capacity: 64, coalescing: coalescing)
  }

  var isClosed: Bool { closed.load(ordering: .acquiring) }

  func offer(_ command: Command) -> Bool {
    switch command {
    case .openDataset:
      return readings.withLock { readings in
        guard commands.offer(command) else { return false }
        readings.asked += 1
        return true
      }
    case .cancelReading:
      // It takes effect at once, on what is under way and on what waits, and is given out in its turn to be answered.
      readings.withLock { $0.cancelled = $0.asked }
      return commands.offer(command)
    case .training(.stop):
      guard commands.offer(command) else { return false }
      stops.add(1, ordering: .acquiringAndReleasing)
      return true
    default: return commands.offer(command)
    }
  }

  /// To be called as each `.openDataset` that was given out is begun.
  func beginReading() { readings.withLock { $0.begun += 1 } }

  /// Whether the reading that was begun last is no longer wanted.
  var readingIsCancelled: Bool { isClosed || readings.withLock { $0.begun <= $0.cancelled } }

  /// Whether a stop waits to be given out.
  var stopIsWaiting: Bool { stops.load(ordering: .acquiring) > 0 }

  func close() {
    closed.store(true, ordering: .releasing)
    commands.close()
  }

  /// The oldest command; nil when the box is closed, or empty where there is no waiting.
  func next(waiting: Bool) -> Command? {
    let command = waiting ? commands.receive() : commands.poll()
    if case .training(.stop) = command { stops.subtract(1, ordering: .acquiringAndReleasing) }
    return isClosed ? nil : command
  }
}
