// Threads that the system gives, and those that it refuses: whoever asks is told.

import CTestSupport
import Foundation
import Resources
import Synchronization
import TestSupport
import Testing

@Suite struct SystemThreadTests {
  @Test func `a thread does its work under its name, on the stack it was given`() throws {
    let group = ThreadGroup()
    let seen = Mutex<(name: String, stack: Int)>(("", 0))
    group.enter()
    // More than the usual size, and than any stack that the C library may have kept from a thread that ended.
    try SystemThread.start("a name of many bytes", stackSize: 96 << 20) {
      let name = (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
      seen.withLock { $0 = (name, own_stack_size()) }
      group.leave()
    }
    group.wait()
    #expect(seen.withLock { $0.name } == "a name of many \n")
    #expect(seen.withLock { $0.stack } == 96 << 20)
  }

  @Test func `a thread that is refused is an error with a cause and advice, and its work is not done`() {
    FaultyResources(.thread, failing: 0..<1).during {
      _ = #expect {
        try SystemThread.start("loading") { Issue.record("a thread that was refused") }
      } throws: { error in
        let text = "\(error)"
        return text.contains("loading") && text.contains("ulimit -u") && text.contains("unavailable")
      }
    }
  }

  @Test func `a thread that nothing can replace is asked for again`() throws {
    let refusing = FaultyResources(.thread, failing: 0..<2)
    let group = ThreadGroup()
    group.enter()
    try refusing.during { try SystemThread.start("training", attempts: 3) { group.leave() } }
    group.wait()
    #expect(refusing.count(.thread) == 3)
  }

  @Test func `threads live in the system of whoever started them`() throws {
    let refusing = FaultyResources(.thread, failing: 1..<2)
    let group = ThreadGroup()
    let refused = Mutex(false)
    group.enter()
    try refusing.during {
      try SystemThread.start("outer") {
        do throws(ResourceShortage) { try SystemThread.start("inner") {} } catch { refused.withLock { $0 = true } }
        group.leave()
      }
    }
    group.wait()
    #expect(refused.withLock { $0 })
  }

  @Test func `a group is left by the last, and waits no longer than it is told`() {
    let group = ThreadGroup()
    group.enter()
    group.enter()
    #expect(!group.leave())
    #expect(!group.wait(until: .now))
    #expect(group.leave())
    #expect(group.wait(until: .now))
  }
}
