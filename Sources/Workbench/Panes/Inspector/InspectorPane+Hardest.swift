// The inspector while a run trains: the hardest validation images after each epoch, with what the network takes them for,
// and which of them are new or fixed; a key opens one.

import Canvas
import Messages

extension Context {
  static let hardest = Context("Inspector: hardest images", pane: .inspector)
}

extension InspectorPane {
  static let hardestKeys = [
    Keymap.motion(.hardest, [.enter], .open, hint: "larger", "one image, or the sheet again"),
    Keymap.motion(.hardest, [.character("n")], .next, "next image"),
    Keymap.motion(.hardest, [.character("N")], .previous, "previous image"),
    Keymap.motion(
      .hardest, [.character("v"), .character("]")], .nextView, hint: "view",
      "next view: the evaluation's, checkpoints"),
    Keymap.motion(.hardest, [.character("[")], .previousView, "previous view"),
    Keymap.motion(.hardest, [.character("u")], .undoDecision, hint: "undo", "undo the last decision on an image"),
    Keymap.motion(.hardest, [.escape], .back, hint: "checkpoints", "back to the sheet, or to the checkpoints"),
  ]

  /// Two lines below a picture: the classes and the loss.
  private static let lines = 2

  static func hardestLayout(_ state: WorkbenchState, in rect: Rect) -> SheetLayout {
    SheetLayout(count: state.inspector.hardest.list.count, lines: lines, in: rect)
  }

  // MARK: Update

  /// What a run under way says.
  static func handleHardest(_ event: TrainingEvent, in state: inout WorkbenchState) {
    switch event {
    case .started:
      state.inspector.hardest = HardestState()
      leaveHardest(&state)
    case .validated(let details):
      let inspector = state.inspector
      state.inspector.hardest.take(details)
      // Who stands in the list of checkpoints, and chose one, is not taken elsewhere.
      let isChoosing = state.focus == id && inspector.isChosen
      if inspector.view == .checkpoints, inspector.evaluating == nil, !inspector.hardest.isLeft, !isChoosing {
        state.inspector.view = .hardest
      }
    case .recovered: state.inspector.hardest.isLeft = false
    default: break
    }
  }

  /// The run is over: the checkpoints are what there is to look at. An image that is open stays.
  static func leaveHardest(_ state: inout WorkbenchState) {
    guard state.inspector.view == .hardest, !state.inspector.hardest.isSingle else { return }
    state.inspector.view = .checkpoints
  }

  static func performInHardest(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    let layout = state.layout[id].map { hardestLayout(state, in: $0.interior) }
    let isSingle = state.inspector.hardest.isSingle
    let (columns, page) = isSingle ? (1, 10) : (layout?.columns ?? 1, layout?.page ?? 1)
    func move(by places: Int) { state.inspector.hardest.list.move(by: places, page: 1) }
    switch action {
    case .up: move(by: -columns)
    case .down: move(by: columns)
    case .left: move(by: -1)
    case .right: move(by: 1)
    case .pageUp, .halfPageUp: move(by: -page)
    case .pageDown, .halfPageDown: move(by: page)
    case .first: state.inspector.hardest.list.select(0, page: 1)
    case .last: state.inspector.hardest.list.select(.max, page: 1)
    case .next: state.inspector.hardest.list.cycle(by: 1, page: 1)
    case .previous: state.inspector.hardest.list.cycle(by: -1, page: 1)
    case .open: if isSingle { state.inspector.hardest.close() } else { state.inspector.hardest.open() }
    default: return handled.contains(action) ? [] : nil
    }
    scrollHardest(&state)
    return []
  }

  /// Scrolls so that the chosen image is in view.
  private static func scrollHardest(_ state: inout WorkbenchState) {
    guard let inner = state.layout[id]?.interior else { return }
    let (hardest, layout) = (state.inspector.hardest, hardestLayout(state, in: inner))
    state.inspector.hardest.top = layout.top(
      hardest.top, selected: hardest.list.selected, count: hardest.list.count)
  }

  static func clickedHardest(x: Int, y: Int, in inner: Rect, _ state: inout WorkbenchState) {
    let hardest = state.inspector.hardest
    guard !hardest.isSingle else { return }
    let layout = hardestLayout(state, in: inner)
    let top = layout.top(hardest.top, selected: hardest.list.selected, count: hardest.list.count)
    let position = layout.window(top: top, count: hardest.list.count).first {
      layout.tile($0, top: top)?.contains(x: x, y: y) == true
    }
    guard let position else { return }
    // A second click on the chosen one opens it.
    if position == hardest.list.selected, state.focus == id { state.inspector.hardest.open() }
    state.inspector.hardest.list.select(position, page: 1)
    state.inspector.hardest.top = top
  }

  /// The paths of the pictures in view.
  static func picturesOfHardest(_ state: WorkbenchState, in inner: Rect) -> [String] {
    let (hardest, layout) = (state.inspector.hardest, hardestLayout(state, in: inner))
    let top = layout.top(hardest.top, selected: hardest.list.selected, count: hardest.list.count)
    return layout.window(top: top, count: hardest.list.count).compactMap { position in
      hardest.list.item(at: position).flatMap { place in
        hardest.details.flatMap { details in state.validationImagePath(details.hardest[place].path) }
      }
    }
  }

  // MARK: View

  static func drawHardest(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    guard let details = state.inspector.hardest.details else {
      frame.put(notice: "no validation yet", in: inner, style: theme[.dimmed])
      return
    }
    if state.inspector.hardest.isSingle {
      drawHardImage(details, state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    } else {
      drawHardestSheet(details, state, into: &frame, in: inner, theme: theme, pictures: &pictures)
    }
  }

  private static func drawHardestSheet(
    _ details: ValidationDetails, _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    let hardest = state.inspector.hardest
    let layout = hardestLayout(state, in: inner)
    frame.put(
      pieces: [
        [
          Span(
            "\(Format.count(details.wrong)) of \(Format.count(details.images)) wrong",
            theme[details.wrong > 0 ? .header : .success])
        ],
        details.fixed.map { [Span("\(Format.count($0)) fixed", theme[.success])] },
        details.broken.map { [Span("\(Format.count($0)) broken", theme[.error])] },
        [Span("worst loss first", theme[.dimmed])], [Span("redrawn each epoch", theme[.dimmed])],
      ].compactMap { $0 }, in: layout.header, style: theme[.text])
    if let path = hardest.selected?.path {
      frame.put(path, in: layout.footer, style: theme[.dimmed], truncate: .start)
    }
    let top = layout.top(hardest.top, selected: hardest.list.selected, count: hardest.list.count)
    let decisions = state.runDecisions
    for position in layout.window(top: top, count: hardest.list.count) {
      guard let place = hardest.list.item(at: position), let tile = layout.tile(position, top: top) else {
        continue
      }
      let image = details.hardest[place]
      let isChosen = position == hardest.list.selected
      drawTile(
        state.validationImagePath(image.path), state, isChosen: isChosen, into: &frame,
        in: tile.splitTop(layout.height).top, theme: theme, pictures: &pictures)
      drawHardLines(
        image, state, decisions, isChosen: isChosen, into: &frame, in: tile.splitTop(layout.height).rest,
        theme: theme)
    }
  }

  /// `disc→hexagon 98%`, and below it `loss 4.1 new`.
  private static func drawHardLines(
    _ image: HardImage, _ state: WorkbenchState, _ decisions: DecisionsByPath, isChosen: Bool,
    into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    var style = theme[image.isRight ? .success : .error]
    style.bold = false
    var (quiet, marked) = (theme[.dimmed], theme[image.change == .fixed ? .success : .warning])
    if isChosen {
      style = theme.selection(focused: state.focus == .inspector)
      (quiet, marked) = (style, style)
      frame.fill(rect, style: style)
    }
    let figure = image.predicted == nil ? "" : " " + Format.percent(image.probability, decimals: 0)
    let (names, share) = rect.row(0).splitLeft(rect.width - figure.columns)
    frame.put(classes(of: image, state, width: names.width, theme: theme), in: names, style: style)
    frame.put(figure, in: share, style: style)
    let change = image.change?.rawValue ?? ""
    let decided = decisions[image.path].map { $0 == .excluded ? "x" : "m" } ?? ""
    let note = [decided, change].filter { !$0.isEmpty }.joined(separator: " ")
    let (loss, mark) = rect.row(1).splitLeft(rect.width - note.columns)
    let number = image.loss.map { Format.fixed($0, 1) } ?? "NaN"
    frame.put(loss.width >= 5 + number.columns ? "loss \(number)" : number, in: loss, style: quiet)
    frame.put(note, in: mark, style: marked)
  }

  /// `disc→hexagon`, each name cut evenly where there is no room for both; of a right answer the one class.
  private static func classes(of image: HardImage, _ state: WorkbenchState, width: Int, theme: Theme) -> String {
    func name(_ label: Int?) -> String { state.runClass(label) }
    guard !image.isRight else {
      return Truncation.end.fit(name(image.truth), width: max(1, width), ellipsis: theme.glyphs.ellipsis)
    }
    let (truth, predicted) = (name(image.truth), name(image.predicted))
    let room = max(2, width - 1)
    let first = min(truth.columns, max(room - predicted.columns, (room + 1) / 2))
    return Truncation.clip.fit(truth, width: first) + String(theme.glyphs.rightArrow)
      + Truncation.clip.fit(predicted, width: max(1, room - first))
  }

  /// One image with all that is known of it.
  private static func drawHardImage(
    _ details: ValidationDetails, _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme,
    pictures: inout DrawnPictures
  ) {
    guard let image = state.inspector.hardest.selected else { return }
    let list = state.inspector.hardest.list
    var lines: [[[Span]]] = [
      [
        [Span("\(Format.count(list.selected + 1)) of \(Format.count(list.count))", theme[.header])],
        [Span(image.path, theme[.dimmed])],
      ],
      [
        [Span("true ", theme[.dimmed]), Span(state.runClass(image.truth), theme[.success])],
        [
          Span("predicted ", theme[.dimmed]),
          Span(state.runClass(image.predicted), theme[image.isRight ? .success : .error]),
        ], [Span(image.predicted == nil ? "" : Format.percent(image.probability))],
        [Span("loss ", theme[.dimmed]), Span(image.loss.map { Format.loss($0) } ?? "NaN")],
      ],
    ]
    var last: [[Span]] = [[Span("after epoch \(details.epoch)", theme[.dimmed])]]
    switch image.change {
    case .new: last.append([Span("new among the hardest", theme[.warning])])
    case .fixed: last.append([Span("fixed: was wrong before", theme[.success])])
    case nil: break
    }
    if let decision = state.runDecisions[image.path] {
      last.append([Span("\(decision.title) from the next run on", theme[.warning])])
    }
    last.append([Span("validation image", theme[.dimmed])])
    lines.append(last)
    let (head, picture) = inner.splitTop(min(lines.count, max(1, inner.height / 3)))
    for (row, pieces) in lines.prefix(head.height).enumerated() {
      frame.put(pieces: pieces, in: head.row(row), style: theme[.text])
    }
    let path = state.validationImagePath(image.path)
    frame.put(picture: path.flatMap { state.pictures[$0] }, in: picture, theme: theme, drawn: &pictures)
  }
}

extension WorkbenchState {
  /// An image of the run under way from the working folder; nil without a run.
  func validationImagePath(_ path: String) -> String? { curves.run.map { joined($0.settings.data, path) } }

  /// A class of the run by its label.
  func runClass(_ label: Int?) -> String {
    guard let label else { return "none" }
    guard let classes = curves.run?.classes, classes.indices.contains(label) else { return "class \(label)" }
    return classes[label]
  }

  /// The chosen one of the hardest images as one of the open dataset; nil where the run is of another.
  var hardestImage: ListedFile? {
    guard let run = curves.run, !isForeign(run), let image = inspector.hardest.selected else { return nil }
    return dataset.image(at: image.path)
  }
}
