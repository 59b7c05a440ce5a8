// The engine's mailboxes for commands, one for each of its threads, and what of a command takes effect before its turn.

import Messages
import Support
import Synchronization

/// The commands for one thread. Once closed, those that still wait are not given out any more.
final class Inbox<Command: Sendable>: Sendable {
  private let commands: Mailbox<Command>
  private let closed = Atomic(false)

  init(coalescing: @escaping @Sendable (_ newest: Command, _ next: Command) -> Command? = { _, _ in nil }) {
    commands = Mailbox(capacity: 64, coalescing: coalescing)
  }

  var isClosed: Bool { closed.load(ordering: .acquiring) }

  func offer(_ command: Command) -> Bool { commands.offer(command) }

  func close() {
    closed.store(true, ordering: .releasing)
    commands.close()
  }

  /// The oldest command; nil when the box is closed, or empty where there is no waiting.
  func next(waiting: Bool) -> Command? {
    let command = waiting ? commands.receive() : commands.poll()
    return isClosed ? nil : command
  }
}

/// The commands for the thread that browses: readings of datasets can be cancelled before their turn.
final class BrowsingInbox: Sendable {
  /// Of pictures that were not decoded yet, only the newest is still wanted.
  private let inbox = Inbox<BrowsingCommand>(coalescing: { newest, next in
    switch (newest, next) {
    case (.preview, .preview), (.thumbnails, .thumbnails): next
    default: nil
    }
  })
  private let readings = Mutex(Readings())

  /// How many readings of datasets were asked for, how many begun, and how many of the first were cancelled.
  private struct Readings {
    var asked = 0
    var begun = 0
    var cancelled = 0
  }

  var isClosed: Bool { inbox.isClosed }
  func close() { inbox.close() }
  func next() -> BrowsingCommand? { inbox.next(waiting: true) }

  func offer(_ command: BrowsingCommand) -> Bool {
    switch command {
    case .openDataset:
      return readings.withLock { readings in
        guard inbox.offer(command) else { return false }
        readings.asked += 1
        return true
      }
    case .cancelReading:
      // It takes effect at once, on what is under way and on what waits, and is given out in its turn to be answered.
      readings.withLock { $0.cancelled = $0.asked }
      return inbox.offer(command)
    case .decide, .describeNetwork, .listCheckpoints, .readRun, .compareRuns, .lab, .recipes, .changeRun,
      .preview, .thumbnails:
      return inbox.offer(command)
    }
  }

  /// To be called as each `.openDataset` that was given out is begun.
  func beginReading() { readings.withLock { $0.begun += 1 } }

  /// Whether the reading that was begun last is no longer wanted.
  var readingIsCancelled: Bool { isClosed || readings.withLock { $0.begun <= $0.cancelled } }
}

/// The commands for the thread that works: whether a stop is among them can be asked before its turn.
final class WorkInbox: Sendable {
  private let inbox = Inbox<WorkCommand>()
  /// Stops that were taken in and not given out.
  private let stops = Atomic(0)

  var isClosed: Bool { inbox.isClosed }
  func close() { inbox.close() }

  func offer(_ command: WorkCommand) -> Bool {
    guard inbox.offer(command) else { return false }
    if command.isStop { stops.add(1, ordering: .acquiringAndReleasing) }
    return true
  }

  /// Whether a stop waits to be given out.
  var stopIsWaiting: Bool { stops.load(ordering: .acquiring) > 0 }

  /// The oldest command; nil when the box is closed, or empty where there is no waiting.
  func next(waiting: Bool) -> WorkCommand? {
    let command = inbox.next(waiting: waiting)
    if command?.isStop == true { stops.subtract(1, ordering: .acquiringAndReleasing) }
    return command
  }
}

extension WorkCommand {
  fileprivate var isStop: Bool { self == .training(.stop) }
}
