// A file system that fails when a test says so: the Nth call, or every call for a while.

import Foundation
import Synchronization

@testable import Training

/// The system's calls, counted; those whose number is in a range answer an error instead.
final class FaultyCalls: Sendable {
  private struct State {
    var count = 0
    var writes: Set<Int> = []
    var failing: Range<Int>
    var freeSpace: Int?
  }

  private let state: Mutex<State>

  /// - Parameter failing: numbers of calls, from 0.
  init(failing: Range<Int> = 0..<0, freeSpace: Int? = nil) {
    state = Mutex(State(failing: failing, freeSpace: freeSpace))
  }

  /// Calls so far.
  var count: Int { state.withLock { $0.count } }

  /// Numbers of calls so far: of the many writes every so manieth, of the others every third. A save makes four of
  /// these, so that over the saves each kind has its turn.
  func turns(ofWrites stride: Int) -> [Int] {
    state.withLock { state in
      let others = (0..<state.count).filter { !state.writes.contains($0) }.enumerated()
      return others.filter { $0.offset % 3 == 0 }.map(\.element) + state.writes.filter { $0 % stride == 0 }
    }
  }

  /// Fails every call from now on, or none.
  func fail(_ failing: Bool) { state.withLock { $0.failing = failing ? 0..<Int.max : 0..<0 } }

  /// The free space that is told; nil for what the system says.
  func tell(freeSpace: Int?) { state.withLock { $0.freeSpace = freeSpace } }

  private func fails(isWrite: Bool = false) -> Bool {
    state.withLock { state in
      if isWrite { state.writes.insert(state.count) }
      defer { state.count += 1 }
      return state.failing.contains(state.count)
    }
  }

  /// - Parameter spoils: the files whose creation fails always, by a part of their path.
  func calls(spoiling name: String? = nil) -> AtomicFile.Calls {
    let system = AtomicFile.Calls.system
    return AtomicFile.Calls(
      create: { path in
        if let name, path.contains(name) { return -EACCES }
        return self.fails() ? -ENOSPC : system.create(path)
      },
      write: { self.fails(isWrite: true) ? -Int(ENOSPC) : system.write($0, $1) },
      sync: { self.fails() ? -EIO : system.sync($0) },
      rename: { self.fails() ? -EACCES : system.rename($0, $1) },
      freeSpace: { folder in self.state.withLock { $0.freeSpace } ?? system.freeSpace(folder) })
  }
}
