// The two lines below the panes: what goes on, and which keys matter now.

import Canvas
import Messages

/// State, run, dataset and the latest message.
enum StatusView {
  static func draw(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let status = theme[.status]
    frame.fill(rect, style: status)
    let badge = " \(state.phaseName) "
    let (left, rest) = rect.splitLeft(DisplayWidth.of(badge))
    frame.put(badge, in: left, style: theme[.statusAccent])
    let place = rest.inset(left: 1, right: 1)

    let names = [state.curves.runName, state.dataset.name].compactMap { $0 }
      .joined(separator: " \(theme.glyphs.separator) ")
    guard let message = state.message else {
      frame.put(names, in: place, style: status)
      if state.engine == .training, let last = state.curves.last {
        let figures = "loss \(Format.loss(last.loss))  \(Format.speed(last.imagesPerSecond))"
        let waits = state.curves.dataWaitText.map { "  " + $0 } ?? ""
        let room = place.width - names.columns - 2
        if let shown = [figures + waits, figures].first(where: { $0.columns <= room }) {
          frame.put(shown, in: place, style: status, align: .trailing)
        }
      } else if let preparation = state.preparation {
        let sign = spinner(at: state.time, theme: theme)
        frame.put("\(sign) \(preparation.text)", in: place, style: status, align: .trailing)
      }
      return
    }
    // The message comes first: the names stand elsewhere too.
    var style = status
    style.foreground = theme[message.level.role].foreground
    style.bold = message.level == .failure
    let text = message.level.mark + message.text
    let room = place.width - names.columns - 2
    if room >= text.columns {
      frame.put(names, in: place, style: status)
      frame.put(text, in: place, style: style, align: .trailing)
    } else if place.width >= text.columns {
      frame.put(text, in: place, style: style)
    } else {
      let more = "  ! all of it"
      let (cut, key) = place.splitLeft(place.width - DisplayWidth.of(more))
      frame.put(text, in: cut, style: style)
      frame.put(more, in: key, style: status)
    }
  }
}

extension Notice.Level {
  var role: ThemeRole {
    switch self {
    case .information: .status
    case .warning: .warning
    case .failure: .error
    }
  }

  /// Tells the levels apart without color.
  var mark: String {
    switch self {
    case .information: ""
    case .warning: "warning: "
    case .failure: "failed: "
    }
  }
}

/// The keys that matter now, from the keymap.
enum HintView {
  /// A hint and where it stands.
  struct Place {
    var hint: Hint
    var rect: Rect
  }

  static func draw(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let places = places(state, in: rect, glyphs: theme.glyphs)
    for (index, place) in places.enumerated() {
      frame.put(
        [
          Span(place.hint.key.label(theme.glyphs), theme[.hintKey]), Span(" " + place.hint.text, theme[.hintText]),
        ], in: place.rect, style: theme[.hintText])
      if index + 1 < places.count, places[index + 1].rect.x - place.rect.right == gap {
        frame.fill(Rect(x: place.rect.right, y: rect.y, width: gap, height: 1), style: theme[.hintText])
      }
    }
  }

  /// Columns between two of them.
  private static let gap = 2

  /// Where they stand: help and quit always, at the right, and of the others as many as there is room for.
  static func places(_ state: WorkbenchState, in rect: Rect, glyphs: Glyphs) -> [Place] {
    let hints = state.hints
    let last = hints.filter { $0.action == .help || $0.action == .quit }
    let others = hints.filter { $0.action != .help && $0.action != .quit }
    let inner = rect.inset(left: 1, right: 1)
    let tail = row(last, in: inner, glyphs: glyphs)
    let width = tail.last.map { $0.rect.right - inner.x } ?? 0
    let (left, right) = inner.splitLeft(inner.width - (width > 0 ? width + gap : 0))
    return row(others, in: left, glyphs: glyphs) + row(last, in: right.inset(left: gap), glyphs: glyphs)
  }

  private static func row(_ hints: [Hint], in rect: Rect, glyphs: Glyphs) -> [Place] {
    var places: [Place] = []
    var x = rect.x
    for hint in hints {
      let columns = hint.key.label(glyphs).columns + 1 + hint.text.columns
      guard places.isEmpty || x + columns <= rect.right else { break }
      places.append(
        Place(hint: hint, rect: Rect(x: x, y: rect.y, width: max(0, min(columns, rect.right - x)), height: 1)))
      x += columns + gap
    }
    return places
  }
}

/// A key and what it does now.
struct Hint: Equatable {
  var key: Key
  var text: String
  var action: Action
}

extension WorkbenchState {
  /// The bindings with a hint that do something now, the most particular ones first.
  var hints: [Hint] {
    let contexts = contexts
    let training: Set<Action> = [.train, .stop, .saveCheckpoint]
    let all = contexts.flatMap { context in panes.keymap.bindings.filter { $0.context == context && $0.hint != nil }
    }
    let outer: Set<Context> = [.lists, .workbench, .always]
    let inner = all.filter { !outer.contains($0.context) && !training.contains($0.action) }
    let steering = all.filter { training.contains($0.action) }
    let rest = all.filter { outer.contains($0.context) && !training.contains($0.action) }
    var shown = Set<Key>()
    return (inner + steering + rest).compactMap { binding in
      // A key that means something else further in is not what it seems here.
      let key = binding.keys.first { panes.keymap.binding(for: $0, in: contexts)?.action == binding.action }
      guard let key, let text = hintText(binding), shown.insert(key).inserted else { return nil }
      return Hint(key: key, text: text, action: binding.action)
    }
  }

  /// The hint in the present state; nil while the key would do nothing.
  private func hintText(_ binding: Keymap.Binding) -> String? {
    if let pane = binding.context.pane { return panes[pane].hint(for: binding, in: self) }
    switch binding.action {
    case .train:
      if looksOnly { return nil }
      switch engine {
      case .idle:
        if case .failed = dataset.reading, resumable == nil { return nil }
        return "train"
      case .training, .validating: return "pause"
      case .paused: return divergence == nil ? "resume" : "decide"
      case .preparing, .evaluating, .stopping: return nil
      }
    case .recover(let recovery):
      return recoveryChoices.contains { $0.recovery == recovery && $0.isPossible } ? binding.hint : nil
    case .accept where binding.context == .dataChanged:
      return dataChange?.classesChanged == true ? nil : binding.hint
    case .stop, .saveCheckpoint: return canBeStopped && !looksOnly ? binding.hint : nil
    case .evaluateNow: return isBetweenSteps && !looksOnly && divergence == nil ? binding.hint : nil
    case .zoom: return zoomed ? "all panes" : binding.hint
    case .filter: return list(of: focus) == nil ? nil : binding.hint
    case .settings, .relabel: return looksOnly ? nil : binding.hint
    case .exclude where looksOnly: return nil
    case .exclude: return chosenImage?.decision == .excluded ? "include" : binding.hint
    case .resumeRun where binding.context == .confirmStart: return resumable == nil ? nil : binding.hint
    case .startNew:
      if case .failed = dataset.reading { return nil }
      return resumesByDefault ? binding.hint : nil
    case .accept where binding.context == .confirmStart: return resumesByDefault ? nil : binding.hint
    case .accept where binding.context == .confirmQuit: return looksOnly ? nil : binding.hint
    default: return binding.hint
    }
  }

  /// How the same is done without the screen; nil where there is no such command.
  func headless(for action: Action) -> String? {
    switch action {
    case .train, .settings: return settings.commandLine
    case .openLab: return ShellCommand.lab(dataset.path)
    case .exclude:
      return chosenImage.map { file in
        ShellCommand.decide(
          file.decision == .excluded ? .include(path: file.path) : .exclude(path: file.path), data: dataset.path,
          settings.split)
      }
    default: return panes.all.lazy.compactMap { $0.command(for: action, in: self) }.first
    }
  }
}
