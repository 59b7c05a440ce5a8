// Lists of paths from a pipe: whole paths only, in every form, while somebody still writes.

import Foundation
import Messages
import Support
import Testing

@testable import Datasets

@Suite struct PathStreamTests {
  /// What a stream gives of bytes that are all there.
  private func paths(_ bytes: [UInt8], _ ending: PathStream.Ending, atOnce: Int = 3) throws -> [String] {
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data(bytes))
    try pipe.fileHandleForWriting.close()
    var stream = PathStream(ending, descriptor: pipe.fileHandleForReading.fileDescriptor)
    var all: [String] = []
    while let some = try stream.next(atOnce) { all += some }
    return all
  }

  @Test func `lines are paths, in every form of a list`() throws {
    #expect(
      try paths(Array("a.png\nb c.png\n\n# a comment\n\"d\\n.png\"\r\nlast".utf8), .line) == [
        "a.png", "b c.png", "d\n.png", "last",
      ])
    #expect(try paths([], .line).isEmpty)
    #expect(try paths(Array("one".utf8), .line) == ["one"])
    #expect(
      try paths([0xff, 0xfe] + "ä\nb".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }, .line) == ["ä", "b"])
    #expect(try paths(Array("a\rb\r".utf8), .line) == ["a", "b"])
  }

  @Test func `between zero bytes stands any name`() throws {
    let names = ["a\nb", "# no comment", "\"quoted\"", " x "]
    #expect(try paths(Array(names.joined(separator: "\0").utf8) + [0], .zero) == names)
    #expect(try paths([0xe9, 0, 0x61], .zero).map(\.pathBytes) == [[0xe9], [0x61]])
  }

  @Test func `a fault names its line, also behind what was given out`() throws {
    let pipe = Pipe()
    pipe.fileHandleForWriting.write(Data("a\nb\n".utf8))
    var stream = PathStream(.line, descriptor: pipe.fileHandleForReading.fileDescriptor)
    // The writer has not ended: what is there is given out.
    #expect(try stream.next(100) == ["a", "b"])
    let again = Pipe()
    again.fileHandleForWriting.write(Data("a\n".utf8))
    var second = PathStream(.line, descriptor: again.fileHandleForReading.fileDescriptor)
    _ = try second.next(1)
    again.fileHandleForWriting.write(Data("\"open\n".utf8))
    do {
      _ = try second.next(1)
      Issue.record("an open quote is no path")
    } catch {
      #expect("\(error)".contains("standard input") && "\(error)".contains("2"), "\(error)")
    }
  }

  @Test func `a path without end is refused, not collected`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("paths-\(UUID().uuidString)")
    try Data(repeating: 0x61, count: 3 << 20).write(to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = try FileHandle(forReadingFrom: folder)
    var stream = PathStream(.zero, descriptor: file.fileDescriptor)
    #expect(throws: DatasetError.self) { while try stream.next(1) != nil {} }
  }
}
