// From the terminal's bytes to inputs: characters, keys, mouse reports, pasted text. It reads nothing and knows no
// clock: bytes come in with the time at which they came, in milliseconds.
//
// A sequence may arrive in pieces, and on a slow line the pieces come late. What is unfinished is kept until it is
// finished or its time is up; an escape that was taken for the key because nothing followed in time is remembered,
// so that the rest of its sequence, if it comes after all, is the key that was meant and types nothing.

import Canvas

struct InputDecoder {
  /// How long an escape alone may be the start of a sequence.
  let escapeDelay: Int
  private let table: KeyTable

  /// What is not decoded yet.
  private var pending: [UInt8] = []
  /// How many of them came before the bytes that came last.
  private var older = 0
  private var lastArrival = 0
  /// A sequence whose time was up, and until when its rest may follow.
  private var late: (bytes: [UInt8], until: Int)?
  /// Pasted text whose end has not come yet.
  private var paste: [UInt8]?
  /// Until when text belongs to the burst before it.
  private var burstUntil = Int.min
  /// Where the button was pressed last, and until when a press there is the second of a double click.
  private var firstClick: (x: Int, y: Int, until: Int)?

  /// A sequence that has begun beyond doubt is waited for at least so long.
  static let sequenceDelay = 500
  /// So long after its time was up the rest of a sequence is still taken for it.
  static let grace = 1000
  /// Pasted text whose end has not come after so long a silence ends there.
  static let pasteSilence = 5000
  /// So many bytes of pasted text are kept.
  static let pasteLimit = 65_536
  /// What a person at the keys does not type between two looks at them: so many characters, so many different ones.
  static let burst = (characters: 12, different: 5)
  private static let longestSequence = 64
  private static let longestAnswer = 4096
  private static let burstGap = 50
  /// Between the two presses of a double click.
  static let doubleClick = 400

  private static let escape: UInt8 = 0x1B
  private static let pasteStart = Array("[200~".utf8)
  private static let pasteEnd = [escape] + Array("[201~".utf8)

  init(escapeDelay: Int, table: KeyTable = KeyTable()) {
    self.escapeDelay = escapeDelay
    self.table = table
  }

  /// When `expire` is due; nil while nothing waits.
  var deadline: Int? {
    if paste != nil { return lastArrival + Self.pasteSilence }
    guard let first = pending.first else { return nil }
    if late == nil, first == Self.escape, pending.count > 1 {
      return lastArrival + max(escapeDelay, Self.sequenceDelay)
    }
    return lastArrival + escapeDelay
  }

  /// Takes bytes that were read in one go.
  mutating func feed(_ bytes: some Sequence<UInt8>, at now: Int) -> [Input] {
    older = pending.count
    pending += bytes
    guard pending.count > older else { return [] }
    if let late, now > late.until, older == 0 { self.late = nil }
    lastArrival = now
    var output = Output(continuesBurst: now <= burstUntil)
    decode(into: &output)
    output.endRun()
    if output.hadBurst { burstUntil = now + Self.burstGap }
    return output.inputs
  }

  /// Decides about what waited for its rest in vain.
  mutating func expire(at now: Int) -> [Input] {
    guard let deadline, now >= deadline else { return [] }
    var output = Output(continuesBurst: false)
    if let text = paste {
      output.add(.paste(String(decoding: text + pending, as: UTF8.self)))
      (paste, pending) = (nil, [])
    } else if late != nil {
      // What looked like the rest of a late sequence was typed.
      late = nil
      older = 0
      decode(into: &output)
    } else if pending.first == Self.escape {
      // Of a sequence that was cut off nothing may be typed; an escape alone is the key.
      if pending.count == 1 { output.add(.key(.escape)) }
      late = (pending, now + Self.grace)
      pending = []
    } else {
      // Half a character.
      pending = []
    }
    output.endRun()
    return output.inputs
  }

  // MARK: Decoding

  private mutating func decode(into output: inout Output) {
    while !pending.isEmpty {
      if paste != nil {
        guard takePasted(into: &output) else { return }
      } else if late != nil {
        guard takeLate(into: &output) else { return }
      } else if pending[0] == Self.escape {
        guard takeEscape(into: &output) else { return }
      } else {
        guard takeCharacter(into: &output) else { return }
      }
    }
  }

  private mutating func drop(_ count: Int) {
    pending.removeFirst(count)
    older = max(0, older - count)
  }

  /// - Returns: false when more must come first; so do those below.
  private mutating func takePasted(into output: inout Output) -> Bool {
    let end = pending.indices.first { pending[$0...].starts(with: Self.pasteEnd) }
    // The beginning of the mark of the end may be the last that came.
    let kept = end == nil ? (1..<Self.pasteEnd.count).last { pending.hasSuffix(Self.pasteEnd.prefix($0)) } ?? 0 : 0
    let text = pending[..<(end ?? pending.count - kept)]
    let room = max(0, Self.pasteLimit - (paste?.count ?? 0))
    paste?.append(contentsOf: text.prefix(room))
    drop(text.count + (end == nil ? 0 : Self.pasteEnd.count))
    guard end != nil else { return false }
    output.add(.paste(String(decoding: paste ?? [], as: UTF8.self)))
    paste = nil
    return true
  }

  /// What follows a sequence whose time was up: its rest, or something else.
  private mutating func takeLate(into output: inout Output) -> Bool {
    guard let before = late?.bytes else { return true }
    if before.count == 1, !["[", "O", "P", "_", "]"].contains(Character(Unicode.Scalar(pending[0]))) {
      late = nil
      return true
    }
    switch sequence(in: before + pending) {
    case .incomplete: return false
    case .found(let meaning, let length):
      late = nil
      // Only what is a sequence without doubt: two keys pressed one after the other would look like an unknown one.
      guard before.count > 1 || meaning != .unknown || isAnswer((before + pending)[..<length]) else { return true }
      take(meaning, into: &output)
      drop(length - before.count)
    case .none: late = nil
    }
    return true
  }

  private mutating func takeEscape(into output: inout Output) -> Bool {
    guard pending.count > 1 else { return false }
    // Both came in one go, or the escape came before: Alt with a key, or two keys. What may be the beginning of an answer
    // was waited for.
    let mayAnswer = Self.answerLetters.contains(pending[1])
    let isAlone = mayAnswer ? older == 1 : older > 0
    switch sequence(in: pending) {
    case .incomplete:
      guard mayAnswer, isAlone, pending.count == 2 else { return false }
      output.add(.key(.escape))
      drop(1)
    case .found(let meaning, let length):
      take(meaning, into: &output)
      drop(length)
    case .none:
      switch pending[1] {
      case UInt8(ascii: "[") where pending.count > 2:
        // A sequence that something broke off; its letters are nobody's.
        drop(brokenLength)
      case UInt8(ascii: "O"): drop(2)
      case _ where isAlone:
        output.add(.key(.escape))
        drop(1)
      case Self.escape:
        // Twice the key, or Alt with a key that has a sequence.
        if pending.count == 2 || (pending[2] != UInt8(ascii: "[") && pending[2] != UInt8(ascii: "O")) {
          output.add(.key(.escape))
        }
        drop(1)
      case 3, 26:
        // ctrl-c and ctrl-z get through whatever came before.
        drop(1)
      default:
        // Alt with a character is none of the keys here, and least of all Escape and the character.
        output.endRun()
        let length = Self.characterLength(pending[1])
        guard pending.count > length else { return false }
        drop(1 + length)
      }
    }
    return true
  }

  /// How much of a control sequence came before what cannot be in one.
  private var brokenLength: Int {
    let end = pending.dropFirst(2).firstIndex { !(0x20...0x3F).contains($0) } ?? pending.count
    return min(end, pending.count)
  }

  private mutating func takeCharacter(into output: inout Output) -> Bool {
    let length = Self.characterLength(pending[0])
    let text = pending.prefix(length)
    guard length == 1 || text.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) else {
      // Not UTF-8: nothing that was typed.
      drop(1)
      return true
    }
    guard text.count == length else { return false }
    drop(length)
    if let scalar = String(validating: text, as: UTF8.self)?.unicodeScalars.first { output.add(scalar) }
    return true
  }

  /// Bytes of the UTF-8 character that begins with this one.
  private static func characterLength(_ byte: UInt8) -> Int {
    switch byte {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }

  // MARK: Sequences

  private enum Meaning: Equatable {
    case input(Input)
    case pasteStart
    case unknown
  }

  private enum Found {
    case found(Meaning, length: Int)
    case incomplete
    case none
  }

  private mutating func take(_ meaning: Meaning, into output: inout Output) {
    switch meaning {
    case .input(.click(let x, let y)): output.add(click(x: x, y: y))
    case .input(let input): output.add(input)
    case .pasteStart:
      output.endRun()
      paste = []
    case .unknown: output.endRun()
    }
  }

  private mutating func click(x: Int, y: Int) -> Input {
    if let first = firstClick, first.x == x, first.y == y, lastArrival <= first.until {
      firstClick = nil
      return .doubleClick(x: x, y: y)
    }
    firstClick = (x, y, lastArrival + Self.doubleClick)
    return .click(x: x, y: y)
  }

  /// The sequence that begins with the escape at the start of these bytes.
  private func sequence(in bytes: [UInt8]) -> Found {
    let rest = bytes.dropFirst()
    switch table.ownMatch(rest) {
    case .key(let key, let length): return .found(.input(.key(key)), length: length + 1)
    case .incomplete: return .incomplete
    case .none: break
    }
    switch rest.first {
    case UInt8(ascii: "O"):
      // Single shift three, with a modifier between in some terminals.
      guard let final = rest.dropFirst().first else { return .incomplete }
      guard (0x40...0x7E).contains(final) else { return .none }
      return .found(table.key(for: rest.prefix(2)).map { .input(.key($0)) } ?? .unknown, length: 3)
    case UInt8(ascii: "["): return controlSequence(bytes)
    case UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "]"): return answer(bytes)
    default: return .none
    }
  }

  private static let answerLetters: Set<UInt8> = [UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "]")]

  /// Whether a whole sequence can only be what a terminal answered: a control string, or a report of attributes or sizes.
  private func isAnswer(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let second = bytes.dropFirst().first else { return false }
    if Self.answerLetters.contains(second) { return true }
    let content = bytes.dropFirst(2).dropLast()
    switch bytes.last {
    case UInt8(ascii: "c"): return content.first == UInt8(ascii: "?")
    case UInt8(ascii: "t"): return content.contains(UInt8(ascii: ";"))
    default: return false
    }
  }

  /// What a terminal answers to a question, in a control string (ECMA-48, 5.6): nothing that was typed, also where it
  /// comes late. Alt with one of these letters looks the same until the next character.
  private func answer(_ bytes: [UInt8]) -> Found {
    guard bytes.count > 2 else { return .incomplete }
    let isAnswer =
      switch bytes[1] {
      case UInt8(ascii: "P"): [UInt8(ascii: "0"), UInt8(ascii: "1"), UInt8(ascii: ">")].contains(bytes[2])
      case UInt8(ascii: "_"): bytes[2] == UInt8(ascii: "G")
      default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[2])
      }
    guard isAnswer else { return .none }
    if let string = ControlString(bytes[...]) { return .found(.unknown, length: string.length) }
    // A string that another escape breaks off ends there.
    if let end = bytes.dropFirst(2).firstIndex(of: 0x1B), end + 1 < bytes.count {
      return .found(.unknown, length: end)
    }
    return bytes.count < Self.longestAnswer ? .incomplete : .none
  }

  /// ECMA-48, 5.4; and the two that break its rules: the Linux console's `[[A`, and mouse reports with three bytes.
  private func controlSequence(_ bytes: [UInt8]) -> Found {
    guard bytes.count > 2 else { return .incomplete }
    if bytes[2] == UInt8(ascii: "[") {
      guard bytes.count > 3 else { return .incomplete }
      return .found(table.key(for: bytes[1...3]).map { .input(.key($0)) } ?? .unknown, length: 4)
    }
    if bytes[2] == UInt8(ascii: "M") {
      guard bytes.count > 5 else { return .incomplete }
      let (button, x, y) = (Int(bytes[3]) - 32, Int(bytes[4]) - 33, Int(bytes[5]) - 33)
      return .found(Self.mouse(button: button, x: x, y: y, isPress: button & 0x43 != 3), length: 6)
    }
    guard let end = bytes.dropFirst(2).firstIndex(where: { !(0x20...0x3F).contains($0) }) else {
      return bytes.count < Self.longestSequence ? .incomplete : .none
    }
    guard (0x40...0x7E).contains(bytes[end]) else { return .none }
    let sequence = bytes[1...end]
    if sequence.elementsEqual(Self.pasteStart) { return .found(.pasteStart, length: end + 1) }
    if bytes[2] == UInt8(ascii: "<") { return .found(Self.mouse(bytes[3...end]), length: end + 1) }
    return .found(table.key(for: sequence).map { .input(.key($0)) } ?? .unknown, length: end + 1)
  }

  /// A report of mode 1006: button, column and row as numbers, `M` for a press and `m` for a release.
  private static func mouse(_ report: ArraySlice<UInt8>) -> Meaning {
    let numbers = String(decoding: report.dropLast(), as: UTF8.self).split(separator: ";").map { Int($0) }
    guard numbers.count == 3, let button = numbers[0], let x = numbers[1], let y = numbers[2] else {
      return .unknown
    }
    return mouse(button: button, x: x - 1, y: y - 1, isPress: report.last == UInt8(ascii: "M"))
  }

  /// - Parameters:
  ///   - button: xterm's number: 0 to 2, 3 for any let go where reports do not say which, 32 more for motion, and 64 and
  ///     65 for the wheel; 4, 8 and 16 more with Shift, Alt and Control.
  ///   - x: from 0, as `y`.
  private static func mouse(button: Int, x: Int, y: Int, isPress: Bool) -> Meaning {
    guard (0...32767).contains(x), (0...32767).contains(y) else { return .unknown }
    let button = button & ~0x1C
    guard isPress else { return [0, 3].contains(button) ? .input(.release(x: x, y: y)) : .unknown }
    switch button {
    case 0: return .input(.click(x: x, y: y))
    case 32: return .input(.drag(x: x, y: y))
    case 64: return .input(.scroll(x: x, y: y, rows: -3))
    case 65: return .input(.scroll(x: x, y: y, rows: 3))
    default: return .unknown
    }
  }
}

/// Inputs in order, and the run of characters at their end, which may turn out to be too many to be typed.
private struct Output {
  var inputs: [Input] = []
  private(set) var hadBurst = false
  private let continuesBurst: Bool
  private var run: [Unicode.Scalar] = []

  init(continuesBurst: Bool) { self.continuesBurst = continuesBurst }

  mutating func add(_ scalar: Unicode.Scalar) {
    let isText = scalar.value >= 0x20 && scalar.value != 0x7F
    if isText || [9, 10, 13].contains(scalar.value) {
      run.append(scalar)
    } else {
      add(.key(KeyTable.key(for: scalar)))
    }
  }

  mutating func add(_ input: Input) {
    endRun()
    inputs.append(input)
  }

  mutating func endRun() {
    defer { run = [] }
    let text = run.filter { $0.value >= 0x20 }
    // Text, a line's end and more behind it: somebody at the keys waits for what Enter does. Further Enters they do press
    // ahead, one for each step that they know is coming.
    let rest = run.drop { $0.value < 0x20 }
    let lineEnd = rest.firstIndex { [10, 13].contains($0.value) } ?? run.endIndex
    let isLines = run[lineEnd...].contains { $0 != run[lineEnd] }
    let isBurst =
      isLines || text.count >= InputDecoder.burst.characters && Set(text).count >= InputDecoder.burst.different
    guard isBurst || (continuesBurst && !text.isEmpty) else {
      inputs += run.map { .key(KeyTable.key(for: $0)) }
      return
    }
    hadBurst = true
    inputs.append(.burst(run.reduce(into: "") { $0.unicodeScalars.append($1) }))
  }
}

extension [UInt8] {
  fileprivate func hasSuffix(_ bytes: ArraySlice<UInt8>) -> Bool { suffix(bytes.count).elementsEqual(bytes) }
}
