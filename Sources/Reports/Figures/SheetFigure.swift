// Contact sheets: pictures of images with what is said of each, as many as a sheet has room for. Which images, and in
// which order, is for whoever asks.

import Messages
import Support

/// An image on a sheet and the lines below it.
struct SheetTile {
  /// Below the dataset's folder.
  var path: String
  var heading: String
  var line: String
}

extension Figure {
  private static let pictureSide = 112.0
  private static let tileWidth = 138.0
  private static let tileHeight = 176.0
  /// Bytes that the pictures of a sheet may take.
  private static let room = 64 << 20

  /// So many images are on a contact sheet at most.
  public static let contactImages = 240

  /// - Parameters:
  ///   - name: what it is of.
  ///   - subtitle: how many there are, and of what.
  ///   - root: the dataset's folder.
  ///   - failure: told of images that cannot be shown; their places say so too.
  static func sheet(
    _ tiles: [SheetTile], name: String, subtitle: String, title: String, root: String,
    failure: (_ images: Int, _ first: String) -> Void
  ) -> Figure {
    let columns = min(8, max(4, tiles.count))
    let rows = (tiles.count + columns - 1) / columns
    var figure = Figure(
      width: 28 + Double(columns) * tileWidth, height: 66 + Double(max(1, rows)) * tileHeight, title: title)
    figure.text(Markup.shortened(name, to: 48), 18, 24, "head")
    figure.text(subtitle, 18, 43, "faint")
    var thumbnails = Thumbnails(root: root, side: Int(pictureSide) * 2, room: room)
    for (index, tile) in tiles.enumerated() {
      let x = 18 + Double(index % columns) * tileWidth
      let y = 58 + Double(index / columns) * tileHeight
      if let picture = thumbnails.picture(tile.path) {
        let scale = pictureSide / Double(max(picture.width, picture.height))
        let (width, height) = (Double(picture.width) * scale, Double(picture.height) * scale)
        figure.picture(picture.dataAddress, x, y + (pictureSide - height) / 2, width, height)
      } else {
        figure.rectangle(x, y, pictureSide, pictureSide, "cell")
        figure.text(
          thumbnails.isFull ? "no room" : "cannot be read", x + pictureSide / 2, y + pictureSide / 2, "faint",
          .middle,
          size: 10)
      }
      figure.text(Markup.shortened(tile.heading, to: 20), x, y + pictureSide + 16, "strong", size: 11)
      figure.text(tile.line, x, y + pictureSide + 31, "", size: 11)
      let file = tile.path.split(separator: "/").last.map(String.init) ?? tile.path
      figure.text(Markup.shortened(file, to: 22), x, y + pictureSide + 45, "faint", size: 9.5)
    }
    if thumbnails.failed > 0, let first = thumbnails.firstFailure { failure(thumbnails.failed, first) }
    return figure
  }

  /// The images of a table in their order: each with its class, what it was given, and how probable that was.
  public static func sheet(
    _ table: EvaluationTable, name: String, failure: (_ images: Int, _ first: String) -> Void = { _, _ in }
  ) -> Figure {
    let tiles = (0..<min(table.count, contactImages)).map { row in
      let share = printed(", %.0f %%", Double(table.confidences[row]) * 100)
      let predicted = table.predictions[row]
      let seen = predicted >= 0 ? Markup.shortened(table.classes[Int(predicted)], to: 14) : "nothing"
      return SheetTile(
        path: table.paths[row], heading: table.classes[Int(table.truths[row])],
        line: table.isRight(row) ? "right" + share : "seen as " + seen + (predicted >= 0 ? share : ""))
    }
    let count = count(of: table.count, shown: tiles.count)
    return sheet(
      tiles, name: name, subtitle: count, title: "Images of \(name): \(count)", root: table.root, failure: failure)
  }

  /// Suspected labels, the worst first: each with its label and the class that is suggested.
  public static func sheet(
    _ report: LabelErrorReport, name: String, failure: (_ images: Int, _ first: String) -> Void = { _, _ in }
  ) -> Figure {
    let tiles = report.suspects.prefix(contactImages).map { suspect in
      SheetTile(
        path: suspect.path, heading: report.classes[suspect.label],
        line: "rather \(Markup.shortened(report.classes[suspect.suggested], to: 14))"
          + printed(", %.2f", suspect.score))
    }
    let count = count(of: report.suspects.count, shown: tiles.count)
    return sheet(
      tiles, name: name, subtitle: "suspected labels: \(count)", title: "Suspected labels in \(name): \(count)",
      root: report.data, failure: failure)
  }

  private static func count(of all: Int, shown: Int) -> String {
    all > shown ? "the first \(shown) of \(all) images" : all == 1 ? "1 image" : "\(all) images"
  }
}
