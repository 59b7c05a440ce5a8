// Every thread of the program is started here. Foundation's threads do not tell when none could be made, and Dispatch
// waits for ever; whoever hands work to a thread that never was waits for ever too.

import CResources
import Glibc

/// Starting threads.
public enum SystemThread {
  /// Bytes of stack of a thread that builds or runs a network, or decodes: the usual size of the system, whatever limit
  /// the shell has set.
  public static let largeStack = 8 << 20
  /// Of a thread that moves messages.
  public static let smallStack = 2 << 20

  /// Starts a thread that nobody waits for.
  /// - Parameters:
  ///   - name: what lists of threads show, of which the system keeps 15 bytes; also what the error is about.
  ///   - attempts: how often to try before giving up, with a twentieth of a second between: for a thread that nothing
  ///     can
  ///     take the place of.
  /// - Throws: `ResourceShortage` where the system has no more; `body` is then never called.
  public static func start(
    _ name: String, stackSize: Int = largeStack, attempts: Int = 1, _ body: @escaping @Sendable () -> Void
  ) throws(ResourceShortage) {
    let calls = ResourceCalls.current
    var code: Int32 = 0
    for attempt in 0..<attempts {
      if attempt > 0 { usleep(50_000) }
      code = -calls.startThread(stackSize) {
        resources_name_thread(name)
        ResourceCalls.$current.withValue(calls) { body() }
      }
      if code == 0 { return }
    }
    throw ResourceShortage(.thread(purpose: name), code: code)
  }

  /// The processors that the calling thread may run on, which a process hands on from its first thread (taskset,
  /// cpusets). At least 1.
  public static var allowedProcessors: Int { max(1, Int(resources_allowed_processors())) }

  /// How often to try for a thread without which nothing goes on.
  public static let patientAttempts = 10
}

/// Counts threads, or other work, that somebody waits for. Unlike Dispatch's groups it never asks for a thread itself.
///
/// It is `@unchecked Sendable` because `condition` guards the count.
public final class ThreadGroup: @unchecked Sendable {
  // `condition` guards `count`.
  private let condition = Condition()
  private var count = 0

  public init() {}

  public func enter() {
    condition.lock()
    count += 1
    condition.unlock()
  }

  /// - Returns: whether it was the last.
  @discardableResult
  public func leave() -> Bool {
    condition.lock()
    defer { condition.unlock() }
    count -= 1
    if count == 0 { condition.broadcast() }
    return count == 0
  }

  /// Waits until all have left.
  public func wait() {
    condition.lock()
    while count > 0 { condition.wait() }
    condition.unlock()
  }

  /// Waits until all have left, or the deadline has passed.
  /// - Returns: whether all have left.
  @discardableResult
  public func wait(until deadline: ContinuousClock.Instant) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while count > 0 {
      guard condition.wait(until: deadline) else { return count == 0 }
    }
    return true
  }
}
