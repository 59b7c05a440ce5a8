// Threads that wait for each other: who is woken, and how long anybody waits for nothing.

import Resources
import Synchronization
import Testing

@Suite struct ConditionTests {
  /// A count that the condition guards.
  private final class Guarded: @unchecked Sendable {
    let condition = Condition()
    var count = 0
    var hasEnded = false
  }

  @Test func `what threads add under the lock adds up`() throws {
    let guarded = Guarded()
    let group = ThreadGroup()
    for _ in 0..<4 {
      group.enter()
      try SystemThread.start("adding") {
        for _ in 0..<10_000 {
          guarded.condition.lock()
          guarded.count += 1
          guarded.condition.unlock()
        }
        group.leave()
      }
    }
    group.wait()
    #expect(guarded.count == 40_000)
  }

  @Test(arguments: [false, true]) func `who waits is woken, alone or with all`(all: Bool) throws {
    let guarded = Guarded()
    let group = ThreadGroup()
    for _ in 0..<3 {
      group.enter()
      try SystemThread.start("waiting") {
        guarded.condition.lock()
        guarded.count += 1
        while !guarded.hasEnded { guarded.condition.wait() }
        // Passed on: each wakes the next.
        if !all { guarded.condition.signal() }
        guarded.condition.unlock()
        group.leave()
      }
    }
    guarded.condition.lock()
    guarded.hasEnded = true
    if all { guarded.condition.broadcast() } else { guarded.condition.signal() }
    guarded.condition.unlock()
    #expect(group.wait(until: .now + .seconds(60)))
  }

  @Test func `a deadline ends a wait that nobody ends, and one that has passed is none`() {
    let condition = Condition()
    condition.lock()
    defer { condition.unlock() }
    #expect(!condition.wait(until: .now))
    #expect(!condition.wait(until: .now - .seconds(5)))
    let deadline = ContinuousClock.now + .milliseconds(30)
    while condition.wait(until: deadline) {}
    #expect(.now >= deadline)
  }

  @Test func `whoever waits until a deadline is woken before it`() throws {
    let guarded = Guarded()
    guarded.condition.lock()
    try SystemThread.start("waking") {
      guarded.condition.lock()
      guarded.hasEnded = true
      guarded.condition.broadcast()
      guarded.condition.unlock()
    }
    let deadline = ContinuousClock.now + .seconds(600)
    while !guarded.hasEnded, guarded.condition.wait(until: deadline) {}
    guarded.condition.unlock()
    #expect(guarded.hasEnded && .now < deadline)
  }
}
