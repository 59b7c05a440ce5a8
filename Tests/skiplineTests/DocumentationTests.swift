// What the documents and the screen say to type must be what the program takes.

import ArgumentParser
import Foundation
import Testing

@testable import skipline

@Suite struct `Commands as written down` {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The names of the pages below docs/.
  private static let pages: [String] = {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent("docs").path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted()
  }()

  /// README.md and every page below docs/, one after the other.
  private static let documents = (["README.md"] + pages.map { "docs/" + $0 })
    .map { (try? String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)) ?? "" }
    .joined(separator: "\n")

  /// Their indented lines that begin with `skipline`, without what a shell takes for a comment.
  static let examples = documents.split(separator: "\n").filter { $0.hasPrefix("    skipline ") }
    .map { $0.split(separator: " ").dropFirst().prefix { !$0.hasPrefix("#") }.map(String.init) }

  @Test func `the documents have examples`() {
    #expect(Self.pages.count >= 9)
    #expect(Self.examples.count >= 10)
  }

  @Test(arguments: examples)
  func `every example in the documents is understood`(words: [String]) throws {
    _ = try SkiplineCommand.parseAsRoot(words)
  }

  @Test func `every subcommand is documented`() {
    let commands = SkiplineCommand.configuration.subcommands.filter { $0.configuration.shouldDisplay }
    for command in commands where command != WorkbenchCommand.self {
      let name = command.configuration.commandName ?? ""
      #expect(
        Self.documents.contains("| `skipline \(name)") || Self.documents.contains("`, `\(name) RUN"), "\(name)")
    }
  }

  @Test func `every option that the documents name exists`() throws {
    let help = SkiplineCommand.configuration.subcommands.map { $0.helpMessage() }.joined()
    let named = Self.documents.matches(of: /--[a-z][a-z-]+/).map { String($0.output) }
    for option in Set(named) {
      let positive = option.replacing("--no-", with: "--")
      #expect(help.contains(option) || help.contains(positive), "\(option)")
    }
  }
}
