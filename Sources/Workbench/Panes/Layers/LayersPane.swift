// The layers pane: the network as a table, a row a layer, with its totals above. It changes with the engine's
// description of a network and has no action of its own.

import Canvas
import Messages

extension PaneID {
  static let layers = PaneID("Layers")
}

extension Context {
  static let layers = Context("Layers", pane: .layers)
}

extension WorkbenchState {
  var layers: LayersState {
    get { models[LayersPane.self] }
    _modify { yield &models[LayersPane.self] }
  }
}

enum LayersPane: Pane {
  static let id = PaneID.layers
  static let contexts: [Context] = [.layers]
  static let keys = [Keymap.motion(.layers, [.enter], .zoom, "fill the screen, or show all panes again")]

  static func model(data: String) -> LayersState { LayersState() }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    guard action == .focus(id) else { return nil }
    return ShellCommand.summary(
      state.settings.network, imageSize: state.settings.preprocessing.imageSize, classes: state.classCount,
      freeze: state.settings.freeze)
  }

  static func initialEffects(_ state: WorkbenchState) -> [Effect] { [.browse(state.describeNetwork)] }

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    if case .network(let summary) = event { state.layers.apply(summary) }
    return []
  }

  static func list(in state: WorkbenchState) -> ShownList? {
    let rows = state.layers.summary?.layers ?? []
    return ShownList(path: \.layers.rows) { LayersState.text(of: rows[$0]) }
  }

  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect { areas(state, in: inner).body }

  /// The network on show; of the next run where the curves are those of an earlier one.
  static func caption(_ state: WorkbenchState, width: Int, theme: Theme) -> [Span] {
    let name = state.layers.summary?.network.name ?? state.settings.network.name
    guard state.curves.run != nil else { return [Span(name)] }
    return [Span(state.runUnderWay && !state.isEditingSettings ? name : "next run: \(name)")]
  }

  static func areas(_ state: WorkbenchState, in inner: Rect) -> PaneAreas {
    PaneAreas(in: inner, header: 1, heading: 1, footer: (isFiltered(state) ? 1 : 0) + (state.zoomed ? 1 : 0))
  }

  static func draw(
    _ state: WorkbenchState, into frame: inout Frame, in inner: Rect, theme: Theme, pictures: inout DrawnPictures
  ) {
    guard let summary = state.layers.summary else {
      frame.put(notice: "describing \(state.settings.network.name)", in: inner, style: theme[.dimmed])
      return
    }
    let areas = areas(state, in: inner)
    drawTotals(summary, into: &frame, in: areas.header, theme: theme)
    let detail = Detail(width: areas.table.width)
    Table.of(
      state.layers.rows, columns: columns(detail, summary), height: areas.body.height,
      focused: state.focus == .layers
    ) { cells(of: summary.layers[$0], detail, theme: theme) }
    .draw(into: &frame, in: areas.table, theme: theme)
    if state.zoomed {
      let command = ShellCommand.summary(
        summary.network, imageSize: summary.input.height, classes: summary.classes, freeze: summary.freeze)
      frame.put("$ " + command, in: areas.footer.row(0), style: theme[.dimmed])
    }
    drawFilter(state, into: &frame, in: areas.footer, theme: theme)
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
    case least, most, all

    init(width: Int) { self = width < 40 ? .least : width < 62 ? .most : .all }
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
    return switch detail {
    case .least: [name, output, number("params", 6)]
    case .most: [name, output, number("params", 10), number("MACs", 6)]
    case .all: [name, kind, kernel, output, number("params", 10), number("MACs", 7)]
    }
  }

  private static func cells(of row: LayerRow, _ detail: Detail, theme: Theme) -> [Table.Content] {
    let indent = detail == .least ? "" : String(repeating: "  ", count: max(0, min(row.depth, 8)))
    let isFrozen = !row.isTrained && row.parameters > 0
    let name: Table.Content =
      isFrozen ? .spans([Span(indent + row.name, theme[.dimmed])]) : .text(indent + row.name)
    let output = Table.Content.text(text(of: row.output))
    let macs = Table.Content.text(row.multiplyAdds == 0 ? "" : Format.short(row.multiplyAdds))
    let exact = Table.Content.text(row.parameters == 0 ? "" : Format.count(row.parameters))
    return switch detail {
    case .least: [name, output, .text(row.parameters == 0 ? "" : Format.short(row.parameters))]
    case .most: [name, output, exact, macs]
    case .all:
      [name, .spans([Span(row.kind.rawValue, theme[.dimmed])]), .text(row.kernel ?? ""), output, exact, macs]
    }
  }

  /// Height, width, channels: `32x32x16`.
  private static func text(of shape: FeatureShape) -> String { "\(shape.height)x\(shape.width)x\(shape.channels)" }
}
