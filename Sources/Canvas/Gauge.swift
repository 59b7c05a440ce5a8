// A gauge: how far something has come, as a bar with a text on it.

/// A one-line bar that fills from the left, the text centered on it.
public struct Gauge: Sendable, Equatable {
  /// 0...1, beyond that clamped; nil or NaN when it is not known: the bar is empty.
  public var fraction: Double?
  public var text: String
  public var role: ThemeRole

  public init(_ fraction: Double?, text: String = "", role: ThemeRole = .gaugeFilled) {
    self.fraction = fraction
    self.text = text
    self.role = role
  }

  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) {
    let bar = rect.row(0)
    guard !bar.isEmpty else { return }
    let filled = theme[role]
    let empty = theme[.gaugeEmpty]
    let blocks = theme.glyphs.horizontalBlocks
    let part = fraction.flatMap { $0.isNaN ? nil : min(max($0, 0), 1) } ?? 0
    let steps = Int((part * Double(bar.width * blocks.count)).rounded(.down))
    let cells = steps / blocks.count
    frame.fill(bar, style: empty)
    frame.put(text, in: bar, style: empty, align: .center)
    frame.restyle(Rect(x: bar.x, y: bar.y, width: cells, height: 1)) { $0 = filled }
    // Without color and background the filled part needs a character of its own to be told from the empty one.
    if filled.background == empty.background, filled.reverse == empty.reverse {
      for x in bar.x..<bar.x + cells where frame[x, bar.y].character == " " {
        frame[x, bar.y] = Cell(blocks[blocks.count - 1], filled)
      }
    }
    let rest = steps % blocks.count
    let edge = bar.x + cells
    if rest > 0, frame[edge, bar.y].character == " ", !filled.reverse, filled.background != .standard {
      let style = Style(foreground: filled.background, background: empty.background)
      frame[edge, bar.y] = Cell(blocks[rest - 1], style)
    }
  }
}
