// Pictures in kitty's graphics protocol (https://sw.kovidgoyal.net/kitty/graphics-protocol/): the terminal keeps each
// under a number, and draws it wherever cells hold its marks in a color that is this number. So ncurses, and tmux, only
// ever see characters. Numbers are colors of the 256-color palette, because those are passed on as they are everywhere.

import Canvas

/// Which pictures the terminal has, and under which numbers.
struct KittyPictures {
  private struct Entry {
    var key: UInt32
    var picture: Picture
    var size: Size
    /// The frame that showed it last.
    var frame: Int
  }

  /// Palette indices in use as numbers; the first sixteen are the user's own.
  static let slots = 32...223

  let throughTmux: Bool
  let colors: ColorDepth
  private var entries: [Int: Entry] = [:]
  private var frames = 0

  init(throughTmux: Bool, colors: ColorDepth) {
    self.throughTmux = throughTmux
    self.colors = colors
  }

  /// Gives every picture of a frame a number, and its cells the color of it. A picture for which there is none left is
  /// drawn in blocks.
  /// - Returns: what has to be sent before the frame is shown.
  mutating func resolve(_ frame: inout Frame, fallback: Theme) -> String {
    frames += 1
    var sent = ""
    var numbered: [(placed: PlacedPicture, slot: Int)] = []
    // Those that are there keep their numbers, before any number is given to another.
    let known = frame.pictures.map { placed in
      entries.first {
        $0.value.key == placed.key && $0.value.size == placed.size && $0.value.picture == placed.picture
      }?.key
    }
    for slot in known.compactMap({ $0 }) { entries[slot]?.frame = frames }
    for (placed, slot) in zip(frame.pictures, known) {
      guard placed.isVisible(in: frame) else { continue }
      if let slot {
        numbered.append((placed, slot))
      } else if let slot = free() {
        let isUsed = entries[slot] != nil
        entries[slot] = Entry(key: placed.key, picture: placed.picture, size: placed.size, frame: frames)
        sent += (isUsed ? wrapped([Self.delete(number(of: slot))]) : "")
        sent += wrapped(Self.transmit(placed.picture, number: number(of: slot), size: placed.size))
        numbered.append((placed, slot))
      } else {
        placed.drawCells(into: &frame, theme: fallback)
      }
    }
    for (placed, slot) in numbered {
      placed.forEachCell(of: &frame) { $0.style.foreground = .palette(UInt8(slot)) }
    }
    return sent
  }

  /// What makes the terminal forget every picture.
  mutating func forgetAll() -> String {
    defer { entries = [:] }
    return wrapped(entries.keys.sorted().map { Self.delete(number(of: $0)) })
  }

  /// The same for all that there may ever be, for whoever cannot look.
  var forgetAny: String { wrapped(Self.slots.map { Self.delete(number(of: $0)) }) }

  /// A number that no picture of this frame has: one that is unused, else the one that has not been shown for longest.
  private func free() -> Int? {
    if let unused = Self.slots.first(where: { entries[$0] == nil }) { return unused }
    return entries.filter { $0.value.frame < frames }.min { ($0.value.frame, $0.key) < ($1.value.frame, $1.key) }?
      .key
  }

  /// The number that the terminal reads out of a color: the index in the palette, or the color itself.
  private func number(of slot: Int) -> Int { colors.index(of: .palette(UInt8(slot))) }

  // MARK: Sequences

  private static func delete(_ number: Int) -> String { "\u{1B}_Ga=d,d=I,i=\(number),q=2\u{1B}\\" }

  /// So many characters of a picture go into one sequence.
  private static let piece = 4096

  /// The pixels, to be drawn over as many cells wherever their marks are, and no answer.
  private static func transmit(_ picture: Picture, number: Int, size: Size) -> [String] {
    let text = Base64.text(of: picture.pixels)
    var sequences: [String] = []
    var place = text.startIndex
    repeat {
      let end = text.index(place, offsetBy: piece, limitedBy: text.endIndex) ?? text.endIndex
      let more = end < text.endIndex ? 1 : 0
      let keys =
        place == text.startIndex
        ? "a=T,U=1,i=\(number),f=24,s=\(picture.width),v=\(picture.height),c=\(size.width),r=\(size.height),q=2,m=\(more)"
        : "q=2,m=\(more)"
      sequences.append("\u{1B}_G\(keys);\(text[place..<end])\u{1B}\\")
      place = end
    } while place < text.endIndex
    return sequences
  }

  /// tmux hands on what stands in a string of its own, with every escape doubled.
  private func wrapped(_ sequences: [String]) -> String {
    guard throughTmux else { return sequences.joined() }
    return sequences.map { sequence in
      "\u{1B}Ptmux;"
        + sequence.split(separator: "\u{1B}", omittingEmptySubsequences: false)
        .joined(separator: "\u{1B}\u{1B}") + "\u{1B}\\"
    }.joined()
  }
}

extension PlacedPicture {
  var size: Size { Size(width: place.width, height: place.height) }

  /// Changes the cells that are still the picture's.
  func forEachCell(of frame: inout Frame, _ change: (inout Cell) -> Void) {
    for y in place.y..<place.bottom {
      for x in place.x..<place.right {
        var cell = frame[x, y]
        guard covers(cell) else { continue }
        change(&cell)
        frame[x, y] = cell
      }
    }
  }

  /// How many cells are still the picture's.
  func visibleCells(in frame: Frame) -> Int {
    var count = 0
    for y in place.y..<place.bottom {
      for x in place.x..<place.right where covers(frame[x, y]) { count += 1 }
    }
    return count
  }

  func isVisible(in frame: Frame) -> Bool {
    (place.y..<place.bottom).contains { y in (place.x..<place.right).contains { x in covers(frame[x, y]) } }
  }

  /// Draws the cells that are still the picture's as if the terminal knew no pictures.
  func drawCells(into frame: inout Frame, theme: Theme) {
    var cells = Frame(size: size, filledWith: Cell(" ", ground))
    picture.draw(into: &cells, in: Rect(size), theme: theme)
    for y in 0..<place.height {
      for x in 0..<place.width where covers(frame[place.x + x, place.y + y]) {
        frame[place.x + x, place.y + y] = cells[x, y]
      }
    }
  }
}

/// RFC 4648, section 4.
enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(of bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: UInt8(ascii: "="), count: (bytes.count + 2) / 3 * 4)
    var place = 0
    var target = 0
    while place < bytes.count {
      let count = min(3, bytes.count - place)
      var bits: UInt32 = 0
      for index in 0..<count { bits |= UInt32(bytes[place + index]) << UInt32(16 - 8 * index) }
      for digit in 0...count { text[target + digit] = digits[Int(bits >> UInt32(18 - 6 * digit) & 63)] }
      (place, target) = (place + 3, target + 4)
    }
    return String(decoding: text, as: UTF8.self)
  }
}
