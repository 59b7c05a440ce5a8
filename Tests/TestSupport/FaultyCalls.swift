// A file system that fails when a test says so: the Nth call, or every call for a while.

import Files
import Foundation
import Synchronization

/// The system's calls, noted and counted; those whose number is in a range answer an error instead.
package final class FaultyCalls: Sendable {
  /// One call, by what it does.
  package enum Call: String, Sendable {
    case create, write, rename
    case syncFile = "sync file"
    case syncFolder = "sync folder"
  }

  private struct State {
    var calls: [Call] = []
    var failing: Range<Int>
    var freeSpace: Int?
  }

  private let state: Mutex<State>
  private let code: Int32?

  /// - Parameters:
  ///   - failing: numbers of calls, from 0.
  ///   - code: the error that they answer; nil for a likely one of each kind.
  ///   - freeSpace: the bytes that are told to be free; nil for what the system says.
  package init(failing: Range<Int> = 0..<0, code: Int32? = nil, freeSpace: Int? = nil) {
    state = Mutex(State(failing: failing, freeSpace: freeSpace))
    self.code = code
  }

  /// The calls so far; asking for free space is none.
  package var noted: [Call] { state.withLock { $0.calls } }

  /// How many that are.
  package var count: Int { noted.count }

  /// Fails every call from now on, or none.
  package func fail(_ failing: Bool) { state.withLock { $0.failing = failing ? 0..<Int.max : 0..<0 } }

  /// The free space that is told; nil for what the system says.
  package func tell(freeSpace: Int?) { state.withLock { $0.freeSpace = freeSpace } }

  /// Notes a call.
  /// - Returns: the error number if it is to fail.
  private func failure(_ call: Call, _ usual: Int32) -> Int32? {
    state.withLock { state in
      defer { state.calls.append(call) }
      return state.failing.contains(state.calls.count) ? code ?? usual : nil
    }
  }

  /// - Parameter name: the files whose creation fails always, by a part of their path.
  package func calls(spoiling name: String? = nil) -> FileCalls {
    let system = FileCalls.system
    return FileCalls(
      create: { path, permissions in
        if let name, path.contains(name) { return -EACCES }
        return self.failure(.create, ENOSPC).map { -$0 } ?? system.create(path, permissions)
      },
      write: { descriptor, bytes, offset in
        self.failure(.write, ENOSPC).map { -Int($0) } ?? system.write(descriptor, bytes, offset)
      },
      sync: { descriptor in
        var status = stat()
        let isFolder = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        return self.failure(isFolder ? .syncFolder : .syncFile, EIO).map { -$0 } ?? system.sync(descriptor)
      },
      rename: { from, to in self.failure(.rename, EACCES).map { -$0 } ?? system.rename(from, to) },
      freeSpace: { folder in self.state.withLock { $0.freeSpace } ?? system.freeSpace(folder) })
  }
}
