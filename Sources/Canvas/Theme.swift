// A theme gives every part of the screen its style by role, so that no pane ever names a color. Reading themes
// from files is in Theme+Parsing.swift, the built-in ones are in Theme+BuiltIn.swift.

/// What a style is for. The raw value is the key in a theme file.
public enum ThemeRole: String, Sendable, CaseIterable {
  case text, dimmed, title
  case focusedTitle = "focused-title"
  case border
  case focusedBorder = "focused-border"
  case selection
  case inactiveSelection = "inactive-selection"
  case header, status
  case statusAccent = "status-accent"
  case hintKey = "hint-key"
  case hintText = "hint-text"
  case warning, error, success
  case trainingCurve = "training-curve"
  case validationCurve = "validation-curve"
  case secondRun = "second-run"
  case thirdRun = "third-run"
  case fourthRun = "fourth-run"
  case fifthRun = "fifth-run"
  case baseline
  case gaugeFilled = "gauge-filled"
  case gaugeEmpty = "gauge-empty"
  case bar
  case barSecond = "bar-second"
  case barThird = "bar-third"
  case input, overlay
}

/// How pictures come onto the screen.
public enum PictureOutput: Sendable, Hashable {
  /// In blocks, dots or characters.
  case cells
  /// The terminal draws them from their pixels.
  case pixels
  /// Not at all.
  case none
}

/// A style for each role, and the drawing characters that go with them.
public struct Theme: Sendable, Equatable {
  public var name: String
  public private(set) var glyphs: Glyphs
  /// The colors that pictures are drawn in where they are drawn in cells.
  public private(set) var pictures = PicturePalette.full
  /// How pictures come onto the screen.
  public private(set) var pictureOutput = PictureOutput.cells
  /// As written, before inheritance.
  var styles: [ThemeRole: Style]

  init(name: String, glyphs: Glyphs = .unicode, styles: [ThemeRole: Style]) {
    self.name = name
    self.glyphs = glyphs
    self.styles = styles
  }

  /// The style of a role. A color that the role leaves `standard` is that of `text`; in `text` itself it is the
  /// terminal's own.
  public subscript(role: ThemeRole) -> Style {
    let text = styles[.text] ?? .plain
    var style = styles[role] ?? .plain
    guard role != .text else { return style }
    if style.foreground == .standard { style.foreground = text.foreground }
    if style.background == .standard { style.background = text.background }
    return style
  }

  /// The same styles with other drawing characters, and other colors for pictures or another way to show them.
  public func with(glyphs: Glyphs, pictures: PicturePalette? = nil, pictureOutput: PictureOutput? = nil) -> Theme {
    var theme = self
    theme.glyphs = glyphs
    theme.pictures = pictures ?? self.pictures
    theme.pictureOutput = pictureOutput ?? self.pictureOutput
    return theme
  }

  /// The theme for what lies on top of a surface, such as a dialog on `overlay`: the colors of that role stand
  /// where those of `text` stood, for every role that inherits them.
  public func over(_ surface: ThemeRole) -> Theme {
    var theme = self
    theme.styles[.text] = self[surface]
    return theme
  }

  /// Whether any role has a color: without one, pictures and bars must tell things apart by their characters.
  public var usesColor: Bool {
    styles.values.contains { $0.foreground != .standard || $0.background != .standard }
  }

  /// The style of a selected row in a list that has the focus or lacks it.
  public func selection(focused: Bool) -> Style {
    self[focused ? .selection : .inactiveSelection]
  }
}
