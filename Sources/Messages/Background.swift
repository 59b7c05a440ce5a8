// What lies under a picture where it is transparent.

/// The color that transparent pixels are laid on before anything else is done with a picture: what a file keeps under
/// them is not meant to be seen, and differs by the program that wrote it.
public enum Background: Sendable, Hashable {
  case color(red: UInt8, green: UInt8, blue: UInt8)
  /// None: transparency is dropped and the color that a file keeps under it shows, as with Pillow's `convert("RGB")`.
  /// Settings that say nothing of a background were written by versions that did so.
  case none

  public static let white = Background.color(red: 255, green: 255, blue: 255)
  public static let black = Background.color(red: 0, green: 0, blue: 0)
}

/// The textual form: `white`, `black`, `#rrggbb`, `none`.
extension Background: CustomStringConvertible {
  /// - Returns: nil for a text that is none of these.
  public init?(argument: String) {
    switch argument {
    case "white": self = .white
    case "black": self = .black
    case "none": self = .none
    default:
      let digits = argument.utf8.dropFirst()
      guard argument.utf8.first == UInt8(ascii: "#"), digits.count == 6,
        digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
        let value = UInt32(String(argument.dropFirst()), radix: 16)
      else { return nil }
      self = .color(
        red: UInt8(value >> 16), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
    }
  }

  public var description: String {
    switch self {
    case .white: return "white"
    case .black: return "black"
    case .none: return "none"
    case .color(let red, let green, let blue):
      return "#"
        + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}

extension Background: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let background = Background(argument: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is not a background: white, black, #rrggbb or none")
    }
    self = background
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
