// A picture as SVG: elements at places, in classes whose colors are given once. What is drawn is for others to say.
// It goes into an HTML page as it is, where the page's colors hold, or into a file of its own with colors for paper.

/// A drawing of a width and a height, in pixels.
public struct Figure: Sendable {
  public let width: Double
  public let height: Double
  /// What it shows, for those who do not see it.
  private let title: String
  private var elements: [String] = []

  init(width: Double, height: Double, title: String) {
    self.width = width
    self.height = height
    self.title = title
  }

  enum Anchor: String { case start, middle, end }

  /// - Parameter style: one of the classes below.
  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    elements.append(
      "<line class=\"\(style)\" x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\"/>")
  }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String, _ anchor: Anchor = .start, turned: Double? = nil,
    size: Double? = nil
  ) {
    let turn = turned.map { " transform=\"rotate(\(n($0)) \(n(x)) \(n(y)))\"" } ?? ""
    let fontSize = size.map { " font-size=\"\(n($0))\"" } ?? ""
    elements.append(
      "<text class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor.rawValue)\"\(fontSize)\(turn)>"
        + "\(Markup.escaped(text))</text>")
  }

  /// - Parameters:
  ///   - opacity: 0...1; nil for 1.
  ///   - note: shown where the pointer rests on it.
  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, opacity: Double? = nil,
    note: String? = nil
  ) {
    let shade = opacity.map { " fill-opacity=\"\(Double(($0 * 1000).rounded()) / 1000)\"" } ?? ""
    let end = note.map { "><title>\(Markup.escaped($0))</title></rect>" } ?? "/>"
    elements.append(
      "<rect class=\"\(style)\" x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\"\(shade)\(end)"
    )
  }

  /// Lines through points, one for each run of them without a gap.
  mutating func path(_ points: [(x: Double, y: Double)?], _ style: String, clip: String) {
    var data = ""
    var isOpen = false
    for point in points {
      guard let point else {
        isOpen = false
        continue
      }
      data += "\(isOpen ? "L" : "M")\(n(point.x)) \(n(point.y))"
      isOpen = true
    }
    guard !data.isEmpty else { return }
    elements.append("<path class=\"\(style)\" clip-path=\"url(#\(clip))\" d=\"\(data)\"/>")
  }

  mutating func dot(_ x: Double, _ y: Double, _ style: String, isSquare: Bool = false, radius: Double = 3.5) {
    elements.append(
      isSquare
        ? "<rect class=\"\(style)\" x=\"\(n(x - radius))\" y=\"\(n(y - radius))\" width=\"\(n(radius * 2))\" "
          + "height=\"\(n(radius * 2))\"/>"
        : "<circle class=\"\(style)\" cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\"/>")
  }

  mutating func clip(_ name: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
    elements.append(
      "<clipPath id=\"\(name)\"><rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\"/></clipPath>"
    )
  }

  /// A picture within a rectangle, its pixels as they are.
  mutating func picture(_ address: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
    elements.append(
      "<image x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" xlink:href=\"\(address)\"/>"
    )
  }

  /// Another figure at a place in this one.
  mutating func add(_ figure: Figure, x: Double, y: Double) {
    elements.append("<g transform=\"translate(\(n(x)) \(n(y)))\">")
    elements += figure.elements
    elements.append("</g>")
  }

  private func n(_ value: Double) -> String { Markup.number(value) }

  // MARK: As text

  /// The element for a page that has the colors.
  var inPage: String {
    "<svg class=\"figure\" role=\"img\" viewBox=\"0 0 \(n(width)) \(n(height))\" xmlns=\"http://www.w3.org/2000/svg\" "
      + "xmlns:xlink=\"http://www.w3.org/1999/xlink\"><title>\(Markup.escaped(title))</title>"
      + elements.joined(separator: "\n") + "</svg>"
  }

  /// A whole file.
  public var svg: String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="\(n(width))" \
    height="\(n(height))" viewBox="0 0 \(n(width)) \(n(height))" role="img">
    <title>\(Markup.escaped(title))</title>
    <style>\(FigureStyle.sheet(FigureStyle.light))</style>
    <rect class="paper" width="100%" height="100%"/>
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }
}

/// The classes of figures, and their colors in light and dark.
///
/// Lines take those of Okabe and Ito ("Color universal design", 2008), which people tell apart whatever they see of
/// color, and differ in dashes and marks besides.
enum FigureStyle {
  struct Colors {
    var paper: String
    var ink: String
    var faint: String
    var grid: String
    var right: String
    var wrong: String
    /// Of runs.
    var series: [String]
  }

  static let light = Colors(
    paper: "#ffffff", ink: "#1b1f24", faint: "#59636e", grid: "#e3e6ea", right: "#0072b2", wrong: "#d55e00",
    series: ["#0072b2", "#d55e00", "#009e73", "#a8508a", "#b37700", "#3a8fc7", "#5c5c5c"])
  static let dark = Colors(
    paper: "#14171c", ink: "#e8eaed", faint: "#a3abb5", grid: "#2c323a", right: "#56b4e9", wrong: "#ff8f3f",
    series: ["#56b4e9", "#ff8f3f", "#2cc79b", "#e39ac7", "#f0c04a", "#8fc9f5", "#c2c7cd"])

  /// So many runs are told apart, by color and then by the form of their marks.
  static let mostSeries = 14

  static func series(_ index: Int) -> String { "s\(index % light.series.count)" }

  static func sheet(_ colors: Colors) -> String {
    var lines = [
      "text{font-family:system-ui,'Segoe UI','DejaVu Sans',Helvetica,Arial,sans-serif;font-size:12px;fill:\(colors.ink)}",
      ".paper{fill:\(colors.paper)}", "text.faint{fill:\(colors.faint)}",
      "text.head{font-weight:600;font-size:14px}", "text.strong{font-weight:600}",
      "line.grid{stroke:\(colors.grid);stroke-width:1}", "line.axis{stroke:\(colors.faint);stroke-width:1}",
      "path{fill:none;stroke-linejoin:round;stroke-linecap:round}", ".solid{stroke-width:2.2}",
      "path.dashed,line.dashed{stroke-width:1.6;stroke-dasharray:5 4}",
      "path.veil{stroke-width:1;stroke-opacity:.35}",
      "rect.right{fill:\(colors.right)}", "rect.wrong{fill:\(colors.wrong)}",
      "rect.cell{fill:none;stroke:\(colors.grid);stroke-width:1}", "rect.frame{fill:none;stroke:\(colors.faint)}",
      "text.on{fill:\(colors.paper)}",
    ]
    for (index, color) in colors.series.enumerated() {
      lines.append("path.s\(index),line.s\(index){stroke:\(color)}circle.s\(index),rect.s\(index){fill:\(color)}")
    }
    return lines.joined(separator: "\n")
  }
}
