// Frames compared with recorded ones. With SKIPLINE_RECORD=1 in the environment they are recorded anew, and that run
// fails, so that a recording can never pass for a test.

import Canvas
import Foundation
import Testing

@testable import Workbench

/// Compares the frame's text and styles with Snapshots/<name>.txt.
func expectSnapshot(
  _ state: WorkbenchState, _ name: String, theme: Theme = .dark, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let actual = render(state, size: state.size, theme: theme).snapshot()
  if ProcessInfo.processInfo.environment["SKIPLINE_RECORD"] == "1" {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Snapshots")
    try Data(actual.utf8).write(to: folder.appendingPathComponent(name + ".txt"))
    Issue.record("recorded \(name): look at it, then run without SKIPLINE_RECORD", sourceLocation: sourceLocation)
    return
  }
  let recorded = Bundle.module.url(forResource: name, withExtension: "txt", subdirectory: "Snapshots")
  let file = try #require(
    recorded, "Snapshots/\(name).txt is missing: record it with SKIPLINE_RECORD=1", sourceLocation: sourceLocation)
  let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
  guard actual != expected else { return }
  let difference = zip(
    actual.split(separator: "\n", omittingEmptySubsequences: false),
    expected.split(separator: "\n", omittingEmptySubsequences: false)
  ).enumerated().first { $0.element.0 != $0.element.1 }
  let place =
    difference.map { "line \($0.offset + 1):\n now \($0.element.0)\n was \($0.element.1)" } ?? "the length"
  Issue.record("the frame differs from Snapshots/\(name).txt at \(place)", sourceLocation: sourceLocation)
}
