// A flag between threads.

import Synchronization

/// A flag that is set once, by any thread.
public final class SharedFlag: Sendable {
  private let value = Atomic(false)

  public init() {}

  public func set() { value.store(true, ordering: .releasing) }

  public var isSet: Bool { value.load(ordering: .acquiring) }
}
