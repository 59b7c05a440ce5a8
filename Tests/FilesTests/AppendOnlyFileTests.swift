// Lines that threads append, and what a torn one or a folder that is gone does to the others.

import Dispatch
import Files
import Foundation
import TestSupport
import Testing

@Suite struct AppendOnlyFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `threads that append at once do not tear each other's lines`() throws {
    let file = AppendOnlyFile(path: folder.file("a"), header: "header")
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for line in 0..<50 { file.append("\(thread) \(line) " + String(repeating: "x", count: 200)) }
    }
    let lines = try folder.text("a").split(separator: "\n")
    #expect(lines.count == 401 && lines[0] == "header")
    #expect(lines.dropFirst().allSatisfy { $0.hasSuffix(" " + String(repeating: "x", count: 200)) })
    #expect(Set(lines).count == 401)
  }

  @Test func `a line torn by a crash is ended before the next, and the header is written once`() throws {
    try folder.write(Array("header\nwhole\nto".utf8), to: "a")
    let file = AppendOnlyFile(path: folder.file("a"), header: "header")
    #expect(file.append("next") == nil)
    file.close()
    #expect(file.append("last") == nil)
    #expect(try folder.text("a") == "header\nwhole\nto\nnext\nlast\n")
  }

  @Test func `the first line that is lost is told, and no other`() throws {
    let path = folder.file("none/a")
    let file = AppendOnlyFile(path: path)
    #expect(file.append("lost") == FileOperationError(path: path, step: .open, code: ENOENT))
    #expect(file.append("lost too") == nil)
    try folder.makeFolder("none")
    #expect(file.append("kept") == nil)
    file.sync()
    #expect(try folder.text("none/a") == "kept\n")
  }

  @Test(.timeLimit(.minutes(1))) func `lines go to a file, not where a link leads, nor into a pipe or a folder`()
    throws
  {
    try folder.write(Array("mine\n".utf8), to: "elsewhere")
    try folder.link("link", to: "elsewhere")
    try folder.link("dangling", to: "none")
    #expect(mkfifo(folder.file("pipe"), 0o600) == 0)
    try folder.makeFolder("folder")
    for (name, reason) in [
      ("link", .link), ("dangling", .link), ("pipe", .notARegularFile), ("folder", .notARegularFile),
    ] as [(String, FileOperationError.Reason)] {
      let path = folder.file(name)
      #expect(AppendOnlyFile(path: path).append("x") == FileOperationError(path: path, step: .open, reason: reason))
    }
    #expect(try folder.text("elsewhere") == "mine\n")
    #expect(try folder.names() == ["dangling", "elsewhere", "folder", "link", "pipe"])
  }
}
