// A sheet of the images that were given a wrong class, the worst first: each with its class, the one that was seen, and
// how sure the network was.

import Messages
import Support

extension Figure {
  /// So many images are on a sheet.
  public static let sheetImages = 48

  /// - Parameters:
  ///   - name: of the run.
  ///   - failure: told of images that cannot be shown; their places say so too.
  public static func mistakes(
    _ report: EvaluationReport, name: String, failure: (_ images: Int, _ first: String) -> Void = { _, _ in }
  ) -> Figure {
    let shown = report.worstMistakes.prefix(sheetImages)
    let count =
      report.mistakes == 0
      ? "no image was given a wrong class"
      : report.mistakes > shown.count
        ? "the worst \(shown.count) of \(report.mistakes) mistakes" : "\(report.mistakes) mistakes, the worst first"
    let tiles = shown.map { mistake in
      let best = mistake.top.first
      let seen = best.map { report.classes[$0.label].name } ?? ""
      return SheetTile(
        path: mistake.path, heading: report.classes[mistake.truth].name,
        line: "seen as " + Markup.shortened(seen, to: 14) + printed(", %.0f %%", (best?.probability ?? 0) * 100))
    }
    return sheet(
      tiles, name: name, subtitle: "\(count); \(report.headline)", title: "Mistakes of \(name): \(report.headline)",
      root: report.data, failure: failure)
  }
}
