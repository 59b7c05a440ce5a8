// How the layers pane looks: the tree of layers at work with its figures, the table of the network, a picture.

import Canvas
import Messages

extension LayersPane {
  /// The network on show; of the next run where the curves are those of an earlier one.
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    if let work = state.layers.atWork {
      let origin =
        switch work.origin {
        case .run(let step): "step \(Format.count(step))"
        case .checkpoint(let name, let images, let split): "\(name), \(images) \(split.rawValue)"
        }
      let name = work.network.network.name
      let both = "\(name) \(theme.glyphs.separator) \(origin)"
      return [Span(both.columns + state.heading(of: id).columns + 9 <= width ? both : origin)]
    }
    let name = state.layers.summary?.network.name ?? state.settings.network.name
    guard state.curves.run != nil else { return [Span(name)] }
    return [Span(state.runUnderWay && !state.isEditingSettings ? name : "next run: \(name)")]
  }

  static func areas(_ state: WorkbenchState, in inner: Rect) -> PaneAreas {
    let filter = isFiltered(state) ? 1 : 0
    if state.layers.atWork != nil {
      return PaneAreas(in: inner, header: 0, heading: 1, footer: 1 + filter)
    }
    let figures = hasFigures(state, in: inner) ? 1 : 0
    return PaneAreas(in: inner, header: 1 + figures, heading: 1, footer: filter + (state.zoomed ? 1 : 0))
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    if let question = state.layers.picture {
      return drawPicture(question, state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    }
    if let work = state.layers.atWork { return draw(work, state, into: &frame, in: inner, theme: theme) }
    guard let summary = state.layers.summary else {
      frame.put(notice: "describing \(state.settings.network.name)", in: inner, style: theme[.dimmed])
      return
    }
    let areas = areas(state, in: inner)
    drawTotals(summary, into: &frame, in: areas.header.row(0), theme: theme)
    if hasFigures(state, in: inner), let published = summary.published {
      frame.put(
        facts: published.facts(beside: summary), in: areas.header.row(1), theme: theme, style: theme[.dimmed])
    }
    let detail = Detail(width: areas.table.width)
    Table.of(
      state.layers.rows, columns: columns(detail, summary), height: areas.body.height,
      focused: state.focus == .layers
    ) { cells(of: summary.layers[$0], detail, summary, theme: theme) }
    .draw(into: &frame, in: areas.table, theme: theme)
    if state.zoomed {
      let command = ShellCommand.summary(
        summary.network, imageSize: summary.input.height, classes: summary.classes, freeze: summary.freeze)
      frame.put("$ " + command, in: areas.footer.row(0), style: theme[.dimmed])
    }
    drawFilter(state, into: &frame, in: areas.footer, theme: theme)
  }

  // MARK: A picture

  private static func drawPicture(
    _ question: InspectionCommand, _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    switch state.layers.answers[question] {
    case .answer(.picture(let image, let text)):
      let (line, below) = inner.splitTop(1)
      frame.put(text, in: line, style: theme[.header])
      frame.put(picture: .picture(image), in: below, theme: theme, drawn: &pictures)
    case .answer: frame.put(notice: "there is no answer", in: inner, style: theme[.warning])
    case .waiting, nil: frame.put(notice: "drawing", in: inner, style: theme[.dimmed])
    }
  }

  // MARK: At work

  /// What a width has room for beside the name.
  private struct Columns {
    let histogram: Int
    let showsShape: Bool
    let showsChannels: Bool
    let showsNorms: Bool
    let showsActivations: Bool
    /// Of the names.
    let name: Int
    let columns: [Table.Column]

    /// - Parameter word: the longest word in view.
    init(width: Int, shape: Int, word: Int) {
      histogram = width >= 62 ? LayerHistogram.bins : width >= 44 ? 8 : 5
      showsShape = width >= 62
      showsChannels = width >= 40
      showsNorms = width >= 96
      showsActivations = width >= 116
      func number(_ title: String, _ width: Int) -> Table.Column {
        Table.Column(title, width: .fixed(width), alignment: .trailing)
      }
      var rest: [Table.Column] = []
      if showsShape { rest.append(number("output", shape)) } else if showsChannels { rest.append(number("ch", 4)) }
      rest.append(Table.Column(width >= 62 ? "histogram" : "hist", width: .fixed(histogram)))
      rest.append(number("update", 6))
      if showsNorms { rest += [number("|w|", 7), number("|g|", 8)] }
      if showsActivations { rest += [number("mean", 7), number("std", 7), number("dead", 6)] }
      rest.append(Table.Column("", width: .fixed(word)))
      columns = [Table.Column("layer", width: .flexible(minimum: 10, weight: 1))] + rest
      // The last column may be a scroll bar's.
      name =
        width - 1
        - rest.reduce(0) { sum, column in
          if case .fixed(let width) = column.width { sum + width + 1 } else { sum }
        }
    }
  }

  private static func draw(
    _ work: LayersAtWork, _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme
  ) {
    let areas = areas(state, in: inner)
    let layers = state.layers
    let longest = work.network.layers.map { text(of: $0.output).columns }.max() ?? 0
    let words = work.all.map(\.condition.rawValue.columns).max() ?? 2
    let columns = Columns(width: areas.table.width, shape: max(6, longest), word: max(2, words))
    Table.of(
      layers.tree, columns: columns.columns, height: areas.body.height, focused: state.focus == .layers
    ) { item in
      let line = layers.lines[item]
      return cells(of: line, work, columns, theme: theme)
    }
    .draw(into: &frame, in: areas.table, theme: theme)
    drawWhole(work, into: &frame, in: areas.footer.row(0), theme: theme)
    drawFilter(state, into: &frame, in: areas.footer, theme: theme)
  }

  /// `dead ReLU 0.4% · |g| 1.21 · no NaN`
  private static func drawWhole(_ work: LayersAtWork, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let all = work.all
    let faults = all.filter(\.condition.isFault)
    let nonFinite = all.nonFinite
    frame.put(
      facts: [
        nonFinite > 0 ? "\(Format.count(nonFinite)) NaN or infinite" : "",
        all.deadShare.map { "dead ReLU \(Format.percent($0))" } ?? "",
        all.gradientNorm.map { "|g| \(Format.general($0))" } ?? "", nonFinite == 0 ? "no NaN" : "",
        faults.isEmpty ? "" : "\(Format.counted(faults.count, "layer")) to look at",
      ], in: rect, theme: theme, style: theme[faults.isEmpty && nonFinite == 0 ? .dimmed : .warning])
  }

  private static func cells(
    of line: LayerLine, _ work: LayersAtWork, _ columns: Columns, theme: Theme
  ) -> [Table.Content] {
    let figures = work.figures(of: line)
    let glyphs = theme.glyphs
    var cells: [Table.Content] = [.spans(name(of: line, figures, width: columns.name, theme: theme))]
    let output = line.rows.last.map { work.network.layers[$0].output }
    if columns.showsShape {
      cells.append(.text(output.map { text(of: $0) } ?? ""))
    } else if columns.showsChannels {
      cells.append(.text(output.map { "\($0.channels)" } ?? ""))
    }
    let role: ThemeRole = figures.updateRatio == nil && figures.norm == nil ? .dimmed : .trainingCurve
    cells.append(
      .spans([
        Span(
          figures.histogram.map {
            Sparkline.text(counts: $0.counts, width: columns.histogram, glyphs: glyphs)
          } ?? "", theme[role])
      ]))
    cells.append(.text(figures.updateRatio.map { Format.powerOfTen($0) } ?? ""))
    if columns.showsNorms {
      cells += [figures.norm, figures.gradientNorm].map { .text($0.map { Format.general($0) } ?? "") }
    }
    if columns.showsActivations {
      let activations = figures.activations
      cells += [activations?.mean, activations?.std].map { .text($0.map { Format.general($0) } ?? "") }
      cells.append(.text(activations?.deadShare.map { Format.percent($0) } ?? ""))
    }
    let word = figures.condition.map { condition -> Span in
      let role: ThemeRole =
        switch condition {
        case .ok, .frozen: .dimmed
        case .slow: .warning
        case .vanishing, .dead, .exploding, .nan: .error
        }
      return Span(condition.rawValue, theme[role])
    }
    cells.append(.spans(word.map { [$0] } ?? []))
    return cells
  }

  private static func name(
    of line: LayerLine, _ figures: LineFigures, width: Int, theme: Theme
  ) -> [Span] {
    let glyphs = theme.glyphs
    let rails = String(line.rails.map { $0.glyph(glyphs) })
    var spans = [Span(rails, theme[.dimmed])]
    if line.kind == .join {
      spans.append(Span(joinText(figures, room: width - rails.columns), theme[.text]))
      return spans
    }
    spans.append(Span(" " + line.title, theme[line.kind == .stage ? .header : .text]))
    var detail = line.detail
    if line.kind == .block, detail.hasSuffix(" +") {
      detail = detail.dropLast(1) + String(glyphs.joint)
      if let share = figures.shortcutShare {
        let shares = " \(Format.fixed(share, 2)):\(Format.fixed(1 - share, 2))"
        // What the block adds up is told, or else what is in it.
        if (rails + line.title + detail + shares).columns + 2 > width { detail = String(glyphs.joint) }
        detail += shares
      }
    }
    spans.append(Span(detail.isEmpty ? "" : " " + detail, theme[.dimmed]))
    return spans
  }

  /// `skip 0.61 : 0.39 residual`, shorter where there is no room for it.
  private static func joinText(_ figures: LineFigures, room: Int) -> String {
    guard let share = figures.shortcutShare else { return "" }
    let (skip, residual) = (Format.fixed(share, 2), Format.fixed(1 - share, 2))
    let texts = [" skip \(skip) : \(residual) residual", " skip \(skip) : \(residual)", " \(skip):\(residual)"]
    return texts.first { $0.columns <= room } ?? texts[2]
  }

  // MARK: The table

  /// Whether there is a line for what others say of the network.
  private static func hasFigures(_ state: WorkbenchState, in inner: Rect) -> Bool {
    state.layers.summary?.published != nil && inner.height >= 8
  }

  private static func drawTotals(
    _ summary: NetworkSummary, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let memory = summary.memoryText
    func trained(_ count: String) -> String? { summary.freeze.freezes ? ", \(count) trained" : nil }
    let exact = [
      Format.count(summary.parameters) + " parameters"
        + (trained(Format.count(summary.trainedParameters)) ?? ""),
      Format.short(summary.multiplyAdds) + " multiply-adds",
      "\(memory) at batch \(summary.batchSize)", "input \(text(of: summary.input))",
      Format.counted(summary.classes, "class", plural: "classes"),
    ]
    let brief = [
      Format.short(summary.parameters) + " params" + (trained(Format.short(summary.trainedParameters)) ?? ""),
      Format.short(summary.multiplyAdds) + " MACs", memory,
      "batch \(summary.batchSize)",
    ]
    let room = exact.prefix(3).reduce(6) { $0 + DisplayWidth.of($1) } <= rect.width
    guard summary.exceedsMemory else {
      frame.put(facts: room ? exact : brief, in: rect, theme: theme)
      return
    }
    // What would be refused comes first.
    let first = "\(memory) at batch \(summary.batchSize)"
    let (left, right) = rect.splitLeft(min(rect.width, first.columns + 3))
    frame.put(first, in: left, style: theme[.error])
    frame.put(facts: room ? exact.filter { !$0.hasPrefix(memory) } : [brief[0], brief[1]], in: right, theme: theme)
  }

  /// How much a width has room for.
  private enum Detail {
    case least, most, all, field, share

    init(width: Int) {
      self =
        switch width {
        case ..<40: .least
        case ..<62: .most
        case ..<72: .all
        case ..<80: .field
        default: .share
        }
    }
  }

  private static func columns(_ detail: Detail, _ summary: NetworkSummary) -> [Table.Column] {
    let longest = summary.layers.map { DisplayWidth.of(text(of: $0.output)) }.max() ?? 0
    // Layers differ at the end of their names.
    let name = Table.Column("layer", width: .flexible(minimum: 10, weight: 1), truncation: .start)
    let kind = Table.Column("kind", width: .fixed(12))
    let kernel = Table.Column("kernel", width: .fixed(6))
    let output = Table.Column("output", width: .fixed(max(6, longest)), alignment: .trailing)
    func number(_ title: String, _ width: Int) -> Table.Column {
      Table.Column(title, width: .fixed(width), alignment: .trailing)
    }
    let all = [name, kind, kernel, output, number("params", 10), number("MACs", 7)]
    return switch detail {
    case .least: [name, output, number("params", 6)]
    case .most: [name, output, number("params", 10), number("MACs", 6)]
    case .all: all
    case .field: all + [number("sees", 5)]
    case .share: all + [number("share", 6), number("sees", 5)]
    }
  }

  private static func cells(
    of row: LayerRow, _ detail: Detail, _ summary: NetworkSummary, theme: Theme
  ) -> [Table.Content] {
    let indent = detail == .least ? "" : String(repeating: "  ", count: max(0, min(row.depth, 8)))
    let isFrozen = !row.isTrained && row.parameters > 0
    let name: Table.Content =
      isFrozen ? .spans([Span(indent + row.name, theme[.dimmed])]) : .text(indent + row.name)
    let output = Table.Content.text(text(of: row.output))
    let macs = Table.Content.text(row.multiplyAdds == 0 ? "" : Format.short(row.multiplyAdds))
    let exact = Table.Content.text(row.parameters == 0 ? "" : Format.count(row.parameters))
    let all = [
      name, .spans([Span(row.kind.rawValue, theme[.dimmed])]), .text(row.kernel ?? ""), output, exact, macs,
    ]
    // Pixels a side of the image that one place of the output is made from; beyond it, all of it.
    let sees = Table.Content.text(
      row.receptiveField > summary.input.height ? "all" : "\(row.receptiveField)")
    let share = Table.Content.text(
      row.multiplyAdds == 0
        ? "" : Format.percent(Double(row.multiplyAdds) / Double(max(1, summary.multiplyAdds))))
    return switch detail {
    case .least: [name, output, .text(row.parameters == 0 ? "" : Format.short(row.parameters))]
    case .most: [name, output, exact, macs]
    case .all: all
    case .field: all + [sees]
    case .share: all + [share, sees]
    }
  }

  /// Height, width, channels: `32x32x16`.
  private static func text(of shape: FeatureShape) -> String { "\(shape.height)x\(shape.width)x\(shape.channels)" }
}

extension LayerLine.Rail {
  fileprivate func glyph(_ glyphs: Glyphs) -> Character {
    switch self {
    case .blank: " "
    case .line: glyphs.vertical
    case .fork: glyphs.fork
    case .corner: glyphs.bottomLeft
    case .split: glyphs.topRight
    case .joint: glyphs.joint
    case .folded: glyphs.folded
    case .unfolded: glyphs.unfolded
    }
  }
}

extension PublishedFigures {
  /// `paper 0.27M params`, and with which images and classes where those here are others; then the error.
  fileprivate func facts(beside summary: NetworkSummary) -> [String] {
    var facts: [String] = []
    if let size {
      let figures = [
        size.parameters.map { Format.short(Int($0)) + " params" },
        size.multiplyAdds.map { Format.short(Int($0)) + " MACs" },
      ].compactMap { $0 }
      let isOther = imageSize != summary.input.height || classes != summary.classes
      facts.append(
        "paper " + figures.joined(separator: ", ")
          + (isOther ? " at \(imageSize)x\(imageSize), \(classes) classes" : ""))
    }
    if let error {
      let errors = [
        error.top1.map { "\(Format.fixed($0, 2))% top-1" }, error.top5.map { "\(Format.fixed($0, 2))% top-5" },
      ].compactMap { $0 }
      facts.append("error \(errors.joined(separator: ", ")) on \(error.data)")
      facts.append(error.source)
    } else if let source = size?.source {
      facts.append(source)
    }
    return facts
  }
}
