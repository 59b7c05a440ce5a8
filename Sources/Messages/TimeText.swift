// Times as people type them: `90s`, `10m`, `1h30m`, or seconds alone.

import Support

enum TimeText {
  static let range = NumericRange.from(1.0, to: 1e9)

  static let notation = Notation<Double>(
    takesAnyWord: true,
    read: { text throws(SettingRefusal) in
      guard let seconds = seconds(of: text), range.contains(seconds) else {
        throw SettingRefusal("it must be a time such as 90s, 10m or 1h30m, at least a second")
      }
      return seconds
    }, write: text(of:),
    numbers: { seconds, option, place throws(OutOfRange) in
      guard !range.contains(seconds) else { return }
      throw OutOfRange(
        place: place ?? "--\(option)", value: "\(seconds)", requirement: "a number of seconds, \(range.requirement)"
      )
    })

  private static let units: [(letter: Character, seconds: Double)] = [
    ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
  ]

  /// Seconds; nil for what is no time. Units come from the largest to the smallest, each once.
  static func seconds(of text: String) -> Double? {
    if text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }) { return Double(text) }
    var total = 0.0
    var digits = ""
    var units = units[...]
    for character in text {
      if character.isASCII, character.isNumber || character == "." {
        digits.append(character)
        continue
      }
      guard let place = units.firstIndex(where: { $0.letter == character }), let number = Double(digits) else {
        return nil
      }
      total += number * units[place].seconds
      units = units[(place + 1)...]
      digits = ""
    }
    return digits.isEmpty && !text.isEmpty ? total : nil
  }

  /// The shortest text from which `seconds` makes the same.
  static func text(of seconds: Double) -> String {
    var text = ""
    var rest = seconds
    for (letter, size) in units.dropLast() where rest >= size {
      text += "\(Int(rest / size))\(letter)"
      rest -= (rest / size).rounded(.down) * size
    }
    return rest > 0 || text.isEmpty ? text + plainNumber(rest) + "s" : text
  }
}
