// The machine pane: how busy the processors are, the memory that is left, and what training makes of them: images a second
// and the share of the time that steps wait for images; and of a run on several ranks, how each of them is doing. It has no
// keys of its own.

import Canvas
import Messages

extension PaneID {
  static let machine = PaneID("Machine")
}

extension Context {
  static let machine = Context("Machine", pane: .machine)
}

enum MachinePane: Pane {
  /// The reading of the machine is the whole screen's.
  struct Model: Sendable, Equatable {
    /// Of the run under way, where several ranks train it.
    var ranks: RankReport?
  }

  static let id = PaneID.machine
  static let contexts: [Context] = [.machine]
  static let keys = [Keymap.motion(.machine, [.enter], .zoom, "fill the screen, or show all panes again")]

  static func model(data: String) -> Model { Model() }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    action == .focus(id) ? "skipline doctor" : nil
  }

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .training(.ranks(let report)): state.ownMachine.ranks = report
    case .training(.started), .training(.finished): state.ownMachine.ranks = nil
    default: break
    }
    return []
  }

  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    guard let machine = state.machine, !machine.processors.isEmpty else { return [] }
    let ranks = state.shownRanks.map { ", \($0.ranks.count) ranks" } ?? ""
    return [Span("\(machine.available) of \(Format.counted(machine.processors.count, "core"))\(ranks)")]
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    guard let machine = state.machine else {
      frame.put(
        notice: "the machine is looked at every second while a run is under way, or this pane has the focus",
        in: inner, style: theme[.dimmed])
      return
    }
    var rows = Rows(frame: frame, rest: inner.inset(left: 1, right: 1), theme: theme)
    rows.put(processors: machine.processors, height: inner.height)
    if let memory = machine.memory, let used = machine.usedMemory {
      rows.put(
        "mem", share: Double(used) / Double(max(1, memory)), "\(Format.bytes(used)) of \(Format.bytes(memory))")
    }
    if let last = state.curves.last {
      let steps = state.curves.series.all
      rows.put("img/s", steps.map(\.imagesPerSecond), Format.speed(last.imagesPerSecond), from: 0)
      if let wait = state.curves.dataWait {
        rows.put("wait", state.curves.epochs.map(\.dataWait), Format.percent(wait) + " for images", from: 0, to: 1)
      }
      if let ranks = state.shownRanks { rows.put(ranks) }
      rows.put("lr", steps.map(\.learningRate), Format.general(last.learningRate), from: 0)
      rows.put("|g|", steps.map(\.gradientNorm), Format.general(last.gradientNorm), from: 0)
    }
    if let temperature = machine.temperature {
      rows.put("temp", share: temperature / 100, "\(Format.fixed(temperature, 0)) °C", isWarning: temperature >= 90)
    }
    frame = rows.frame
  }

  /// Lines one below the other, each with a name, a drawing and a figure, for as long as there is room.
  private struct Rows {
    var frame: Frame
    var rest: Rect
    let theme: Theme
    private static let nameWidth = 6
    private static let figureWidth = 22

    init(frame: Frame, rest: Rect, theme: Theme) {
      (self.frame, self.rest, self.theme) = (frame, rest, theme)
    }

    /// - Returns: where the drawing goes; nil where no room is left.
    private mutating func row(_ name: String, _ figure: String, role: ThemeRole = .text) -> Rect? {
      guard rest.height > 0 else { return nil }
      let (line, below) = rest.splitTop(1)
      rest = below
      let (left, right) = line.splitLeft(Self.nameWidth)
      let figureWidth = min(Self.figureWidth, max(6, right.width * 3 / 5))
      let (middle, end) = right.splitLeft(right.width - figureWidth)
      frame.put(name, in: left, style: theme[.dimmed])
      frame.put(figure, in: end, style: theme[role], align: .trailing)
      return middle.inset(right: 1)
    }

    mutating func put(_ name: String, share: Double, _ figure: String, isWarning: Bool = false) {
      let role: ThemeRole = isWarning || share > 0.95 ? .warning : .text
      guard let place = row(name, figure, role: role) else { return }
      Bar(min(1, share), role: role == .warning ? .barSecond : .bar).draw(into: &frame, in: place, theme: theme)
    }

    mutating func put(
      _ name: String, _ values: [Double?], _ figure: String, from low: Double, to high: Double? = nil
    ) {
      guard let place = row(name, figure) else { return }
      let high = high ?? max(values.compactMap { $0 }.filter(\.isFinite).max() ?? low, low + 1e-9)
      Sparkline(values, range: low...high).draw(into: &frame, in: place, theme: theme)
    }

    /// A line a rank, in their order; where there is no room for all, those that are behind most come first.
    mutating func put(_ report: RankReport) {
      let all = report.ranks.indices
      let fits = report.ranks.count <= rest.height
      let order = fits ? Array(all) : all.sorted { (-report.ranks[$0].lag, $0) < (-report.ranks[$1].lag, $1) }
      let shown = order.prefix(fits ? order.count : max(0, rest.height - 1))
      // As wide as the longest of each.
      let texts = shown.map { rank -> [String] in
        let reading = report.ranks[rank]
        return [
          "rank \(rank)", reading.imagesPerSecond.map { Format.speed($0) } ?? "\(Format.absent) img/s",
          "waits \(Format.percent(reading.waiting, decimals: 0))", "+\(Format.interval(reading.lag))",
        ]
      }
      let widths = (0..<4).map { column in texts.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
      for (rank, text) in zip(shown, texts) {
        let (line, below) = rest.splitTop(1)
        rest = below
        let figures = zip(text.dropFirst(), widths.dropFirst()).map { text, width in
          String(repeating: " ", count: width - DisplayWidth.of(text)) + text
        }.joined(separator: "  ")
        let (name, other) = line.splitLeft(widths[0] + 1)
        let (machine, end) = other.splitLeft(max(0, other.width - DisplayWidth.of(figures)))
        let isSlowest = rank == report.slowest
        frame.put(text[0], in: name, style: theme[.dimmed])
        frame.put(report.ranks[rank].machine, in: machine.inset(right: 1), style: theme[.text])
        frame.put(figures, in: end, style: theme[isSlowest ? .warning : .text], align: .trailing)
      }
      guard !fits, rest.height > 0 else { return }
      let (line, below) = rest.splitTop(1)
      rest = below
      frame.put(
        "and \(Format.counted(report.ranks.count - shown.count, "rank")) more", in: line, style: theme[.dimmed])
    }

    /// Each core a bar, two on a line where there is room; one for all where there are more of them than lines.
    mutating func put(processors: [Double], height: Int) {
      guard !processors.isEmpty else { return }
      let mean = processors.reduce(0, +) / Double(processors.count)
      if processors.count <= 2 || processors.count <= height / 3 {
        for (number, share) in processors.enumerated() {
          guard let place = row("cpu \(number)", Format.percent(share, decimals: 0)) else { return }
          Bar(share).draw(into: &frame, in: place, theme: theme)
        }
      } else {
        guard let place = row("cpu", Format.percent(mean, decimals: 0)) else { return }
        // A column a core, as many as there is room for: the busiest first.
        Sparkline(processors.sorted(by: >).prefix(place.width).map { $0 }, range: 0...1).draw(
          into: &frame, in: place, theme: theme)
      }
    }
  }
}

extension WorkbenchState {
  /// What the machine pane has of its own.
  var ownMachine: MachinePane.Model {
    get { models[MachinePane.self] }
    _modify { yield &models[MachinePane.self] }
  }

  /// How the ranks of the run under way are doing; nil where it has one, and where another run is on show.
  var shownRanks: RankReport? { runUnderWay && !curves.isElsewhere ? ownMachine.ranks : nil }

  /// Whether anybody sees how the machine is doing, so that it is worth looking at it.
  public var showsMachine: Bool {
    layout[.machine] != nil && overlay == nil && (runUnderWay || focus == .machine)
  }
}
