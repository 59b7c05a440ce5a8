// Cells whose ground says how much of something there is, as in a matrix of counts. A theme names no colors for it: they
// lie between the screen's ground and the color of a role.

extension Theme {
  /// Whether grounds can be told apart by shade: not with a few colors.
  public var hasShadesOfColor: Bool { usesColor && (pictures == .full || pictures == .indexed) }

  /// The ground for a share of 0...1 in the color of a role, and a foreground that can be read on it; the style of the
  /// role itself where there are no shades.
  public func heat(_ role: ThemeRole, _ share: Double) -> Style {
    guard hasShadesOfColor, let color = RGB(self[role].foreground), share.isFinite else { return self[role] }
    let ground = isDark ? RGB(red: 22, green: 22, blue: 26) : RGB(red: 250, green: 250, blue: 250)
    // Faint colors would be grays among 256.
    let least = pictures == .indexed ? 0.36 : 0.14
    let part = Float(least + (0.76 - least) * min(max(share, 0), 1))
    let mixed = color * part + ground * (1 - part)
    let isBright = mixed.luminance > 118
    let front: Color = isBright ? .rgb(red: 12, green: 12, blue: 14) : .rgb(red: 238, green: 238, blue: 238)
    return Style(foreground: front, background: mixed.color)
  }

  /// A character for a share without shades of color: the higher, the denser.
  public func density(_ share: Double) -> Character {
    let signs = Array(glyphs.segments.reversed())
    switch share {
    case ..<0.0001: return " "
    case ..<0.05: return signs[0]
    case ..<0.15: return signs[min(1, signs.count - 1)]
    case ..<0.4: return signs[min(2, signs.count - 1)]
    default: return signs[signs.count - 1]
    }
  }

  /// Whether text is light on dark: by the color of the status line, as text itself may be the terminal's own.
  private var isDark: Bool {
    let ground = RGB(self[.text].background) ?? RGB(self[.status].background)
    return (ground?.luminance ?? 0) < 128
  }
}

extension RGB {
  /// nil for the terminal's own color.
  init?(_ color: Color) {
    switch color {
    case .standard: return nil
    case .rgb(let red, let green, let blue): self.init(red: Float(red), green: Float(green), blue: Float(blue))
    case .palette(let index) where index < 16:
      self = PicturePalette.sixteen.entries[Int(index)].color
    case .palette(let index) where index < 232:
      let (levels, cube): ([Float], Int) = ([0, 95, 135, 175, 215, 255], Int(index) - 16)
      self.init(red: levels[cube / 36], green: levels[cube / 6 % 6], blue: levels[cube % 6])
    case .palette(let index):
      let gray = 8 + Float(Int(index) - 232) * 10
      self.init(red: gray, green: gray, blue: gray)
    }
  }
}
