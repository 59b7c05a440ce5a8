// What fills the rest of the square beside a picture that was fitted into it.

/// What is beside an image that keeps its proportions and is not cut.
public enum PadColor: Sendable, Hashable {
  case color(red: UInt8, green: UInt8, blue: UInt8)
  /// The image's own outermost pixels, repeated.
  case edge

  public static let white = PadColor.color(red: 255, green: 255, blue: 255)
  public static let black = PadColor.color(red: 0, green: 0, blue: 0)
}

/// The textual form: `white`, `black`, `#rrggbb`, `edge`.
extension PadColor: CustomStringConvertible {
  /// - Returns: nil for a text that is none of these.
  public init?(argument: String) {
    if argument == "edge" {
      self = .edge
    } else {
      guard let (red, green, blue) = ColorText.components(argument) else { return nil }
      self = .color(red: red, green: green, blue: blue)
    }
  }

  public var description: String {
    switch self {
    case .edge: "edge"
    case .color(let red, let green, let blue): ColorText.text(red, green, blue)
    }
  }
}

extension PadColor: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let color = PadColor(argument: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is no color to pad with: white, black, #rrggbb or edge")
    }
    self = color
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
