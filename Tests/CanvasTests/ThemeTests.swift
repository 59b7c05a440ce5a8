// Themes: inheritance, the notation of styles, the parser on right, wrong and random files, the files of the
// package.

import Canvas
import Foundation
import Testing

struct StyleNotationTests {
  @Test(arguments: [
    ("", Style()), ("standard", Style()), ("12", Style(foreground: .palette(12))),
    ("red", Style(foreground: .palette(1))),
    ("bright-blue", Style(foreground: .palette(12))), ("bold", Style(bold: true)),
    (
      "#88c0d0 on #2e3440 bold",
      Style(
        foreground: .rgb(red: 0x88, green: 0xC0, blue: 0xD0), background: .rgb(red: 0x2E, green: 0x34, blue: 0x40),
        bold: true)
    ),
    ("standard on 236 bold underline", Style(background: .palette(236), bold: true, underline: true)),
    ("on 7 dim reverse", Style(background: .palette(7), dim: true, reverse: true)),
  ])
  func `a style is read from its notation`(notation: String, style: Style) throws {
    #expect(try Style(notation: notation) == style)
  }

  @Test(arguments: [
    "256", "-1", "+1", "#12345", "#1234567", "#+12345", "#gggggg", "mauve", "on", "1 on", "1 2", "1 on 2 3",
    "bold 1", "BOLD", "1 on on",
    "bright-", "0x10", "١",
  ])
  func `what is no style is refused`(notation: String) {
    #expect(throws: NotationError.self) { try Style(notation: notation) }
  }

  @Test func `every style survives being written and read`() throws {
    let colors: [Color] = [.standard, .palette(0), .palette(255), .rgb(red: 0, green: 10, blue: 255)]
    for foreground in colors {
      for background in colors {
        for bits in 0..<16 {
          let style = Style(
            foreground: foreground, background: background, bold: bits & 1 != 0, dim: bits & 2 != 0,
            underline: bits & 4 != 0, reverse: bits & 8 != 0)
          #expect(try Style(notation: style.notation) == style)
        }
      }
    }
  }
}

struct ThemeTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "themes")

  @Test func `a color left out is that of the text`() {
    let theme = Theme.parse("text = \"1 on 2\"\nbar = \"3\"", file: "x", base: .monochrome).theme
    #expect(theme[.bar] == Style(foreground: .palette(3), background: .palette(2)))
    #expect(theme[.title] == Style(foreground: .palette(1), background: .palette(2), bold: true))
  }

  @Test func `what lies over a surface takes its background`() {
    let text = "text = \"1 on 2\"\noverlay = \"5 on 6\"\nselection = \"7 on 8\""
    let theme = Theme.parse(text, file: "x", base: .monochrome).theme.over(.overlay)
    #expect(theme[.text] == Style(foreground: .palette(5), background: .palette(6)))
    #expect(theme[.title].background == .palette(6))
    #expect(theme[.selection].background == .palette(8))
  }

  @Test func `comments, blank lines and either kind of line end are taken`() {
    let text = "\u{FEFF}# a theme\r\n\r\n  name = \"Mine\"  # called so\r\nbar=\"#010203\" # red\n"
    let (theme, problems) = Theme.parse(text, file: "x", base: .dark)
    #expect(problems.isEmpty)
    #expect(theme.name == "Mine")
    #expect(theme[.bar].foreground == .rgb(red: 1, green: 2, blue: 3))
    #expect(theme[.text] == Theme.dark[.text])
  }

  @Test(arguments: [
    ("text", "no ="), ("text = 12", "double quotes"), ("text = \"12", "closing double quote"),
    ("txet = \"12\"", "“txet”"),
    ("text = \"12\" x", "comment"), ("text = \"999\"", "“999”"), ("text = \"1\u{1B}[2J\"", "1␛[2J"),
    ("= \"12\"", "“”"), ("text == \"12\"", "double quotes"),
  ])
  func `a wrong line is reported and the default stays`(line: String, expected: String) {
    let (theme, problems) = Theme.parse("# first\n" + line + "\nbar = \"9\"", file: "a.theme", base: .light)
    #expect(problems.map(\.line) == [2])
    #expect(problems.first?.message.contains(expected) == true, "\(problems)")
    #expect(problems.first?.description.hasPrefix("a.theme:2: ") == true)
    #expect(theme[.text] == Theme.light[.text])
    #expect(theme[.bar].foreground == .palette(9))
  }

  @Test func `of a key that is set twice the first counts`() {
    let (theme, problems) = Theme.parse("bar = \"1\"\n\nbar = \"2\"", file: "x", base: .dark)
    #expect(theme[.bar].foreground == .palette(1))
    #expect(problems.map(\.line) == [3])
  }

  @Test func `a file too long for a theme is refused as a whole`() {
    let (theme, problems) = Theme.parse(String(repeating: "x\n", count: 40_000), file: "x", base: .dark)
    #expect(theme == .dark)
    #expect(problems.count == 1)
  }

  @Test func `no sequence of bytes crashes the parser or gets an unsafe text through`() {
    var random = SystemlessGenerator(seed: 3)
    let pieces = [
      "text", "bar", "name", " ", "=", "\"", "#", "\n", "on", "255", "#00ff00", "bold", "\u{1B}", "\0", "é",
      "bright-red",
    ]
    for round in 0..<10_000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 0...24, using: &random) {
        if round.isMultiple(of: 2) {
          bytes.append(UInt8.random(in: 0...255, using: &random))
        } else {
          bytes += pieces[Int.random(in: 0..<pieces.count, using: &random)].utf8
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let (theme, problems) = Theme.parse(text, file: "f", base: .dark)
      let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).count
      #expect(Sanitizer.isSafe(theme.name))
      let bad = problems.filter { !Sanitizer.isSafe($0.message) || !(1...lines).contains($0.line) }
      #expect(bad.isEmpty)
    }
  }

  @Test func `flipping any byte of a theme file leaves a theme and at most two problems`() throws {
    let original = Array(try Data(contentsOf: Self.folder.appending(path: "polar.theme")))
    var random = SystemlessGenerator(seed: 4)
    for index in original.indices {
      var bytes = original
      bytes[index] = UInt8.random(in: 0...255, using: &random)
      let problems = Theme.parse(String(decoding: bytes, as: UTF8.self), file: "f", base: .dark).problems
      #expect(problems.count <= 2, "byte \(index): \(problems)")
    }
  }

  @Test
  func `a theme file with pieces cut out, doubled and replaced is still a theme, and each warning has its line`()
    throws
  {
    let original = Array(try Data(contentsOf: Self.folder.appending(path: "polar.theme")))
    let pieces = ["\"", "=", "\n", "#", "\u{1B}[2J", "\u{202E}", "on 256", "\0", "\u{FEFF}"].map { Array($0.utf8) }
    var random = SystemlessGenerator(seed: 5)
    for _ in 0..<500 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 1...40, using: &random))
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where bytes.count > 100: bytes.removeSubrange(start..<end)
        case 1: bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0..<bytes.count, using: &random))
        default: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: start)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let (theme, problems) = Theme.parse(text, file: "f", base: .dark)
      let lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).count
      #expect(Sanitizer.isSafe(theme.name))
      let bad = problems.filter { !Sanitizer.isSafe($0.message) || !(1...lines).contains($0.line) }
      #expect(bad.isEmpty)
    }
  }

  @Test func `the files of the built-in themes say what the program has built in`() throws {
    for (file, theme) in [("dark", Theme.dark), ("light", .light), ("monochrome", .monochrome)] {
      let other = theme == .light ? Theme.dark : .light
      let text = try String(contentsOf: Self.folder.appending(path: "\(file).theme"), encoding: .utf8)
      let parsed = Theme.parse(text, file: file, base: other)
      #expect(parsed.problems.isEmpty)
      #expect(parsed.theme == theme)
    }
  }

  @Test func `every theme file is free of problems and sets every role`() throws {
    let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
    #expect(files.count >= 6)
    for file in files where file.pathExtension == "theme" {
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(Theme.parse(text, file: file.lastPathComponent, base: .dark).problems == [])
      for role in ThemeRole.allCases {
        #expect(text.contains("\n\(role.rawValue) = \""), "\(file.lastPathComponent) lacks \(role.rawValue)")
      }
      #expect(text.contains("\nname = \""))
    }
  }

  @Test func `in every theme a bar and a colored word are seen on the selected row`() throws {
    let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
    for file in files where file.lastPathComponent != "monochrome.theme" {
      let theme = Theme.parse(try String(contentsOf: file, encoding: .utf8), file: "", base: .monochrome).theme
      for focused in [true, false] {
        for role: ThemeRole in [.bar, .barSecond, .barThird, .success, .warning, .error, .dimmed] {
          #expect(theme[role].foreground != theme.selection(focused: focused).background, "\(theme.name) \(role)")
        }
      }
    }
  }

  @Test func `in the built-in themes no role hides its text in its background`() {
    for theme in Theme.builtIn {
      for role in ThemeRole.allCases {
        let style = theme[role]
        #expect(style.foreground != style.background || style.foreground == .standard, "\(theme.name) \(role)")
      }
    }
    #expect(!Theme.monochrome.usesColor)
    #expect(Theme.dark.usesColor)
  }

  @Test func `the ASCII table is ASCII and every sign one column wide`() {
    func signs(_ glyphs: Glyphs) -> [Character] {
      [
        glyphs.horizontal, glyphs.vertical, glyphs.topLeft, glyphs.topRight, glyphs.bottomLeft, glyphs.bottomRight,
        glyphs.tick, glyphs.ellipsis, glyphs.bullet, glyphs.checkMark, glyphs.cross, glyphs.upArrow,
        glyphs.downArrow,
        glyphs.leftArrow, glyphs.rightArrow, glyphs.separator, glyphs.scrollThumb, glyphs.scrollTrack,
        glyphs.legendLine,
      ] + glyphs.sparkline + glyphs.horizontalBlocks + glyphs.segments + glyphs.luminance + glyphs.chartMarks
        + glyphs.spinner
    }
    let foreign = signs(.ascii).filter { !$0.isASCII }
    #expect(foreign.isEmpty)
    let wide = (signs(.ascii) + signs(.unicode)).filter { DisplayWidth.of($0) != 1 }
    #expect(wide.isEmpty)
    #expect(Glyphs.ascii.sparkline.count == 8 && Glyphs.unicode.sparkline.count == 8)
  }
}
