// The inspector's lists of images: labels that are probably wrong, and what two checkpoints make of the same images. Each
// stands beside the picture of the chosen one.

import Canvas
import Messages

extension InspectorPane {
  // MARK: Suspected labels

  static func suspectsAreas(in rect: Rect) -> PaneAreas { PaneAreas(in: rect, header: 1, heading: 1, footer: 1) }

  static func drawSuspects(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let suspects = state.inspector.suspects
    guard let report = suspects.report else {
      frame.put(
        notice: state.inspector.waitingText(for: state.inspector.suspectsQuestion, state), in: rect,
        style: theme[.dimmed])
      return
    }
    let areas = suspectsAreas(in: rect)
    var pieces: [[Span]] = [
      [Span("\(Format.count(suspects.list.count)) suspected labels", theme[.header])],
      [Span("about \(Format.count(report.estimatedErrors)) wrong by estimate", theme[.dimmed])],
    ]
    if suspects.left > 0 { pieces.append([Span("\(Format.count(suspects.left)) confirmed", theme[.dimmed])]) }
    if report.inSample > 0 {
      pieces.append([
        Span("\(Format.count(report.inSample)) judged by a network that learned them", theme[.warning])
      ])
    }
    pieces += report.notes.map { [Span($0, theme[.dimmed])] }
    if report.notJudged > 0 {
      pieces.append([Span("\(Format.count(report.notJudged)) not judged", theme[.dimmed])])
    }
    frame.put(pieces: pieces, in: areas.header, style: theme[.text])
    if state.filtering, state.focus == .inspector {
      frame.put(filterOf: suspects.list, typing: true, in: areas.footer, theme: theme)
    } else {
      frame.put(
        pieces: [
          [Span("m", theme[.hintKey]), Span(" relabel", theme[.hintText])],
          [Span("x", theme[.hintKey]), Span(" exclude", theme[.hintText])],
          [Span("i", theme[.hintKey]), Span(" label is right", theme[.hintText])],
        ], in: areas.footer, style: theme[.text])
    }
    guard suspects.list.count > 0 else {
      frame.put(
        notice: report.suspects.isEmpty ? "no label looks wrong" : "none is left", in: areas.table,
        style: theme[.success])
      return
    }
    let width = areas.table.width
    var columns = [
      Table.Column("score", width: .fixed(5), alignment: .trailing),
      Table.Column("image", width: .flexible(minimum: 8, weight: 2), truncation: .start),
      Table.Column("label", width: .flexible(minimum: 5, weight: 1), truncation: .middle),
      Table.Column("suggested", width: .flexible(minimum: 5, weight: 1), truncation: .middle),
    ]
    if width >= 52 { columns.append(Table.Column("neighbors", width: .fixed(9), alignment: .trailing)) }
    if width >= 62 { columns.append(Table.Column("split", width: .fixed(5))) }
    Table.of(
      suspects.list, columns: columns, height: areas.body.height, focused: state.focus == .inspector
    ) { item in
      let suspect = report.suspects[item]
      let decision = state.decisions[suspect.path]
      let mark = decision == .excluded ? " x" : decision == nil ? "" : " m"
      var cells: [Table.Content] = [
        .spans([Span(Format.fixed(suspect.score, 2), theme[suspect.score > 0.8 ? .error : .warning])]),
        .spans([
          Span(lastComponent(suspect.path), decision == nil ? nil : theme[.dimmed]), Span(mark, theme[.warning]),
        ]), .text(suspects.name(suspect.label)), .text(suspects.name(suspect.suggested)),
      ]
      if width >= 52 {
        cells.append(
          .text(suspect.neighbors > 0 ? "\(suspect.suggestedNeighbors) of \(suspect.neighbors)" : Format.absent))
      }
      if width >= 62 { cells.append(.text(suspect.split.rawValue)) }
      return cells
    }.draw(into: &frame, in: areas.table, theme: theme)
  }

  /// What speaks against a label, under the picture.
  static func drawSuspect(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    let suspects = state.inspector.suspects
    guard let suspect = suspects.selected, let path = state.inspector.imagePath else { return }
    let (picture, text) = rect.splitBottom(min(4, max(0, rect.height - 5)))
    frame.put(picture: state.pictures[path], in: picture, theme: theme, drawn: &pictures)
    let (label, suggested) = (suspects.name(suspect.label), suspects.name(suspect.suggested))
    let lines: [[[Span]]] = [
      [[Span(suspect.path, theme[.dimmed])]],
      [
        [Span("label ", theme[.dimmed]), Span(label, theme[.error])],
        [Span("suggested ", theme[.dimmed]), Span(suggested, theme[.success])],
        [
          Span(
            "\(Format.percent(suspect.suggestedProbability, decimals: 0)) against "
              + Format.percent(suspect.labelProbability, decimals: 0))
        ],
      ],
      [
        [
          Span(
            suspect.neighbors > 0
              ? "\(suspect.suggestedNeighbors) of its \(suspect.neighbors) nearest are \(suggested), "
                + "\(suspect.labelNeighbors) are \(label)" : "its neighbors are not known")
        ]
      ],
      [
        suspect.isInSample
          ? [Span("the network was trained on this label, and doubts it all the same", theme[.warning])] : []
      ],
    ]
    for (row, pieces) in lines.enumerated() { frame.put(pieces: pieces, in: text.row(row), style: theme[.text]) }
  }

  // MARK: Two checkpoints

  static func comparisonAreas(in rect: Rect) -> PaneAreas { PaneAreas(in: rect, header: 3, heading: 1, footer: 1) }

  static func drawComparison(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    let state_ = state.inspector.comparison
    guard let comparison = state_.comparison else {
      frame.put(notice: state.inspector.waitingText(for: state_.wanted, state), in: rect, style: theme[.dimmed])
      return
    }
    let areas = comparisonAreas(in: rect)
    frame.put(
      pieces: [
        [
          Span(Self.name(of: comparison.second.checkpoint), theme[.header]),
          Span(" " + Format.percent(comparison.secondAccuracy)),
        ],
        [
          Span("against ", theme[.dimmed]), Span(Self.name(of: comparison.first.checkpoint), theme[.header]),
          Span(" " + Format.percent(comparison.firstAccuracy)),
        ], [Span("\(Format.count(comparison.images)) images", theme[.dimmed])],
      ], in: areas.header.row(0), style: theme[.text])
    let test = comparison.test
    frame.put(
      test.text,
      in: areas.header.row(1),
      style: theme[test.pValue < 0.05 ? (test.fixed > test.broken ? .success : .error) : .text])
    let counts = [comparison.fixed.count, comparison.broken.count, comparison.stillWrong.count]
    frame.put(
      pieces: zip(ComparisonState.Part.allCases, counts).map { part, count in
        let isShown = part == state_.part
        return [
          Span(" \(part.title) \(Format.count(count)) ", isShown ? theme.selection(focused: true) : theme[.dimmed])
        ]
      } + [[Span("< >", theme[.hintKey]), Span(" list", theme[.hintText])]], in: areas.header.row(2),
      style: theme[.text])
    guard state_.list.count > 0 else {
      frame.put(notice: "none", in: areas.table, style: theme[.dimmed])
      return
    }
    let columns = [
      Table.Column("image", width: .flexible(minimum: 8, weight: 2), truncation: .start),
      Table.Column("true", width: .flexible(minimum: 5, weight: 1), truncation: .middle),
      Table.Column("before", width: .flexible(minimum: 8, weight: 1), truncation: .middle),
      Table.Column("now", width: .flexible(minimum: 8, weight: 1), truncation: .middle),
    ]
    let shown = state_.shown
    Table.of(state_.list, columns: columns, height: areas.body.height, focused: state.focus == .inspector) { item in
      let image = shown[item]
      return [
        .text(lastComponent(image.path)), .text(image.truth), answer(image.first, image, theme),
        answer(image.second, image, theme),
      ]
    }.draw(into: &frame, in: areas.table, theme: theme)
  }

  private static func answer(
    _ answer: Prediction.NamedProbability?, _ image: ComparedImage, _ theme: Theme
  ) -> Table.Content {
    guard let answer else { return .text(Format.absent) }
    let isRight = ClassName(answer.name) == ClassName(image.truth)
    return .spans([
      Span(answer.name + " ", theme[isRight ? .success : .error]),
      Span(Format.percent(answer.probability, decimals: 0), theme[.dimmed]),
    ])
  }

  /// Run and checkpoint: `bg2/best`.
  static func name(of checkpoint: String) -> String {
    let info = CheckpointInfo(
      path: checkpoint, name: "", epoch: 0, step: 0, validationAccuracy: nil, savedAt: "")
    let file = lastComponent(checkpoint)
    let name = file.hasSuffix(".safetensors") ? String(file.dropLast(".safetensors".count)) : file
    return info.runName + "/" + name
  }

  /// Probabilities of both, side by side, under the picture.
  static func drawCompared(
    _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    guard let image = state.inspector.comparison.selected, let path = state.inspector.imagePath else { return }
    let (picture, text) = rect.splitBottom(min(5, max(0, rect.height - 5)))
    frame.put(picture: state.pictures[path], in: picture, theme: theme, drawn: &pictures)
    frame.put(image.path, in: text.row(0), style: theme[.dimmed], truncate: .start)
    var names = [image.truth]
    for answer in [image.first, image.second].compactMap({ $0 }) where !names.contains(answer.name) {
      names.append(answer.name)
    }
    let width = min(names.map(\.columns).max() ?? 0, max(4, text.width / 4))
    let half = max(6, (text.width - width - 2) / 2)
    frame.put(
      "before", in: Rect(x: text.x + width + 1, y: text.y + 1, width: half, height: 1), style: theme[.dimmed])
    frame.put(
      "now", in: Rect(x: text.x + width + 2 + half, y: text.y + 1, width: half, height: 1), style: theme[.dimmed])
    for (line, name) in names.prefix(max(0, text.height - 2)).enumerated() {
      let row = text.row(line + 2)
      let isTrue = name == image.truth
      frame.put(
        name, in: row.splitLeft(width).left, style: theme[isTrue ? .success : .error], truncate: .middle)
      for (side, (answer, truth)) in [
        (image.first, image.firstTruthProbability), (image.second, image.secondTruthProbability),
      ].enumerated() {
        // Of a class that is neither its own nor the predicted one nothing is known here.
        guard let share = isTrue ? truth : answer?.name == name ? answer?.probability : nil else { continue }
        let place = Rect(x: row.x + width + 1 + side * (half + 1), y: row.y, width: half, height: 1)
        let (bar, figure) = place.splitLeft(place.width - 5)
        Bar(share, role: isTrue ? .barThird : .bar).draw(into: &frame, in: bar, theme: theme)
        frame.put(Format.percent(share, decimals: 0), in: figure, style: theme[.text], align: .trailing)
      }
    }
  }
}

extension InspectorState {
  /// Why an answer is not there.
  func waitingText(for question: InspectionCommand?, _ state: WorkbenchState) -> String {
    guard let question else { return "nothing was asked" }
    switch answers[question] {
    case .waiting(let progress):
      let share = progress.map { " \(Format.count($0.done)) of \(Format.count($0.total))" } ?? ""
      return "working it out" + share
    case .answer(.failure(let reason)): return reason
    case .answer(.missingEvaluation(let source, _)):
      return "\(InspectorPane.name(of: source.checkpoint)) is not evaluated on \(source.split.imagesTitle) yet"
    case .answer, nil: return "there is no answer"
    }
  }
}
