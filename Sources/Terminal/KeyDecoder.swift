// From ncurses' numbers to key presses. A pure function over what was read in one go; it reads nothing itself.

import CNcurses
import Canvas

/// One thing that ncurses read.
enum RawInput: Equatable {
  case character(Unicode.Scalar)
  /// A `KEY_` number.
  case code(Int32)
  case click(x: Int, y: Int)
  case wheel(x: Int, y: Int, rows: Int)
  case resized(Size)
}

enum KeyDecoder {
  private static let escape: Unicode.Scalar = "\u{1B}"

  /// The inputs in order. Escape sequences that ncurses did not recognise are read here if they are common ones (a
  /// terminal often sends others than TERM promises), and dropped as a whole if not, so that an unusual key does not
  /// type the letters of its sequence. Of several changes of size the last counts.
  static func decode(_ raw: [RawInput]) -> [Input] {
    var inputs: [Input] = []
    var rest = raw[...]
    let lastResize = raw.lastIndex { if case .resized = $0 { true } else { false } }
    while let next = rest.first {
      let index = rest.startIndex
      rest.removeFirst()
      switch next {
      case .character(escape):
        if let sequence = takeSequence(&rest) {
          if let key = sequences[sequence] { inputs.append(.key(key)) }
        } else {
          inputs.append(.key(.escape))
        }
      case .character(let scalar):
        inputs.append(.key(key(for: scalar)))
      case .code(let code):
        if let key = key(forCode: code) { inputs.append(.key(key)) }
      case .click(let x, let y): inputs.append(.click(x: x, y: y))
      case .wheel(let x, let y, let rows): inputs.append(.scroll(x: x, y: y, rows: rows))
      case .resized(let size): if index == lastResize { inputs.append(.resized(size)) }
      }
    }
    return inputs
  }

  /// Takes what follows an escape if it is a control sequence (ECMA-48, 5.4) or a single shift three.
  /// - Returns: the sequence without the escape; nil, with nothing taken, when the escape stands alone.
  private static func takeSequence(_ rest: inout ArraySlice<RawInput>) -> String? {
    var ahead = rest
    func next() -> Unicode.Scalar? {
      if case .character(let scalar) = ahead.popFirst() { scalar } else { nil }
    }
    guard let introducer = next(), introducer == "[" || introducer == "O" else { return nil }
    var sequence = String(introducer)
    while let scalar = next() {
      sequence.unicodeScalars.append(scalar)
      let isParameter = introducer == "[" && (0x20...0x3F).contains(scalar.value)
      if isParameter { continue }
      guard (0x40...0x7E).contains(scalar.value) else { return nil }
      rest = ahead
      return sequence
    }
    return nil
  }

  /// What xterm, rxvt, the Linux console and tmux send for keys, in both keypad modes.
  private static let sequences: [String: Key] = [
    "[A": .up, "[B": .down, "[C": .right, "[D": .left, "OA": .up, "OB": .down, "OC": .right, "OD": .left,
    "[H": .home, "[F": .end, "OH": .home, "OF": .end, "[1~": .home, "[4~": .end, "[7~": .home, "[8~": .end,
    "[3~": .delete, "[5~": .pageUp, "[6~": .pageDown, "[Z": .backTab, "OM": .enter,
    "OP": .function(1), "OQ": .function(2), "OR": .function(3), "OS": .function(4),
    "[11~": .function(1), "[12~": .function(2), "[13~": .function(3), "[14~": .function(4), "[15~": .function(5),
    "[17~": .function(6), "[18~": .function(7), "[19~": .function(8), "[20~": .function(9), "[21~": .function(10),
    "[23~": .function(11), "[24~": .function(12),
  ]

  static func key(for scalar: Unicode.Scalar) -> Key {
    switch scalar.value {
    case 0: .control(" ")
    case 8, 0x7F: .backspace
    case 9: .tab
    // Return, and the line feed that a paste or ctrl-j sends.
    case 10, 13: .enter
    case 27: .escape
    case 1...26: .control(Character(Unicode.Scalar(UInt8(scalar.value + 96))))
    case 28...31: .control(Character(Unicode.Scalar(UInt8(scalar.value + 64))))
    default: .character(Character(scalar))
    }
  }

  /// - Returns: nil for keys that the workbench has no name for.
  static func key(forCode code: Int32) -> Key? {
    if let key = named[code] { return key }
    let function = code - KEY_F0
    return (1...63).contains(function) ? .function(Int(function)) : nil
  }

  private static let named: [Int32: Key] = [
    KEY_UP: .up, KEY_DOWN: .down, KEY_LEFT: .left, KEY_RIGHT: .right,
    KEY_SR: .up, KEY_SF: .down, KEY_SLEFT: .left, KEY_SRIGHT: .right,
    KEY_HOME: .home, KEY_END: .end, KEY_PPAGE: .pageUp, KEY_NPAGE: .pageDown,
    KEY_A1: .home, KEY_A3: .pageUp, KEY_C1: .end, KEY_C3: .pageDown,
    KEY_ENTER: .enter, KEY_BTAB: .backTab, KEY_BACKSPACE: .backspace, KEY_DC: .delete,
  ]
}
