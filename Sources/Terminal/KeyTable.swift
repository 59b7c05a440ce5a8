// Which key a sequence of bytes is. The common ones are known by heart, because a terminal often sends others than
// TERM promises; those of terminfo come in beside them.

import Canvas

/// The escape sequences of keys, each without its escape: `[A`, `OP`, `[15~`.
struct KeyTable: Sendable {
  private let own: [[UInt8]: Key]
  private let longest: Int

  /// - Parameter terminfo: a string capability of the terminal by its name.
  init(terminfo: (String) -> String? = { _ in nil }) {
    var own: [[UInt8]: Key] = [:]
    for (name, key) in Self.capabilities {
      guard let text = terminfo(name), text.utf8.count > 1, text.utf8.first == 0x1B else { continue }
      own[Array(text.utf8.dropFirst())] = key
    }
    self.own = own
    longest = own.keys.map(\.count).max() ?? 0
  }

  enum Match: Equatable {
    case key(Key, length: Int)
    /// The bytes are the beginning of a longer one.
    case incomplete
    case none
  }

  /// Looks for a sequence of the terminal's own at the beginning of what follows an escape.
  func ownMatch(_ bytes: ArraySlice<UInt8>) -> Match {
    guard longest > 0 else { return .none }
    for length in stride(from: min(longest, bytes.count), to: 0, by: -1) {
      if let key = own[Array(bytes.prefix(length))] { return .key(key, length: length) }
    }
    let start = Array(bytes)
    return own.keys.contains { $0.count > start.count && $0.starts(with: start) } ? .incomplete : .none
  }

  /// The key of a whole control sequence or single shift; nil for one without a name here.
  func key(for sequence: ArraySlice<UInt8>) -> Key? {
    let text = String(decoding: sequence, as: UTF8.self)
    return Self.common[text] ?? Self.common[Self.withoutShift(text)]
  }

  /// `[1;2A` as `[A`, `[5;2~` as `[5~`: with Shift a key of motion moves all the same.
  private static func withoutShift(_ text: String) -> String {
    guard let final = text.last, text.dropLast().hasSuffix(";2") else { return text }
    let parameter = text.dropLast(3)
    return parameter == "[1" && final != "~" ? "[\(final)" : "\(parameter)\(final)"
  }

  /// What xterm, rxvt, the Linux console and tmux send for keys, in both keypad modes.
  private static let common: [String: Key] = [
    "[A": .up, "[B": .down, "[C": .right, "[D": .left, "OA": .up, "OB": .down, "OC": .right, "OD": .left,
    "[a": .up, "[b": .down, "[c": .right, "[d": .left,
    "[H": .home, "[F": .end, "OH": .home, "OF": .end, "[1~": .home, "[4~": .end, "[7~": .home, "[8~": .end,
    "[3~": .delete, "[5~": .pageUp, "[6~": .pageDown, "[Z": .backTab, "OM": .enter,
    "OP": .function(1), "OQ": .function(2), "OR": .function(3), "OS": .function(4),
    "[P": .function(1), "[Q": .function(2), "[R": .function(3), "[S": .function(4),
    "[[A": .function(1), "[[B": .function(2), "[[C": .function(3), "[[D": .function(4), "[[E": .function(5),
    "[11~": .function(1), "[12~": .function(2), "[13~": .function(3), "[14~": .function(4), "[15~": .function(5),
    "[17~": .function(6), "[18~": .function(7), "[19~": .function(8), "[20~": .function(9), "[21~": .function(10),
    "[23~": .function(11), "[24~": .function(12),
  ]

  /// Every common sequence, for tests that deliver them in pieces.
  static var commonSequences: [String: Key] { common }

  /// terminfo's names of the keys that the workbench has names for.
  private static let capabilities: [(String, Key)] =
    [
      ("kcuu1", .up), ("kcud1", .down), ("kcub1", .left), ("kcuf1", .right), ("kri", .up), ("kind", .down),
      ("kLFT", .left), ("kRIT", .right), ("khome", .home), ("kend", .end), ("kpp", .pageUp), ("knp", .pageDown),
      ("ka1", .home), ("ka3", .pageUp), ("kc1", .end), ("kc3", .pageDown), ("kent", .enter), ("kcbt", .backTab),
      ("kbs", .backspace), ("kdch1", .delete),
    ] + (1...12).map { ("kf\($0)", .function($0)) }

  /// The key of a character that stands for itself.
  static func key(for scalar: Unicode.Scalar) -> Key {
    switch scalar.value {
    case 0: .control(" ")
    case 8, 0x7F: .backspace
    case 9: .tab
    // Return, and the line feed that ctrl-j sends.
    case 10, 13: .enter
    case 27: .escape
    case 1...26: .control(Character(Unicode.Scalar(UInt8(scalar.value + 96))))
    case 28...31: .control(Character(Unicode.Scalar(UInt8(scalar.value + 64))))
    default: .character(Character(scalar))
    }
  }
}
