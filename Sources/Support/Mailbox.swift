// A bounded queue between two threads: the message channel inside one process.

import Resources

/// A bounded first-in-first-out queue between threads.
///
/// `send` blocks while the box is full, unless the message replaces the newest one waiting (see `coalescing`), so a
/// slow reader neither loses messages nor makes the box grow. After `close`, senders are refused and the reader
/// gets what is left.
///
/// It is `@unchecked Sendable` because `condition` guards every stored property.
public final class Mailbox<Message: Sendable>: @unchecked Sendable {
  private let condition = Condition()
  private let capacity: Int
  private let coalescing: @Sendable (_ newest: Message, _ next: Message) -> Message?
  private let wake: @Sendable () -> Void
  private var waiting: [Message] = []
  private var closed = false

  /// - Parameters:
  ///   - capacity: how many messages may wait; at least 1.
  ///   - coalescing: given the newest waiting message and the next one, what replaces both, or nil to keep both.
  ///   - wake: called after each message, outside the lock: a reader that sleeps elsewhere is woken with it.
  public init(
    capacity: Int,
    coalescing: @escaping @Sendable (_ newest: Message, _ next: Message) -> Message? = { _, _ in nil },
    wake: @escaping @Sendable () -> Void = {}
  ) {
    precondition(capacity > 0, "a mailbox holds at least one message")
    self.capacity = capacity
    self.coalescing = coalescing
    self.wake = wake
  }

  /// Puts a message in, waiting while the box is full.
  /// - Returns: false when the box is closed and the message was not taken.
  @discardableResult
  public func send(_ message: Message) -> Bool {
    condition.lock()
    var merged: Message?
    while !closed {
      merged = waiting.last.flatMap { coalescing($0, message) }
      if merged != nil || waiting.count < capacity { break }
      condition.wait()
    }
    if closed {
      condition.unlock()
      return false
    }
    put(message, merged: merged)
    condition.unlock()
    wake()
    return true
  }

  /// Puts a message in unless the box is full; never waits.
  /// - Returns: false when the message was not taken.
  public func offer(_ message: Message) -> Bool {
    condition.lock()
    let merged = waiting.last.flatMap { coalescing($0, message) }
    let taken = !closed && (merged != nil || waiting.count < capacity)
    if taken { put(message, merged: merged) }
    condition.unlock()
    if taken { wake() }
    return taken
  }

  /// Takes the oldest message, waiting for one.
  /// - Returns: nil when the box is closed and empty.
  public func receive() -> Message? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty && !closed { condition.wait() }
    return takeOldest()
  }

  /// The same, but waits no longer than to a deadline.
  /// - Returns: nil also when the deadline has passed.
  public func receive(until deadline: ContinuousClock.Instant) -> Message? {
    condition.lock()
    defer { condition.unlock() }
    while waiting.isEmpty && !closed {
      guard condition.wait(until: deadline) else { break }
    }
    return takeOldest()
  }

  /// Takes the oldest message if there is one; never waits.
  public func poll() -> Message? {
    condition.lock()
    defer { condition.unlock() }
    return takeOldest()
  }

  /// Refuses further messages and wakes whoever waits.
  public func close() {
    condition.lock()
    closed = true
    condition.broadcast()
    condition.unlock()
    wake()
  }

  private func put(_ message: Message, merged: Message?) {
    if let merged { waiting[waiting.count - 1] = merged } else { waiting.append(message) }
    condition.broadcast()
  }

  private func takeOldest() -> Message? {
    guard !waiting.isEmpty else { return nil }
    let oldest = waiting.removeFirst()
    condition.broadcast()
    return oldest
  }
}
