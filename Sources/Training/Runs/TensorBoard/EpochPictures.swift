// What TensorBoard shows of an epoch besides its figures: the weights as histograms, the confusion matrix and a sheet of
// mistakes as pictures. Drawn dot by dot: here are neither letters nor a program that has some.

import Datasets
import Files
import Images
import Messages
import Networks
import Support

/// What was measured on images whose class is known, for pictures.
struct MeasuredMistakes {
  var classes: [String]
  var confusion: ConfusionMatrix
  var misclassified: [Misclassification]
  /// The dataset's folder.
  var root: String

  /// As values in a group of TensorBoard.
  func values(_ group: String) -> [SummaryValue] {
    var values: [SummaryValue] = []
    if let picture = DotPicture.confusion(confusion).encodedAsPNG() {
      values.append(SummaryValue("\(group)/confusion", .image(picture)))
    }
    let worst = worst
    guard !worst.isEmpty else { return values }
    let (sheet, shown) = DotPicture.sheet(worst.map(\.path), root: root)
    if !shown.isEmpty, let picture = sheet.encodedSmall(quality: 90) {
      values.append(SummaryValue("\(group)/mistakes", .image(picture)))
    }
    values.append(SummaryValue("\(group)/mistakes/list", .text(table(worst, shown: shown))))
    return values
  }

  /// Those whose true class got the least probability.
  private var worst: [Misclassification] {
    let order = misclassified.indices.sorted {
      (misclassified[$0].truthProbability, $0) < (misclassified[$1].truthProbability, $1)
    }
    return order.prefix(DotPicture.sheetImages).map { misclassified[$0] }
  }

  /// The sheet's images in its order, as a table in Markdown.
  private func table(_ worst: [Misclassification], shown: Set<Int>) -> String {
    func plain(_ text: String) -> String {
      String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isVisible || $0 == " " ? $0 : "\u{FFFD}" }))
        .replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("`", with: "'")
    }
    let rows = worst.enumerated().map { place, mistake in
      let best = mistake.top.first
      let seen = best.map { classes[$0.label] } ?? ""
      return "| \(place + 1)\(shown.contains(place) ? "" : " (cannot be read)") | \(plain(mistake.path)) | "
        + "\(plain(classes[mistake.truth])) | \(plain(seen)) | "
        + printed("%.1f %%", (best?.probability ?? 0) * 100) + " |"
    }
    return (["| | image | true | predicted | probability |", "|---|---|---|---|---|"] + rows).joined(
      separator: "\n")
  }
}

extension ClassificationMetrics {
  /// - Parameter root: the dataset's folder.
  func mistakes(root: String) -> MeasuredMistakes {
    MeasuredMistakes(classes: classes, confusion: confusionMatrix, misclassified: misclassified, root: root)
  }
}

extension Network {
  /// Every array as a histogram: `weights/layer1.0.conv1.weight`, `statistics/bn1.running_mean`.
  var histograms: [SummaryValue] {
    parameters.compactMap { parameter in
      ValueHistogram(parameter.value.values).map { SummaryValue("weights/\(parameter.name)", .histogram($0)) }
    }
      + buffers.compactMap { buffer in
        ValueHistogram(buffer.value.values).map { SummaryValue("statistics/\(buffer.name)", .histogram($0)) }
      }
  }
}

/// Pictures made of dots.
enum DotPicture {
  typealias Color = (UInt8, UInt8, UInt8)

  /// Images of a sheet, four in a row.
  static let sheetImages = 16
  private static let columns = 4
  private static let tile = 96
  private static let gap = 4

  /// No picture of a matrix has more cells a side: of more classes several share a cell.
  private static let mostCells = 1000

  /// A row a true class, a column a predicted one: blue for what was right, orange for mistakes, the darker the larger a
  /// share of the true class, with the counts where there is room.
  static func confusion(_ matrix: ConfusionMatrix) -> PixelImage {
    let classes = max(1, matrix.classes)
    let share = (classes + mostCells - 1) / mostCells
    let count = (classes + share - 1) / share
    let cell = max(1, min(40, 640 / count))
    var canvas = DotCanvas(width: count * cell + 1, height: count * cell + 1)
    if cell >= 6 {
      for line in 0...count {
        canvas.fill(line * cell, 0, 1, canvas.height, (225, 228, 232))
        canvas.fill(0, line * cell, canvas.width, 1, (225, 228, 232))
      }
    }
    var shades: [Int: Double] = [:]
    for entry in matrix.cells {
      let shade = Double(entry.count) / Double(max(1, matrix.total(ofRow: entry.truth)))
      let key = entry.truth / share * count + entry.predicted / share
      shades[key] = max(shades[key] ?? 0, shade)
    }
    for (key, shade) in shades {
      let (row, column) = (key / count, key % count)
      let ink: Color = row == column ? (0, 114, 178) : (213, 94, 0)
      let part = 0.1 + 0.9 * shade.squareRoot()
      let edge = cell >= 6 ? 1 : 0
      canvas.fill(column * cell + edge, row * cell + edge, cell - edge, cell - edge, mixed(ink, part))
    }
    guard cell >= 20, share == 1 else { return canvas.image }
    for entry in matrix.cells {
      let shade = Double(entry.count) / Double(max(1, matrix.total(ofRow: entry.truth)))
      canvas.write(
        entry.count, centerX: entry.predicted * cell + cell / 2, centerY: entry.truth * cell + cell / 2,
        room: cell - 4, 0.1 + 0.9 * shade.squareRoot() > 0.6 ? (255, 255, 255) : (30, 30, 30))
    }
    return canvas.image
  }

  private static func mixed(_ color: Color, _ part: Double) -> Color {
    func mix(_ value: UInt8) -> UInt8 { UInt8((255 + (Double(value) - 255) * part).rounded()) }
    return (mix(color.0), mix(color.1), mix(color.2))
  }

  /// Images beside each other, in reading order.
  /// - Parameters:
  ///   - paths: below the folder.
  ///   - root: the dataset's folder.
  /// - Returns: the sheet, and which of the paths could be read.
  static func sheet(_ paths: [String], root: String) -> (sheet: PixelImage, shown: Set<Int>) {
    let columns = min(columns, max(1, paths.count))
    let rows = max(1, (paths.count + columns - 1) / columns)
    var canvas = DotCanvas(width: columns * (tile + gap) + gap, height: rows * (tile + gap) + gap)
    let decoder = ImageDecoder()
    var shown: Set<Int> = []
    for (place, path) in paths.enumerated() {
      let file = DatasetItem(path: path, label: 0, split: .test).absolutePath(root: root)
      guard let image = try? decoder.decode(path: file, minimumSide: tile) else { continue }
      let small = image.thumbnail(side: tile)
      let (x, y) = (place % columns * (tile + gap) + gap, place / columns * (tile + gap) + gap)
      canvas.put(small, x + (tile - small.width) / 2, y + (tile - small.height) / 2)
      shown.insert(place)
    }
    return (canvas.image, shown)
  }
}

/// A white picture that is drawn on.
private struct DotCanvas {
  let width: Int
  let height: Int
  private var pixels: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    pixels = Array(repeating: 255, count: width * height * 3)
  }

  var image: PixelImage { PixelImage(width: width, height: height, pixels: pixels) }

  mutating func fill(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ color: DotPicture.Color) {
    for row in max(0, y)..<max(0, min(self.height, y + height)) {
      for column in max(0, x)..<max(0, min(self.width, x + width)) {
        let place = (row * self.width + column) * 3
        (pixels[place], pixels[place + 1], pixels[place + 2]) = color
      }
    }
  }

  mutating func put(_ image: PixelImage, _ x: Int, _ y: Int) {
    for row in 0..<image.height where y + row >= 0 && y + row < height {
      let count = min(image.width, width - x) * 3
      let (from, to) = (row * image.width * 3, ((y + row) * width + x) * 3)
      pixels.replaceSubrange(to..<to + count, with: image.pixels[from..<from + count])
    }
  }

  /// A number around a place, as large as it fits; not at all where it does not.
  mutating func write(_ number: Int, centerX: Int, centerY: Int, room: Int, _ color: DotPicture.Color) {
    let digits = String(number).compactMap(\.wholeNumberValue)
    let width = digits.count * 4 - 1
    guard let dot = [3, 2, 1].first(where: { width * $0 <= room && $0 * 5 <= room }) else { return }
    var x = centerX - width * dot / 2
    for digit in digits {
      for row in 0..<5 {
        for column in 0..<3 where Self.digits[digit] >> (14 - row * 3 - column) & 1 == 1 {
          fill(x + column * dot, centerY - 5 * dot / 2 + row * dot, dot, dot, color)
        }
      }
      x += 4 * dot
    }
  }

  /// Three dots a line, five lines a digit.
  private static let digits: [Int] = [
    0b111_101_101_101_111, 0b010_110_010_010_111, 0b111_001_111_100_111, 0b111_001_111_001_111,
    0b101_101_111_001_001, 0b111_100_111_001_111, 0b111_100_111_101_111, 0b111_001_010_010_010,
    0b111_101_111_101_111, 0b111_101_111_001_111,
  ]
}

extension RunFolder {
  /// Shows an evaluation in TensorBoard, beside its report: figures, confusion matrix and mistakes, in a group of the
  /// report's name.
  /// - Parameter file: the report's.
  /// - Throws: `FileOperationError`.
  func showInTensorBoard(_ report: EvaluationReport, keptAs file: String) throws {
    let name = String(FilePath.split(file).name.dropLast(".json".count))
    var values = [("loss", report.loss), ("top1", report.top1), ("top5", report.top5)].compactMap { key, value in
      value.map { SummaryValue("\(name)/\(key)", .scalar(Float($0))) }
    }
    values += [("balancedAccuracy", report.balancedAccuracy), ("macroF1", report.macroF1)].compactMap {
      key, value in
      value.map { SummaryValue("\(name)/\(key)", .scalar(Float($0))) }
    }
    let mistakes = MeasuredMistakes(
      classes: report.classes.map(\.name), confusion: report.confusion, misclassified: report.misclassified,
      root: report.data)
    // An evaluation knows the epoch of its checkpoint, not the step.
    try TensorBoardLog.write(
      values + mistakes.values(name), step: report.provenance?.epoch ?? 0, named: name, in: evaluationsPath)
  }
}
