// What is said to terminals beside their screens: titles, notices, the clipboard.

import Foundation
import Testing

@testable import Terminal

@Suite struct `Words for a terminal` {
  private func words(_ term: String, name: String? = nil, _ more: [String: String] = [:]) -> TerminalWords {
    TerminalWords(isANSI: true, name: name, environment: more.merging(["TERM": term]) { $1 }, hasTitle: false)
  }

  @Test func `a title is set, kept and brought back, and holds no controls`() {
    let words = words("xterm-256color")
    #expect(words.title("training a") == "\u{1B}]2;training a\u{1B}\\")
    #expect(words.keepTitle == "\u{1B}[22;2t" && words.restoreTitle == "\u{1B}[23;2t")
    let hostile = words.title("a\u{1B}]0;b\u{7}c\n")
    #expect(hostile.dropFirst().dropLast(2).unicodeScalars.allSatisfy { $0.value >= 0x20 })
    for term in ["linux", "vt220", "dumb"] {
      let plain = self.words(term)
      #expect(plain.title("a").isEmpty && plain.keepTitle.isEmpty && plain.copy("a").isEmpty, "\(term)")
      #expect(plain.notice("a") == "\u{7}", "\(term)")
    }
  }

  @Test func `a notice is in the words that the terminal knows, and goes through tmux`() {
    #expect(words("xterm-256color").notice("done") == "\u{1B}]9;done\u{7}\u{7}")
    // A number first is a command of its own there.
    #expect(words("xterm-256color").notice("4;1") == "\u{1B}]9;skipline: 4;1\u{7}\u{7}")
    for titled in [words("rxvt-unicode"), words("foot"), words("xterm-256color", ["VTE_VERSION": "7000"])] {
      #expect(titled.notice("a; b") == "\u{1B}]777;notify;skipline;a, b\u{7}\u{7}")
    }
    #expect(
      words("tmux-256color", ["TMUX": "x"]).notice("done")
        == "\u{1B}Ptmux;\u{1B}\u{1B}]9;done\u{7}\u{1B}\\\u{7}")
  }

  @Test func `a text for the clipboard is whole or not sent at all`() throws {
    let words = words("xterm-256color")
    let sent = words.copy("skipline train 'a b'\n")
    let encoded = sent.dropFirst("\u{1B}]52;c;".count).dropLast()
    #expect(Data(base64Encoded: String(encoded)) == Data("skipline train 'a b'\n".utf8))
    #expect(words.copy(String(repeating: "x", count: TerminalWords.longestCopy + 1)).isEmpty)
  }
}
