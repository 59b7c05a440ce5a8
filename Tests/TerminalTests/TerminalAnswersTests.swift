// What terminals answer, whole and in pieces, early and late; and which way of showing pictures follows from it.

import Canvas
import Testing

@testable import Terminal

struct TerminalAnswersTests {
  /// What terminals were seen to answer to the questions.
  private static let terminals: [(name: String, answer: String, expected: TerminalAnswers)] = [
    (
      "kitty",
      "\u{1B}P1+r524742=38\u{1B}\\\u{1B}P0+r5463\u{1B}\\\u{1B}P1$r0;48:2:1:2:3m\u{1B}\\\u{1B}_Gi=31;OK\u{1B}\\"
        + "\u{1B}P>|kitty(0.36.4)\u{1B}\\\u{1B}[6;20;10t\u{1B}[?62;c",
      TerminalAnswers(
        hasDirectColor: true, hasKitty: true, name: "kitty(0.36.4)", cell: Size(width: 10, height: 20),
        isComplete: true)
    ),
    (
      "xterm with sixel",
      "\u{1B}P1+r524742=382F382F38\u{1B}\\\u{1B}P0+r5463\u{1B}\\\u{1B}P1$r0;48:2::1:2:3m\u{1B}\\\u{1B}[6;13;6t"
        + "\u{1B}[?63;1;2;4;6;9;15;22c",
      TerminalAnswers(hasDirectColor: true, hasSixel: true, cell: Size(width: 6, height: 13), isComplete: true)
    ),
    (
      "one that keeps colors and says nothing else", "\u{1B}P1$r48;2;1;2;3m\u{1B}\\\u{1B}[?1;2c",
      TerminalAnswers(hasDirectColor: true, isComplete: true)
    ),
    (
      "one that makes a palette's color of it", "\u{1B}P1$r0;48;5;16m\u{1B}\\\u{1B}[?1;2c",
      TerminalAnswers(isComplete: true)
    ),
    ("tmux", "\u{1B}P>|tmux 3.3a\u{1B}\\\u{1B}[?1;2c", TerminalAnswers(name: "tmux 3.3a", isComplete: true)),
    ("tmux with sixel", "\u{1B}[?1;2;4c", TerminalAnswers(hasSixel: true, isComplete: true)),
    (
      "one that refuses the picture", "\u{1B}_Gi=31;ENOTSUPPORTED:no\u{1B}\\\u{1B}[?6c",
      TerminalAnswers(isComplete: true)
    ),
    (
      "one with attributes 14 and 42 and a cell of no size", "\u{1B}[6;0;0t\u{1B}[?14;42c",
      TerminalAnswers(isComplete: true)
    ),
    ("a silent one", "", TerminalAnswers()),
  ]

  @Test(arguments: terminals.indices) func `its answers are understood, wherever they are cut`(index: Int) {
    let (name, answer, expected) = Self.terminals[index]
    let bytes = Array(answer.utf8)
    for cut in 0...bytes.count {
      var answers = TerminalAnswers()
      let rest = answers.take(answers.take(Array(bytes[..<cut])) + bytes[cut...])
      #expect(answers == expected, "\(name), cut at \(cut)")
      #expect(rest.isEmpty, "\(name), cut at \(cut)")
    }
  }

  @Test func `what was typed meanwhile comes back as it was`() {
    for typed in ["q", "\u{1B}[A", "\u{1B}", "é", "\u{1B}[<0;3;4M", "\u{1B}P", "\u{1B}_x", "\u{1B}[6~"] {
      for (name, answer, expected) in Self.terminals where !answer.isEmpty {
        var answers = TerminalAnswers()
        #expect(
          answers.take(Array((typed + answer).utf8)) == Array(typed.utf8), "\(typed.debugDescription) \(name)")
        #expect(answers == expected)
      }
    }
  }

  @Test func `a late answer types nothing, wherever it is cut`() {
    for (name, answer, _) in Self.terminals where !answer.isEmpty {
      let bytes = Array(answer.utf8)
      for cut in 1...bytes.count {
        for gap in [0, 200] {
          var decoder = InputDecoder(escapeDelay: 150)
          var inputs = decoder.feed(bytes[..<cut], at: 0)
          if let deadline = decoder.deadline, deadline <= gap { inputs += decoder.expire(at: deadline) }
          inputs += decoder.feed(bytes[cut...], at: gap)
          inputs += decoder.feed(Array("j".utf8), at: gap + 1000)
          // An escape that is cut off for so long is the key; what follows it still types nothing.
          #expect(
            inputs.filter { $0 != .key(.escape) } == [.key(.character("j"))], "\(name) cut at \(cut), \(gap) ms")
        }
      }
    }
  }

  @Test func `Alt with the letter of an answer is no key, and does not swallow the next`() {
    for letter in ["P", "_", "]"] {
      var decoder = InputDecoder(escapeDelay: 150)
      var inputs = decoder.feed(Array("\u{1B}\(letter)".utf8), at: 0)
      inputs += decoder.feed(Array("j".utf8), at: 300)
      #expect(inputs == [.key(.character("j"))], "\(letter)")
    }
  }

  @Test(
    arguments: [
      ("rgb:ffff/ffff/ffff", true), ("rgb:0000/0000/0000", false), ("rgb:fd/f6/e3", true), ("rgb:2/2/3", false),
      ("rgba:ffff/ffff/ffff/ffff", true), ("rgb:1e1e/1e1e/2e2e", false), ("white", nil), ("rgb:zz/00/00", nil),
      ("rgb:ff/ff", nil), ("", nil),
    ] as [(String, Bool?)])
  func `the background's color says whether it is light`(color: String, isLight: Bool?) {
    for end in ["\u{1B}\\", "\u{7}"] {
      var answers = TerminalAnswers()
      let rest = answers.take(Array("a\u{1B}]11;\(color)\(end)b".utf8))
      #expect(String(decoding: rest, as: UTF8.self) == "ab")
      #expect(answers.isLight == isLight)
    }
  }

  @Test(
    arguments: [
      ("xterm-256color", [:], true), ("xterm-kitty", [:], true), ("foot", [:], true), ("alacritty", [:], true),
      ("tmux-256color", ["TMUX": "x"], true), ("screen-256color", ["TMUX": "x"], true), ("screen", [:], false),
      ("linux", [:], false), ("vt220", [:], false), ("dumb", [:], false), ("", [:], false),
      ("xterm-256color", ["TERM_PROGRAM": "Apple_Terminal"], false),
    ] as [(String, [String: String], Bool)])
  func `only terminals that take no question for text are asked`(
    term: String, more: [String: String], isAsked: Bool
  ) {
    let questions = TerminalAnswers.questions(environment: more.merging(["TERM": term]) { $1 })
    #expect(questions.isEmpty != isAsked)
    guard isAsked else { return }
    // The one that every terminal answers comes last; tmux would take kitty's for a title.
    #expect(questions.hasSuffix("\u{1B}[c"))
    #expect(questions.contains("\u{1B}_G") == (more["TMUX"] == nil))
  }
}

struct PictureProtocolTests {
  private func choose(
    _ choice: PictureChoice, _ answers: TerminalAnswers = TerminalAnswers(), isTmux: Bool = false,
    isUTF8: Bool = true,
    hasColor: Bool = true, cell: Size? = Size(width: 8, height: 16)
  ) throws -> PictureProtocol {
    try PictureProtocol.choose(
      choice, answers: answers, isTmux: isTmux, isUTF8: isUTF8, hasColor: hasColor, cell: cell)
  }

  private static let kitty = TerminalAnswers(
    hasDirectColor: true, hasKitty: true, name: "kitty(0.36.4)", isComplete: true)
  /// Takes kitty's pictures, but knows no marks.
  private static let wezterm = TerminalAnswers(
    hasDirectColor: true, hasKitty: true, hasSixel: true, name: "WezTerm 20240203", isComplete: true)
  private static let sixel = TerminalAnswers(hasSixel: true, isComplete: true)

  @Test func `auto takes the best that the terminal has`() throws {
    let cell = Size(width: 8, height: 16)
    #expect(try choose(.auto, Self.kitty) == .kitty(throughTmux: false))
    #expect(try choose(.auto, Self.sixel) == .sixel(cell: cell))
    #expect(try choose(.auto, Self.wezterm) == .sixel(cell: cell))
    #expect(try choose(.auto) == .cells)
    #expect(try choose(.auto, Self.kitty, isUTF8: false) == .cells)
    #expect(try choose(.auto, Self.kitty, hasColor: false) == .cells)
    #expect(try choose(.auto, Self.sixel, cell: nil) == .cells)
    #expect(try choose(.auto, isTmux: true) == .cells)
  }

  @Test func `what is asked for is done, or refused with what to do`() throws {
    #expect(try choose(.blocks, Self.kitty) == .cells)
    #expect(try choose(.none, Self.kitty) == .none)
    #expect(try choose(.kitty, Self.kitty) == .kitty(throughTmux: false))
    // Nobody can ask through tmux.
    #expect(try choose(.kitty, isTmux: true) == .kitty(throughTmux: true))
    #expect(try choose(.sixel, Self.sixel, hasColor: false) == .sixel(cell: Size(width: 8, height: 16)))
    let refused: [() throws -> PictureProtocol] = [
      { try choose(.kitty) }, { try choose(.sixel, Self.kitty) }, { try choose(.sixel, Self.sixel, cell: nil) },
      { try choose(.kitty, Self.kitty, isUTF8: false) }, { try choose(.kitty, Self.kitty, hasColor: false) },
    ]
    for attempt in refused {
      let failure = #expect(throws: TerminalFailure.self) { _ = try attempt() }
      #expect(failure?.description.contains("--pictures") == true)
    }
  }
}
