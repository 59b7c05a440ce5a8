// The inspector's images: a sheet of small pictures, and one picture with what the network says of it.

import Canvas
import Messages

extension InspectorPane {
  static func sheetLayout(_ state: WorkbenchState, in rect: Rect) -> SheetLayout {
    SheetLayout(count: state.inspector.images.list.count, in: rect)
  }

  // MARK: The sheet

  static func drawSheet(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    let images = state.inspector.images
    guard let table = images.table else { return }
    let layout = sheetLayout(state, in: rect)
    drawSheetHeader(state, into: &frame, in: layout.header, theme: theme)
    drawSheetFooter(state, into: &frame, in: layout.footer, theme: theme)
    guard images.list.count > 0 else {
      let text =
        images.list.filter.isEmpty
        ? "no mistakes at all" : images.isWhole ? "no image matches the filter" : "no mistake matches the filter"
      frame.put(notice: text, in: layout.grid, style: theme[images.list.filter.isEmpty ? .success : .dimmed])
      return
    }
    let top = layout.top(images.top, selected: images.list.selected, count: images.list.count)
    for position in layout.window(top: top, count: images.list.count) {
      guard let row = images.list.item(at: position), let tile = layout.tile(position, top: top) else { continue }
      let isChosen = position == images.list.selected
      drawTile(
        images.path(of: row), state, isChosen: isChosen, into: &frame, in: tile.splitTop(layout.height).top,
        theme: theme, pictures: &pictures)
      drawTileLine(row, table, state, isChosen: isChosen, into: &frame, in: tile.row(layout.height), theme: theme)
    }
  }

  /// A small picture, or what stands for one that has not come, and beside it whether it is chosen.
  static func drawTile(
    _ path: String?, _ state: WorkbenchState, isChosen: Bool, into frame: inout Frame, in area: Rect, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    if let path, let entry = state.thumbnails[path] {
      frame.put(picture: entry, in: area, theme: theme, drawn: &pictures)
    } else {
      frame.put(
        String(theme.glyphs.separator), in: area.row(area.height / 2), style: theme[.dimmed], align: .center)
    }
    guard isChosen else { return }
    // Beside it, so that it is seen on any picture and without color.
    let style = theme[state.focus == .inspector ? .focusedBorder : .border]
    for y in area.y..<area.bottom {
      frame[area.x - 1, y] = Cell(theme.glyphs.scrollThumb, style)
      frame[area.right, y] = Cell(theme.glyphs.scrollThumb, style)
    }
  }

  /// Name, probability and marks below a picture.
  private static func drawTileLine(
    _ row: Int, _ table: EvaluationTable, _ state: WorkbenchState, isChosen: Bool, into frame: inout Frame,
    in rect: Rect, theme: Theme
  ) {
    var style = theme[table.isRight(row) ? .success : .error]
    style.bold = false
    if isChosen {
      style = theme.selection(focused: state.focus == .inspector)
      frame.fill(rect, style: style)
    }
    var marks = state.inspector.images.marks.contains(row) ? String(theme.glyphs.checkMark) : ""
    switch state.decisions[table.paths[row]] {
    case .excluded: marks += "x"
    case .relabeled: marks += "m"
    case nil: break
    }
    let figure =
      " \(Format.percent(Double(table.confidences[row]), decimals: 0))" + (marks.isEmpty ? "" : " \(marks)")
    let (name, rest) = rect.splitLeft(rect.width - figure.columns)
    frame.put(stem(table.paths[row]), in: name, style: style, truncate: .start)
    frame.put(figure, in: rest, style: style)
  }

  /// A file's name without its ending.
  private static func stem(_ path: String) -> String {
    let name = lastComponent(path)
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
    return String(name[..<dot])
  }

  private static func drawSheetHeader(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let (images, report) = (state.inspector.images, state.inspector.report)
    let list = images.list
    var pieces: [[Span]] = []
    let cut = !images.isWhole && report.map { $0.mistakes > $0.misclassified.count } == true
    let all = cut ? " (\(Format.count(report?.mistakes ?? 0)) in all)" : ""
    pieces.append([
      Span(
        list.count == 0
          ? "none" : "\(Format.count(list.selected + 1)) of \(Format.count(list.count))\(all)", theme[.header])
    ])
    if !images.marks.isEmpty {
      pieces.append([Span("\(Format.count(images.marks.count)) marked", theme[.warning])])
    }
    if !list.filter.isEmpty { pieces.append([Span(list.filter)]) }
    pieces.append([Span("sort ", theme[.dimmed]), Span(images.sort.rawValue)])
    if !images.isWhole { pieces.append([Span("mistakes only", theme[.dimmed])]) }
    frame.put(pieces: pieces, in: rect, style: theme[.text])
  }

  /// What the marks are for, or the filter that is being typed.
  private static func drawSheetFooter(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    guard !rect.isEmpty else { return }
    let images = state.inspector.images
    if state.filtering, state.focus == .inspector {
      frame.put(filterOf: images.list, typing: true, in: rect, theme: theme)
    } else if !images.marks.isEmpty {
      frame.put(
        pieces: [
          [Span("\(Format.count(images.marks.count)) marked:", theme[.dimmed])],
          [Span("x", theme[.hintKey]), Span(" exclude", theme[.hintText])],
          [Span("m", theme[.hintKey]), Span(" relabel", theme[.hintText])],
          [Span("E", theme[.hintKey]), Span(" export", theme[.hintText])],
        ], in: rect, style: theme[.text])
    } else if let row = images.row, let table = images.table {
      frame.put(table.paths[row], in: rect, style: theme[.dimmed], truncate: .start)
    }
  }

  // MARK: One image

  static func drawSingle(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    let images = state.inspector.images
    guard let table = images.table, let row = images.row, let path = images.path(of: row) else {
      let text = images.list.total == 0 && images.table != nil ? "no mistakes at all" : "no image is chosen"
      frame.put(notice: text, in: rect, style: theme[text == "no mistakes at all" ? .success : .dimmed])
      return
    }
    let facts = facts(of: row, table, state, theme: theme)
    let (head, body) = rect.splitTop(min(facts.count, max(1, rect.height / 3)))
    for (line, pieces) in facts.prefix(head.height).enumerated() {
      frame.put(pieces: pieces, in: head.row(line), style: theme[.text])
    }
    // Text beside the picture where there is width for both, below it where there is height.
    let lines = probabilityLines(of: row, table)
    let (picture, text): (Rect, Rect)
    if body.width >= body.height * 2 + 26 {
      let side = max(24, min(44, body.width / 3))
      let split = body.splitLeft(max(body.width - side - 1, body.width * 3 / 5))
      (picture, text) = (split.left, split.rest.inset(left: 1))
    } else {
      let split = body.splitTop(max(body.height / 2, body.height - lines.count - 3))
      (picture, text) = (split.top, split.rest)
    }
    drawPicture(path, row, table, state, into: &frame, in: picture, theme: theme, pictures: &pictures)
    let below = drawProbabilities(lines, of: row, table, into: &frame, in: text, theme: theme)
    drawResemblance(path, state, into: &frame, in: below, theme: theme)
  }

  /// The picture, and beside it where the network looked, if that was asked for.
  private static func drawPicture(
    _ path: String, _ row: Int, _ table: EvaluationTable, _ state: WorkbenchState, into frame: inout Frame,
    in rect: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    guard state.inspector.showsHeat, let question = state.inspector.explanationQuestion else {
      frame.put(picture: state.pictures[path], in: rect, theme: theme, drawn: &pictures)
      return
    }
    switch state.inspector.answers[question] {
    case .answer(.explanation(let explanation)):
      let heats = explanation.heats
      // As many side by side as there is room for; the predicted class always.
      let count = rect.width >= 60 ? min(heats.count, 2) : 1
      let width = rect.width / max(1, count)
      for (place, heat) in heats.prefix(count).enumerated() {
        let area = Rect(
          x: rect.x + place * width, y: rect.y, width: width - (place + 1 < count ? 1 : 0), height: rect.height)
        let (line, below) = area.splitTop(1)
        let name = table.className(Int32(clamping: heat.label))
        frame.put("\(name) \(Format.percent(heat.probability, decimals: 0))", in: line, style: theme[.header])
        frame.put(
          picture: .picture(explanation.seen.under(heat.map)), in: below, theme: theme, drawn: &pictures)
      }
      if heats.isEmpty { frame.put(notice: "nothing to show", in: rect, style: theme[.dimmed]) }
    case .answer(.failure(let reason)): frame.put(notice: reason, in: rect, style: theme[.warning])
    case .answer: frame.put(notice: "there is no answer", in: rect, style: theme[.warning])
    case .waiting, nil: frame.put(notice: "looking where it looked", in: rect, style: theme[.dimmed])
    }
  }

  /// Path, true and predicted class, loss, what was decided.
  private static func facts(
    of row: Int, _ table: EvaluationTable, _ state: WorkbenchState, theme: Theme
  ) -> [[[Span]]] {
    let images = state.inspector.images
    let isRight = table.isRight(row)
    var first: [[Span]] = []
    if state.inspector.images.isSingle {
      first.append([
        Span("\(Format.count(images.list.selected + 1)) of \(Format.count(images.list.count))", theme[.header])
      ])
    }
    if images.marks.contains(row) { first.append([Span("\(theme.glyphs.checkMark) marked", theme[.warning])]) }
    if let image = state.inspectedImage, let decision = image.decision {
      let now = decision == .excluded ? decision.title : "now \(image.className ?? "")"
      first.append([Span(now, theme[.warning])])
    }
    first.append([Span(table.paths[row], theme[.dimmed])])
    var lines = [first]
    var verdict: [[Span]] = [
      [Span("true ", theme[.dimmed]), Span(table.className(table.truths[row]), theme[.success])],
      [
        Span("predicted ", theme[.dimmed]),
        Span(table.className(table.predictions[row]), theme[isRight ? .success : .error]),
      ],
    ]
    if table.losses[row] < .greatestFiniteMagnitude {
      verdict.append([Span("loss ", theme[.dimmed]), Span(Format.loss(Double(table.losses[row])))])
    }
    lines.append(verdict)
    var file: [[Span]] = [[Span(table.splits[row].title + " image", theme[.dimmed])]]
    if let facts = state.imageFacts(of: row) { file.insert([Span(facts, theme[.dimmed])], at: 0) }
    if state.inspectedImage == nil, state.inspector.report != nil {
      file.append([Span("of another dataset than the open one", theme[.dimmed])])
    }
    lines.append(file)
    return lines
  }

  /// The most probable classes, and the true one if it is not among them.
  private static func probabilityLines(of row: Int, _ table: EvaluationTable) -> [ClassProbability] {
    var shown = table.top(row)
    let truth = Int(table.truths[row])
    if !shown.contains(where: { $0.label == truth }) {
      shown.append(ClassProbability(label: truth, probability: Double(table.truthProbability(row))))
    }
    return shown
  }

  /// - Returns: what is left below the bars.
  private static func drawProbabilities(
    _ lines: [ClassProbability], of row: Int, _ table: EvaluationTable, into frame: inout Frame, in rect: Rect,
    theme: Theme
  ) -> Rect {
    let truth = Int(table.truths[row])
    var lines = lines
    // The true class is the last that may be cut off.
    if lines.count > rect.height, rect.height > 0, let place = lines.firstIndex(where: { $0.label == truth }),
      place >= rect.height
    {
      lines = Array(lines.prefix(rect.height - 1)) + [lines[place]]
    }
    let names = min(
      lines.map { table.className(Int32(clamping: $0.label)).columns }.max() ?? 0, max(4, rect.width - 14))
    for (line, entry) in lines.prefix(rect.height).enumerated() {
      let isTrue = entry.label == truth
      let row = rect.row(line)
      frame.put(
        table.className(Int32(clamping: entry.label)), in: row.splitLeft(names).left,
        style: theme[isTrue ? .success : line == 0 ? .error : .text], truncate: .middle)
      let rest = row.inset(left: names + 1)
      let (bar, share) = rest.splitLeft(rest.width - 7)
      Bar(entry.probability, role: isTrue ? .barThird : line == 0 ? .bar : .barSecond)
        .draw(into: &frame, in: bar, theme: theme)
      frame.put(Format.percent(entry.probability), in: share, style: theme[.text], align: .trailing)
    }
    return rect.splitTop(min(rect.height, lines.count + 1)).rest
  }

  /// The images that it resembles, with their classes.
  private static func drawResemblance(
    _ path: String, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    guard rect.height > 0, let question = state.inspector.resemblanceQuestion(of: path),
      case .answer(let answer)? = state.inspector.answers[question]
    else { return }
    switch answer {
    case .similarImages(let similar):
      frame.put("resembles", in: rect.row(0), style: theme[.header])
      for (line, image) in similar.prefix(max(0, rect.height - 1)).enumerated() {
        let class_ = image.className ?? ""
        frame.put(
          pieces: [
            [Span(Format.fixed(image.similarity, 2), theme[.text])], [Span(class_, theme[.text])],
            [Span(lastComponent(image.path), theme[.dimmed])],
          ], in: rect.row(line + 1), style: theme[.text])
      }
    case .failure(let reason):
      frame.put(
        lines: Paragraph.wrapped(reason, width: rect.width), in: rect, style: theme[.dimmed])
    case .missingEvaluation:
      frame.put(
        lines: Paragraph.wrapped(
          "the training images are not evaluated: p, e on them shows which of them it resembles", width: rect.width),
        in: rect, style: theme[.dimmed])
    default: break
    }
  }
}

extension PixelImage {
  /// The picture in grays under the colors of a heat map: from blue over green to red, the more the clearer.
  func under(_ map: HeatMap) -> PixelImage {
    guard map.width > 0, map.height > 0 else { return self }
    var pixels = pixels
    for y in 0..<height {
      for x in 0..<width {
        // Between the middles of the map's places.
        let (u, v) = (
          (Float(x) + 0.5) / Float(width) * Float(map.width) - 0.5,
          (Float(y) + 0.5) / Float(height) * Float(map.height) - 0.5
        )
        let value = map.value(u, v)
        let place = (y * width + x) * 3
        let gray =
          (Float(pixels[place]) * 0.299 + Float(pixels[place + 1]) * 0.587 + Float(pixels[place + 2]) * 0.114) * 0.8
        let part = 0.15 + 0.6 * value
        let color: [Float] = [
          255 * min(1, max(0, value * 2 - 0.6)), 255 * (1 - abs(value * 2 - 1)), 255 * max(0, 1 - value * 1.8),
        ]
        for channel in 0..<3 {
          pixels[place + channel] = UInt8(min(max(gray * (1 - part) + color[channel] * part, 0), 255))
        }
      }
    }
    return PixelImage(width: width, height: height, pixels: pixels)
  }
}

extension HeatMap {
  /// Between places, those at the edge going on beyond it.
  fileprivate func value(_ x: Float, _ y: Float) -> Float {
    let (x, y) = (min(max(x, 0), Float(width - 1)), min(max(y, 0), Float(height - 1)))
    let (left, top) = (Int(x), Int(y))
    let (right, bottom) = (min(left + 1, width - 1), min(top + 1, height - 1))
    let (u, v) = (x - Float(left), y - Float(top))
    let upper = values[top * width + left] * (1 - u) + values[top * width + right] * u
    let lower = values[bottom * width + left] * (1 - u) + values[bottom * width + right] * u
    let value = upper * (1 - v) + lower * v
    return value.isFinite ? min(max(value, 0), 1) : 0
  }
}
