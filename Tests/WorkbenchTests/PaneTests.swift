// A pane is its folder and a line in the list: a sixth one that exists only here has its key, its place, its hints, its
// help and its commands without anybody else knowing of it.

import Canvas
import Messages
import Testing

@testable import Workbench

/// The newest warnings, and a switch.
private enum LogPane: Pane {
  struct Model: Sendable, Equatable {
    var lines: [String] = []
    var isLoud = false
    var list = BrowsableList()
  }

  static let id = PaneID("Log")
  static let context = Context("Log", pane: id)
  static let shout = Action.pane(PaneAction(id, "shout"))
  static let contexts = [context]
  static let keys = [
    Keymap.command(context, [.character("S")], shout, hint: "shout", "say it loudly", synonyms: ["megaphone"])
  ]

  static func model(data: String) -> Model { Model(lines: ["opened \(data)"], list: BrowsableList(total: 1)) }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    action == shout ? "echo LOUD" : nil
  }

  static func initialEffects(_ state: WorkbenchState) -> [Effect] { [.redraw] }

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    guard case .warning(let text) = event else { return [] }
    state.log.lines.append(text)
    let lines = state.log.lines
    state.log.list.reload(total: lines.count) { lines[$0] }
    return []
  }

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    guard action == shout else { return nil }
    state.log.isLoud.toggle()
    return []
  }

  static func isAnimated(_ state: WorkbenchState) -> Bool { state.log.isLoud }

  static func list(in state: WorkbenchState) -> ShownList? {
    let lines = state.log.lines
    return ShownList(path: \.log.list) { lines[$0] }
  }

  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect { inner }

  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] { [Span("all of it")] }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    let model = state.log
    for (row, position) in model.list.window(height: inner.height).enumerated() {
      guard let item = model.list.item(at: position) else { continue }
      let text = model.isLoud ? model.lines[item].uppercased() : model.lines[item]
      frame.put(text, in: inner.row(row), style: theme[.text])
    }
    drawFilter(state, into: &frame, in: inner, theme: theme)
  }
}

extension WorkbenchState {
  fileprivate var log: LogPane.Model {
    get { models[LogPane.self] }
    _modify { yield &models[LogPane.self] }
  }
}

@Suite struct `A sixth pane` {
  private static let sizes = [
    Size(width: 60, height: 16), Size(width: 80, height: 24), Size(width: 140, height: 44),
  ]

  private func state(_ size: Size = Size(width: 80, height: 24)) -> WorkbenchState {
    var state = WorkbenchState(
      data: "data/sign-digits", settings: Fixtures.settings,
      rules: TrainingRules(networks: ["cifar20"]) { _ in nil }, themeNames: ["Dark"],
      theme: "Dark", size: size, looksOnly: false, panes: Panes(Panes.standard.all + [LogPane.self]))
    state.hear(
      .dataset(Fixtures.dataset), .network(Fixtures.summary), .checkpoints(Fixtures.checkpoints), .state(.idle),
      .warning("the disk is slow"))
    state.clearMessage()
    return state
  }

  private func text(_ state: WorkbenchState) -> String { render(state, size: state.size, theme: .dark).text() }

  @Test(arguments: sizes)
  func `stands behind the third until it has the focus, and leaves the others where they are`(size: Size) throws {
    var state = state(size)
    let before = state.layout
    #expect(before.panes.map(\.id) == [.dataset, .layers, .curves, .inspector])
    // Where there is no room for both, its name is cut.
    #expect(text(state).contains(size.width > 60 ? "3 Curves  7 Log" : "3 Curve"))
    state.type("7")
    #expect(state.focus == LogPane.id)
    #expect(state.layout.panes.map(\.id) == [.dataset, .layers, LogPane.id, .inspector])
    if size.width >= 140 { #expect(state.layout.panes.map(\.rect) == before.panes.map(\.rect)) }
    let shown = text(state)
    #expect(shown.contains(size.width > 60 ? "7 Log  3 Curves" : "7 Log") && shown.contains("the disk is slow"))
    state.type("1")
    #expect(state.layout.panes.map(\.id) == [.dataset, .layers, .curves, .inspector])
    // A click lands on the one in view.
    state.type("7")
    let place = try #require(state.layout[LogPane.id])
    _ = update(&state, .input(.click(x: place.x + 3, y: place.y + 2)))
    #expect(state.focus == LogPane.id)
    #expect(state.log.list.selected == 1)
  }

  @Test func `fills the screen and is one of the round`() {
    var state = state()
    state.press(.backTab)
    #expect(state.focus == LogPane.id)
    state.press(.tab)
    #expect(state.focus == .dataset)
    state.type("7z")
    #expect(state.layout.panes.map(\.id) == [LogPane.id])
    #expect(text(state).contains("7 Log ") && !text(state).contains("Dataset"))
    state.press(.escape)
    #expect(state.layout.panes.count == 4)
  }

  @Test func `its keys, hints, filter and events are its own`() {
    var state = state()
    state.type("7")
    #expect(state.hints.contains { $0.text == "shout" })
    #expect(!state.isAnimated)
    state.type("S")
    #expect(state.log.isLoud && state.isAnimated)
    #expect(text(state).contains("THE DISK IS SLOW"))
    state.type("/opened")
    state.press(.enter)
    #expect(state.log.list.count == 1)
    state.press(.escape, .character("1"))
    #expect(state.log.list.count == 2)
    #expect(!state.hints.contains { $0.text == "shout" })
    state.type("S")
    #expect(state.log.isLoud, "another pane has the focus")
    #expect(initialEffects(state).last == .redraw)
  }

  @Test func `help and commands name it`() {
    var state = state()
    let lines = HelpView.lines(state)
    #expect(lines.contains(.heading("Log")))
    #expect(lines.contains { if case .binding(let binding) = $0 { binding.help == "the log pane" } else { false } })
    state.type(":megaphone")
    #expect(text(state).contains("log: say it loudly") && text(state).contains("$ echo LOUD"))
    state.press(.enter)
    #expect(state.focus == LogPane.id && state.log.isLoud)
  }

  @Test func `is part of what makes two states equal`() {
    let (one, other) = (state(), state())
    #expect(one == other)
    var changed = one
    changed.log.isLoud = true
    #expect(changed != other)
    #expect(WorkbenchState.opened() != one)
  }
}

@Suite struct `A pane's model` {
  @Test func `is changed in place`() {
    var state = WorkbenchState.training()
    state.curves.epochs = (0..<4096).map { Fixtures.epoch($0) }
    func address() -> UnsafeRawPointer? {
      state.curves.epochs.withUnsafeBufferPointer { UnsafeRawPointer($0.baseAddress) }
    }
    let before = address()
    state.curves.epochs[7].seconds = 1
    #expect(address() == before)
  }
}
