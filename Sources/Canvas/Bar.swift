// A bar of stacked segments, for counts beside each other: class sizes, splits, shares of time.

/// A one-line bar whose segments begin where the one before ends.
public struct Bar: Sendable, Equatable {
  public struct Segment: Sendable, Equatable {
    /// Of the whole width; negative, NaN and infinite values count as zero.
    public var fraction: Double
    public var role: ThemeRole

    public init(_ fraction: Double, role: ThemeRole = .bar) {
      self.fraction = fraction
      self.role = role
    }
  }

  /// From the left; what goes beyond the whole width is cut off.
  public var segments: [Segment]

  public init(_ segments: [Segment]) {
    self.segments = segments
  }

  public init(_ fraction: Double, role: ThemeRole = .bar) {
    self.init([Segment(fraction, role: role)])
  }

  public func draw(into frame: inout Frame, in rect: Rect, theme: Theme) {
    let bar = rect.row(0)
    guard !bar.isEmpty else { return }
    let glyphs = theme.glyphs
    let perCell = glyphs.horizontalBlocks.count
    let ends = ends(steps: bar.width * perCell)
    for column in 0..<bar.width {
      let (from, to) = (column * perCell, (column + 1) * perCell)
      guard let index = ends.firstIndex(where: { $0 > from }) else { break }
      let style = theme[segments[index].role]
      let x = bar.x + column
      if ends[index] >= to {
        // Where color cannot, the character tells the segments apart.
        let full =
          theme.usesColor ? glyphs.horizontalBlocks[perCell - 1] : glyphs.segments[index % glyphs.segments.count]
        frame[x, bar.y] = Cell(full, style)
      } else {
        let next = ends[(index + 1)...].firstIndex { $0 > ends[index] }
        var boundary = style
        if let next, theme.usesColor { boundary.background = theme[segments[next].role].foreground }
        frame[x, bar.y] = Cell(glyphs.horizontalBlocks[ends[index] - from - 1], boundary)
      }
    }
  }

  /// Where each segment ends, in parts of a cell. A fraction above zero is always given a part: one image in a
  /// thousand is not none.
  private func ends(steps: Int) -> [Int] {
    var sum = 0.0
    var end = 0
    return segments.map { segment in
      let fraction = segment.fraction.isFinite ? max(0, segment.fraction) : 0
      sum = min(1, sum + fraction)
      let least = fraction > 0 ? end + 1 : end
      end = min(steps, max(least, Int((sum * Double(steps)).rounded())))
      return end
    }
  }
}
