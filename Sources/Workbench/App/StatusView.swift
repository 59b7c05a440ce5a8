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
  static func draw(_ state: WorkbenchState, into frame: inout Frame, in rect: Rect, theme: Theme) {
    let hints = state.hints
    // Help and quit are always there, at the right.
    let last = hints.filter { $0.action == .help || $0.action == .quit }
    let others = hints.filter { $0.action != .help && $0.action != .quit }
    let tail = last.map { spans($0, theme: theme) }
    let width = tail.joined().reduce(max(0, tail.count - 1) * 2) { $0 + DisplayWidth.of($1.text) }
    let (left, right) = rect.inset(left: 1, right: 1).splitLeft(rect.width - 2 - (width > 0 ? width + 2 : 0))
    frame.put(pieces: others.map { spans($0, theme: theme) }, in: left, style: theme[.hintText])
    frame.put(pieces: tail, in: right.inset(left: 2), style: theme[.hintText])
  }

  private static func spans(_ hint: Hint, theme: Theme) -> [Span] {
    [Span(hint.key.label(theme.glyphs), theme[.hintKey]), Span(" " + hint.text, theme[.hintText])]
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
    return (inner + steering + rest).compactMap { binding in
      // A key that means something else further in is not what it seems here.
      let key = binding.keys.first { panes.keymap.binding(for: $0, in: contexts)?.action == binding.action }
      guard let key, let text = hintText(binding) else { return nil }
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
