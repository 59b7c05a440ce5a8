// The three themes that need no file. Each keeps to the 256-color palette and to the terminal's own background;
// the files of the same names in `themes/` say the same, as a starting point for others.

extension Theme {
  /// For dark terminals.
  public static let dark = Theme(
    name: "Dark",
    styles: [
      .text: Style(),
      .dimmed: Style(foreground: .palette(245)),
      .title: Style(foreground: .palette(252), bold: true),
      .focusedTitle: Style(foreground: .palette(117), bold: true),
      .border: Style(foreground: .palette(240)),
      .focusedBorder: Style(foreground: .palette(75)),
      .selection: Style(foreground: .palette(255), background: .palette(24), bold: true),
      .inactiveSelection: Style(foreground: .palette(252), background: .palette(237)),
      .header: Style(foreground: .palette(110), bold: true),
      .status: Style(foreground: .palette(252), background: .palette(236)),
      .statusAccent: Style(foreground: .palette(16), background: .palette(110), bold: true),
      .hintKey: Style(foreground: .palette(117), bold: true),
      .hintText: Style(foreground: .palette(246)),
      .warning: Style(foreground: .palette(221)),
      .error: Style(foreground: .palette(203), bold: true),
      .success: Style(foreground: .palette(114)),
      .trainingCurve: Style(foreground: .palette(75)),
      .validationCurve: Style(foreground: .palette(215)),
      .baseline: Style(foreground: .palette(243)),
      .gaugeFilled: Style(foreground: .palette(16), background: .palette(110)),
      .gaugeEmpty: Style(foreground: .palette(250), background: .palette(238)),
      .bar: Style(foreground: .palette(75)),
      .barSecond: Style(foreground: .palette(215)),
      .barThird: Style(foreground: .palette(114)),
      .input: Style(foreground: .palette(255), background: .palette(238)),
      .overlay: Style(foreground: .palette(252), background: .palette(235)),
    ])

  /// For light terminals.
  public static let light = Theme(
    name: "Light",
    styles: [
      .text: Style(),
      .dimmed: Style(foreground: .palette(243)),
      .title: Style(foreground: .palette(236), bold: true),
      .focusedTitle: Style(foreground: .palette(25), bold: true),
      .border: Style(foreground: .palette(249)),
      .focusedBorder: Style(foreground: .palette(32)),
      .selection: Style(foreground: .palette(16), background: .palette(153), bold: true),
      .inactiveSelection: Style(foreground: .palette(236), background: .palette(254)),
      .header: Style(foreground: .palette(25), bold: true),
      .status: Style(foreground: .palette(236), background: .palette(254)),
      .statusAccent: Style(foreground: .palette(231), background: .palette(25), bold: true),
      .hintKey: Style(foreground: .palette(25), bold: true),
      .hintText: Style(foreground: .palette(242)),
      .warning: Style(foreground: .palette(130)),
      .error: Style(foreground: .palette(160), bold: true),
      .success: Style(foreground: .palette(28)),
      .trainingCurve: Style(foreground: .palette(26)),
      .validationCurve: Style(foreground: .palette(166)),
      .baseline: Style(foreground: .palette(247)),
      .gaugeFilled: Style(foreground: .palette(231), background: .palette(26)),
      .gaugeEmpty: Style(foreground: .palette(238), background: .palette(253)),
      .bar: Style(foreground: .palette(26)),
      .barSecond: Style(foreground: .palette(166)),
      .barThird: Style(foreground: .palette(28)),
      .input: Style(foreground: .palette(16), background: .palette(253)),
      .overlay: Style(foreground: .palette(236), background: .palette(255)),
    ])

  /// For `NO_COLOR` and for terminals without colors: bold, dim, underline and reverse only.
  public static let monochrome = Theme(
    name: "Monochrome",
    styles: [
      .text: Style(),
      .dimmed: Style(dim: true),
      .title: Style(bold: true),
      .focusedTitle: Style(bold: true, reverse: true),
      .border: Style(dim: true),
      .focusedBorder: Style(bold: true),
      .selection: Style(bold: true, reverse: true),
      .inactiveSelection: Style(reverse: true),
      .header: Style(bold: true, underline: true),
      .status: Style(reverse: true),
      .statusAccent: Style(bold: true, reverse: true),
      .hintKey: Style(bold: true),
      .hintText: Style(),
      .warning: Style(bold: true),
      .error: Style(bold: true, underline: true),
      .success: Style(bold: true),
      .trainingCurve: Style(),
      .validationCurve: Style(bold: true),
      .baseline: Style(dim: true),
      .gaugeFilled: Style(reverse: true),
      .gaugeEmpty: Style(),
      .bar: Style(),
      .barSecond: Style(bold: true),
      .barThird: Style(dim: true),
      .input: Style(underline: true),
      .overlay: Style(),
    ])

  /// All of them, in the order in which they are offered.
  public static let builtIn: [Theme] = [.dark, .light, .monochrome]
}
