// What lies under a picture where it is transparent.

/// The color that transparent pixels are laid on before anything else is done with a picture: what a file keeps under
/// them is not meant to be seen, and differs by the program that wrote it.
public enum Background: Sendable, Hashable {
  case color(red: UInt8, green: UInt8, blue: UInt8)
  /// Random pixels, so that no color of the ground can become a feature. They follow from the file's bytes: an image
  /// has the same noise each time, in training, evaluation and prediction, wherever it lies.
  case noise
  /// None: transparency is dropped and the color that a file keeps under it shows, as with Pillow's `convert("RGB")`.
  /// Settings that say nothing of a background were written by versions that did so.
  case none

  public static let white = Background.color(red: 255, green: 255, blue: 255)
  public static let black = Background.color(red: 0, green: 0, blue: 0)
}

/// The textual form: `white`, `black`, `#rrggbb`, `noise`, `none`.
extension Background: CustomStringConvertible {
  /// - Returns: nil for a text that is none of these.
  public init?(argument: String) {
    switch argument {
    case "noise": self = .noise
    case "none": self = .none
    default:
      guard let (red, green, blue) = ColorText.components(argument) else { return nil }
      self = .color(red: red, green: green, blue: blue)
    }
  }

  public var description: String {
    switch self {
    case .noise: "noise"
    case .none: "none"
    case .color(let red, let green, let blue): ColorText.text(red, green, blue)
    }
  }
}

/// A color as it is written: `white`, `black` or `#rrggbb`.
enum ColorText {
  /// - Returns: nil for a text that is no color.
  static func components(_ text: String) -> (red: UInt8, green: UInt8, blue: UInt8)? {
    switch text {
    case "white": return (255, 255, 255)
    case "black": return (0, 0, 0)
    default:
      let digits = text.utf8.dropFirst()
      guard text.utf8.first == UInt8(ascii: "#"), digits.count == 6,
        digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
        let value = UInt32(String(text.dropFirst()), radix: 16)
      else { return nil }
      return (UInt8(value >> 16), UInt8(value >> 8 & 255), UInt8(value & 255))
    }
  }

  static func text(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> String {
    switch (red, green, blue) {
    case (255, 255, 255): "white"
    case (0, 0, 0): "black"
    default: "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}

extension Background: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let background = Background(argument: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is not a background: white, black, #rrggbb, noise or none")
    }
    self = background
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
