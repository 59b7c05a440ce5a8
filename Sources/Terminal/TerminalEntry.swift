// Which terminfo entry the screen is opened with: that of TERM; a common one where terminfo does not know TERM; and one
// with colors of 24 bits, made from either, where the terminal says that it shows them.

import CNcurses
import Canvas
import FoundationEssentials
import Glibc

/// The terminal to be opened.
struct TerminalEntry {
  /// Its name in terminfo's files.
  var plainName: String
  /// That another entry than the one of TERM is used.
  var remark: String?
  /// The same with colors of 24 bits, called `CompiledTerminal.directName`, as the value of `TERMINFO` that holds it;
  /// nil where the terminal does not show them.
  var embedded: String?

  /// What stands for a terminal that terminfo does not know: they all follow xterm, and the newer the more.
  static let substitutes = ["xterm-256color", "xterm", "screen-256color", "linux", "vt220", "vt100", "ansi"]

  /// - Parameters:
  ///   - environment: `TERM`, `COLORTERM` and `TMUX` count.
  ///   - isKnown: whether terminfo has an entry of a name.
  /// - Returns: nil where terminfo knows neither TERM nor any substitute.
  static func choose(environment: [String: String], isKnown: (String) -> Bool) -> TerminalEntry? {
    let wanted = environment["TERM"] ?? ""
    if !wanted.isEmpty, isKnown(wanted) { return TerminalEntry(plainName: wanted) }
    guard let substitute = substitutes.first(where: isKnown) else { return nil }
    let shown = Sanitizer.sanitized(String(wanted.prefix(60)))
    let what = wanted.isEmpty ? "TERM is not set" : "the terminal \(shown) (TERM) is not in terminfo"
    return TerminalEntry(plainName: substitute, remark: "\(what): \(substitute) is used instead")
  }

  /// Whether the terminal says that it shows colors of 24 bits.
  ///
  /// `COLORTERM` comes from the terminal, through whatever lies between: tmux makes the best of such colors, GNU
  /// screen misreads them, and the Linux console has no use for them.
  static func showsDirectColor(environment: [String: String]) -> Bool {
    guard ["truecolor", "24bit"].contains(environment["COLORTERM"]?.lowercased()) else { return false }
    let term = environment["TERM"] ?? ""
    if term.hasPrefix("screen") { return environment["TMUX"]?.isEmpty == false || term.hasPrefix("screen.xterm") }
    return !["linux", "vt", "ansi", "dumb", "cons"].contains { term.hasPrefix($0) }
  }

  /// The entry of this process's terminal.
  /// - Parameters:
  ///   - showsDirectColor: whether the terminal answered that it takes colors of 24 bits.
  ///   - keepsPalette: whether colors have to be those of the palette.
  static func ofEnvironment(
    refusesColor: Bool, showsDirectColor: Bool = false, keepsPalette: Bool = false
  ) -> TerminalEntry? {
    let environment = ProcessInfo.processInfo.environment
    guard var entry = choose(environment: environment, isKnown: { shim_read_terminal($0) != 0 }) else { return nil }
    guard !refusesColor, !keepsPalette, shim_read_terminal(entry.plainName) != 0 else { return entry }
    let colors = Int(tigetnum("colors"))
    // tmux's own word for it, and terminfo's.
    let isSaid = showsDirectColor || tigetflag("Tc") == 1 || tigetflag("RGB") == 1
    guard
      colors >= 8, colors >= 0x100_0000 || isSaid || Self.showsDirectColor(environment: environment)
    else { return entry }
    let direct = CompiledTerminal.current(named: CompiledTerminal.directName).withDirectColor()
    entry.embedded = "b64:" + Data(direct.bytes).base64EncodedString()
    return entry
  }
}

/// A terminfo entry with its capabilities in the order of terminfo's own tables, and its compiled form (term(5)).
struct CompiledTerminal {
  static let directName = "skipline-direct"

  var name: String
  var booleans: [(name: String, value: Bool)] = []
  /// -1 for one that the terminal lacks.
  var numbers: [(name: String, value: Int32)] = []
  var strings: [(name: String, value: [UInt8]?)] = []
  /// Capabilities that are no standard ones.
  var extraBooleans: [String] = []

  /// The entry that terminfo's questions are about now.
  static func current(named name: String) -> CompiledTerminal {
    func names(_ name: (Int32) -> UnsafePointer<CChar>?) -> [String] {
      var names: [String] = []
      while let next = name(Int32(names.count)) { names.append(String(cString: next)) }
      return names
    }
    return CompiledTerminal(
      name: name, booleans: names(shim_boolean_name).map { ($0, tigetflag($0) == 1) },
      numbers: names(shim_number_name).map { ($0, max(-1, tigetnum($0))) },
      strings: names(shim_string_name).map { name in
        (name, shim_terminfo_string(name).map { text in (0..<strlen(text)).map { UInt8(bitPattern: text[$0]) } })
      })
  }

  /// The same terminal with colors of 24 bits: 0 to 15 are the palette's, what is above is red, green and blue.
  func withDirectColor() -> CompiledTerminal {
    var entry = self
    entry.extraBooleans = ["RGB"]
    for index in entry.booleans.indices where ["ccc", "hls"].contains(entry.booleans[index].name) {
      entry.booleans[index].value = false
    }
    for index in entry.numbers.indices {
      switch entry.numbers[index].name {
      case "colors": entry.numbers[index].value = 0x100_0000
      case "pairs": entry.numbers[index].value = 0x1_0000
      default: break
      }
    }
    let replaced: [String: String?] = [
      "setaf": Self.direct(basic: 3, bright: 9, kind: 38), "setab": Self.direct(basic: 4, bright: 10, kind: 48),
      "op": "\u{1B}[39;49m",
      // The older ways, which would be preferred to none, and what redefines the palette.
      "setf": nil, "setb": nil, "scp": nil, "initc": nil, "initp": nil, "oc": nil,
    ]
    for index in entry.strings.indices {
      if let value = replaced[entry.strings[index].name] {
        entry.strings[index].value = value.map { Array($0.utf8) }
      }
    }
    return entry
  }

  /// Semicolons between the channels, as every terminal takes them; the standard's colons are misread by some.
  private static func direct(basic: Int, bright: Int, kind: Int) -> String {
    "\u{1B}[%?%p1%{8}%<%t\(basic)%p1%d%e%p1%{16}%<%t\(bright)%p1%{8}%-%d"
      + "%e\(kind);2;%p1%{65536}%/%d;%p1%{256}%/%{255}%&%d;%p1%{255}%&%d%;m"
  }

  /// The compiled form with numbers of 32 bits.
  var bytes: [UInt8] {
    var writer = TerminfoWriter()
    let title = Array(name.utf8) + [0]
    let (table, offsets) = TerminfoWriter.table(strings.map(\.value))
    writer.shorts([0x21E, title.count, booleans.count, numbers.count, strings.count, table.count])
    writer.bytes += title + booleans.map { $0.value ? 1 : 0 }
    writer.pad()
    numbers.forEach { writer.long($0.value) }
    writer.shorts(offsets)
    writer.bytes += table
    guard !extraBooleans.isEmpty else { return writer.bytes }
    // The extension: values as above, then the names of its capabilities.
    let (names, nameOffsets) = TerminfoWriter.table(extraBooleans.map { Array($0.utf8) })
    writer.pad()
    writer.shorts([extraBooleans.count, 0, 0, extraBooleans.count, names.count])
    writer.bytes += extraBooleans.map { _ in 1 }
    writer.pad()
    writer.shorts(nameOffsets)
    writer.bytes += names
    return writer.bytes
  }
}

/// Little-endian numbers and tables of strings.
private struct TerminfoWriter {
  var bytes: [UInt8] = []

  mutating func shorts(_ values: [Int]) {
    for value in values {
      let short = UInt16(bitPattern: Int16(clamping: value))
      bytes += [UInt8(short & 0xFF), UInt8(short >> 8)]
    }
  }

  mutating func long(_ value: Int32) {
    let bits = UInt32(bitPattern: value)
    bytes += (0..<4).map { UInt8(bits >> ($0 * 8) & 0xFF) }
  }

  mutating func pad() {
    if !bytes.count.isMultiple(of: 2) { bytes.append(0) }
  }

  /// - Returns: the strings with a zero after each, and where each begins; -1 for one that is not there.
  static func table(_ strings: [[UInt8]?]) -> (table: [UInt8], offsets: [Int]) {
    var table: [UInt8] = []
    let offsets = strings.map { string -> Int in
      guard let string else { return -1 }
      defer { table += string + [0] }
      return table.count
    }
    return (table, offsets)
  }
}
