// A picture in few colors. A cell shows two colors of a palette, as halves and quarters with a sharp edge between
// them or as one of the shades, which mix them; what is still missing, neighbors make good. Which
// colors a terminal has is the Terminal module's decision.

/// The colors that a picture is drawn in.
public enum PicturePalette: Sendable, Hashable {
  /// As they are; whoever shows the frame finds the nearest.
  case full
  /// xterm's 256 colors: the cube and the grays.
  case indexed
  case sixteen
  case eight

  /// The colors with their indices; none for `full`.
  var entries: [(index: UInt8, color: RGB)] {
    switch self {
    case .full: return []
    case .eight: return (0..<8).map { (UInt8($0), Self.basic[$0]) }
    case .sixteen: return (0..<16).map { (UInt8($0), Self.basic[$0]) }
    // The first sixteen are left out: users redefine them.
    case .indexed:
      let levels: [Float] = [0, 95, 135, 175, 215, 255]
      let cube = (0..<216).map { index in
        RGB(red: levels[index / 36], green: levels[index / 6 % 6], blue: levels[index % 6])
      }
      let grays = (0..<24).map { RGB(red: 8 + Float($0) * 10, green: 8 + Float($0) * 10, blue: 8 + Float($0) * 10) }
      return (cube + grays).enumerated().map { (UInt8($0.offset + 16), $0.element) }
    }
  }

  /// xterm's.
  private static let basic: [RGB] = [
    [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
    [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255],
    [255, 255, 255],
  ].map { RGB(red: $0[0], green: $0[1], blue: $0[2]) }
}

/// Finds cells for wanted colors.
struct PaletteMixer {
  /// Two colors of the palette, and how much of the first is seen.
  private struct Mix {
    var foreground: Int
    var background: Int
    var character: Character
    var color: RGB
    /// How far apart the two are: a mixture of strangers is seen as two colors.
    var contrast: Float
  }

  private let entries: [(index: UInt8, color: RGB)]
  private let shades: [(character: Character, share: Float)]
  /// Every mixture, where there are few colors.
  private let mixes: [Mix]
  private var nearest: [UInt32: Int] = [:]
  private var mixed: [UInt32: Mix] = [:]
  /// What the contrast of a mixture weighs against its distance from what is wanted.
  private let aversion: Float

  init(_ palette: PicturePalette, hasShades: Bool) {
    let entries = palette.entries
    self.entries = entries
    shades = hasShades ? [("░", 0.25), ("▒", 0.5), ("▓", 0.75)] : []
    // Where there are few colors even strangers have to mix.
    aversion = palette == .indexed ? 0.12 : 0.03
    var mixes = entries.indices.map { Self.solid($0, entries) }
    if palette != .indexed {
      for first in entries.indices {
        for second in entries.indices where second > first {
          for shade in shades { mixes.append(Self.mix(first, second, shade, entries)) }
        }
      }
    }
    self.mixes = mixes
  }

  private static func solid(_ index: Int, _ entries: [(index: UInt8, color: RGB)]) -> Mix {
    Mix(foreground: index, background: index, character: " ", color: entries[index].color, contrast: 0)
  }

  private static func mix(
    _ first: Int, _ second: Int, _ shade: (character: Character, share: Float),
    _ entries: [(index: UInt8, color: RGB)]
  ) -> Mix {
    let (a, b) = (entries[first].color, entries[second].color)
    return Mix(
      foreground: first, background: second, character: shade.character,
      color: a * shade.share + b * (1 - shade.share),
      contrast: a.distance(to: b))
  }

  /// The cell that comes nearest to four colors, and the mean of what it shows.
  mutating func cell(_ parts: [RGB]) -> (cell: Cell, shown: RGB) {
    let mean = RGB.mean(parts)
    let mix = bestMix(for: mean)
    var least = parts.reduce(0) { $0 + $1.distance(to: mix.color) } + 4 * aversion * mix.contrast
    var best = (cell: cell(of: mix), shown: mix.color)
    // An edge is worth more than an exact shade.
    guard parts.contains(where: { $0.distance(to: mean) > Self.flat }) else { return best }
    for (mask, character) in QuarterBlock.patterns {
      let inside = parts.indices.filter { mask & (8 >> $0) != 0 }
      let outside = parts.indices.filter { mask & (8 >> $0) == 0 }
      let foreground = nearestEntry(to: RGB.mean(inside.map { parts[$0] }))
      let background = nearestEntry(to: RGB.mean(outside.map { parts[$0] }))
      guard foreground != background else { continue }
      let (front, back) = (entries[foreground].color, entries[background].color)
      let error =
        inside.reduce(0) { $0 + parts[$1].distance(to: front) }
        + outside.reduce(0) { $0 + parts[$1].distance(to: back) }
      guard error < least else { continue }
      least = error
      let share = Float(inside.count) / 4
      best = (
        Cell(
          character,
          Style(foreground: .palette(entries[foreground].index), background: .palette(entries[background].index))),
        front * share + back * (1 - share)
      )
    }
    return best
  }

  /// One color for a whole cell, drawn as its background.
  mutating func space(_ color: RGB) -> (cell: Cell, shown: RGB) {
    let entry = entries[nearestEntry(to: color)]
    return (Cell(" ", Style(background: .palette(entry.index))), entry.color)
  }

  /// Parts that differ by less are one ground.
  private static let flat: Float = 120

  private func cell(of mix: Mix) -> Cell {
    let background = Color.palette(entries[mix.background].index)
    guard mix.foreground != mix.background else { return Cell(" ", Style(background: background)) }
    return Cell(
      mix.character, Style(foreground: .palette(entries[mix.foreground].index), background: background))
  }

  private mutating func nearestEntry(to color: RGB) -> Int {
    if let known = nearest[color.key] { return known }
    let found = entries.indices.min {
      entries[$0].color.distance(to: color) < entries[$1].color.distance(to: color)
    }
    nearest[color.key] = found ?? 0
    return found ?? 0
  }

  private mutating func bestMix(for color: RGB) -> Mix {
    if let known = mixed[color.key] { return known }
    func cost(_ mix: Mix) -> Float { mix.color.distance(to: color) + aversion * mix.contrast }
    var candidates = mixes
    if entries.count > 16, !shades.isEmpty {
      // Of many colors only those that stand around the wanted one.
      let around = entries.indices.sorted {
        entries[$0].color.distance(to: color) < entries[$1].color.distance(to: color)
      }
      .prefix(10)
      candidates = around.map { Self.solid($0, entries) }
      for first in around {
        for second in around where second > first {
          for shade in shades { candidates.append(Self.mix(first, second, shade, entries)) }
        }
      }
    }
    let found = candidates.min { cost($0) < cost($1) } ?? Self.solid(0, entries)
    mixed[color.key] = found
    return found
  }
}

extension RGB {
  static func + (left: RGB, right: RGB) -> RGB {
    RGB(red: left.red + right.red, green: left.green + right.green, blue: left.blue + right.blue)
  }

  static func - (left: RGB, right: RGB) -> RGB { left + right * -1 }

  static func * (color: RGB, factor: Float) -> RGB {
    RGB(red: color.red * factor, green: color.green * factor, blue: color.blue * factor)
  }

  var clamped: RGB {
    RGB(red: min(max(red, 0), 255), green: min(max(green, 0), 255), blue: min(max(blue, 0), 255))
  }

  /// Each channel no further from 0 than a limit.
  func limited(to limit: Float) -> RGB {
    RGB(
      red: min(max(red, -limit), limit), green: min(max(green, -limit), limit), blue: min(max(blue, -limit), limit))
  }

  /// A squared distance as the eye has it, roughly: brightness, and hue and saturation together (BT.601's two
  /// differences of color). A gray is nearer to any other gray than to a color of its brightness.
  func distance(to other: RGB) -> Float {
    let difference = self - other
    let (luminance, chroma) = (difference.luminance, difference.chroma)
    return luminance * luminance + 2 * (chroma.blue * chroma.blue + chroma.red * chroma.red)
  }

  /// BT.601's two differences of color; both are 0 for grays.
  private var chroma: (blue: Float, red: Float) { (0.564 * (blue - luminance), 0.713 * (red - luminance)) }

  /// The same for colors that nobody tells apart.
  fileprivate var key: UInt32 {
    func level(_ value: Float) -> UInt32 { UInt32(min(max(value, 0), 255)) >> 2 }
    return level(red) << 12 | level(green) << 6 | level(blue)
  }
}
