// A system that refuses what a test says: the Nth thread, socket, process or page of memory, or every one from the Nth
// on.

import Foundation
import Resources
import Synchronization

/// The system's calls, counted by kind; those whose number is in a range are refused.
package final class FaultyResources: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case thread, socket, socketPair, accept, pipe, process, memory
  }

  private let counts = Mutex<[Kind: Int]>([:])
  private let kind: Kind
  private let failing: Range<Int>

  /// - Parameters:
  ///   - kind: what is refused.
  ///   - failing: numbers of the calls of that kind, from 0.
  package init(_ kind: Kind, failing: Range<Int>) {
    self.kind = kind
    self.failing = failing
  }

  /// The calls of a kind so far.
  package func count(_ kind: Kind) -> Int { counts.withLock { $0[kind] ?? 0 } }

  private func refuses(_ asked: Kind) -> Bool {
    counts.withLock { counts in
      defer { counts[asked, default: 0] += 1 }
      return asked == kind && failing.contains(counts[asked] ?? 0)
    }
  }

  /// Does something in a system like that; threads that it starts live in it too.
  package func during<Result>(_ body: () throws -> Result) rethrows -> Result {
    try ResourceCalls.$current.withValue(calls) { try body() }
  }

  package var calls: ResourceCalls {
    let system = ResourceCalls.system
    return ResourceCalls(
      startThread: { self.refuses(.thread) ? -EAGAIN : system.startThread($0, $1) },
      socket: { self.refuses(.socket) ? -EMFILE : system.socket() },
      socketPair: { self.refuses(.socketPair) ? -EMFILE : system.socketPair(&$0) },
      accept: { self.refuses(.accept) ? -EMFILE : system.accept($0) },
      pipe: { self.refuses(.pipe) ? -EMFILE : system.pipe(&$0) },
      spawn: { self.refuses(.process) ? -EAGAIN : system.spawn($0) },
      mapMemory: { self.refuses(.memory) ? nil : system.mapMemory($0, $1) })
  }
}
