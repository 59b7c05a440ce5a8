// A lock with which threads wait for each other: POSIX's mutex and condition variable in one object. Foundation has the
// same, but brings some 40 MB of Unicode's tables into the program.

import CResources
import Glibc

/// A lock, and threads that sleep until something that it guards has changed.
///
/// As a wake-up may come for no reason (POSIX, `pthread_cond_wait`), `wait` stands in a loop that looks again. Whoever
/// locks it twice waits for ever.
///
/// It is `@unchecked Sendable` because the two objects of the C library are made for use by many threads, and stay
/// where they are for as long as this lives.
public final class Condition: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  public init() {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    changed = .allocate(capacity: 1)
    changed.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    resources_init_condition(changed)
  }

  /// Nobody waits any more: whoever did would hold a reference.
  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  public func lock() { pthread_mutex_lock(mutex) }

  public func unlock() { pthread_mutex_unlock(mutex) }

  /// Gives the lock away, sleeps until woken, and takes it again.
  public func wait() { pthread_cond_wait(changed, mutex) }

  /// The same, but sleeps no longer than to a deadline.
  /// - Returns: false once the deadline has passed.
  public func wait(until deadline: ContinuousClock.Instant) -> Bool {
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { return false }
    // The condition's clock stands still while the machine is suspended and this one does not: look again now and then.
    let (seconds, attoseconds) = min(left, .seconds(1)).components
    resources_wait_condition(changed, mutex, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    return true
  }

  /// Wakes one of those who sleep.
  public func signal() { pthread_cond_signal(changed) }

  /// Wakes all who sleep.
  public func broadcast() { pthread_cond_broadcast(changed) }
}
