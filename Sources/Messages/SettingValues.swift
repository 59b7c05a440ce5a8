// Values of settings that are written in a way of their own and have no other home: numbers for three channels, and how
// many checkpoints stay.

/// Three numbers for red, green and blue; or that they are to be measured.
public struct Channels: Sendable, Equatable {
  /// nil for `measured`.
  public var values: [Float]?

  public init(values: [Float]?) { self.values = values }

  /// `0.485,0.456,0.406`, each in a range, or `measured` where that is taken.
  static func notation(_ range: NumericRange<Float>, mayBeMeasured: Bool) -> Notation<Channels> {
    Notation(
      takesAnyWord: true,
      read: { text throws(SettingRefusal) in
        if mayBeMeasured, text == "measured" { return Channels(values: nil) }
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = words.compactMap { try? range.parse(String($0)) }
        guard words.count == 3, numbers.count == 3 else {
          throw SettingRefusal(
            "it must be three numbers such as 0.485,0.456,0.406, each \(range.text)"
              + (mayBeMeasured ? ", or 'measured'" : ""))
        }
        return Channels(values: numbers)
      },
      write: { $0.values.map { $0.map(\.plain).joined(separator: ",") } ?? "measured" },
      numbers: { channels, option, place throws(OutOfRange) in
        for value in channels.values ?? [] { try range.check(value, of: option, at: place) }
      })
  }
}

/// How many numbered checkpoints stay.
public enum Kept: Sendable, Equatable {
  case all
  case newest(Int)

  /// A number, or `all`.
  static func notation(_ range: NumericRange<Int>) -> Notation<Kept> {
    Notation(
      read: { text throws(SettingRefusal) in
        if text == "all" { return .all }
        do throws(SettingRefusal) { return .newest(try range.parse(text)) } catch {
          throw SettingRefusal("\(error.reason), or 'all'")
        }
      },
      write: { if case .newest(let count) = $0 { "\(count)" } else { "all" } },
      numbers: { kept, option, place throws(OutOfRange) in
        if case .newest(let count) = kept { try range.check(count, of: option, at: place) }
      })
  }
}
