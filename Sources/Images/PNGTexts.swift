// The chunks of a PNG that may say which way up it is: EXIF data, EXIF data as hexadecimal digits in a text, and XMP.
// Other texts are passed over; none is kept that would take more than a mebibyte.

import CImageShims
import Resources

/// Takes chunk after chunk; of several of a kind the last counts.
struct PNGTexts {
  /// The orientation's number in each kind; nil where it does not speak of it.
  private var exif: Int?
  private var profile: Int?
  private var xmp: Int?
  /// Whether there was an EXIF chunk: then the text that may hold EXIF data is not asked.
  private var hasExif = false

  /// No text is longer, compressed or not: as Pillow has it.
  private static let maximumText = 1 << 20
  private static let longestKeyword = 79

  /// EXIF, whatever it says of other things, goes before XMP.
  var orientation: Int? { (hasExif ? exif : profile) ?? xmp }

  /// - Parameters:
  ///   - type: four bytes.
  ///   - content: of the chunk.
  mutating func take(type: some Sequence<UInt8>, _ content: UnsafeRawBufferPointer) {
    let type = Array(type)
    switch type {
    case Self.exifType:
      hasExif = true
      exif = Orientation.value(exif: content)
    case Self.textType, Self.compressedType, Self.internationalType:
      guard let end = content.prefix(Self.longestKeyword + 1).firstIndex(of: 0), end > 0 else { return }
      let keyword = content[..<end]
      let rest = UnsafeRawBufferPointer(rebasing: content[(end + 1)...])
      if keyword.elementsEqual(Self.exifKeyword), type == Self.textType {
        hasExif = true
        exif = Orientation.value(exif: rest)
      } else if keyword.elementsEqual(Self.profileKeyword) {
        profile = Self.text(type, rest).flatMap(Self.bytes(profile:)).flatMap { bytes in
          bytes.withUnsafeBytes { Orientation.value(exif: $0) }
        }
      } else if keyword.elementsEqual(Self.xmpKeyword) {
        xmp = Self.text(type, rest).flatMap { text in text.withUnsafeBytes { Orientation.value(xmp: $0) } }
      }
    default: return
    }
  }

  private static let exifType = Array("eXIf".utf8)
  private static let textType = Array("tEXt".utf8)
  private static let compressedType = Array("zTXt".utf8)
  private static let internationalType = Array("iTXt".utf8)
  private static let exifKeyword = Array("exif".utf8)
  private static let profileKeyword = Array("Raw profile type exif".utf8)
  private static let xmpKeyword = Array("XML:com.adobe.xmp".utf8)

  /// The text of a chunk (PNG specification, third edition, section 11.3.3) behind its keyword; nil for one that makes
  /// no sense or is too long.
  private static func text(_ type: [UInt8], _ content: UnsafeRawBufferPointer) -> [UInt8]? {
    switch type {
    case compressedType:
      guard content.first == 0 else { return nil }
      return inflated(content.dropFirst())
    case internationalType:
      // A flag and a method of compression, then language and keyword in that language, each with a zero behind.
      guard content.count >= 2 else { return nil }
      var rest = content.dropFirst(2)
      for _ in 0..<2 {
        guard let end = rest.firstIndex(of: 0) else { return nil }
        rest = rest[(end + 1)...]
      }
      if content[0] == 0 { return rest.count <= maximumText ? Array(rest) : nil }
      return content[1] == 0 ? inflated(rest) : nil
    default:
      return content.count <= maximumText ? Array(content) : nil
    }
  }

  private static func inflated(_ bytes: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    guard Memory.has(maximumText) else { return nil }
    var isSound = false
    let text = [UInt8](unsafeUninitializedCapacity: maximumText) { target, count in
      let source = UnsafeRawBufferPointer(rebasing: bytes).bindMemory(to: UInt8.self)
      let written = image_inflate(source.baseAddress, source.count, target.baseAddress, maximumText)
      isSound = written >= 0
      count = max(0, written)
    }
    return isSound ? text : nil
  }

  /// EXIF data from a text: behind an empty line, a name and a length, each on a line, hexadecimal digits with white
  /// space anywhere between them.
  /// - Returns: nil for anything else.
  private static func bytes(profile text: [UInt8]) -> [UInt8]? {
    let lines = text.split(separator: 0x0a, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in lines[3] {
      let digit: UInt8
      switch character {
      case 0x30...0x39: digit = character - 0x30
      case 0x41...0x46: digit = character - 0x41 + 10
      case 0x61...0x66: digit = character - 0x61 + 10
      case 0x09...0x0d, 0x20: continue
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return high == nil ? bytes : nil
  }
}
