// The program at a terminal that says what it can: pictures are sent in the way it takes, its answers are no keys, and
// nothing of a picture is left behind on any way out.

import Foundation
import TestSupport
import Testing

/// A terminal that answers questions as a kind of terminal does, with the program in it.
private final class AnsweringTerminal: Sendable {
  let workspace: Workspace
  let terminal: PseudoTerminal
  private let process: Process

  static let kitty = [
    "\u{1B}_Gi=31,": "\u{1B}_Gi=31;OK\u{1B}\\", "\u{1B}[>q": "\u{1B}P>|kitty(0.36.4)\u{1B}\\",
    "\u{1B}P+q524742": "\u{1B}P1+r524742=38\u{1B}\\",
  ]

  /// - Parameters:
  ///   - answers: what is said to which question.
  ///   - attributes: the answer to the last question; nil for none.
  init(_ answers: [String: String], attributes: String?, _ options: [String] = []) throws {
    let workspace = try Workspace()
    self.workspace = workspace
    terminal = try PseudoTerminal(size: (100, 30, 1000, 600)) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      var reply = answers.filter { text.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value).joined()
      if let attributes, text.contains("\u{1B}[c") { reply += "\u{1B}[?\(attributes)c" }
      return Array(reply.utf8)
    }
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // Whoever runs the tests may have had these ignored.
    process.arguments =
      ["--default-signal=HUP,INT,TERM", "skipline", "data"] + Workspace.tinyNetwork + options
    process.currentDirectoryURL = URL(fileURLWithPath: workspace.folder)
    process.environment = Program.environment(in: workspace)
    let end = FileHandle(fileDescriptor: terminal.programEnd, closeOnDealloc: false)
    (process.standardInput, process.standardOutput, process.standardError) = (end, end, FileHandle.nullDevice)
    try process.run()
    terminal.handedOver()
  }

  deinit {
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    terminal.breakDown()
  }

  var text: String { String(decoding: terminal.output, as: UTF8.self) }

  func wrote(_ wanted: String) async throws {
    try await Patience.wait(
      for: wanted.debugDescription, lastSeen: { String(self.text.suffix(400)).debugDescription }
    ) {
      self.text.contains(wanted)
    }
  }

  /// Opens the first class, whose first picture is then on show.
  func openClass() async throws {
    try await wrote("64 images")
    terminal.type("\r")
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for the program's end.
  func ends() async throws -> Int32 {
    try await Patience.wait(for: "the end", lastSeen: { "it runs" }) { !self.process.isRunning }
    return process.terminationStatus
  }
}

@Suite struct PictureJourneys {
  @Test func `to kitty pictures are sent whole, and they are deleted when the program leaves`() async throws {
    let terminal = try AnsweringTerminal(AnsweringTerminal.kitty, attributes: "62;")
    try await terminal.openClass()
    try await terminal.wrote("a=T,U=1,i=")
    try await terminal.wrote("\u{10EEEE}\u{0305}\u{0305}")
    #expect(!terminal.text.contains("a=d"))
    terminal.terminal.type("q")
    #expect(try await terminal.ends() == 0)
    try await terminal.wrote("a=d,d=I")
    // Gone before the screen is.
    let text = terminal.text
    let deleted = try #require(text.range(of: "a=d,d=I"))
    #expect(text.range(of: "\u{1B}[?1049l").map { $0.lowerBound > deleted.lowerBound } == true)
  }

  @Test(arguments: [SIGSEGV, SIGTERM, SIGHUP])
  func `they are deleted too when a signal ends it`(signal: Int32) async throws {
    let terminal = try AnsweringTerminal(AnsweringTerminal.kitty, attributes: "62;")
    try await terminal.openClass()
    try await terminal.wrote("a=T,U=1,i=")
    terminal.send(signal)
    #expect(try await terminal.ends() != 0)
    try await terminal.wrote("a=d,d=I")
    try await terminal.wrote("\u{1B}[?1049l")
  }

  @Test func `where sixels are answered for they are painted, and wiped on the way out`() async throws {
    let terminal = try AnsweringTerminal([:], attributes: "62;4;22")
    try await terminal.openClass()
    try await terminal.wrote("\u{1B}P0;1;0q\"1;1;")
    #expect(!terminal.text.contains("\u{1B}_Ga="))
    terminal.terminal.type("q")
    #expect(try await terminal.ends() == 0)
    try await terminal.wrote("\u{1B}[H\u{1B}[2J")
  }

  @Test func `an answer about colors is enough for true color`() async throws {
    let terminal = try AnsweringTerminal(
      ["\u{1B}P+q524742": "\u{1B}P1+r524742=38\u{1B}\\"], attributes: "1;2", ["--pictures", "blocks"])
    try await terminal.openClass()
    try await terminal.wrote("[48;2;")
    terminal.terminal.type("q")
    #expect(try await terminal.ends() == 0)
  }

  @Test func `a terminal that answers nothing gets blocks, and what it does not know is refused`() async throws {
    let silent = try AnsweringTerminal([:], attributes: nil)
    try await silent.openClass()
    try await silent.wrote("▀")
    #expect(!silent.text.contains("\u{1B}_Ga=") && !silent.text.contains("\u{1B}P0;1"))
    silent.terminal.type("q")
    #expect(try await silent.ends() == 0)

    let refusing = try AnsweringTerminal([:], attributes: "1;2", ["--pictures", "kitty"])
    #expect(try await refusing.ends() != 0)
    #expect(!refusing.text.contains("\u{1B}[?1049h"))
  }
}
