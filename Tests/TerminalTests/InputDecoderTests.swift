// From the terminal's bytes to inputs: whole, in pieces, late, and pasted.

import Canvas
import Testing

@testable import Terminal

struct InputDecoderTests {
  private static let delay = 150

  /// Everything that comes of bytes that arrive at the given times, and of the silence after them.
  private func decoded(_ pieces: [(at: Int, bytes: String)], table: KeyTable = KeyTable()) -> [Input] {
    var decoder = InputDecoder(escapeDelay: Self.delay, table: table)
    var inputs: [Input] = []
    for piece in pieces {
      while let deadline = decoder.deadline, deadline <= piece.at { inputs += decoder.expire(at: deadline) }
      inputs += decoder.feed(Array(piece.bytes.utf8), at: piece.at)
    }
    while let deadline = decoder.deadline { inputs += decoder.expire(at: deadline) }
    return inputs
  }

  private func typed(_ text: String) -> [Input] { decoded([(0, text)]) }

  /// Byte by byte, so long after each other.
  private func spelled(_ text: String, every gap: Int) -> [Input] {
    var decoder = InputDecoder(escapeDelay: Self.delay)
    var inputs: [Input] = []
    for (index, byte) in text.utf8.enumerated() {
      let now = index * gap
      while let deadline = decoder.deadline, deadline <= now { inputs += decoder.expire(at: deadline) }
      inputs += decoder.feed([byte], at: now)
    }
    while let deadline = decoder.deadline { inputs += decoder.expire(at: deadline) }
    return inputs
  }

  // MARK: Keys

  @Test(arguments: [
    ("a", Key.character("a")), ("é", .character("é")), ("漢", .character("漢")), ("🙂", .character("🙂")),
    (" ", .character(" ")), ("\u{3}", .control("c")), ("\u{1A}", .control("z")), ("\u{1}", .control("a")),
    ("\u{0}", .control(" ")), ("\u{1C}", .control("\\")), ("\r", .enter), ("\n", .enter), ("\t", .tab),
    ("\u{7F}", .backspace), ("\u{8}", .backspace), ("\u{1B}", .escape),
  ])
  func `a character is a key, also byte by byte`(text: String, key: Key) {
    #expect(typed(text) == [.key(key)])
    #expect(spelled(text, every: 100) == [.key(key)])
  }

  @Test func `every known sequence is its key: whole, byte by byte, and as slowly as lines are`() {
    let keys = Set(KeyTable.commonSequences.values)
    let motions: [Key] = [.up, .down, .left, .right, .home, .end, .pageUp, .pageDown, .delete, .backTab, .enter]
    #expect(keys == Set(motions + (1...12).map { .function($0) }))
    for (sequence, key) in KeyTable.commonSequences {
      #expect(typed("\u{1B}" + sequence) == [.key(key)], "\(sequence)")
      for gap in [1, 30, 100, 149] {
        #expect(spelled("\u{1B}" + sequence, every: gap) == [.key(key)], "\(sequence) every \(gap) ms")
      }
    }
  }

  @Test func `the rest of a sequence that comes after its escape was taken for a key is no text`() {
    for (sequence, key) in KeyTable.commonSequences {
      let inputs = decoded([(0, "\u{1B}"), (400, sequence)])
      #expect(inputs == [.key(.escape), .key(key)], "\(sequence)")
      // Once it has begun beyond doubt, nothing is a key before its end, however late that is.
      let cut = decoded([
        (0, "\u{1B}\(sequence.first.map(String.init) ?? "")"), (900, String(sequence.dropFirst())),
      ])
      #expect(cut == [.key(key)], "\(sequence)")
    }
  }

  @Test func `after its grace what looks like the rest was typed`() {
    #expect(
      decoded([(0, "\u{1B}"), (1500, "[B")]) == [.key(.escape), .key(.character("[")), .key(.character("B"))])
    #expect(decoded([(0, "\u{1B}"), (300, "[")]) == [.key(.escape), .key(.character("["))])
    #expect(
      decoded([(0, "\u{1B}"), (300, "[x")]) == [.key(.escape), .key(.character("[")), .key(.character("x"))])
    #expect(decoded([(0, "\u{1B}"), (300, "q")]) == [.key(.escape), .key(.character("q"))])
  }

  @Test func `with Shift a key of motion is itself, other modifiers make it unknown`() {
    #expect(typed("\u{1B}[1;2A\u{1B}[5;2~") == [.key(.up), .key(.pageUp)])
    #expect(typed("\u{1B}[1;5Cx\u{1B}[3;5~") == [.key(.character("x"))])
  }

  @Test func `an unknown sequence types nothing, and what follows it is kept`() {
    #expect(typed("\u{1B}[99;99zx") == [.key(.character("x"))])
    #expect(typed("\u{1B}[201~") == [])
    #expect(typed("\u{1B}Oz") == [])
    #expect(typed("\u{1B}[I\u{1B}[O") == [])
    #expect(typed("\u{1B}[1;\u{1B}[A") == [.key(.up)])
    #expect(typed("\u{1B}[1\u{3}") == [.key(.control("c"))])
    #expect(spelled("\u{1B}[1éx", every: 40) == [.key(.character("é")), .key(.character("x"))])
  }

  @Test func `a sequence that breaks off types nothing`() {
    #expect(typed("\u{1B}[") == [])
    #expect(typed("\u{1B}[1;") == [])
    #expect(typed("\u{1B}O") == [])
  }

  @Test func `Alt with a key is neither Escape nor the key`() {
    for key in ["x", "q", "y", "é", "漢", " ", "\r", "\u{7F}", "1"] {
      #expect(typed("\u{1B}" + key) == [], "\(key)")
      #expect(typed("\u{1B}\(key)j") == [.key(.character("j"))], "\(key)")
    }
    #expect(typed("\u{1B}\u{1B}[A") == [.key(.up)])
    #expect(typed("\u{1B}\u{3}") == [.key(.control("c"))])
  }

  @Test func `Escape and then a key are two keys, however soon`() {
    #expect(decoded([(0, "\u{1B}"), (5, "x")]) == [.key(.escape), .key(.character("x"))])
    #expect(typed("\u{1B}\u{1B}") == [.key(.escape), .key(.escape)])
    #expect(decoded([(0, "\u{1B}"), (5, "\u{1B}")]) == [.key(.escape), .key(.escape)])
  }

  @Test func `the delay is the one that was given`() {
    var decoder = InputDecoder(escapeDelay: 1000)
    #expect(decoder.feed([0x1B], at: 0) == [])
    #expect(decoder.deadline == 1000)
    #expect(decoder.expire(at: 999) == [])
    #expect(decoder.feed(Array("[B".utf8), at: 999) == [.key(.down)])
    #expect(decoder.deadline == nil)
  }

  @Test func `what is not UTF-8 is nothing`() {
    var decoder = InputDecoder(escapeDelay: 10)
    #expect(
      decoder.feed([0xFF, 0x61, 0xC3, 0x61, 0x80, 0xE6, 0xBC], at: 0) == [
        .key(.character("a")), .key(.character("a")),
      ])
    #expect(decoder.expire(at: 20) == [])
    #expect(decoder.feed([0xED, 0xA0, 0x80, 0x62], at: 30) == [.key(.character("b"))])
  }

  @Test func `sequences that only this terminal has are its keys`() {
    let table = KeyTable { ["kcuu1": "\u{1B}A", "kf1": "\u{1B}?p", "kend": "\u{1B}[Fx", "kbs": "\u{8}"][$0] }
    #expect(decoded([(0, "\u{1B}A")], table: table) == [.key(.up)])
    #expect(decoded([(0, "\u{1B}?"), (100, "p")], table: table) == [.key(.function(1))])
    #expect(decoded([(0, "\u{1B}[Fx")], table: table) == [.key(.end)])
  }

  // MARK: Mouse

  @Test func `mouse reports reach every column, also cut in two anywhere`() {
    let reports: [(String, [Input])] = [
      ("\u{1B}[<0;1;1M", [.click(x: 0, y: 0)]), ("\u{1B}[<0;300;120M", [.click(x: 299, y: 119)]),
      ("\u{1B}[<16;224;2M", [.click(x: 223, y: 1)]), ("\u{1B}[<0;300;120m", [.release(x: 299, y: 119)]),
      ("\u{1B}[<2;3;4M", []), ("\u{1B}[<2;3;4m", []), ("\u{1B}[<32;300;4M", [.drag(x: 299, y: 3)]),
      ("\u{1B}[<34;3;4M", []),
      ("\u{1B}[<35;3;4M", []), ("\u{1B}[<64;5;6M", [.scroll(x: 4, y: 5, rows: -3)]),
      ("\u{1B}[<65;250;6M", [.scroll(x: 249, y: 5, rows: 3)]), ("\u{1B}[<0;0;1M", []), ("\u{1B}[<0;1M", []),
      ("\u{1B}[<0;99999999999999999999;1M", []), ("\u{1B}[M !!", [.click(x: 0, y: 0)]),
      ("\u{1B}[M`%&", [.scroll(x: 4, y: 5, rows: -3)]), ("\u{1B}[M#%&", [.release(x: 4, y: 5)]),
      ("\u{1B}[M@%&", [.drag(x: 4, y: 5)]),
    ]
    for (report, expected) in reports {
      #expect(typed(report) == expected, "\(report.dropFirst())")
      for cut in 1..<report.utf8.count {
        let bytes = Array(report.utf8)
        for gap in [0, 120] {
          var decoder = InputDecoder(escapeDelay: Self.delay)
          let inputs = decoder.feed(bytes[..<cut], at: 0) + decoder.feed(bytes[cut...], at: gap)
          #expect(inputs == expected, "\(report.dropFirst()) cut at \(cut)")
          #expect(decoder.deadline == nil)
        }
      }
    }
  }

  @Test func `a second press soon after in the same cell is a double click, a third one is not`() {
    func presses(_ presses: [(time: Int, x: Int)]) -> [Input] {
      var decoder = InputDecoder(escapeDelay: Self.delay)
      return presses.flatMap { press in
        decoder.feed(Array("\u{1B}[<0;\(press.x);1M\u{1B}[<0;\(press.x);1m".utf8), at: press.time)
      }.filter { if case .release = $0 { false } else { true } }
    }
    let (click, double): (Input, Input) = (.click(x: 6, y: 0), .doubleClick(x: 6, y: 0))
    #expect(presses([(0, 7), (200, 7)]) == [click, double])
    #expect(presses([(0, 7), (200, 7), (300, 7)]) == [click, double, click])
    #expect(presses([(0, 7), (InputDecoder.doubleClick + 1, 7)]) == [click, click])
    #expect(presses([(0, 7), (200, 8)]) == [click, .click(x: 7, y: 0)])
  }

  // MARK: Pasted text

  @Test func `pasted text is one input, wherever it is cut`() {
    let text = "xray images\nof the chest\u{1B}[A é\u{3}"
    let bytes = Array("\u{1B}[200~\(text)\u{1B}[201~q".utf8)
    for cut in 1..<bytes.count {
      var decoder = InputDecoder(escapeDelay: Self.delay)
      let inputs = decoder.feed(bytes[..<cut], at: 0) + decoder.feed(bytes[cut...], at: 100)
      #expect(inputs == [.paste(text), .key(.character("q"))], "cut at \(cut)")
    }
    #expect(spelled("\u{1B}[200~x\ny\u{1B}[201~", every: 40) == [.paste("x\ny")])
    #expect(typed("\u{1B}[200~\u{1B}[201~") == [.paste("")])
  }

  @Test func `of a very long paste the beginning is kept, and none of it is a key`() {
    var decoder = InputDecoder(escapeDelay: Self.delay)
    var inputs = decoder.feed(Array("\u{1B}[200~".utf8), at: 0)
    for time in 1...1000 { inputs += decoder.feed([UInt8](repeating: 0x78, count: 4096), at: time) }
    inputs += decoder.feed(Array("\u{1B}[201~".utf8), at: 1001)
    #expect(inputs == [.paste(String(repeating: "x", count: InputDecoder.pasteLimit))])
  }

  @Test func `a paste whose end never comes ends with a long silence`() {
    #expect(
      decoded([(0, "\u{1B}[200~abc\u{1B}[20"), (7000, "j")]) == [.paste("abc\u{1B}[20"), .key(.character("j"))])
  }

  @Test func `more at once than a person types is a burst, and so is what follows at once`() {
    let text = "xray images of the chest\ny"
    #expect(typed(text) == [.burst(text)])
    #expect(decoded([(0, text), (20, "jx")]) == [.burst(text), .burst("jx")])
    #expect(decoded([(0, text), (20, "\r")]) == [.burst(text), .key(.enter)])
    #expect(decoded([(0, text), (200, "j")]) == [.burst(text), .key(.character("j"))])
    // A key held down while the screen was busy, and a few quick ones.
    #expect(typed(String(repeating: "j", count: 40)) == Array(repeating: .key(.character("j")), count: 40))
    #expect(typed("cifar20\r").count == 8)
    #expect(typed("\r\rj").count == 3)
    // Enters pressed ahead while the screen was busy.
    #expect(typed("/star\r\r").suffix(2) == [.key(.enter), .key(.enter)])
  }

  @Test(arguments: ["X\ny\n", "X\ry", "a\r\n", "x\n\ty", " \ry", "q\ns\nq", "é\n漢"])
  func `text, a line's end and more in one read is pasted, however short`(text: String) {
    #expect(typed(text) == [.burst(text)])
    #expect(typed("\u{1B}[A" + text) == [.key(.up), .burst(text)])
    // The same byte by byte is typed.
    #expect(spelled(text, every: 100).count == text.unicodeScalars.count)
  }
}
