// The curves pane: how far the run has come, what it does at the moment, and its losses and accuracies as charts.
// Before the first run: what would be run. It takes in the metrics of a run as they come, and those of an earlier run
// as they are read from its folder.

import Canvas
import Messages

extension PaneID {
  static let curves = PaneID("Curves")
}

extension WorkbenchState {
  var curves: CurvesState {
    get { models[CurvesPane.self] }
    _modify { yield &models[CurvesPane.self] }
  }
}

extension CurvesState.View {
  /// To show it.
  var action: Action { .pane(PaneAction(.curves, "show \(name)")) }
}

extension Context {
  static let curves = Context("Curves", pane: .curves)
}

extension Action {
  /// To show other charts, and to show them otherwise.
  static let changeCurves = Action.pane(PaneAction(.curves, "changeCurves"))
  static let changeCurvesBack = Action.pane(PaneAction(.curves, "changeCurvesBack"))
  static let smoothCurves = Action.pane(PaneAction(.curves, "smooth"))
  static let logCurves = Action.pane(PaneAction(.curves, "log"))
  static let fitCurves = Action.pane(PaneAction(.curves, "fit"))
  static let narrowCurves = Action.pane(PaneAction(.curves, "narrow"))
  static let zoomInCurves = Action.pane(PaneAction(.curves, "zoomIn"))
  static let zoomOutCurves = Action.pane(PaneAction(.curves, "zoomOut"))
  static let panCurvesLeft = Action.pane(PaneAction(.curves, "panLeft"))
  static let panCurvesRight = Action.pane(PaneAction(.curves, "panRight"))
  static let followCurves = Action.pane(PaneAction(.curves, "follow"))
}

enum CurvesPane: Pane {
  static let id = PaneID.curves

  static func model(data: String) -> CurvesState { CurvesState() }

  // MARK: Keys and update

  static let contexts: [Context] = [.curves]

  static let keys = changes + views

  /// Each by its name, in the command palette.
  private static let views = CurvesState.View.all.map { view in
    Keymap.command(
      .curves, [], view.action, "curves: \(view.name)", synonyms: ["plot", "chart", "metric"] + view.metricKeys)
  }

  private static let changes = [
    Keymap.command(
      .curves, [.character("v")], .changeCurves, hint: "curve",
      "other curves, one metric after another",
      synonyms: ["plot", "chart", "graph"]),
    Keymap.command(.curves, [.character("V")], .changeCurvesBack, "the curves before these"),
    Keymap.command(
      .curves, [.character("m")], .smoothCurves, hint: "smooth",
      "smooth the curves of training: little, much, most, not",
      synonyms: ["moving average"]),
    Keymap.command(.curves, [.character("y")], .logCurves, hint: "log", "logarithmic scale, or linear"),
    Keymap.command(
      .curves, [.character("Y")], .fitCurves,
      "the vertical axis: as usual, fitted to what is in view, without the highest tenth of it"),
    Keymap.command(
      .curves, [.character("x")], .narrowCurves, hint: "range",
      "the newest half of the run, quarter, tenth ..., all of it"),
    Keymap.command(.curves, [.character("]")], .zoomInCurves, "a narrower part of the run, about the cursor"),
    Keymap.command(.curves, [.character("[")], .zoomOutCurves, "a wider part of the run"),
    Keymap.command(.curves, [.character("}")], .panCurvesRight, "later steps"),
    Keymap.command(.curves, [.character("{")], .panCurvesLeft, "earlier steps"),
    Keymap.command(
      .curves, [.character("f")], .followCurves, "follow the newest step, or stay at these (freeze)",
      synonyms: ["freeze"]),
    Keymap.motion(.curves, [.left, .character("h")], .left, "read values: cursor to the left"),
    Keymap.motion(.curves, [.right, .character("l")], .right, hint: "read", "read values: cursor to the right"),
    Keymap.motion(.curves, [.home, .character("g")], .first, "cursor to the left end"),
    Keymap.motion(.curves, [.end, .character("G")], .last, "cursor to the newest values"),
    Keymap.motion(.curves, [.escape], .back, "no cursor; then all of the run"),
    Keymap.motion(.curves, [.enter], .zoom, "fill the screen, or show all panes again"),
  ]

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    state.curves.run == nil ? nil : binding.hint
  }

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    let width = chartWidth(state)
    switch action {
    case .changeCurves: state.curves.view = state.curves.view.next(by: 1)
    case .changeCurvesBack: state.curves.view = state.curves.view.next(by: -1)
    case .smoothCurves: state.curves.smoothing = state.curves.smoothing.next
    case .logCurves: state.curves.isLogarithmic.toggle()
    case .fitCurves: state.curves.fit = state.curves.fit.next
    case .narrowCurves:
      state.curves.window.narrow()
      state.curves.keepCursorInView()
    case .zoomInCurves: state.curves.zoom(in: true)
    case .zoomOutCurves: state.curves.zoom(in: false)
    case .panCurvesLeft: state.curves.pan(by: -0.25)
    case .panCurvesRight: state.curves.pan(by: 0.25)
    case .followCurves:
      let curves = state.curves
      state.curves.window.toggleFollowing(
        length: curves.lengthInEpochs, newest: curves.epochs(atStep: curves.reachedStep))
    case .left where state.curves.run != nil: state.curves.moveCursor(by: -1, of: width)
    case .right where state.curves.run != nil: state.curves.moveCursor(by: 1, of: width)
    case .first where state.curves.run != nil: state.curves.cursor = state.curves.shownEpochs.lowerBound
    case .last where state.curves.run != nil:
      state.curves.cursor = nil
      state.curves.moveCursor(by: 0, of: width)
    case .back where state.curves.cursor != nil: state.curves.cursor = nil
    case .back where !state.curves.window.isWhole: state.curves.window = CurveWindow()
    default:
      guard let view = CurvesState.View.all.first(where: { $0.action == action }) else { return nil }
      state.curves.view = view
    }
    return []
  }

  /// Columns of a chart, roughly: a press of a key moves the cursor by one.
  private static func chartWidth(_ state: WorkbenchState) -> Int {
    let width = state.layout[id]?.interior.width ?? 80
    let charts = state.curves.view.charts.count
    return max(10, (width >= 110 && charts > 1 ? width / charts : width) - 8)
  }

  static func scrolled(by rows: Int, _ state: inout WorkbenchState) -> Bool {
    guard state.curves.run != nil else { return false }
    state.curves.zoom(in: rows < 0)
    return true
  }

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .training(let event): state.curves.handle(event)
    case .state(let new):
      state.curves.hasFailed =
        switch new {
        case .idle: state.curves.run != nil && !state.curves.isHistory && state.curves.outcome == nil
        case .evaluating: state.curves.hasFailed
        case .preparing, .training, .paused, .validating, .stopping: false
        }
    case .runHistory(let folder, let history, let reason): return apply(history, of: folder, reason, in: &state)
    default: break
    }
    return []
  }

  private static func apply(
    _ history: RunHistory?, of folder: String, _ reason: String?, in state: inout WorkbenchState
  ) -> [Effect] {
    // It may be meant to lie over the run on show.
    guard state.curves.requestedHistory == folder else { return [] }
    state.curves.requestedHistory = nil
    // A run that was started meanwhile has the pane.
    guard !state.runUnderWay, !state.startRequested else { return [] }
    guard let history else {
      state.curves.unreadable.insert(folder)
      state.notify(.warning, "no curves of \(lastComponent(folder)): \(reason ?? "it could not be read")")
      return []
    }
    state.curves.show(history)
    // A run that went on since its checkpoints were listed has others now.
    let listed = state.inspector.checkpoints?.filter { $0.runFolder == folder }.map(\.step).max() ?? 0
    return state.curves.isElsewhere || state.curves.reachedStep > listed
      ? [.browse(.listCheckpoints(project: state.settings.project))] : []
  }

  // MARK: View

  /// Whose curves these are and how the run stands; of a run that has ended rather the name, of another what it does.
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    let curves = state.curves
    let phase = phaseName(state)
    guard let name = curves.runName else { return [Span(phase)] }
    let both = "\(name) \(theme.glyphs.separator) \(phase)"
    let room = width - state.heading(of: id).columns - 9
    if both.columns <= room, curves.isHistory || width >= 40 { return [Span(both)] }
    guard curves.isHistory else { return [Span(phase)] }
    return [Span(Truncation.middle.fit(name, width: max(1, room), ellipsis: theme.glyphs.ellipsis))]
  }

  /// What the run in the curves pane does, or how it ended.
  private static func phaseName(_ state: WorkbenchState) -> String {
    let curves = state.curves
    guard curves.isHistory else { return state.phaseName }
    if curves.isElsewhere { return "being trained elsewhere" }
    return curves.outcome.map { $0.reason == .stopped ? "stopped" : "finished" } ?? "not finished"
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    drawContent(state, into: &frame, in: inner, theme: theme)
  }

  /// - Returns: where the curves of each chart are.
  @discardableResult
  private static func drawContent(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme
  ) -> [Rect] {
    let curves = state.curves
    guard curves.run != nil else {
      drawPlan(state, into: &frame, in: inner, theme: theme)
      return []
    }
    // In a small pane the charts' headings have no room for the best values and the share of the largest class.
    let hasThirdLine = inner.width < 64 && inner.height >= 10
    let (head, charts) = inner.splitTop(hasThirdLine ? 3 : 2)
    drawProgress(state, into: &frame, in: head.row(0), theme: theme)
    drawFigures(state, into: &frame, in: head.row(1), theme: theme)
    drawBest(curves, into: &frame, in: head.row(2), theme: theme)
    guard state.zoomed, let run = curves.run else {
      return drawCharts(curves, into: &frame, in: charts, theme: theme)
    }
    let command = Paragraph.wrapped("$ " + run.settings.commandLine, width: inner.width)
    let below = charts.splitBottom(min(command.count, charts.height / 4))
    frame.put(lines: command, in: below.bottom, style: theme[.dimmed])
    return drawCharts(curves, into: &frame, in: below.rest, theme: theme)
  }

  // MARK: Charts

  /// - Parameter table: the charts to show; nil for those that were chosen.
  /// - Returns: where the curves of each are.
  @discardableResult
  static func drawCharts(
    _ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme, table: [CurveChart]? = nil
  ) -> [Rect] {
    let shown = table ?? curves.view.charts
    var rect = rect
    let byClass: ClassChart? = if table == nil, case .classes(let chart) = curves.view { chart } else { nil }
    if let cursor = curves.cursor, rect.height >= 5 {
      let split = rect.splitBottom(1)
      rect = split.rest
      drawReading(curves, byClass, at: cursor, into: &frame, in: split.bottom, theme: theme)
    }
    if let byClass { return [byClass.draw(curves, into: &frame, in: rect, theme: theme)].compactMap { $0 } }
    return zip(shown, places(for: shown.count, in: rect)).compactMap { chart, place in
      chart.draw(curves, into: &frame, in: place, theme: theme)
    }
  }

  /// Reads values where a chart is clicked.
  static func clicked(x: Int, y: Int, in inner: Rect, _ state: inout WorkbenchState) -> Bool {
    // Where the curves are depends on the widths of the axes' labels: they are drawn, and nobody sees it.
    var frame = Frame(size: state.size, filledWith: Cell(" ", .plain))
    let plots = drawContent(state, into: &frame, in: inner, theme: Theme.monochrome.with(glyphs: state.glyphs))
    guard let plot = plots.first(where: { $0.contains(x: x, y: y) }), plot.width > 1 else { return false }
    let shown = state.curves.shownEpochs
    let position = Double(x - plot.x) / Double(plot.width - 1)
    state.curves.cursor = shown.lowerBound + position * (shown.upperBound - shown.lowerBound)
    return true
  }

  /// What the curves are where the cursor stands: of every chart, as far as there is room.
  private static func drawReading(
    _ curves: CurvesState, _ byClass: ClassChart?, at cursor: Double, into frame: inout Frame, in rect: Rect,
    theme: Theme
  ) {
    let steps = Int((cursor * Double(max(1, curves.run?.stepsPerEpoch ?? 1))).rounded())
    let place = [
      Span(String(theme.glyphs.cursor), theme[.text]),
      Span(
        " epoch \(Format.fixed(cursor, curves.lengthInEpochs < 100 ? 1 : 0)) step \(Format.count(steps))",
        theme[.text]),
    ]
    let readings =
      byClass.map { $0.reading(curves, at: cursor, theme: theme) }
      ?? CurveChart.all.map { $0.reading(curves, at: cursor, theme: theme) }.filter { !$0.isEmpty }
    frame.put(pieces: [place] + readings, in: rect, style: theme[.text])
  }

  /// Below each other in a high pane, else side by side; where there is no room for all of them, for the first ones.
  private static func places(for count: Int, in rect: Rect) -> [Rect] {
    guard count > 1 else { return [rect] }
    if rect.height >= 7 * count, rect.width < 110 {
      let (upper, rest) = rect.splitTop((rect.height + count - 1) / count)
      return [upper] + places(for: count - 1, in: rest)
    }
    guard rect.width >= 20 * count else { return places(for: count - 1, in: rect) }
    var (places, rest) = ([Rect](), rect)
    for left in (1...count).reversed() {
      let (place, more) = rest.splitLeft(rest.width / left)
      places.append(place.inset(left: left == count ? 0 : 1, right: left == 1 ? 0 : 1))
      rest = more
    }
    return places
  }

  // MARK: Before a run

  private static func drawPlan(_ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme) {
    let brief = inner.width < 44
    let first =
      switch state.engine {
      case .preparing:
        [Span(spinner(at: state.time, theme: theme) + " preparing: reading images, building the network")]
      case .evaluating: [Span(spinner(at: state.time, theme: theme) + " evaluating a checkpoint")]
      default:
        [
          Span("space", theme[.hintKey]), Span(brief ? " trains  " : " starts training  "),
          Span("o", theme[.hintKey]),
          Span(brief ? " settings" : " edits these settings"),
        ]
      }
    if let preparation = state.preparation {
      frame.put(preparation: preparation, at: state.time, in: inner.row(0), theme: theme)
    } else {
      frame.put(first, in: inner.row(0), style: theme[.text])
    }
    let facts = plan(of: state)
    let label = brief ? 0 : (facts.map { DisplayWidth.of($0.label) }.max() ?? 0) + 2
    let command = Paragraph.wrapped("$ " + state.settings.commandLine, width: inner.width)
    let spare = inner.height - 1 - facts.count
    let gap = spare > command.count ? 1 : 0
    for (row, fact) in facts.enumerated() {
      let line = inner.row(row + 1 + gap).splitLeft(label)
      frame.put(fact.label, in: line.left, style: theme[.dimmed])
      frame.put((brief ? fact.unit : "") + fact.value, in: line.rest, style: theme[.text])
    }
    guard spare >= command.count + 2 else { return }
    frame.put(lines: command, in: inner.splitBottom(command.count).bottom, style: theme[.dimmed])
  }

  /// The settings that matter most; `unit` makes a value clear where there is no room for its label.
  private static func plan(of state: WorkbenchState) -> [(label: String, unit: String, value: String)] {
    let settings = state.planned
    let place: [(label: String, unit: String, value: String)] = [
      ("seed", "seed ", "\(settings.seed)"),
      ("run", "", settings.name.map { joined(settings.project, $0) } ?? "a new folder in \(settings.project)"),
    ]
    // What the recipe has not chosen yet is not what stands in the settings.
    if state.isPlanning {
      return [("settings", "", "\(AutomaticSettings.word): trying what fits the images")] + place
    }
    let augmentation = settings.augmentation
    let optimizer = settings.optimizer
    let schedule = "\(Format.general(settings.learningRate)), \(settings.schedule.description)"
    let decay = Format.general(optimizer.weightDecay)
    let crop = "crop \(augmentation.crop.rawValue), " + (augmentation.horizontalFlip ? "mirrored" : "not mirrored")
    // The others by their options, where they are on.
    let others = Settings.augmentation.filter { !["crop", "flip"].contains($0.option) }
      .flatMap { row in row.words(for: settings, usual: Settings.usual) }
      .map { (word: String) -> String in String(word.drop { $0 == "-" }) }
    return [
      ("network", "", ([settings.network.name] + settings.network.optionWords).joined(separator: " ")),
      ("images", "", "\(settings.preprocessing.imageSize) pixels, batch \(settings.batchSize)"),
      ("length", "", length(state)),
      ("learning rate", "lr ", schedule),
      ("optimizer", "", words(of: optimizer) + "decay \(decay)"),
      ("augmentation", "", ([crop] + others).joined(separator: ", ")),
    ] + place
  }

  /// The epochs, and the time that all of it will take where a recipe has reckoned that.
  private static func length(_ state: WorkbenchState) -> String {
    let epochs = Format.counted(state.planned.epochs, "epoch")
    if let plan = state.plan { return "\(epochs), about \(Format.duration(plan.recipe.cost.total))" }
    if let refusal = state.planRefusal { return refusal }
    return epochs
  }

  /// `momentum 0.9, `, with the optimizer's name where it is not the usual one.
  private static func words(of optimizer: OptimizerSettings) -> String {
    let name = optimizer.method == .sgd ? "" : "\(optimizer.method.rawValue), "
    return name + (optimizer.momentum.map { "momentum \(Format.general($0)), " } ?? "")
  }

  // MARK: Progress and metrics

  private static func drawProgress(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let curves = state.curves
    if let preparation = state.preparation {
      frame.put(preparation: preparation, at: state.time, in: rect, theme: theme)
      return
    }
    guard let run = curves.run else { return }
    if state.engine == .validating || curves.validating != nil, let progress = curves.validating {
      let text = "validating \(Format.count(progress.done)) of \(Format.count(progress.total))"
      Gauge(progress.share, text: text).draw(into: &frame, in: rect, theme: theme)
      return
    }
    if let progress = curves.features {
      let text = "features of images \(Format.count(progress.done)) of \(Format.count(progress.total))"
      Gauge(progress.share, text: text).draw(into: &frame, in: rect, theme: theme)
      return
    }
    // Not every step is logged: the last one may be of an epoch before the last.
    let (step, epoch) = (curves.reachedStep, curves.reachedEpoch)
    let share = curves.totalSteps.map { Double(step) / Double($0) }
    let epochs = "epoch \(epoch)/\(run.settings.epochs)"
    let steps =
      curves.totalSteps.map { "step \(Format.count(step))/\(Format.count($0))" } ?? "step \(Format.count(step))"
    let percent = share.map { Format.percent(min(1, $0), decimals: 0) } ?? ""
    let separator = " \(theme.glyphs.separator) "
    let long = [epochs, steps, percent].joined(separator: separator)
    let text = DisplayWidth.of(long) + 2 <= rect.width ? long : [epochs, percent].joined(separator: separator)
    Gauge(share, text: text).draw(into: &frame, in: rect, theme: theme)
  }

  private static func drawFigures(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let curves = state.curves
    if let outcome = curves.outcome, state.engine == .idle {
      let how: ThemeRole = outcome.reason == .stopped ? .warning : .success
      frame.put(
        facts: [
          outcome.reason.title, Format.counted(outcome.epochs, "epoch"), curves.gap ?? "",
          outcome.seconds.isFinite ? Format.duration(outcome.seconds) : "",
          outcome.best?.ranked() ?? "",
          Format.counted(outcome.steps, "step"),
        ], in: rect, theme: theme, style: theme[how])
      return
    }
    let best = curves.best?.score.ranked() ?? ""
    if curves.isElsewhere {
      frame.put(
        facts: [
          "being trained elsewhere", "a attaches", Format.counted(curves.epochsDone, "epoch"), curves.gap ?? "",
          best,
        ], in: rect, theme: theme, style: theme[.warning])
      return
    }
    if curves.isHistory {
      frame.put(
        facts: [
          "not finished", Format.counted(curves.epochsDone, "epoch"), curves.gap ?? "", best,
          state.looksOnly ? "" : "r in the inspector resumes",
        ], in: rect, theme: theme, style: theme[.warning])
      return
    }
    if curves.hasFailed, state.engine == .idle {
      let done = curves.epochsDone
      frame.put(
        facts: [
          done > 0 ? "failed after epoch \(done)" : "failed in the first epoch",
          state.looksOnly ? "" : "space resumes", best,
        ], in: rect, theme: theme, style: theme[.error])
      return
    }
    guard let last = curves.last else {
      frame.put("waiting for the first step", in: rect, style: theme[.dimmed])
      return
    }
    let isPaused = state.engine == .paused
    let figures = [
      "grad norm \(Format.fixed(last.gradientNorm, last.gradientNorm < 100 ? 2 : 0))",
      "peak lr \(Format.general(curves.peakLearningRate))",
    ]
    // What does not fit is left out at the end: a wait that costs time is not.
    let waits = curves.dataWaitText ?? ""
    frame.put(
      facts: [
        isPaused
          ? (state.divergence == nil ? "paused: space resumes" : "diverged: space asks how to go on")
          : last.secondsLeft.map { Format.duration($0) + " left" } ?? "",
        Format.speed(last.imagesPerSecond) + (state.shownRanks.map { " on \($0.ranks.count) ranks" } ?? ""),
        "lr \(Format.general(last.learningRate))",
      ] + (curves.isKeptWaiting ? [waits] + figures : figures + [waits])
        + [curves.run.map { Format.count($0.trainingImages) + " images" } ?? ""],
      in: rect, theme: theme, style: theme[isPaused ? .warning : .text])
  }

  private static func drawBest(_ curves: CurvesState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let best = curves.best.map { "\($0.score.rank) val \($0.score.brief()) at epoch \($0.epoch)" }
    let baseline = curves.run.map { "majority \(Format.percent($0.majorityBaseline))" } ?? ""
    let waits = curves.dataWait.map { "data wait \(Format.percent($0))" } ?? ""
    let validation = curves.latestValidation
    let classes = [
      validation?.balancedAccuracy.map { "balanced \(Format.percent($0))" } ?? "",
      validation?.macroF1.map { "F1 \(Format.percent($0))" } ?? "",
    ]
    // Where there is room for one of the two, a wait that costs time is the news.
    let pair = curves.isKeptWaiting ? [waits, baseline] : [baseline, waits]
    frame.put(
      facts: [best ?? ""] + pair + classes, in: rect, theme: theme,
      style: theme[curves.isKeptWaiting ? .warning : .dimmed])
  }
}

extension RunOutcome.Reason {
  fileprivate var title: String {
    switch self {
    case .completed: "completed"
    case .timeBudget: "time budget used up"
    case .earlyStopping: "stopped early: no better"
    case .stopped: "stopped and saved"
    }
  }
}
