// What is on disk after each system call of a write that fails, and the order of the calls of one that does not.

import Foundation
import Synchronization
import Testing

@testable import Training

@Suite struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The system's calls, noted by name; the one whose turn is `failing` answers an error instead.
  private final class Recorder: Sendable {
    let calls = Mutex<[String]>([])
    let failing: Int?

    init(failing: Int? = nil) { self.failing = failing }

    /// Notes a call.
    /// - Returns: whether it fails.
    func note(_ call: String) -> Bool {
      calls.withLock {
        $0.append(call)
        return $0.count - 1 == failing
      }
    }

    var instrumented: AtomicFile.Calls {
      let system = AtomicFile.Calls.system
      return AtomicFile.Calls(
        create: { self.note("create") ? -ENOSPC : system.create($0) },
        write: { self.note("write") ? -Int(ENOSPC) : system.write($0, $1) },
        sync: { descriptor in
          var status = stat()
          fstat(descriptor, &status)
          let what = status.st_mode & S_IFMT == S_IFDIR ? "sync folder" : "sync file"
          return self.note(what) ? -EIO : system.sync(descriptor)
        },
        rename: { self.note("rename") ? -EACCES : system.rename($0, $1) },
        freeSpace: system.freeSpace)
    }
  }

  @Test func `a file is synced before it is renamed, and its folder after`() throws {
    let recorder = Recorder()
    try AtomicFile.write(to: folder.file("a"), calls: recorder.instrumented) { output in
      try [1, 2].withUnsafeBytes { try output.append($0) }
      try [3].withUnsafeBytes { try output.append($0) }
    }
    let calls = recorder.calls.withLock { $0 }
    #expect(calls == ["create", "write", "write", "sync file", "rename", "sync folder"])
    #expect(try folder.names() == ["a"])
  }

  @Test func `whichever call fails, the old file or the new one is there, whole and alone`() throws {
    let steps: [FileOperationError.Step] = [.create, .write, .write, .sync, .rename, .syncFolder]
    for (turn, step) in steps.enumerated() {
      try AtomicFile.write(Data("old".utf8), to: folder.file("a"))
      let calls = Recorder(failing: turn).instrumented
      let error = #expect(throws: FileOperationError.self) {
        try AtomicFile.write(to: folder.file("a"), calls: calls) { output in
          try Array("ne".utf8).withUnsafeBytes { try output.append($0) }
          try Array("w".utf8).withUnsafeBytes { try output.append($0) }
        }
      }
      #expect(error?.step == step)
      #expect(try folder.text("a") == (step == .syncFolder ? "new" : "old"))
      #expect(try folder.names() == ["a"])
    }
  }

  @Test func `a write that the system does in small parts is whole`() throws {
    var calls = AtomicFile.Calls.system
    let write = calls.write
    let turns = Atomic<Int>(0)
    // Every other call is interrupted by a signal, every other one takes three bytes.
    calls.write = { descriptor, bytes in
      if turns.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 0 { return -Int(EINTR) }
      return write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(3)))
    }
    try AtomicFile.write(to: folder.file("a"), calls: calls) { output in
      try Array("0123456789".utf8).withUnsafeBytes { try output.append($0) }
    }
    #expect(try folder.text("a") == "0123456789")
  }

  @Test func `what the writer throws passes through and leaves the old file`() throws {
    struct Surprise: Error {}
    try AtomicFile.write(Data("old".utf8), to: folder.file("a"))
    #expect(throws: Surprise.self) {
      try AtomicFile.write(to: folder.file("a")) { output in
        try Array("half".utf8).withUnsafeBytes { try output.append($0) }
        throw Surprise()
      }
    }
    #expect(try folder.text("a") == "old")
    #expect(try folder.names() == ["a"])
  }

  @Test func `an error names the file, the reason and what to do`() throws {
    let path = folder.file("none/a")
    let error = #expect(throws: FileOperationError.self) { try AtomicFile.write(Data(), to: path) }
    #expect(error == FileOperationError(path: path, step: .create, code: ENOENT))
    let text = FileOperationError(path: "runs/a/last.safetensors", step: .write, code: ENOSPC).description
    #expect(
      text == "runs/a/last.safetensors: cannot write: No space left on device; free some space on that disk")
  }

  @Test func `leftovers of a killed process are swept, and nothing else`() throws {
    for name in [".last.safetensors.123-1.partial", "last.safetensors", ".hidden", "a.partial"] {
      try folder.write([1], to: name)
    }
    #expect(AtomicFile.sweepLeftovers(in: folder.path) == [".last.safetensors.123-1.partial"])
    #expect(try folder.names() == [".hidden", "a.partial", "last.safetensors"])
    #expect(AtomicFile.sweepLeftovers(in: folder.file("none")) == [])
  }
}
