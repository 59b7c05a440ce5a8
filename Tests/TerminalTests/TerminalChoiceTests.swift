// Which locale and which terminfo entry are taken where those of the environment are not there, what is switched on at
// the terminal, and the entry with colors of 24 bits.

import CNcurses
import Foundation
import Testing

@testable import Terminal

struct LocaleChoiceTests {
  /// A machine where these locales are installed; the environment's is the empty name.
  private func choice(_ environment: [String: String], installed: [String: String]) -> LocaleChoice {
    LocaleChoice(environment: environment, installed: ["xx_XX.utf8"]) { name in
      let wanted = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? "C"
      return installed[name.isEmpty ? wanted : name]
    }
  }

  private static let debian = ["C": "ANSI_X3.4-1968", "POSIX": "ANSI_X3.4-1968", "C.UTF-8": "UTF-8"]

  @Test(arguments: ["C.UTF-8", "C", "POSIX"])
  func `a locale that is installed is taken as it is`(name: String) {
    let choice = choice(["LANG": name], installed: Self.debian)
    #expect(choice == LocaleChoice(isUTF8: name == "C.UTF-8"))
  }

  @Test(arguments: [
    ["LANG": "en_US.UTF-8"], ["LANG": "ru_RU.utf8"], ["LC_ALL": "de_DE.UTF-8@euro", "LANG": "C"],
    ["LC_CTYPE": "UTF-8"], ["LC_ALL": "", "LANG": "ja_JP.UTF8"],
  ])
  func `one of UTF-8 that is not falls back to another and says so`(environment: [String: String]) throws {
    let choice = choice(environment, installed: Self.debian)
    #expect(choice.isUTF8)
    let remark = try #require(choice.remark)
    #expect(remark.contains("is not installed: C.UTF-8 is used instead"))
    #expect(remark.contains(environment.values.first { !$0.isEmpty && $0 != "C" } ?? "?"))
  }

  @Test func `any of UTF-8 will do, and where there is none ASCII is said`() {
    let other = choice(["LANG": "en_US.UTF-8"], installed: ["C": "ANSI_X3.4-1968", "xx_XX.utf8": "UTF-8"])
    #expect(other.isUTF8 && other.remark?.contains("xx_XX.utf8") == true)
    let none = choice(["LANG": "en_US.UTF-8"], installed: ["C": "ANSI_X3.4-1968"])
    #expect(!none.isUTF8 && none.remark?.contains("ASCII") == true)
  }

  @Test(arguments: ["de_DE.ISO-8859-1", "ru_RU.KOI8-R", "en_US", "fr_FR@euro"])
  func `one of another character set stays ASCII, as was asked`(name: String) {
    let choice = choice(["LANG": name], installed: Self.debian)
    #expect(!choice.isUTF8)
    #expect(choice.remark?.contains(name) == true)
  }

  @Test func `without a locale nothing is said`() {
    #expect(choice([:], installed: Self.debian) == LocaleChoice(isUTF8: false))
  }
}

extension LocaleChoice {
  fileprivate init(isUTF8: Bool) {
    self.init(environment: [:]) { _ in isUTF8 ? "UTF-8" : "ANSI_X3.4-1968" }
  }
}

struct TerminalEntryTests {
  private static let known: Set<String> = [
    "xterm-256color", "xterm", "screen-256color", "linux", "vt100", "tmux-256color",
  ]

  private func choice(_ term: String?, known: Set<String> = known) -> TerminalEntry? {
    TerminalEntry.choose(environment: term.map { ["TERM": $0] } ?? [:], isKnown: known.contains)
  }

  @Test func `a terminal that terminfo knows is itself`() {
    for name in Self.known {
      #expect(choice(name)?.plainName == name)
      #expect(choice(name)?.remark == nil)
    }
  }

  @Test(arguments: [
    "xterm-kitty", "xterm-ghostty", "foot", "wezterm", "alacritty", "xterm-direct", "no such thing", "", nil,
  ])
  func `one that it does not know is taken for xterm, and that is said`(term: String?) throws {
    let entry = try #require(choice(term))
    #expect(entry.plainName == "xterm-256color")
    let remark = try #require(entry.remark)
    #expect(remark.contains("xterm-256color is used instead"))
    if let term, !term.isEmpty { #expect(remark.contains(term)) }
  }

  @Test func `the next best will do, and without any there is none`() {
    #expect(choice("foot", known: ["vt100", "linux"])?.plainName == "linux")
    #expect(choice("foot", known: ["dumb"]) == nil)
  }

  @Test func `hostile names are shown harmlessly`() throws {
    let remark = try #require(choice("a\u{1B}[31m\u{202E}b" + String(repeating: "x", count: 500))?.remark)
    #expect(!remark.unicodeScalars.contains("\u{1B}") && remark.count < 200)
  }

  @Test(arguments: [
    (["COLORTERM": "truecolor", "TERM": "xterm-256color"], true), (["COLORTERM": "24bit", "TERM": "foot"], true),
    (["COLORTERM": "TrueColor", "TERM": "xterm-kitty"], true),
    (["COLORTERM": "truecolor", "TERM": "tmux-256color"], true),
    (["COLORTERM": "truecolor", "TERM": "screen-256color", "TMUX": "/tmp/x"], true),
    (["COLORTERM": "truecolor", "TERM": "screen-256color"], false),
    (["COLORTERM": "truecolor", "TERM": "linux"], false),
    (["COLORTERM": "yes", "TERM": "xterm-256color"], false), (["TERM": "xterm-256color"], false),
    (["COLORTERM": "", "TERM": "xterm-256color"], false), (["COLORTERM": "truecolor", "TERM": "vt100"], false),
  ])
  func `colors of 24 bits are used where the terminal says so and nothing between misreads them`(
    environment: [String: String], expected: Bool
  ) {
    #expect(TerminalEntry.showsDirectColor(environment: environment) == expected)
  }

  @Test func `the compiled form is that of terminfo`() {
    let entry = CompiledTerminal(
      name: "t", booleans: [("bw", true)], numbers: [("cols", 80), ("it", -1)],
      strings: [("cbt", [0x1B, 0x5A]), ("bel", nil)], extraBooleans: ["RGB"])
    #expect(
      entry.bytes == [
        0x1E, 0x02, 2, 0, 1, 0, 2, 0, 2, 0, 3, 0,  // magic, and the sizes of what follows
        0x74, 0, 1, 0,  // name, flag, padding
        80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0x1B, 0x5A, 0,  // numbers, offsets, strings
        0, 1, 0, 0, 0, 0, 0, 1, 0, 4, 0,  // padding; a flag, no number, no string, a name, of four bytes
        1, 0, 0, 0, 0x52, 0x47, 0x42, 0,
      ])
  }

  @Test func `of a known entry only its colors change`() throws {
    try #require(shim_read_terminal("xterm-256color") != 0)
    let plain = CompiledTerminal.current(named: "x")
    let direct = plain.withDirectColor()
    func string(_ name: String, _ entry: CompiledTerminal) -> String? {
      entry.strings.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(string("cup", plain) == string("cup", direct) && string("cup", plain) != nil)
    #expect(string("setaf", direct)?.contains("38;2;") == true)
    #expect(string("initc", direct) == nil)
    #expect(direct.numbers.first { $0.name == "colors" }?.value == 0x100_0000)
    #expect(direct.bytes.count < 32_768)
  }
}

struct TerminalModeTests {
  @Test func `what is switched on is switched off`() {
    let modes = TerminalModes(isANSI: true, mouse: true)
    #expect(modes.on == "\u{1B}[?1000h\u{1B}[?1002h\u{1B}[?1006h\u{1B}[?2004h")
    #expect(modes.off == "\u{1B}[?2004l\u{1B}[?1006l\u{1B}[?1002l\u{1B}[?1000l")
    #expect(TerminalModes(isANSI: true, mouse: false).on == "\u{1B}[?2004h")
    #expect(TerminalModes(isANSI: false, mouse: true).on == "")
  }
}
