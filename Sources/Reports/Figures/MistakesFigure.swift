// A sheet of the images that were given a wrong class, the worst first: each with its class, the one that was seen, and
// how sure the network was.

import Messages
import Support

extension Figure {
  private static let pictureSide = 112.0
  private static let tileWidth = 138.0
  private static let tileHeight = 176.0

  /// So many images are on a sheet.
  public static let sheetImages = 48

  /// - Parameters:
  ///   - name: of the run.
  ///   - failure: told of images that cannot be shown; their places say so too.
  public static func mistakes(
    _ report: EvaluationReport, name: String, failure: (_ images: Int, _ first: String) -> Void = { _, _ in }
  ) -> Figure {
    let shown = report.worstMistakes.prefix(sheetImages)
    let columns = min(8, max(4, shown.count))
    let rows = (shown.count + columns - 1) / columns
    let width = 28 + Double(columns) * tileWidth
    var figure = Figure(
      width: width, height: 66 + Double(max(1, rows)) * tileHeight, title: "Mistakes of \(name): \(report.headline)"
    )
    figure.text(Markup.shortened(name, to: 48), 18, 24, "head")
    let count =
      report.mistakes == 0
      ? "no image was given a wrong class"
      : report.mistakes > shown.count
        ? "the worst \(shown.count) of \(report.mistakes) mistakes" : "\(report.mistakes) mistakes, the worst first"
    figure.text("\(count); \(report.headline)", 18, 43, "faint")
    var thumbnails = Thumbnails(root: report.data, side: Int(pictureSide) * 2, room: 64 << 20)
    for (index, mistake) in shown.enumerated() {
      let x = 18 + Double(index % columns) * tileWidth
      let y = 58 + Double(index / columns) * tileHeight
      if let picture = thumbnails.picture(mistake.path) {
        let scale = pictureSide / Double(max(picture.width, picture.height))
        let (width, height) = (Double(picture.width) * scale, Double(picture.height) * scale)
        figure.picture(picture.dataAddress, x, y + (pictureSide - height) / 2, width, height)
      } else {
        figure.rectangle(x, y, pictureSide, pictureSide, "cell")
        figure.text("cannot be read", x + pictureSide / 2, y + pictureSide / 2, "faint", .middle, size: 10)
      }
      let best = mistake.top.first
      let seen = best.map { report.classes[$0.label].name } ?? ""
      figure.text(
        Markup.shortened(report.classes[mistake.truth].name, to: 20), x, y + pictureSide + 16, "strong", size: 11)
      figure.text(
        "seen as " + Markup.shortened(seen, to: 14) + printed(", %.0f %%", (best?.probability ?? 0) * 100), x,
        y + pictureSide + 31, "", size: 11)
      let file = mistake.path.split(separator: "/").last.map(String.init) ?? mistake.path
      figure.text(Markup.shortened(file, to: 22), x, y + pictureSide + 45, "faint", size: 9.5)
    }
    if thumbnails.failed > 0, let first = thumbnails.firstFailure { failure(thumbnails.failed, first) }
    return figure
  }
}
