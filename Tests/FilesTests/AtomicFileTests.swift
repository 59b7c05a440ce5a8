// What is on disk after each system call of a write that fails, and the order of the calls of one that does not.

import Files
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `a file is synced before it is renamed, and its folder after`() throws {
    let disk = FaultyCalls()
    try AtomicFile.write(to: folder.file("a"), calls: disk.calls()) { output in
      try [1, 2].withUnsafeBytes { try output.append($0) }
      try [3].withUnsafeBytes { try output.append($0) }
    }
    #expect(disk.noted == [.create, .write, .write, .syncFile, .rename, .syncFolder])
    #expect(try folder.names() == ["a"])
  }

  @Test func `whichever call fails, the old file or the new one is there, whole and alone`() throws {
    let steps: [FileOperationError.Step] = [.create, .write, .write, .sync, .rename, .syncFolder]
    for (turn, step) in steps.enumerated() {
      try AtomicFile.write(Data("old".utf8), to: folder.file("a"))
      let calls = FaultyCalls(failing: turn..<turn + 1).calls()
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
    var calls = FileCalls.system
    let write = calls.write
    let turns = Atomic<Int>(0)
    // Every other call is interrupted by a signal, every other one takes three bytes.
    calls.write = { descriptor, bytes, offset in
      if turns.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 0 { return -Int(EINTR) }
      return write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(3)), offset)
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
