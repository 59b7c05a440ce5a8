// The machine pane: how busy the processors are, the memory that is left, and what training makes of them: images a second
// and the share of the time that steps wait for images. It has no keys of its own.

import Canvas
import Messages

extension PaneID {
  static let machine = PaneID("Machine")
}

extension Context {
  static let machine = Context("Machine", pane: .machine)
}

enum MachinePane: Pane {
  /// Nothing: the reading is the whole screen's.
  struct Model: Sendable, Equatable {}

  static let id = PaneID.machine
  static let contexts: [Context] = [.machine]
  static let keys = [Keymap.motion(.machine, [.enter], .zoom, "fill the screen, or show all panes again")]

  static func model(data: String) -> Model { Model() }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    action == .focus(id) ? "skipline doctor" : nil
  }

  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    guard let machine = state.machine, !machine.processors.isEmpty else { return [] }
    return [Span("\(machine.available) of \(Format.counted(machine.processors.count, "core"))")]
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
  /// Whether anybody sees how the machine is doing, so that it is worth looking at it.
  public var showsMachine: Bool {
    layout[.machine] != nil && overlay == nil && (runUnderWay || focus == .machine)
  }
}
