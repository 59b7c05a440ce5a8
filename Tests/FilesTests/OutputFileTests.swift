// Writing a new file, and reading one: short and interrupted calls, ends that come early, things that are no files.

import Files
import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@Suite struct OutputFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `writes at places and appends go where they belong, however little the system takes at once`() throws {
    var calls = FileCalls.system
    let turns = Atomic<Int>(0)
    calls.write = { descriptor, bytes, offset in
      if turns.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 0 { return -Int(EINTR) }
      return FileCalls.system.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(2)), offset)
    }
    let file = try OutputFile(creating: folder.file("a"), calls: calls)
    try file.append(Array("abcde".utf8))
    try file.append(Array("fgh".utf8))
    try file.write(Array("XYZ".utf8), at: 3)
    try file.write(Array("!".utf8), at: 9)
    #expect(try folder.text("a") == "abcXYZgh\0!")
    let input = try InputFile(path: folder.file("a"), written: file)
    #expect(input.size == 10)
    #expect(try input.read(count: 3, at: 3) == Array("XYZ".utf8))
  }

  @Test func `a write that takes nothing is an error and not an endless loop`() throws {
    var calls = FileCalls.system
    calls.write = { _, _, _ in 0 }
    let file = try OutputFile(creating: folder.file("a"), for: "its/name", calls: calls)
    #expect(throws: FileOperationError(path: "its/name", step: .write, code: EIO)) { try file.append([1]) }
    try file.append([])
  }

  @Test func `what is there already is not written over, nor what a link leads to`() throws {
    try folder.write([7], to: "old")
    try folder.link("link", to: folder.file("elsewhere"))
    for name in ["old", "link"] {
      let path = folder.file(name)
      #expect(throws: FileOperationError(path: path, step: .create, code: EEXIST)) {
        try OutputFile(creating: path)
      }
    }
    #expect(try folder.bytes("old") == [7])
    #expect(try folder.names() == ["link", "old"])
  }

  @Test func `a file is its owner's alone where that is asked for`() throws {
    _ = try OutputFile(creating: folder.file("a"), permissions: 0o600)
    var status = stat()
    #expect(stat(folder.file("a"), &status) == 0 && status.st_mode & 0o777 == 0o600)
  }
}

@Suite struct InputFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `reading gives the bytes from a place, and says where a file ends`() throws {
    let file = try InputFile(path: try folder.write([1, 2, 3, 4, 5], to: "a"))
    #expect(file.size == 5)
    #expect(try file.read(count: 2, at: 1) == [2, 3])
    #expect(try file.read(upTo: 9, at: 3) == [4, 5])
    #expect(try file.read(upTo: 9, at: 7) == [])
    #expect(throws: FileOperationError(path: file.path, step: .read, code: EIO)) {
      try file.read(count: 3, at: 3)
    }
    var buffer: [UInt8] = [9, 9, 9, 9]
    #expect(try file.read(into: &buffer, count: 3, at: 3) == 2)
    #expect(buffer == [4, 5, 9, 9])
  }

  @Test(.timeLimit(.minutes(1))) func `folders and pipes are refused without waiting`() throws {
    #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
    for path in [folder.path, folder.file("pipe"), "/dev/zero"] {
      let error = #expect(throws: FileOperationError.self) { try InputFile(path: path) }
      #expect(error == FileOperationError(path: path, step: .open, reason: .notARegularFile))
      #expect(error?.description == "\(path): cannot open: it is not a regular file; name a file")
    }
    let none = folder.file("none")
    #expect(throws: FileOperationError(path: none, step: .open, code: ENOENT)) { try InputFile(path: none) }
  }

  @Test func `a file larger than such a file can be is refused by its size`() throws {
    let path = try folder.write([1, 2, 3], to: "a")
    #expect(try InputFile.contents(of: path, bound: 3) == [1, 2, 3])
    #expect(throws: FileOperationError(path: path, step: .read, reason: .tooLarge(bytes: 3, bound: 2))) {
      try InputFile.contents(of: path, bound: 2)
    }
    // Of a terabyte, but for a few bytes a hole.
    #expect(path.withPathCString { truncate($0, 1 << 40) } == 0)
    let error = #expect(throws: FileOperationError.self) {
      try InputFile.contents(of: path, bound: SizeBound.runRecord)
    }
    #expect(
      error?.description == "\(path): cannot read: it has 1.0 TiB, and such a file has 64.0 MiB at most; "
        + "move it elsewhere")
  }

  @Test func `lines are given one by one, long ones in part`() throws {
    let long = [UInt8](repeating: 0x78, count: 3 << 20)
    let path = try folder.write(Array("a\n\nbc\n".utf8) + long + Array("\nlast".utf8), to: "a")
    var lines: [[UInt8]] = []
    try InputFile(path: path).forEachLine(longest: 1000) { lines.append(Array($0)) }
    #expect(lines == ["a", "", "bc", String(repeating: "x", count: 1000), "last"].map { Array($0.utf8) })
  }

  @Test(arguments: [0, 1, 3, 4, 9, 10, 11, 12]) func `the last lines are cut off up to one that is kept`(kept: Int)
    throws
  {
    let lines = (1...12).map { String(repeating: "\($0)", count: $0 * $0 * 1000) + "\n" }
    let path = try folder.write(Array((lines.joined() + "torn").utf8), to: "a")
    var seen = 0
    try LineTail.cut(path) { line in
      seen += 1
      return line.count == lines[max(0, kept - 1)].utf8.count - 1 && kept > 0
    }
    #expect(try folder.text("a") == lines.prefix(kept).joined())
    #expect(seen == min(12, 13 - kept), "what lies before is not looked at")
  }

  @Test func `holes of a sparse file are passed over, not read`() throws {
    let path = try folder.write(Array("one\ntwo\n".utf8), to: "a")
    // A terabyte behind the lines, and one between lines.
    #expect(truncate(path, 1 << 40) == 0)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: 1 << 40)
    try file.write(contentsOf: Data("\nthree\n".utf8))
    try file.close()
    #expect(truncate(path, 2 << 40) == 0)
    var seen: [String] = []
    try LineTail.cut(path) { line in
      seen.append(String(decoding: line, as: UTF8.self))
      return line.elementsEqual("two".utf8)
    }
    #expect(seen == ["three", "two"])
    #expect(try folder.text("a") == "one\ntwo\n")
  }

  @Test func `not being allowed to look is not absence`() throws {
    try folder.write([1], to: "closed/a")
    #expect(try FilePath.kind(of: folder.file("closed/a")) == .file)
    #expect(try FilePath.kind(of: folder.file("closed")) == .folder)
    #expect(try FilePath.kind(of: folder.file("closed/b")) == nil)
    #expect(try FilePath.kind(of: folder.file("closed/a/b")) == nil)
    try folder.link("loop", to: "loop")
    #expect(throws: FileOperationError(path: folder.file("loop"), step: .open, code: ELOOP)) {
      try FilePath.kind(of: folder.file("loop"))
    }
    guard geteuid() != 0 else { return }
    chmod(folder.file("closed"), 0)
    let error = #expect(throws: FileOperationError.self) { try FilePath.kind(of: folder.file("closed/a")) }
    #expect(error?.code == EACCES && error?.description.contains("ask its owner") == true)
  }

  @Test func `a name that is not UTF-8 is read, written and replaced like any other`() throws {
    let path = folder.path + "/" + String(pathBytes: [0x66, 0xff])
    try AtomicFile.write(Data([1]), to: path)
    try AtomicFile.write(Data([2, 3]), to: path)
    #expect(try InputFile(path: path).read(count: 2) == [2, 3])
    #expect(try Folder.names(in: folder.path).map(\.pathBytes) == [[0x66, 0xff]])
    #expect(AppendOnlyFile(path: path).append("x") == nil)
    #expect(try InputFile(path: path).read(count: 5) == [2, 3, 0x0a, 0x78, 0x0a])
  }
}
