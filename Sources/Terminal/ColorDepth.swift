// From a theme's colors to the colors that a terminal has. Pure arithmetic: no ncurses, no pairs.

import Canvas

/// How many colors a terminal shows.
public enum ColorDepth: Sendable, Hashable {
  case none, eight, sixteen, palette
  /// Every color of 24 bits; numbers below 16 are the palette's.
  case direct

  init(colors: Int) {
    self =
      switch colors {
      case 0x100_0000...: .direct
      case 256...: .palette
      case 16...: .sixteen
      case 8...: .eight
      default: .none
      }
  }

  /// The colors that a picture is to be drawn in.
  public var pictures: PicturePalette {
    switch self {
    case .none, .direct: .full
    case .palette: .indexed
    case .sixteen: .sixteen
    case .eight: .eight
    }
  }

  /// The foreground and the background of a style as palette indices, -1 for the terminal's own.
  ///
  /// With 16 colors or fewer, grays over the terminal's own background become its own foreground, since whether
  /// that background is dark is not known; and two colors that would fall together are kept apart.
  func indices(of style: Style) -> (foreground: Int, background: Int) {
    guard self != .none else { return (-1, -1) }
    let background = index(of: style.background, isBackground: true)
    var foreground = index(of: style.foreground)
    guard self != .palette, self != .direct else { return (foreground, background) }
    if background == -1 {
      if case .palette(let index) = style.foreground, index < 16 { return (foreground, background) }
      if [0, 7, 8, 15].contains(foreground) { foreground = -1 }
    } else if foreground == background, style.foreground != style.background {
      foreground = [0, 4, 8].contains(background) ? 7 : 0
    }
    return (foreground, background)
  }

  /// The nearest index that this depth has; -1 for the terminal's own color.
  func index(of color: Color, isBackground: Bool = false) -> Int {
    switch (color, self) {
    case (.standard, _), (_, .none): return -1
    case (.palette(let index), .palette): return Int(index)
    case (.palette(let index), .direct) where index < 16: return Int(index)
    case (.palette(let index), .sixteen) where index < 16: return Int(index)
    case (.palette(let index), .eight) where index < 16: return Int(index % 8)
    case (.palette(let index), _):
      return nearest(to: Self.channels(ofPalette: Int(index)), isBackground: isBackground)
    case (.rgb(let red, let green, let blue), _):
      return nearest(to: [Int(red), Int(green), Int(blue)], isBackground: isBackground)
    }
  }

  private func nearest(to channels: [Int], isBackground: Bool) -> Int {
    switch self {
    case .none: return -1
    case .direct:
      let number = channels[0] << 16 | channels[1] << 8 | channels[2]
      // The darkest blues have the numbers of the palette.
      return number < 16 ? 0x01_0101 : number
    case .eight: return Self.basicIndex(of: channels, grays: [0, 7], brightFrom: nil, isBackground: isBackground)
    case .sixteen:
      return Self.basicIndex(of: channels, grays: [0, 8, 7, 15], brightFrom: 218, isBackground: isBackground)
    case .palette:
      // The first sixteen are left out: users redefine them.
      let cube = channels.map { value in
        (0..<6).min { abs(Self.cubeLevels[$0] - value) < abs(Self.cubeLevels[$1] - value) } ?? 0
      }
      let mean = channels.reduce(0, +) / 3
      let gray = min(23, max(0, (mean - 3) / 10))
      return Self.nearest(to: channels, among: [16 + cube[0] * 36 + cube[1] * 6 + cube[2], 232 + gray])
    }
  }

  /// One of the basic colors by its hue. Distance in RGB would make every pale color white, and curves that
  /// differ in hue alone would fall together.
  private static func basicIndex(of channels: [Int], grays: [Int], brightFrom: Int?, isBackground: Bool) -> Int {
    let greatest = channels.max() ?? 0
    let spread = greatest - (channels.min() ?? 0)
    guard spread >= 40, spread * 4 > greatest else { return nearest(to: channels, among: grays) }
    // A channel counts from this share of the greatest on; behind text the purer and darker hue is the better one.
    let share = isBackground ? 75 : 68
    let hue = channels.enumerated().reduce(0) { $1.element * 100 >= greatest * share ? $0 | 1 << $1.offset : $0 }
    return hue + (brightFrom.map { greatest >= $0 ? 8 : 0 } ?? 0)
  }

  private static func nearest(to channels: [Int], among indices: [Int]) -> Int {
    func distance(_ index: Int) -> Int {
      zip(Self.channels(ofPalette: index), channels).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    return indices.min { distance($0) < distance($1) } ?? 0
  }

  /// Red, green and blue of an index of xterm's palette: 16 basic colors, a cube of 6 levels, 24 grays.
  static func channels(ofPalette index: Int) -> [Int] {
    switch index {
    case ..<16: return basic[max(0, index)]
    case ..<232:
      let cube = index - 16
      return [cubeLevels[cube / 36], cubeLevels[cube / 6 % 6], cubeLevels[cube % 6]]
    default:
      let gray = 8 + (min(index, 255) - 232) * 10
      return [gray, gray, gray]
    }
  }

  private static let cubeLevels = [0, 95, 135, 175, 215, 255]

  private static let basic = [
    [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
    [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255],
    [255, 255, 255],
  ]
}
