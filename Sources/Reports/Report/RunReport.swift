// A run as one HTML file: curves, settings with their reasons, classes, the confusion matrix and the mistakes. It holds
// all that it shows, asks nothing of the network, and says what was left out.

import FoundationEssentials
import Messages
import Support
import Training

/// What a report is made of.
public struct RunReport {
  private let record: RunRecord
  private let history: RunHistory
  private let evaluation: EvaluationReport?
  private let reliability: Reliability?
  /// Why there is no evaluation, or what to know of it.
  private let notes: [String]
  private let name: String
  private let pictures: ReportPictures?
  private let right: [[String]]

  /// - Parameters:
  ///   - evaluation: nil where there is none.
  ///   - reliability: of the same images; nil where they were not kept.
  ///   - notes: what the reader should know, as why there is no evaluation.
  /// - Throws: what reading the run's record and metrics throws.
  public init(
    of run: RunFolder, evaluation: EvaluationReport?, reliability: Reliability? = nil, notes: [String]
  ) throws {
    record = try run.record()
    history = try run.history()
    name = run.name
    self.evaluation = evaluation
    self.reliability = reliability
    var notes = notes
    if let gap = history.gap { notes.append("The curves are not whole: \(gap).") }
    var right: [[String]] = []
    if let evaluation {
      right = Self.rightImages(of: evaluation, run)
      let found = ReportPictures(root: evaluation.data, mistakes: evaluation.worstMistakes, right: right)
      pictures = found
      if found.thumbnails.failed > 0, let first = found.thumbnails.firstFailure {
        notes.append(
          "\(found.thumbnails.failed) images could not be shown, the first of them \(first). They are looked for in "
            + "\(evaluation.data).")
      }
      if found.thumbnails.isFull {
        notes.append("Pictures take \(ReportPictures.roomText) at most: some are left out.")
      }
    } else {
      pictures = nil
    }
    self.right = right
    self.notes = notes
  }

  /// Paths of images that were given their class, for each class: those of the run's own split that are no mistakes.
  private static func rightImages(of evaluation: EvaluationReport, _ run: RunFolder) -> [[String]] {
    guard evaluation.provenance?.isRunsOwn == true, evaluation.misclassified.count == evaluation.mistakes,
      evaluation.classes.count <= manyClasses, let split = evaluation.split.split
    else { return [] }
    let images = run.startedImages(in: split)
    let wrong = Set(evaluation.misclassified.map(\.path) + evaluation.nonFinite + evaluation.skipped)
    return evaluation.classes.map { metrics in
      (images[ClassName(metrics.name)] ?? []).filter { !wrong.contains($0) }
    }
  }

  /// Up to so many classes have a matrix; more have the list of confused pairs.
  static let manyClasses = 40
  private static let mostPairs = 60
  private static let mostNamed = 40

  // MARK: The page

  /// The whole document.
  public var html: String {
    let body = """
      <header><h1><bdi>\(text(name))</bdi></h1>
      <p class="faint">\(subtitle)</p>
      \(tiles)
      <nav>\(navigation)</nav></header>
      <main>
      \(noteList)
      \(curves)
      \(evaluation.map(confusion) ?? "")
      \(evaluation == nil ? "" : trust)
      \(evaluation.map(mistakes) ?? "")
      \(evaluation.map(classes) ?? "")
      \(settings)
      </main>
      <footer>Written by Skipline \(text(record.skipline)). The run began \(text(record.created)).</footer>
      """
    // Only this page's own script may run, whatever a name holds.
    let hash = checksum(Array(body.utf8))
    let nonce = String(hash, radix: 36)
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
      style-src 'unsafe-inline'; script-src 'nonce-\(nonce)'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(text(name))</title>
      <style>
      \(ReportStyle.sheet)
      \(pictures?.sheet ?? "")
      </style></head><body>
      \(body)
      <script nonce="\(nonce)">\(ReportStyle.script)</script>
      </body></html>

      """
  }

  private func text(_ text: String) -> String { Markup.escaped(text) }
  private func percent(_ value: Double?) -> String { value.map { printed("%.1f", $0 * 100) + "\u{A0}%" } ?? "–" }

  private var subtitle: String {
    let run = history.run
    let network = ([record.settings.network.name] + record.settings.network.optionWords).joined(separator: " ")
    let side = record.model.preprocessing.imageSize
    return
      "<bdi>\(text(network))</bdi> for images of \(side) × \(side), \(grouped(run.parameters)) parameters, trained on "
      + "\(grouped(run.trainingImages)) images of \(run.classes.count) classes in <bdi>\(text(record.settings.data))</bdi>"
  }

  private var tiles: String {
    var rows: [(String, String)] = []
    if let evaluation {
      let split = evaluation.split == .all ? "all images" : evaluation.split.rawValue
      rows.append(("top-1, \(split)", percent(evaluation.top1)))
      if evaluation.classes.count > 5 { rows.append(("top-5, \(split)", percent(evaluation.top5))) }
      rows.append(("macro F1, \(split)", percent(evaluation.macroF1)))
      rows.append(("loss, \(split)", evaluation.loss.map { printed("%.4f", $0) } ?? "–"))
    }
    let best = history.run.history.compactMap { $0.validation?.top1 }.max()
    if let best { rows.append(("best validation", percent(best))) }
    let epochs = history.reached?.epoch ?? history.run.history.last?.epoch ?? 0
    rows.append(("epochs", "\(epochs) of \(record.settings.epochs)"))
    if let seconds = history.outcome?.seconds, seconds.isFinite { rows.append(("trained for", duration(seconds))) }
    return "<dl class=\"tiles\">"
      + rows.map { "<div><dt>\(text($0.0))</dt><dd>\(text($0.1))</dd></div>" }.joined() + "</dl>"
  }

  private var navigation: String {
    let parts =
      [("curves", "Curves")]
      + (evaluation == nil
        ? []
        : [
          ("matrix", "Confusion"), ("trust", "Confidence"), ("mistakes", "Mistakes"), ("classes", "Classes"),
        ])
      + [("settings", "Settings")]
    return parts.map { "<a href=\"#\($0.0)\">\($0.1)</a>" }.joined()
  }

  private var noteList: String {
    var all = notes
    if let trainer = history.trainer {
      all.append("It was being trained when this was written (process \(trainer)).")
    }
    if let evaluation {
      if let edits = evaluation.edits { all.append(edits.prefix(1).uppercased() + edits.dropFirst() + ".") }
      if evaluation.nonFiniteImages > 0 {
        all.append("The network's outputs for \(evaluation.nonFiniteImages) images are NaN or infinite.")
      }
      if evaluation.skippedImages > 0 {
        all.append("\(evaluation.skippedImages) images do not decode and were not counted.")
      }
      if evaluation.unknownImages > 0 {
        all.append(
          "\(evaluation.unknownImages) images are of classes that the checkpoint does not know, and were not counted."
        )
      }
    }
    return all.map { "<p class=\"note\">\(text($0))</p>" }.joined(separator: "\n")
  }

  private var curves: String {
    let curves = RunCurves(history, name: name)
    let best = record.settings.best
    let dot =
      best == .last
      ? "The dot is the last epoch, which this run takes for the best."
      : "The dot is the best epoch by \(text(best.name))."
    let panels = CurveFigure.all.map { "<div>\($0.panel([curves]).inPage)</div>" }.joined()
    return """
      <section><h2 id="curves">Curves</h2>
      <p class="faint">Solid: validation. Dashed: training, as the images were augmented. Thin: single steps. \(dot)</p>
      <div class="panels">\(panels)</div></section>
      """
  }

  // MARK: Confusion

  private func confusion(_ report: EvaluationReport) -> String {
    let intro =
      report.classes.count <= Self.manyClasses
      ? "A row a true class, a column a predicted one. A cell opens its pictures."
      : "The most confused pairs of \(report.classes.count) classes."
    let content = report.classes.count <= Self.manyClasses ? matrix(report) : pairs(report)
    return "<section><h2 id=\"matrix\">Confusion</h2><p class=\"faint\">\(intro)</p>\(content)</section>"
  }

  private func link(_ truth: Int, _ predicted: Int) -> String { "c\(truth)-\(predicted)" }

  /// Whether there is something to open.
  private func opens(_ truth: Int, _ predicted: Int) -> Bool {
    truth != predicted || right.indices.contains(truth) && !right[truth].isEmpty
  }

  private func matrix(_ report: EvaluationReport) -> String {
    let names = report.classes.map { text(Markup.shortened($0.name, to: 40)) }
    var rows = [
      "<thead><tr><th></th>" + names.map { "<th scope=\"col\"><span><bdi>\($0)</bdi></span></th>" }.joined()
        + "</tr></thead><tbody>"
    ]
    for truth in report.classes.indices {
      let total = max(1, report.confusion.total(ofRow: truth))
      var cells = ""
      for predicted in report.classes.indices {
        let count = report.confusion[truth, predicted]
        guard count > 0 else {
          cells += "<td></td>"
          continue
        }
        let shade = 0.08 + 0.92 * (Double(count) / Double(total)).squareRoot()
        let kind =
          (truth == predicted ? "right" : "wrong") + (shade > 0.62 ? " on" : "") + (shade > 0.85 ? " deep" : "")
        let content =
          opens(truth, predicted)
          ? "<a href=\"#\(link(truth, predicted))\" data-cell aria-expanded=\"false\" "
            + "title=\"\(names[truth]) seen as \(names[predicted]): \(count) of \(total)\">\(count)</a>"
          : "\(count)"
        cells += "<td class=\"\(kind)\" style=\"--s:\(printed("%.3f", shade))\">\(content)</td>"
      }
      rows.append(
        "<tr><th scope=\"row\" title=\"\(text(report.classes[truth].name))\"><bdi>\(names[truth])</bdi></th>\(cells)</tr>"
      )
    }
    let cells = report.confusion.cells.filter { opens($0.truth, $0.predicted) }
    return "<div class=\"scroll\"><table class=\"matrix\">\(rows.joined(separator: "\n"))</tbody></table></div>"
      + self.cells(cells, report)
  }

  private func pairs(_ report: EvaluationReport) -> String {
    let pairs = report.confusedPairs(limit: Self.mostPairs)
    guard !pairs.isEmpty else { return "<p>No class was predicted as another.</p>" }
    let rows = pairs.map { pair in
      let support = max(1, report.classes[pair.truth].support)
      return "<tr><td><bdi>\(text(report.classes[pair.truth].name))</bdi></td><td><bdi>"
        + "\(text(report.classes[pair.predicted].name))</bdi></td><td class=\"num\">"
        + "<a href=\"#\(link(pair.truth, pair.predicted))\" data-cell aria-expanded=\"false\">\(pair.count)</a></td>"
        + "<td class=\"num\">\(percent(Double(pair.count) / Double(support)))</td></tr>"
    }
    let cells = pairs.map { ConfusionMatrix.Cell(truth: $0.truth, predicted: $0.predicted, count: $0.count) }
    return
      "<div class=\"scroll\"><table class=\"list\"><thead><tr><th>true</th><th>predicted</th><th class=\"num\">images</th>"
      + "<th class=\"num\">of the class</th></tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
      + self.cells(cells, report)
  }

  /// What each cell opens.
  private func cells(_ cells: [ConfusionMatrix.Cell], _ report: EvaluationReport) -> String {
    let mistakes = Dictionary(grouping: report.worstMistakes) { [$0.truth, $0.top.first?.label ?? -1] }
    return cells.map { cell in
      let isRight = cell.truth == cell.predicted
      let found = mistakes[[cell.truth, cell.predicted]] ?? []
      let paths = isRight ? Array(right[cell.truth].prefix(ReportPictures.mostRight)) : found.map(\.path)
      let shown = paths.filter { pictures?.has($0) == true }
      let figures =
        isRight
        ? shown.map { self.figure($0, "") }
        : found.filter { pictures?.has($0.path) == true }.map { self.figure($0, report) }
      let unseen = isRight ? [] : paths.filter { pictures?.has($0) != true }
      let named = unseen.prefix(Self.mostNamed).map { "<li><bdi>\(text($0))</bdi></li>" }.joined()
      let left = unseen.count - min(unseen.count, Self.mostNamed)
      let list =
        unseen.isEmpty
        ? ""
        : "<details><summary>\(unseen.count) more without a picture</summary><ul>\(named)"
          + (left > 0 ? "<li>and \(left) more, in evaluations/</li>" : "") + "</ul></details>"
      let (truth, predicted) = (text(report.classes[cell.truth].name), text(report.classes[cell.predicted].name))
      let title =
        isRight
        ? "<bdi>\(truth)</bdi>, right: \(cell.count) images, of which \(shown.count) are shown"
        : "<bdi>\(truth)</bdi> seen as <bdi>\(predicted)</bdi>: \(cell.count) images"
      return "<section class=\"cell\" id=\"\(link(cell.truth, cell.predicted))\"><h3>\(title) "
        + "<a href=\"#matrix\" data-close>close</a></h3><div class=\"pictures\">\(figures.joined())</div>\(list)</section>"
    }.joined(separator: "\n")
  }

  // MARK: Confidence

  private var trust: String {
    guard let reliability else {
      return """
        <section><h2 id="trust">Confidence</h2><p>Of this evaluation no images were kept; <code>skipline evaluate</code> keeps
        them.</p></section>
        """
    }
    let error = reliability.expectedCalibrationError
    return """
      <section><h2 id="trust">Confidence</h2>
      <p class="faint">Left: how often answers of a confidence are right; on the dashed line the probabilities mean what they
      say. Expected calibration error: \(percent(error)). Right: how many right and wrong answers have it.</p>
      <div class="panels wide"><div>\(Figure.reliability(reliability, name: "").inPage)</div></div></section>
      """
  }

  // MARK: Mistakes and classes

  private func figure(_ path: String, _ caption: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return "<figure title=\"\(text(path))\">\(pictures?.element(path) ?? "")<figcaption>\(caption)"
      + "<bdi class=\"faint\">\(text(Markup.shortened(file, to: 32)))</bdi></figcaption></figure>"
  }

  private func figure(_ mistake: Misclassification, _ report: EvaluationReport) -> String {
    let seen = mistake.top.first
    let predicted = seen.map { report.classes[$0.label].name } ?? ""
    return figure(
      mistake.path,
      "<strong><bdi>\(text(report.classes[mistake.truth].name))</bdi></strong><br>seen as <bdi>\(text(predicted))</bdi>, "
        + "\(percent(seen?.probability))<br>")
  }

  private func mistakes(_ report: EvaluationReport) -> String {
    guard report.mistakes > 0 else {
      return "<section><h2 id=\"mistakes\">Mistakes</h2><p>No image was given a wrong class.</p></section>"
    }
    let shown = report.worstMistakes.prefix(ReportPictures.mostMistakes)
    let count =
      report.mistakes > shown.count
      ? "The worst \(shown.count) of \(grouped(report.mistakes)) mistakes; all are in the run's evaluations/ and in the "
        + "table that <code>evaluate --csv-mistakes</code> writes."
      : "\(report.mistakes) images were given a wrong class."
    return """
      <section><h2 id="mistakes">Mistakes</h2>
      <p class="faint">\(count) First those whose true class got the least probability.</p>
      <div class="pictures">\(shown.map { figure($0, report) }.joined(separator: "\n"))</div></section>
      """
  }

  private func classes(_ report: EvaluationReport) -> String {
    func bar(_ value: Double?) -> String {
      "<td class=\"num bar\" style=\"--s:\(printed("%.3f", value ?? 0))\">\(percent(value))</td>"
    }
    let rows = report.classes.map {
      "<tr><td><bdi>\(text($0.name))</bdi></td><td class=\"num\">\(grouped($0.support))</td>\(bar($0.precision))\(bar($0.recall))"
        + "\(bar($0.f1))</tr>"
    }
    return """
      <section><h2 id="classes">Classes</h2><div class="scroll"><table class="list"><thead><tr><th>class</th>
      <th class="num">images</th><th class="num">precision</th><th class="num">recall</th><th class="num">F1</th></tr></thead>
      <tbody>\(rows.joined(separator: "\n"))</tbody></table></div></section>
      """
  }

  // MARK: Settings

  private var settings: String {
    let settings = record.settings
    let reasons = Dictionary(
      (record.recipe?.choices ?? []).map { ($0.option, $0.reason) }, uniquingKeysWith: { first, _ in first })
    var (chosen, usual): ([String], [String]) = ([], [])
    for row in Settings.all {
      guard let value = row.text(in: settings) else { continue }
      let reason = reasons[row.option]
      let line =
        "<tr><td><code>--\(text(row.option))</code></td><td><bdi>\(text(value))</bdi></td><td>"
        + "\(text(reason.map { "recipe: \($0)" } ?? row.help))</td></tr>"
      let isUsual = row.words(for: settings, usual: Settings.usual).isEmpty
      if reason != nil || !isUsual { chosen.append(line) } else { usual.append(line) }
    }
    func table(_ rows: [String]) -> String {
      "<div class=\"scroll\"><table class=\"list\"><thead><tr><th>setting</th><th>value</th><th>why, or what it means</th>"
        + "</tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }
    // Wherever the program lay that started it.
    let words = record.commandLine.enumerated().map { $0.offset == 0 ? "skipline" : shellQuoted($0.element) }
    let command = words.isEmpty ? settings.commandLine : words.joined(separator: " ")
    return """
      <section><h2 id="settings">Settings</h2><pre>\(text(command))</pre>\(table(chosen))
      <details><summary>\(usual.count) more settings, as usual</summary>\(table(usual))</details></section>
      """
  }

  // MARK: Numbers

  /// `1,234,567`
  private func grouped(_ value: Int) -> String {
    var digits = String(abs(value))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
      place -= 3
    }
    return (value < 0 ? "-" : "") + digits
  }

  private func duration(_ seconds: Double) -> String {
    if seconds < 60 { return printed("%.1f s", seconds) }
    let minutes = Int(min(seconds, 1e9)) / 60
    if minutes < 60 { return "\(minutes) min \(Int(seconds) % 60) s" }
    return "\(minutes / 60) h \(minutes % 60) min"
  }
}
