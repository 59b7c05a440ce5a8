// A tree of hostile names, from an archive of real files that is not in the repository: skipped where that is absent.

import Foundation
import Messages
import Support
import Testing

/// The archive: what SKIPLINE_TORTURE names, else one beside the repository or a folder above it; nil for none.
private let found: String? = {
  if let path = ProcessInfo.processInfo.environment["SKIPLINE_TORTURE"] { return path }
  var folder = URL(fileURLWithPath: #filePath)
  while folder.path != "/" {
    folder.deleteLastPathComponent()
    let archive = folder.appendingPathComponent("shared/data/torture.tgz").path
    if FileManager.default.fileExists(atPath: archive) { return archive }
  }
  return nil
}()

@Suite(.enabled(if: found != nil, "the set of hostile files is not there; SKIPLINE_TORTURE names its archive"))
struct HostileNamesTests {
  @Test(.timeLimit(.minutes(2))) func `the tree of hostile names is read fully, safely and shown harmlessly`()
    async throws
  {
    let workspace = try Workspace(withData: false)
    let unpack = try await RunningProgram(
      ["tar", "xzf", try #require(found), "-C", ".", "--wildcards", "*names/*"], in: workspace
    ).finish()
    #expect(unpack.status == 0, "\(unpack.errors)")
    let root = FileManager.default.fileExists(atPath: workspace.folder + "/torture") ? "torture/names" : "names"

    let text = try await workspace.skipline("check", root)
    #expect(text.status == 65, "a class with undecodable files only")
    let shown = (text.output + text.errors).unicodeScalars
    let harmless = shown.allSatisfy { scalar in
      scalar == "\n"
        || scalar.value >= 0x20 && scalar.value != 0x7f && !(0x80..<0xa0).contains(scalar.value)
          && scalar.properties.generalCategory != .format && !(0xF780...0xF7FF).contains(scalar.value)
    }
    #expect(harmless)
    // Each class is one line, whatever its name.
    for line in ["tab␉class", "new␊line", "latin1_\u{FFFD}", "-dash", "日本語", "emoji 😀", "quote\"d", "p%20c"] {
      #expect(text.outputLines.contains { $0.hasPrefix("\(line) ") }, "\(line)")
    }

    let report = try await workspace.skipline("check", root, "--json").decoded(DatasetReport.self)
    let names = report.classes.map(\.name)
    #expect(names.filter { Int($0) != nil } == ["0", "2", "10"])
    #expect(names.contains("UPPER") && names.contains("upper"))
    #expect(!names.contains { $0.hasPrefix(".") || $0 == "__MACOSX" || $0 == "empty_class" })
    #expect(report.findings.filter { $0.kind == .emptyClass }.map(\.subject).contains("empty_class"))
    let paths = report.classes.flatMap(\.images).map(\.path)
    #expect(
      paths.contains {
        $0.pathBytes == Array("latin1_".utf8) + [0xe9] + Array("/x".utf8) + [0xff] + Array(".jpg".utf8)
      })
    #expect(paths.contains("new\nline/n\nl.jpg") && paths.contains("dirjpg/folder.jpg/x.jpg"))
    #expect(paths.contains("a b/symlink.jpg"), "a link to a file is a file of its class")
    #expect(
      !paths.contains("a b/dangling.jpg") && !paths.contains("one/fifo.jpg") && !paths.contains("a b/._x 1.jpg"))
    #expect(Set(paths).count == paths.count, "nothing twice, for all the links in circles")

    // Every image can be named as it is listed.
    let list = paths.map { path in
      "\"" + path.pathBytes.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"\n"
    }
    try workspace.write(Array(list.joined().utf8), to: "list")
    let excluded = try await RunningProgram(
      ["sh", "-c", "skipline exclude \(root) - --json < list"], in: workspace
    ).finish()
    #expect(excluded.status == 0, "\(excluded.errors)")
    let none = try await workspace.skipline("check", root, "--json").decoded(DatasetReport.self)
    #expect(none.excluded == paths.count && none.counts.total == 0)
    // Foundation cannot remove names that are not UTF-8.
    let removed = try await RunningProgram(["rm", "-rf", root], in: workspace).finish()
    #expect(removed.status == 0)
  }
}
