// The layers pane: a network at work as a tree that folds, of the run on show or of a checkpoint; the network of the next
// run as a table; filters and maps as pictures. How they look is in LayersPane+View.swift.

import Canvas
import Messages
import Support

extension PaneID {
  static let layers = PaneID("Layers")
}

extension Context {
  static let layers = Context("Layers", pane: .layers)
}

extension Action {
  /// What the layers of a checkpoint are like, or those of the run again.
  static let measureLayers = Action.pane(PaneAction(.layers, "measure"))
  static let drawFilters = Action.pane(PaneAction(.layers, "filters"))
  static let drawMaps = Action.pane(PaneAction(.layers, "maps"))
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
  static let keys = [
    Keymap.motion(
      .layers, [.enter], .open, hint: "unfold", "unfold or fold a stage or a block; else full screen and back"),
    Keymap.motion(.layers, [.right, .character("l")], .right, "unfold"),
    Keymap.motion(.layers, [.left, .character("h")], .left, "fold, or go to what this is in"),
    Keymap.command(
      .layers, [.character("v")], .nextView, hint: "view",
      "layers at work, or the network's table: shapes, parameters, multiply-adds, receptive fields"),
    Keymap.command(
      .layers, [.character("c")], .measureLayers, hint: "checkpoint",
      "what the layers of the chosen checkpoint are like, or those of the run again",
      synonyms: ["activations", "dead", "weights", "histogram"]),
    Keymap.command(
      .layers, [.character("f")], .drawFilters, hint: "filters", "the first layer's filters as a picture",
      synonyms: ["kernels", "weights"]),
    Keymap.command(
      .layers, [.character("F")], .drawMaps, hint: "maps",
      "what comes out of the chosen layer for the chosen image, a picture a channel",
      synonyms: ["feature map", "activations", "channels"]),
  ]

  static func model(data: String) -> LayersState { LayersState() }

  static func hint(for binding: Keymap.Binding, in state: WorkbenchState) -> String? {
    let layers = state.layers
    switch binding.action {
    case .open: return layers.picture == nil && layers.atWork != nil ? binding.hint : nil
    case .nextView: return layers.known != nil || layers.picture != nil ? binding.hint : nil
    case .measureLayers, .drawFilters: return subject(state) != nil ? binding.hint : nil
    case .drawMaps: return mapsQuestion(state) != nil ? binding.hint : nil
    default: return binding.hint
    }
  }

  static func command(for action: Action, in state: WorkbenchState) -> String? {
    switch action {
    case .focus(id):
      return ShellCommand.summary(
        state.settings.network, imageSize: state.settings.preprocessing.imageSize, classes: state.classCount,
        freeze: state.settings.freeze)
    case .measureLayers: return subject(state).map { ShellCommand.layers($0) }
    case .drawFilters: return subject(state).map { ShellCommand.layers($0) + " --filters filters.png" }
    case .drawMaps:
      guard case .drawMaps(let checkpoint, let file, let layer)? = mapsQuestion(state) else { return nil }
      return ShellCommand.layers(checkpoint)
        + " --maps maps.png --image \(shellQuoted(file)) --layer \(shellQuoted(layer))"
    default: return nil
    }
  }

  // MARK: Update

  static func initialEffects(_ state: WorkbenchState) -> [Effect] { [.browse(state.describeNetwork)] }

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .network(let summary): state.layers.apply(summary)
    case .training(.started(let run)): state.layers.begin(run)
    case .training(.layers(let statistics)): state.layers.take(statistics)
    case .training(.recovered(let report)): state.layers.goBack(to: report.step)
    case .runHistory(let folder, let history?, _):
      // By the same rule as the curves show it.
      guard state.curves.requestedHistory == folder, !state.runUnderWay, !state.startRequested else { break }
      state.layers.begin(history.run)
    case .inspection(let question, let answer):
      guard state.layers.answers[question] != nil else { break }
      state.layers.answers.set(.answer(answer), for: question)
      take(answer, to: question, &state)
    default: break
    }
    return []
  }

  private static func take(
    _ answer: InspectionAnswer, to question: InspectionCommand, _ state: inout WorkbenchState
  ) {
    switch answer {
    case .layers(let report):
      guard question == state.layers.measuring else { break }
      state.layers.measuring = nil
      state.layers.take(report, name: shortName(report.checkpoint))
    case .failure(let reason):
      // Asked again, it may be answered.
      state.layers.answers.forget(question)
      if question == state.layers.measuring { state.layers.measuring = nil }
      if question == state.layers.picture { state.layers.picture = nil }
      state.notify(.warning, reason)
    default: break
    }
  }

  /// `bg2/best` of `runs/bg2/checkpoints/best.safetensors`.
  static func shortName(_ path: String) -> String {
    var parts = path.split(separator: "/").map(String.init)
    guard let file = parts.popLast() else { return path }
    let name = file.split(separator: ".").first.map(String.init) ?? file
    if parts.last == "checkpoints" { parts.removeLast() }
    return parts.last.map { "\($0)/\(name)" } ?? name
  }

  /// The checkpoint that questions are about: the one that is evaluated on the screen, or the one that is chosen.
  private static func subject(_ state: WorkbenchState) -> String? {
    let inspector = state.inspector
    return inspector.view == .checkpoints || inspector.report == nil
      ? inspector.selectedCheckpoint?.path : inspector.report?.checkpoint
  }

  /// What the chosen layer makes of the image that is chosen in another pane.
  private static func mapsQuestion(_ state: WorkbenchState) -> InspectionCommand? {
    guard let checkpoint = subject(state), let layer = chosenLayer(state),
      let image = [InspectorPane.image(in: state), DatasetPane.image(in: state)].compactMap({ $0 }).first
    else { return nil }
    return .drawMaps(checkpoint: checkpoint, file: image.path, layer: layer)
  }

  /// By the name of what it ends in: its norm rather than its convolution.
  private static func chosenLayer(_ state: WorkbenchState) -> String? {
    if let work = state.layers.atWork, let line = state.layers.selectedLine {
      if !line.id.isEmpty { return line.id }
      let rows = line.rows.map { work.network.layers[$0] }
      return rows.last { $0.parameters > 0 || $0.kind == .addition || $0.kind == .concatenation }?.name
    }
    guard let summary = state.layers.summary, let row = state.layers.rows.selectedItem,
      summary.layers.indices.contains(row)
    else { return nil }
    return summary.layers[...row].last { $0.parameters > 0 }?.name
  }

  // MARK: Actions

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    switch action {
    case .nextView, .previousView:
      if state.layers.picture != nil {
        state.layers.picture = nil
      } else if state.layers.known != nil {
        state.layers.showsTable.toggle()
      } else {
        state.notify(.information, "no layers were measured yet: c measures those of the chosen checkpoint")
      }
      return []
    case .back where state.layers.picture != nil:
      state.layers.picture = nil
      return []
    case .measureLayers: return measure(&state)
    case .drawFilters:
      guard let checkpoint = subject(state) else { return none(&state) }
      return show(.drawFilters(checkpoint: checkpoint), &state)
    case .drawMaps:
      guard subject(state) != nil else { return none(&state) }
      guard let question = mapsQuestion(state) else {
        state.notify(.information, "choose an image first: in the inspector, or a file of the dataset")
        return []
      }
      return show(question, &state)
    case .open, .right, .left: return state.layers.picture == nil ? fold(action, &state) : nil
    default: return nil
    }
  }

  private static func none(_ state: inout WorkbenchState) -> [Effect] {
    state.notify(.information, "there is no checkpoint yet: choose one in the inspector")
    return []
  }

  private static func measure(_ state: inout WorkbenchState) -> [Effect] {
    if state.layers.showsCheckpoint, state.layers.run != nil, state.layers.picture == nil, !state.layers.showsTable
    {
      state.layers.showsCheckpoint = false
      state.layers.rebuild()
      return []
    }
    guard let checkpoint = subject(state) else { return none(&state) }
    let question = InspectionCommand.measureLayers(checkpoint: checkpoint)
    state.layers.measuring = question
    state.layers.answers.set(.waiting(nil), for: question)
    state.notify(.information, "looking at the layers of \(shortName(checkpoint))")
    return [.inspect(question)]
  }

  private static func show(_ question: InspectionCommand, _ state: inout WorkbenchState) -> [Effect] {
    state.layers.picture = question
    // A checkpoint may have been saved anew.
    if case .waiting? = state.layers.answers[question] { return [] }
    state.layers.answers.set(.waiting(nil), for: question)
    return [.inspect(question)]
  }

  /// Unfolds and folds what hides something; nil where nothing does.
  private static func fold(_ action: Action, _ state: inout WorkbenchState) -> [Effect]? {
    guard state.layers.atWork != nil, let line = state.layers.selectedLine else { return nil }
    let isFolded = state.layers.isFolded(line)
    switch action {
    case .open where !line.id.isEmpty: state.layers.toggle(line)
    case .right where isFolded: state.layers.toggle(line)
    case .left where !line.id.isEmpty && !isFolded: state.layers.toggle(line)
    case .left:
      guard let parent = state.layers.parent(of: state.layers.tree.selectedItem ?? 0) else { return nil }
      state.layers.tree.select(item: parent)
    default: return nil
    }
    return []
  }

  static func list(in state: WorkbenchState) -> ShownList? {
    if state.layers.picture != nil { return nil }
    if state.layers.atWork != nil {
      let lines = state.layers.lines
      return ShownList(path: \.layers.tree) { LayersState.text(of: lines[$0]) }
    }
    let rows = state.layers.summary?.layers ?? []
    return ShownList(path: \.layers.rows) { LayersState.text(of: rows[$0]) }
  }

  static func listBody(_ state: WorkbenchState, in inner: Rect) -> Rect {
    state.layers.picture == nil
      ? areas(state, in: inner).body : Rect(x: inner.x, y: inner.y, width: 0, height: 0)
  }

  static func isAnimated(_ state: WorkbenchState) -> Bool { false }
}
