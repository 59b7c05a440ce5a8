// Pictures in sixels (DEC STD 070, chapter 9): pixels that the terminal paints over cells, of which ncurses knows
// nothing. What ncurses writes into such a cell erases them there; so what is gone has its rows written anew, and what
// stays is painted again when a row under it was written.

import Canvas

/// Which pictures stand on the screen.
struct SixelPictures {
  /// The extent of a cell in pixels.
  let cell: Size
  private var shown: [PlacedPicture] = []
  private var next: [PlacedPicture] = []
  /// Those pictures as sixels, by their keys.
  private var texts: [UInt32: String] = [:]

  init(cell: Size) { self.cell = cell }

  /// Blanks the cells of the pictures of a frame; one that something covers a part of is drawn in blocks.
  /// - Returns: rows on which a picture stood that is gone: they have to be written whole.
  mutating func resolve(_ frame: inout Frame, fallback: Theme) -> Set<Int> {
    next = []
    for placed in frame.pictures {
      let visible = placed.visibleCells(in: frame)
      if visible == placed.place.width * placed.place.height {
        placed.forEachCell(of: &frame) { $0 = Cell(" ", placed.ground) }
        next.append(placed)
      } else if visible > 0 {
        placed.drawCells(into: &frame, theme: fallback)
      }
    }
    let gone = shown.filter { !next.contains($0) }
    return Set(gone.flatMap { $0.place.y..<$0.place.bottom })
  }

  /// - Parameter written: rows into which something was written.
  /// - Returns: what has to be sent once the frame is on the screen.
  mutating func paint(written: Set<Int>) -> String {
    let painted = next.filter { placed in
      !shown.contains(placed) || (placed.place.y..<placed.place.bottom).contains(where: written.contains)
    }
    shown = next
    let keys = Set(shown.map(\.key))
    texts = texts.filter { keys.contains($0.key) }
    return painted.map { placed in
      let text = texts[placed.key] ?? sixels(of: placed)
      texts[placed.key] = text
      return "\u{1B}7\u{1B}[\(placed.place.y + 1);\(placed.place.x + 1)H\(text)\u{1B}8"
    }.joined()
  }

  private func sixels(of placed: PlacedPicture) -> String {
    SixelText.of(
      placed.picture,
      within: Size(width: placed.place.width * cell.width, height: placed.place.height * cell.height))
  }

  /// Nothing is on the screen any more.
  mutating func forgetAll() { shown = [] }

  /// Wipes the screen, pictures included.
  static let wipe = "\u{1B}[H\u{1B}[2J"
}

/// A picture as sixels: bands of six rows, in each a line for every color.
enum SixelText {
  private static let mostColors = 255
  /// More pixels than these a side show nothing more.
  private static let longestSide = 720

  /// - Parameter area: in pixels; the picture is put in its middle, its aspect kept.
  static func of(_ picture: Picture, within area: Size) -> String {
    let limit = Double(longestSide) / Double(max(area.width, area.height, longestSide))
    let area = Size(width: Int(Double(area.width) * limit), height: Int(Double(area.height) * limit))
    let scale = min(Double(area.width) / Double(picture.width), Double(area.height) / Double(picture.height))
    let width = min(area.width, max(1, Int((Double(picture.width) * scale).rounded())))
    let height = min(area.height, max(1, Int((Double(picture.height) * scale).rounded())))
    guard width > 0, height > 0 else { return "" }
    let palette = MedianCut(pixels: picture.pixels(columns: width, rows: height), most: mostColors)
    var text = Array("\u{1B}P0;1;0q\"1;1;\(width);\(height)".utf8)
    for (index, color) in palette.colors.enumerated() {
      let parts = color.map { "\((Int($0) * 100 + 127) / 255)" }.joined(separator: ";")
      text += Array("#\(index);2;\(parts)".utf8)
    }
    for top in stride(from: 0, to: height, by: 6) {
      if top > 0 { text.append(UInt8(ascii: "-")) }
      appendBand(palette.indices, width: width, rows: top..<min(top + 6, height), to: &text)
    }
    text += [0x1B, UInt8(ascii: "\\")]
    return String(decoding: text, as: UTF8.self)
  }

  private static func appendBand(_ indices: [UInt8], width: Int, rows: Range<Int>, to text: inout [UInt8]) {
    var lines: [[UInt8]] = Array(repeating: [], count: 256)
    for y in rows {
      let bit = UInt8(1) << UInt8(y - rows.lowerBound)
      for x in 0..<width {
        let color = Int(indices[y * width + x])
        if lines[color].isEmpty { lines[color] = [UInt8](repeating: 0, count: width) }
        lines[color][x] |= bit
      }
    }
    var isFirst = true
    for (color, line) in lines.enumerated() where !line.isEmpty {
      if !isFirst { text.append(UInt8(ascii: "$")) }
      isFirst = false
      text += Array("#\(color)".utf8)
      var x = 0
      while x < width {
        var end = x + 1
        while end < width, line[end] == line[x] { end += 1 }
        let sixel = line[x] + 63
        if end - x > 3 {
          // What is left at the end of a line need not be said.
          if end < width || line[x] != 0 { text += Array("!\(end - x)".utf8) + [sixel] }
        } else {
          text += [UInt8](repeating: sixel, count: end - x)
        }
        x = end
      }
    }
  }
}

/// A palette for one picture (Heckbert, "Color image quantization for frame buffer display", 1982): the colors are
/// divided where they spread most until there are enough groups, each of which gets its mean.
struct MedianCut {
  private(set) var colors: [[UInt8]] = []
  /// One a pixel.
  private(set) var indices: [UInt8] = []

  private struct Bucket {
    var count = 0
    var sum = [0, 0, 0]
    /// 0...31 a channel.
    var place = [0, 0, 0]
  }

  /// Colors that will be one, and along which channel they spread most, weighted by their pixels.
  private struct Group {
    var range: Range<Int>
    var channel = 0
    /// 0 for a group that cannot be divided.
    var weight = 0.0

    init(_ range: Range<Int>, _ used: [Int], _ buckets: [Bucket]) {
      self.range = range
      let count = used[range].reduce(0) { $0 + buckets[$1].count }
      for channel in 0..<3 {
        let places = used[range].map { buckets[$0].place[channel] }
        let spread = Double((places.max() ?? 0) - (places.min() ?? 0)) * Double(count).squareRoot()
        if spread > weight { (self.channel, weight) = (channel, spread) }
      }
    }
  }

  /// - Parameters:
  ///   - pixels: red, green, blue.
  ///   - most: of colors, 256 at most.
  init(pixels: [UInt8], most: Int) {
    var buckets = [Bucket](repeating: Bucket(), count: 32_768)
    var numbers: [Int] = []
    numbers.reserveCapacity(pixels.count / 3)
    for start in stride(from: 0, to: pixels.count - 2, by: 3) {
      let (red, green, blue) = (Int(pixels[start]), Int(pixels[start + 1]), Int(pixels[start + 2]))
      let number = (red >> 3) << 10 | (green >> 3) << 5 | blue >> 3
      numbers.append(number)
      buckets[number].count += 1
      buckets[number].sum[0] += red
      buckets[number].sum[1] += green
      buckets[number].sum[2] += blue
    }
    var used = buckets.indices.filter { buckets[$0].count > 0 }
    for number in used { buckets[number].place = [number >> 10, number >> 5 & 31, number & 31] }
    var groups = used.isEmpty ? [] : [Group(used.indices, used, buckets)]
    while groups.count < most, let widest = groups.indices.max(by: { groups[$0].weight < groups[$1].weight }),
      groups[widest].weight > 0
    {
      let group = groups[widest]
      used[group.range].sort { buckets[$0].place[group.channel] < buckets[$1].place[group.channel] }
      let middle = Self.middle(of: group.range, used, buckets)
      groups[widest] = Group(group.range.lowerBound..<middle, used, buckets)
      groups.append(Group(middle..<group.range.upperBound, used, buckets))
    }
    var index = [UInt8](repeating: 0, count: 32_768)
    for (number, group) in groups.enumerated() {
      var (count, sum) = (0, [0, 0, 0])
      for bucket in used[group.range] {
        index[bucket] = UInt8(number)
        count += buckets[bucket].count
        for channel in 0..<3 { sum[channel] += buckets[bucket].sum[channel] }
      }
      colors.append(sum.map { UInt8(($0 + count / 2) / max(1, count)) })
    }
    indices = numbers.map { index[$0] }
  }

  /// Where half of a sorted group's pixels are: inside it, so that both parts have some.
  private static func middle(of group: Range<Int>, _ used: [Int], _ buckets: [Bucket]) -> Int {
    let half = used[group].reduce(0) { $0 + buckets[$1].count } / 2
    var sum = 0
    for place in group {
      sum += buckets[used[place]].count
      if sum > half { return min(max(place, group.lowerBound + 1), group.upperBound - 1) }
    }
    return group.lowerBound + group.count / 2
  }
}
