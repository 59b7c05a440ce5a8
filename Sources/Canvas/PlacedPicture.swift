// A picture that the terminal itself draws, from pixels. In the frame its cells hold a mark that says which cell of
// which picture each one is, so that whatever is drawn over them, such as a dialog, takes these cells from the picture.
// How the pixels get to the terminal is the Terminal module's decision.

/// A picture and the cells that it covers.
public struct PlacedPicture: Sendable, Equatable {
  public var picture: Picture
  public internal(set) var place: Rect
  /// 24 bits that tell pictures of one frame apart and depend on pixels and extent alone, so that the same picture is
  /// recognized in the next frame.
  public internal(set) var key: UInt32
  /// Of the cells where they show nothing else.
  public internal(set) var ground: Style

  /// Whether a cell is still this picture's.
  public func covers(_ cell: Cell) -> Bool {
    guard let character = cell.character, PictureMark.isMark(character) else { return false }
    return cell.style.foreground == Self.color(of: key)
  }

  static func color(of key: UInt32) -> Color {
    .rgb(red: UInt8(key >> 16 & 0xFF), green: UInt8(key >> 8 & 0xFF), blue: UInt8(key & 0xFF))
  }

  /// FNV-1a over extent and pixels, folded to 24 bits; the darkest are left out, as in palettes they mean others.
  static func key(of picture: Picture, size: Size) -> UInt32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ value: UInt64) { hash = (hash ^ value) &* 0x100_0000_01B3 }
    for number in [picture.width, picture.height, size.width, size.height] { mix(UInt64(number)) }
    picture.pixels.withUnsafeBytes { bytes in
      var place = 0
      while place + 8 <= bytes.count {
        mix(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        place += 8
      }
      while place < bytes.count {
        mix(UInt64(bytes[place]))
        place += 1
      }
    }
    return UInt32(truncatingIfNeeded: (hash ^ hash >> 24 ^ hash >> 48) & 0xFF_FFFF) | 0x100
  }
}

/// The mark of a picture's cell, as kitty's graphics protocol shows a picture through text: a character of private use
/// with two accents, whose places in a list are the cell's row and column.
public enum PictureMark {
  private static let base: Unicode.Scalar = "\u{10EEEE}"

  /// Rows and columns that can be named.
  public static let limit = 256

  /// - Returns: nil for a row or a column that has no accent.
  public static func character(row: Int, column: Int) -> Character? {
    guard (0..<limit).contains(row), (0..<limit).contains(column) else { return nil }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: [base, accents[row], accents[column]])
    return Character(String(text))
  }

  public static func isMark(_ character: Character) -> Bool { character.unicodeScalars.first == base }

  /// Combining marks above that no normalization changes, of Unicode 6.0, in its order.
  private static let accents: [Unicode.Scalar] = {
    let ranges: [ClosedRange<UInt32>] = [
      0x0305...0x0305, 0x030D...0x030E, 0x0310...0x0310, 0x0312...0x0312, 0x033D...0x033F, 0x0346...0x0346,
      0x034A...0x034C, 0x0350...0x0352, 0x0357...0x0357, 0x035B...0x035B, 0x0363...0x036F, 0x0483...0x0487,
      0x0592...0x0595, 0x0597...0x0599, 0x059C...0x05A1, 0x05A8...0x05A9, 0x05AB...0x05AC, 0x05AF...0x05AF,
      0x05C4...0x05C4, 0x0610...0x0617, 0x0657...0x065B, 0x065D...0x065E, 0x06D6...0x06DC, 0x06DF...0x06E2,
      0x06E4...0x06E4, 0x06E7...0x06E8, 0x06EB...0x06EC, 0x0730...0x0730, 0x0732...0x0733, 0x0735...0x0736,
      0x073A...0x073A, 0x073D...0x073D, 0x073F...0x0741, 0x0743...0x0743, 0x0745...0x0745, 0x0747...0x0747,
      0x0749...0x074A, 0x07EB...0x07F1, 0x07F3...0x07F3, 0x0816...0x0819, 0x081B...0x0823, 0x0825...0x0827,
      0x0829...0x082D, 0x0951...0x0951, 0x0953...0x0954, 0x0F82...0x0F83, 0x0F86...0x0F87, 0x135D...0x135F,
      0x17DD...0x17DD, 0x193A...0x193A, 0x1A17...0x1A17, 0x1A75...0x1A7C, 0x1B6B...0x1B6B, 0x1B6D...0x1B73,
      0x1CD0...0x1CD2, 0x1CDA...0x1CDB, 0x1CE0...0x1CE0, 0x1DC0...0x1DC1, 0x1DC3...0x1DC9, 0x1DCB...0x1DCC,
      0x1DD1...0x1DE6, 0x1DFE...0x1DFE, 0x20D0...0x20D1, 0x20D4...0x20D7, 0x20DB...0x20DC, 0x20E1...0x20E1,
      0x20E7...0x20E7, 0x20E9...0x20E9, 0x20F0...0x20F0, 0x2CEF...0x2CF1, 0x2DE0...0x2DFF, 0xA66F...0xA66F,
      0xA67C...0xA67D, 0xA6F0...0xA6F1, 0xA8E0...0xA8F1,
    ]
    return ranges.flatMap { $0 }.compactMap(Unicode.Scalar.init)
  }()
}

extension Frame {
  /// Puts a picture into a frame for the terminal to draw.
  /// - Returns: false where it is larger than can be named; then nothing is drawn.
  @discardableResult
  public mutating func place(_ picture: Picture, in place: Rect, ground: Style) -> Bool {
    guard !place.isEmpty, place.width <= PictureMark.limit, place.height <= PictureMark.limit else { return false }
    let key = PlacedPicture.key(of: picture, size: Size(width: place.width, height: place.height))
    put(PlacedPicture(picture: picture, place: place, key: key, ground: ground))
    return true
  }

  /// Puts one that was placed in another frame at another position.
  public mutating func put(_ placed: PlacedPicture, x: Int, y: Int) {
    var placed = placed
    (placed.place.x, placed.place.y) = (x, y)
    put(placed)
  }

  private mutating func put(_ new: PlacedPicture) {
    var placed = new
    // Two different pictures of one key would be taken for one.
    while pictures.contains(where: { $0.key == placed.key && $0.picture != placed.picture }) {
      placed.key = (placed.key + 1) & 0xFF_FFFF | 0x100
    }
    pictures.append(placed)
    var style = placed.ground
    style.foreground = PlacedPicture.color(of: placed.key)
    let place = placed.place
    for row in 0..<place.height {
      for column in 0..<place.width {
        guard let mark = PictureMark.character(row: row, column: column) else { continue }
        self[place.x + column, place.y + row] = Cell(mark, style)
      }
    }
  }
}
