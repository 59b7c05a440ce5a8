// Text that goes into SVG and HTML. Names of classes, paths and notes come from outside and may hold anything: whatever
// is not written by this module passes here, once.

import FoundationEssentials
import Images

/// Writing markup.
enum Markup {
  /// A text as it stands between tags, or in a quoted attribute. What XML has no place for, and what would turn the
  /// direction of the text around it, is shown as a replacement character.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case _ where isRefused(scalar): result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isRefused(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069, 0xfffe, 0xffff: true
    default: false
    }
  }

  /// A number as short as a picture needs it: tenths of a pixel.
  static func number(_ value: Double) -> String {
    guard !value.isNaN else { return "0" }
    let whole = Int((min(max(value, -1e6), 1e6) * 10).rounded())
    return whole % 10 == 0 ? "\(whole / 10)" : "\(Double(whole) / 10)"
  }

  /// About how wide a text is, in the letters of a size.
  static func width(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { width, scalar in
      switch scalar.value {
      case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
        0x1f300...0x1faff, 0x20000...0x3fffd:
        width + size
      case 0x300...0x36f: width
      default: width + size * 0.56
      }
    }
  }

  /// A text cut in the middle so that it fits: names differ at both ends.
  static func shortened(_ text: String, to count: Int) -> String {
    let characters = Array(text)
    guard characters.count > count, count > 1 else { return text }
    let tail = (count - 1) / 2
    return String(characters.prefix(count - 1 - tail)) + "…" + String(characters.suffix(tail))
  }
}

extension EncodedPicture {
  /// The picture as an address that holds it.
  var dataAddress: String { "data:\(mediaType);base64,\(Data(bytes).base64EncodedString())" }
}
