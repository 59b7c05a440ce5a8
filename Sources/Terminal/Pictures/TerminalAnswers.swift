// What the terminal says when it is asked what it can: colors of 24 bits, kitty's graphics, sixel, the size of a cell,
// the color of its background.
// The questions end with one that every terminal answers (primary device attributes), so that nobody waits for answers
// that will not come. What was typed meanwhile comes back as it was.

import Canvas
import Glibc

/// The answers that came in time.
struct TerminalAnswers: Sendable, Equatable {
  /// It takes colors of 24 bits: by its terminfo (XTGETTCAP), or it has kept one that was set (DECRQSS).
  var hasDirectColor = false
  /// It took a picture in kitty's graphics protocol.
  var hasKitty = false
  /// Device attribute 4.
  var hasSixel = false
  /// Its name and version (XTVERSION).
  var name: String?
  /// The extent of a cell in pixels.
  var cell: Size?
  /// Whether its background is light (OSC 11); nil where it does not say.
  var isLight: Bool?
  /// The last question was answered.
  var isComplete = false

  /// Whether it draws pictures where their marks are. Others take kitty's pictures and know no marks.
  var knowsMarks: Bool {
    let name = name?.lowercased() ?? ""
    return hasKitty && ["kitty", "ghostty"].contains(where: name.hasPrefix)
  }

  /// Terminals without any color of their own, or that print what they do not understand.
  private static let silent = ["linux", "vt", "ansi", "dumb", "cons", "cygwin", "eterm", "sun", "emacs"]

  /// What to ask; empty where the terminal would not understand.
  ///
  /// tmux takes kitty's question for the title of a pane, and so does GNU screen.
  static func questions(environment: [String: String]) -> String {
    let term = environment["TERM"] ?? ""
    guard !term.isEmpty, !silent.contains(where: term.hasPrefix),
      environment["TERM_PROGRAM"] != "Apple_Terminal"
    else { return "" }
    let isTmux = Self.isTmux(environment)
    guard isTmux || !term.hasPrefix("screen") else { return "" }
    let colors =
      ["524742", "5463"].map { "\u{1B}P+q\($0)\u{1B}\\" }.joined()
      + "\u{1B}[48;2;1;2;3m\u{1B}P$qm\u{1B}\\\u{1B}[m"
    let kitty = isTmux ? "" : "\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\"
    return colors + kitty + "\u{1B}[>q\u{1B}[16t\u{1B}]11;?\u{1B}\\\u{1B}[c"
  }

  static func isTmux(_ environment: [String: String]) -> Bool {
    environment["TMUX"]?.isEmpty == false || environment["TERM"]?.hasPrefix("tmux") == true
  }

  /// Takes the answers out of what came.
  /// - Returns: the rest: what was typed, and the beginning of an answer that is not complete.
  mutating func take(_ bytes: [UInt8]) -> [UInt8] {
    var rest: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == 0x1B, let length = take(answerAt: bytes[place...]) {
        place += length
      } else {
        rest.append(bytes[place])
        place += 1
      }
    }
    return rest
  }

  /// - Returns: the length of the answer that begins there; nil for anything else.
  private mutating func take(answerAt bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count > 2 else { return nil }
    let start = bytes.startIndex
    switch bytes[start + 1] {
    case UInt8(ascii: "["): return takeReport(bytes)
    case UInt8(ascii: "]"):
      guard let text = ControlString(bytes), text.content.starts(with: "11;".utf8) else { return nil }
      isLight = Self.isLight(String(decoding: text.content.dropFirst(3), as: UTF8.self))
      return text.length
    case UInt8(ascii: "P"), UInt8(ascii: "_"):
      guard let text = ControlString(bytes) else { return nil }
      let content = String(decoding: text.content, as: UTF8.self)
      if bytes[start + 1] == UInt8(ascii: "_") {
        guard content.hasPrefix("Gi=31") else { return nil }
        hasKitty = hasKitty || content.hasSuffix(";OK")
      } else if content.hasPrefix("1+r") {
        hasDirectColor = true
      } else if content.hasPrefix("1$r") {
        let numbers = content.dropFirst(3).dropLast().split { ";:".contains($0) }
        hasDirectColor = hasDirectColor || numbers.suffix(3) == ["1", "2", "3"]
      } else if content.hasPrefix(">|") {
        name = String(content.dropFirst(2).prefix(60))
      } else if !content.hasPrefix("0+r"), !content.hasPrefix("0$r") {
        return nil
      }
      return text.length
    default: return nil
    }
  }

  /// `ESC [ ? attributes c`, and `ESC [ 6 ; height ; width t`.
  private mutating func takeReport(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let end = bytes.dropFirst(2).firstIndex(where: { !(0x20...0x3F).contains($0) }) else { return nil }
    let content = String(decoding: bytes[(bytes.startIndex + 2)..<end], as: UTF8.self)
    switch bytes[end] {
    case UInt8(ascii: "c") where content.hasPrefix("?"):
      isComplete = true
      hasSixel = hasSixel || content.dropFirst().split(separator: ";").contains("4")
    case UInt8(ascii: "t"):
      let numbers = content.split(separator: ";").map { Int($0) }
      guard numbers.count == 3, numbers[0] == 6 else { return nil }
      if let height = numbers[1], let width = numbers[2] { cell = Self.cell(width: width, height: height) }
    default: return nil
    }
    return end + 1 - bytes.startIndex
  }

  /// Whether a color is light, as X11 writes it: `rgb:` or `rgba:` and channels of one to four hexadecimal digits.
  private static func isLight(_ text: String) -> Bool? {
    let parts = text.split(separator: ":")
    guard parts.count == 2, ["rgb", "rgba"].contains(parts[0]) else { return nil }
    let channels = parts[1].split(separator: "/").map { digits in
      UInt16(digits, radix: 16).map { Double($0) / (pow(16, Double(digits.count)) - 1) }
    }
    guard channels.count >= 3, let red = channels[0], let green = channels[1], let blue = channels[2] else {
      return nil
    }
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5
  }

  /// An extent that a cell may have.
  static func cell(width: Int, height: Int) -> Size? {
    (2...200).contains(width) && (4...400).contains(height) ? Size(width: width, height: height) : nil
  }
}

/// A control string of ECMA-48 that is complete: between its introducer and its terminator.
struct ControlString {
  var content: ArraySlice<UInt8>
  /// With both.
  var length: Int

  /// - Parameter bytes: begin with the introducer, an escape and a letter.
  init?(_ bytes: ArraySlice<UInt8>) {
    let body = bytes.dropFirst(2)
    guard let end = body.firstIndex(where: { $0 == 0x1B || $0 == 0x07 }) else { return nil }
    content = body[..<end]
    if bytes[end] == 0x07 {
      length = end + 1 - bytes.startIndex
    } else {
      guard end + 1 < bytes.endIndex, bytes[end + 1] == UInt8(ascii: "\\") else { return nil }
      length = end + 2 - bytes.startIndex
    }
  }
}

extension TerminalAnswers {
  /// So long answers are waited for, in milliseconds: a distant terminal needs some, and one that answers nothing must
  /// not hold up the start.
  static let patience = 400
  /// More than this nobody answers.
  private static let most = 8192

  /// Asks the terminal. Nothing is drawn; the settings of the terminal are as they were afterward.
  /// - Returns: the answers, and what else came.
  static func ask(
    environment: [String: String], input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO
  ) -> (answers: TerminalAnswers, rest: [UInt8]) {
    var answers = TerminalAnswers()
    let questions = Array(questions(environment: environment).utf8)
    var settings = termios()
    guard !questions.isEmpty, tcgetattr(input, &settings) == 0 else { return (answers, []) }
    var quiet = settings
    quiet.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    quiet.c_iflag &= ~tcflag_t(ICRNL)
    guard tcsetattr(input, TCSANOW, &quiet) == 0 else { return (answers, []) }
    defer { tcsetattr(input, TCSANOW, &settings) }
    guard questions.withUnsafeBytes({ write(output, $0.baseAddress, $0.count) }) == questions.count else {
      return (answers, [])
    }
    var came: [UInt8] = []
    let start = ContinuousClock.now
    while !answers.isComplete, came.count < most {
      let (seconds, attoseconds) = (ContinuousClock.now - start).components
      let left = patience - Int(seconds) * 1000 - Int(attoseconds / 1_000_000_000_000_000)
      guard left > 0 else { break }
      var source = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
      let ready = poll(&source, 1, Int32(left))
      // A signal that asks the program to end is seen to once the screen is there.
      guard ready > 0 || (ready < 0 && errno == EINTR) else { break }
      guard ready > 0 else { continue }
      var bytes = [UInt8](repeating: 0, count: 1024)
      let count = read(input, &bytes, bytes.count)
      guard count > 0 else { break }
      came = answers.take(came + bytes.prefix(count))
    }
    return (answers, came)
  }
}
