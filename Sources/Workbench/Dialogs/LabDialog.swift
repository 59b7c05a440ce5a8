// The degradation lab on the screen: which depths and how long, what that comes to, and what came out. Its networks are
// trained one after another, each as a run in a process of its own, with the curves of those before laid over; where it
// stands is read from its runs each time, so that it goes on whoever stopped it. The lab itself is the engine's.

import Canvas
import Messages

/// A lab being chosen, or looked at.
struct LabDialog: Sendable, Equatable {
  static let choices = [LabDepths.small, .all, .large]

  private(set) var depths = LabDepths.small
  /// The time for all networks, as it is typed; empty for what is usual.
  private(set) var time = ""
  /// Why the time is none, or there is no plan.
  var error: String?
  /// What was asked for and is waited for.
  var request: LabRequest?
  /// What is to be trained, and where it stands.
  var report: LabReport?

  var plan: LabPlan? { report?.plan }

  private static let longest = 12

  mutating func cycle(by places: Int) {
    let place = Self.choices.firstIndex(of: depths) ?? 0
    depths = Self.choices[(place + places + Self.choices.count) % Self.choices.count]
    forget()
  }

  mutating func type(_ text: String) {
    time = String((time + text.filter { !$0.isWhitespace }).prefix(Self.longest))
    forget()
  }

  mutating func erase() {
    time = String(time.dropLast())
    forget()
  }

  mutating func clear() {
    time = ""
    forget()
  }

  private mutating func forget() { (error, request, report) = (nil, nil, nil) }

  /// Seconds; nil for what is usual.
  /// - Throws: `SettingRefusal` for what is no time.
  func budget() throws(SettingRefusal) -> Double? {
    time.isEmpty ? nil : try Settings.budget.kind.parse(time)
  }
}

/// A lab whose networks are trained now.
struct RunningLab: Sendable, Equatable {
  var name: String
  var project: String
  /// The run that was asked for and has not begun.
  var awaits: String?
  /// How often each run was begun or gone on with: one that fails each time is not tried for ever.
  var launches: [String: Int] = [:]
  /// Networks that were evaluated, or could not be.
  var evaluated: Set<String> = []
}

extension WorkbenchState {
  mutating func openLab() -> [Effect] {
    var dialog = LabDialog()
    guard let lab else { return plan(&dialog) }
    // The one under way.
    dialog.error = nil
    overlay = .lab(dialog)
    return [.browse(.lab(.read(name: lab.name, project: lab.project)))]
  }

  /// Asks for a plan of what the dialog says.
  private mutating func plan(_ dialog: inout LabDialog) -> [Effect] {
    defer { overlay = .lab(dialog) }
    var asked = Settings.usual
    (asked.data, asked.project, asked.split) = (settings.data, settings.project, settings.split)
    (asked.seed, asked.threads, asked.workers) = (settings.seed, settings.threads, settings.workers)
    (asked.cache, asked.safety) = (settings.cache, settings.safety)
    do throws(SettingRefusal) { asked.budget = try dialog.budget() } catch {
      dialog.error = error.reason
      return []
    }
    guard !runUnderWay else {
      dialog.error = "a run is under way: a lab is begun when the machine is free"
      return []
    }
    guard dataset.report != nil else {
      dialog.error = "the images are not read yet"
      return []
    }
    let request = LabRequest(depths: dialog.depths, settings: asked)
    dialog.request = request
    return [.ask(.planLab(request))]
  }

  mutating func edit(_ dialog: LabDialog, typing text: String) -> [Effect] {
    guard lab == nil else { return [] }
    var dialog = dialog
    dialog.type(text)
    return plan(&dialog)
  }

  mutating func perform(_ action: Action, in dialog: LabDialog) -> [Effect] {
    var dialog = dialog
    switch action {
    case .cancel:
      overlay = nil
      return []
    case .accept: return beginLab(dialog)
    // While one is trained, it is the one that is looked at.
    case .left, .right, .erase, .clear:
      guard lab == nil else { return [] }
      switch action {
      case .left: dialog.cycle(by: -1)
      case .right: dialog.cycle(by: 1)
      case .erase: dialog.erase()
      default: dialog.clear()
      }
      return plan(&dialog)
    default: return []
    }
  }

  /// Asks again for what gave way to another plan.
  mutating func askAgainForLab() -> [Effect] {
    guard case .lab(let dialog) = overlay, let request = dialog.request else { return [] }
    return [.ask(.planLab(request))]
  }

  // MARK: Training it

  private mutating func beginLab(_ dialog: LabDialog) -> [Effect] {
    guard lab == nil, let report = dialog.report, mayChange() else { return [] }
    let plan = report.plan
    guard engine == .idle else {
      notify(.information, "something is under way: wait until it is done")
      return []
    }
    if report.isFinished { return close() }
    lab = RunningLab(name: plan.name, project: plan.settings.project)
    overlay = nil
    return [
      .browse(
        report.isBegun ? .lab(.read(name: plan.name, project: plan.settings.project)) : .lab(.begin(plan)))
    ]
  }

  private mutating func close() -> [Effect] {
    overlay = nil
    return []
  }

  /// Asks where the lab stands, once nothing is under way.
  func nextOfLab() -> Effect? {
    guard let lab, lab.awaits == nil, engine == .idle else { return nil }
    return .browse(.lab(.read(name: lab.name, project: lab.project)))
  }

  /// Its run was stopped or failed: the lab goes on when somebody says so.
  mutating func pauseLab() {
    guard let lab else { return }
    self.lab = nil
    notify(
      .information, "\(lab.name) is halted: ctrl-e goes on with it, as does skipline lab --resume \(lab.name)")
  }

  /// Takes in what became of a question about labs.
  mutating func take(_ answer: LabAnswer) -> [Effect] {
    switch answer {
    case .planned(let request, let report, let reason):
      guard case .lab(var dialog) = overlay, dialog.request == request else { break }
      (dialog.request, dialog.report, dialog.error) = (nil, report, reason)
      overlay = .lab(dialog)
      // The plan of a run that was waited for gave way to this one.
      return plan == nil && planRefusal == nil ? requestPlan() : []
    case .report(let report):
      if case .lab(var dialog) = overlay, dialog.request == nil {
        dialog.report = report
        overlay = .lab(dialog)
      }
      return goOn(with: report)
    case .failed(let reason):
      lab = nil
      notify(.failure, reason)
    }
    return []
  }

  /// Trains what is not trained yet, then measures the test images, then shows what came out.
  private mutating func goOn(with report: LabReport) -> [Effect] {
    guard var lab, lab.name == report.plan.name, lab.awaits == nil, engine == .idle, !startRequested else {
      return []
    }
    if let next = report.next {
      guard lab.launches[next.run, default: 0] < 2 else {
        pauseLab()
        return []
      }
      lab.launches[next.run, default: 0] += 1
      lab.awaits = next.run
      self.lab = lab
      curves.view = .lab
      focus = .curves
      let effects =
        next.state == .missing ? begin(report.plan.settings(of: next.network)) : resume(next.run)
      return layOver(report, but: next.run) + effects
    }
    let left = report.rows.first { $0.testError == nil && !lab.evaluated.contains($0.run) }
    if report.plan.testImages > 0, let left {
      lab.evaluated.insert(left.run)
      self.lab = lab
      return [
        .send(.evaluate(checkpoint: joined(left.run, "checkpoints/last.safetensors"), data: nil, split: .test))
      ]
    }
    self.lab = nil
    var dialog = LabDialog()
    dialog.report = report
    if overlay == nil { overlay = .lab(dialog) }
    notify(.information, report.answerText { Format.percent($0, decimals: 1) } ?? "\(report.plan.name) is finished")
    return []
  }

  /// Lays the curves of the networks that were trained before over those of the next one.
  private mutating func layOver(_ report: LabReport, but next: String) -> [Effect] {
    let others = report.rows.filter { $0.state != .missing && $0.run != next }.map(\.run)
    let chosen = Array(others.suffix(RunsState.mostChosen))
    curves.overlays.removeAll { !chosen.contains($0.folder) }
    runs.chosen = chosen
    runs.requested.formUnion(chosen)
    return chosen.map { .browse(.readRun(folder: $0)) }
  }
}

enum LabView {
  static func draw(_ dialog: LabDialog, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let screen = Rect(frame.size).inset(bottom: 2)
    let width = min(frame.size.width - 2, 90)
    let said = texts(dialog, state).flatMap { text, role in
      Paragraph.wrapped(text, width: width - 4).map { (text: $0, role: role) }
    }
    let networks = (dialog.plan?.depths ?? dialog.depths).networks
    let height = min(screen.height, 2 + 2 + 1 + 1 + networks.count + 1 + said.count)
    let inner = frame.overlay(
      screen.centered(width: width, height: height),
      title: "Degradation lab" + (dialog.plan.map { ": \($0.name)" } ?? ""), trailing: trailing(dialog, state),
      theme: theme)
    drawQuestion(dialog, state, into: &frame, in: inner.splitTop(2).top, theme: theme)
    let table = inner.splitTop(3).rest.splitTop(networks.count + 1)
    drawTable(dialog, networks, into: &frame, in: table.top, theme: theme)
    let below = table.rest.splitTop(1).rest
    for (row, line) in said.prefix(below.height).enumerated() {
      frame.put(line.text, in: below.row(row), style: theme[line.role])
    }
  }

  private static func trailing(_ dialog: LabDialog, _ state: WorkbenchState) -> String {
    if state.lab != nil { return "Esc closes" }
    guard let report = dialog.report else { return "" }
    return report.isFinished ? "Enter closes" : report.isBegun ? "Enter goes on" : "Enter trains"
  }

  /// The depths and the time that are asked for.
  private static func drawQuestion(
    _ dialog: LabDialog, _ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    guard state.lab == nil else {
      return frame.put(
        lines: Paragraph.wrapped("its networks are trained one after another; X halts it", width: rect.width),
        in: rect,
        style: theme[.dimmed])
    }
    frame.put(
      pieces: [[Span("depths", theme[.dimmed])]]
        + LabDialog.choices.map { depths in
          let isChosen = depths == (dialog.plan?.depths ?? dialog.depths)
          return [Span(" \(depths) ", isChosen ? theme.selection(focused: true) : theme[.text])]
        }, in: rect.row(0), style: theme[.text])
    let (label, rest) = rect.row(1).splitLeft(20)
    frame.put("time for all", in: label, style: theme[.dimmed])
    let (input, note) = rest.splitLeft(14)
    frame.fill(input, style: theme[.input])
    frame.put(typed: dialog.time, in: input, style: theme[.input], caret: true)
    frame.put(
      dialog.time.isEmpty ? "as 5m or 1h; empty: 10m" : "as 5m or 1h", in: note.inset(left: 2),
      style: theme[.dimmed])
  }

  /// A row a network: how far it is, and its errors beside the article's.
  private static func drawTable(
    _ dialog: LabDialog, _ networks: [LabNetwork], into frame: inout Frame, in rect: Rect, theme: Theme
  ) {
    func number(_ title: String, _ width: Int) -> Table.Column {
      Table.Column(title, width: .fixed(width), alignment: .trailing)
    }
    let columns = [
      Table.Column("error of", width: .fixed(10)), Table.Column("", width: .flexible(minimum: 8, weight: 1)),
      number("training", 9), number("validation", 10), number("test", 8), number("article", 8),
    ]
    let rows = networks.map { network -> [Table.Content] in
      guard let row = dialog.report?.rows.first(where: { $0.network == network }) else {
        return [.text(network.name), .spans([Span("not trained", theme[.dimmed])]), "", "", "", ""]
      }
      func share(_ value: Double?) -> Table.Content { .text(Format.percent(value)) }
      let epochs = dialog.plan?.settings.epochs ?? row.epoch
      let state =
        switch row.state {
        case .missing: "not trained"
        case .unfinished: "epoch \(row.epoch)/\(epochs)"
        case .finished: Format.counted(row.epoch, "epoch")
        }
      return [
        .text(network.name), .spans([Span(state, theme[.dimmed])]), share(row.trainingError),
        share(row.validationError), share(row.testError), .spans([Span(LabText.published(row), theme[.dimmed])]),
      ]
    }
    Table(columns: columns, rows: rows, selected: nil, offset: 0).draw(into: &frame, in: rect, theme: theme)
  }

  /// What there is to say: what it takes, what is wrong, or the answer.
  private static func texts(_ dialog: LabDialog, _ state: WorkbenchState) -> [(text: String, role: ThemeRole)] {
    if let error = dialog.error { return [(error, .warning)] }
    guard let report = dialog.report else { return [("trying how long a step takes", .dimmed)] }
    let plan = report.plan
    let command =
      "$ "
      + (report.isBegun
        ? "skipline lab --resume \(plan.name)"
        : ShellCommand.lab(state.dataset.path, depths: plan.depths, budget: plan.budget))
    guard report.isBegun else {
      return [
        ("One seed, one order of images, the same settings: \(plan.text).", .text),
        ("About \(Format.duration(plan.seconds)) in all; each is a run of its own.", .text), (command, .dimmed),
      ]
    }
    guard let answer = report.answerText(percent: { Format.percent($0) }) else {
      return [("\(plan.text).", .text), (command, .dimmed)]
    }
    return [
      (LabReport.question, .header), (answer, .text), (report.article, .dimmed),
      ("Here: \(plan.text).", .dimmed),
    ]
  }
}
