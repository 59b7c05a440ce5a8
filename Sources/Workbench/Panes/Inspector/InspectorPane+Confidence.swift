// The inspector's confidence view: how confident right and wrong answers are, whether the probabilities mean what they
// say, and what a threshold keeps.

import Canvas
import Messages

extension InspectorPane {
  static func drawConfidence(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let confidence = state.inspector.confidence
    guard let reliability = confidence.reliability, let coverage = confidence.coverage else {
      let text = state.inspector.answers.isWaiting ? "reading the evaluation" : state.inspector.noTable
      frame.put(notice: text, in: rect, style: theme[.dimmed])
      return
    }
    let (head, body) = rect.splitTop(1)
    let (chart, foot) = body.splitBottom(min(2, max(0, body.height - 4)))
    if confidence.showsReliability {
      frame.put(
        pieces: [
          [Span("accuracy by confidence")],
          [Span("ECE ", theme[.dimmed]), Span(Format.percent(confidence.calibrationError))],
          [Span("\(theme.density(0.3))", theme[.baseline]), Span(" what it should be", theme[.dimmed])],
        ], in: head, style: theme[.text])
      drawReliability(reliability, confidence, into: &frame, in: chart, theme: theme)
    } else {
      let bins = reliability.bins
      frame.put(
        pieces: [
          [Span("confidence of")],
          [Span("\(theme.glyphs.segments[0])", theme[.success]), Span(" right", theme[.text])],
          [Span("\(sign(theme))", theme[.error]), Span(" wrong answers", theme[.text])],
          [
            Span(
              "\(Format.count(bins.reduce(0) { $0 + $1.right })) and \(Format.count(bins.reduce(0) { $0 + $1.wrong }))",
              theme[.dimmed])
          ],
        ], in: head, style: theme[.text])
      drawHistogram(reliability, confidence, into: &frame, in: chart, theme: theme)
    }
    let kept = Format.percent(coverage.share)
    frame.put(
      pieces: [
        [Span("threshold ", theme[.dimmed]), Span(Format.fixed(confidence.threshold, 2), theme[.header])],
        [Span("keeps \(kept) at \(Format.percent(coverage.accuracy)) right")],
        [Span("< >", theme[.hintKey]), Span(" move it", theme[.hintText])],
        [Span("ECE ", theme[.dimmed]), Span(Format.percent(confidence.calibrationError))],
      ], in: foot.row(0), style: theme[.text])
    let suspects = state.inspector.suspects
    if let report = suspects.report {
      frame.put(
        pieces: [
          [
            Span("suspected labels ", theme[.dimmed]),
            Span(Format.count(report.suspects.count - suspects.left), theme[.warning]),
          ],
          [Span("w", theme[.hintKey]), Span(" lists them, worst first", theme[.hintText])],
        ], in: foot.row(1), style: theme[.text])
    }
  }

  /// Of wrong answers, where color may not tell them from right ones.
  private static func sign(_ theme: Theme) -> Character { theme.glyphs.segments[theme.usesColor ? 0 : 2] }

  /// Columns of stacked counts: the square root of each, or a few wrong answers would not be seen beside all right ones.
  private static func drawHistogram(
    _ reliability: Reliability, _ confidence: ConfidenceState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let (plot, axis) = rect.splitBottom(1)
    let bins = reliability.bins
    guard plot.height > 0, plot.width > bins.count else { return }
    let width = max(1, plot.width / bins.count)
    let largest = bins.map { Double(max($0.right, $0.wrong)).squareRoot() }.max() ?? 0
    func rows(_ count: Int) -> Int {
      guard count > 0, largest > 0 else { return 0 }
      return max(1, Int((Double(count).squareRoot() / largest * Double(plot.height)).rounded()))
    }
    for (place, bin) in bins.enumerated() {
      let x = plot.x + place * width
      let half = max(1, (width - (width > 2 ? 1 : 0)) / 2)
      for (side, (count, style, character)) in [
        (bin.right, theme[.success], theme.glyphs.segments[0]), (bin.wrong, theme[.error], sign(theme)),
      ].enumerated() {
        let height = rows(count)
        let isNarrow = width < 2
        for row in 0..<height {
          let left = isNarrow ? x : x + side * half
          guard !isNarrow || side == 0 || row < rows(bin.wrong) else { continue }
          for column in 0..<(isNarrow ? 1 : half) {
            frame[left + column, plot.bottom - 1 - row] = Cell(character, style)
          }
        }
      }
    }
    drawAxis(confidence, bins: bins.count, width: width, into: &frame, plot: plot, axis: axis, theme: theme)
  }

  /// Accuracy of each part, and a mark where it would be if the probabilities were right.
  private static func drawReliability(
    _ reliability: Reliability, _ confidence: ConfidenceState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let (plot, axis) = rect.splitBottom(1)
    let bins = reliability.bins
    guard plot.height > 0, plot.width > bins.count else { return }
    let width = max(1, plot.width / bins.count)
    func row(_ share: Double) -> Int { plot.bottom - 1 - Int((share * Double(plot.height - 1)).rounded()) }
    for (place, bin) in bins.enumerated() {
      let x = plot.x + place * width
      let wanted = row((bin.lower + bin.upper) / 2)
      for column in 0..<max(1, width - 1) {
        frame[x + column, wanted] = Cell(theme.glyphs.horizontal, theme[.baseline])
      }
      guard let accuracy = bin.accuracy, let mean = bin.confidence else { continue }
      // Below what it should be is too confident, which is the worse of the two.
      let style = theme[accuracy < mean - 0.05 ? .error : .bar]
      for y in row(accuracy)..<plot.bottom {
        for column in 0..<max(1, width - 1) where y != wanted {
          frame[x + column, y] = Cell(theme.glyphs.segments[0], style)
        }
      }
    }
    drawAxis(confidence, bins: bins.count, width: width, into: &frame, plot: plot, axis: axis, theme: theme)
  }

  /// Confidence from 0 to 1 below, and the threshold as a line.
  private static func drawAxis(
    _ confidence: ConfidenceState, bins: Int, width: Int, into frame: inout Frame, plot: Rect, axis: Rect,
    theme: Theme
  ) {
    let extent = bins * width
    for (label, share) in [("0", 0.0), (".2", 0.2), (".4", 0.4), (".6", 0.6), (".8", 0.8), ("1", 1.0)] {
      let x = min(axis.x + Int(share * Double(extent)), axis.x + extent - label.columns)
      frame.put(label, in: Rect(x: x, y: axis.y, width: label.columns, height: 1), style: theme[.dimmed])
    }
    let x = min(plot.x + Int(confidence.threshold * Double(extent)), plot.x + extent - 1)
    for y in plot.y..<plot.bottom where frame[x, y].character == " " {
      frame[x, y] = Cell(
        theme.glyphs.vertical, theme[.statusAccent].background == .standard ? theme[.header] : theme[.hintKey])
    }
    frame[x, axis.y] = Cell(theme.glyphs.upArrow, theme[.hintKey])
  }
}

extension InspectorState {
  /// Why there is no table of all images.
  var noTable: String {
    guard let source, case .answer(let answer)? = answers[.openEvaluation(source)] else {
      return "every image of the evaluation is needed here"
    }
    switch answer {
    case .missingEvaluation(_, let reason):
      return "the images of this evaluation are not kept"
        + (reason.map { " (\($0))" } ?? "") + ": e evaluates again"
    case .failure(let reason): return reason
    default: return "every image of the evaluation is needed here"
    }
  }
}
