// The command palette's state: what was typed, and which actions it leaves in which order. Words that people know a
// thing by elsewhere find it too. How well a command matches is here, how it looks in CommandPaletteView.swift.

/// A list of actions narrowed by typing.
struct CommandPalette: SearchableList, Sendable, Equatable {
  private(set) var text = ""
  var list: BrowsableList
  /// Every action that makes sense by name, in the keymap's order.
  private let entries: [Keymap.Binding]
  /// Indices into `entries`: the likeliest first while nothing is typed.
  private let order: [Int]
  /// Those of them that match, the best first.
  private(set) var ranked: [Int]

  init(_ state: WorkbenchState) {
    entries = state.panes.keymap.bindings.filter(\.inPalette)
    order = Self.order(of: entries, for: state)
    ranked = order
    list = BrowsableList(total: order.count)
  }

  var selected: Keymap.Binding? { list.selectedItem.map { entries[ranked[$0]] } }

  /// The binding at a place of the list.
  func entry(_ item: Int) -> Keymap.Binding { entries[ranked[item]] }

  mutating func narrow(to text: String) {
    self.text = text
    let words = text.lowercased().split(separator: " ").map(String.init)
    let scores = order.map { index in (index: index, score: score(words, entries[index])) }
    // Swift's sort keeps the order of equals.
    ranked = scores.filter { $0.score > 0 || words.isEmpty }.sorted { $0.score > $1.score }.map(\.index)
    list.reset(total: ranked.count)
  }

  /// What was chosen before, then what the focused pane and a run offer now, then the rest; last what leaves.
  private static func order(of entries: [Keymap.Binding], for state: WorkbenchState) -> [Int] {
    let contexts = state.contexts
    let useful = Set(state.hints.map(\.action))
    func rank(_ binding: Keymap.Binding) -> Int {
      if binding.context == .always { return 90 }
      if binding.action == .quit { return 80 }
      if let place = state.recentCommands.firstIndex(of: binding.action) { return place }
      // What has no key of its own is there to be typed.
      if binding.keys.isEmpty { return 65 }
      if binding.context == .diverged { return 10 }
      if binding.context == .confirmQuit { return 70 }
      // Where the keys go now, and of that what would do something.
      let isHere = contexts.contains(binding.context) && binding.context != .workbench
      if isHere { return useful.contains(binding.action) ? 20 : 30 }
      if binding.context == .workbench { return useful.contains(binding.action) ? 40 : 50 }
      return 60
    }
    return entries.indices.filter { makesSense(entries[$0], in: state) }.sorted {
      (rank(entries[$0]), $0) < (rank(entries[$1]), $1)
    }
  }

  /// Whether a command could do anything: nothing is stopped where nothing runs, nothing decided where nothing waits.
  private static func makesSense(_ binding: Keymap.Binding, in state: WorkbenchState) -> Bool {
    switch binding.action {
    case .decideDivergence, .recover: state.divergence != nil
    case .stop, .saveCheckpoint: state.canBeStopped && !state.looksOnly
    case .evaluateNow: state.isBetweenSteps && !state.looksOnly
    case .trainMended: state.inspector.report != nil && state.engine == .idle && !state.looksOnly
    case .leaveRunning: state.runUnderWay
    default: true
    }
  }

  // MARK: Matching

  /// How well the words match a command; 0 where one of them does not at all.
  private func score(_ words: [String], _ binding: Keymap.Binding) -> Int {
    let text = binding.paletteText.lowercased()
    let own = text.split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init)
    let synonyms = binding.synonyms.map { $0.lowercased() } + Self.synonyms(for: binding.action)
    // What it is called first of all: in the line of keys, and where the help begins.
    let names = [binding.hint, binding.help].compactMap { $0?.lowercased().prefix { $0.isLetter } }
    var total = 0
    for word in words {
      var best = max(Self.score(word, among: own, in: text), Self.score(word, among: synonyms, in: "") - 5)
      if names.contains(word[...]) { best = 110 }
      guard best > 0 else { return 0 }
      total += best
    }
    // Leaving by mistake costs most.
    return binding.context == .always ? max(1, total / 2) : total
  }

  private static func score(_ word: String, among words: [String], in text: String) -> Int {
    if words.contains(word) { return 100 }
    if words.contains(where: { $0.hasPrefix(word) }) { return 80 }
    if text.contains(word) || words.contains(where: { $0.contains(word) }) { return 60 }
    guard word.count >= 3 else { return 0 }
    // Letters left out, or one too many.
    if words.contains(where: { isSpread(word, over: $0) }) { return 40 }
    if word.count >= 4, words.contains(where: { isNear(word, $0) }) { return 30 }
    return isSpread(word, over: text) ? 15 : 0
  }

  /// Whether the letters come in this order, the first one at the beginning of a word.
  private static func isSpread(_ word: String, over text: String) -> Bool {
    var rest = word[...]
    var previous: Character = " "
    for character in text {
      guard let next = rest.first else { break }
      // Each letter follows the one before it or begins a word.
      if character == next, rest.count < word.count || previous == " " { rest.removeFirst() }
      previous = character
    }
    return rest.isEmpty && word.count * 3 >= text.prefix { $0 != " " }.count
  }

  /// Whether one letter more, less or other makes one the other.
  private static func isNear(_ word: String, _ other: String) -> Bool {
    let (a, b) = (Array(word), Array(other))
    guard abs(a.count - b.count) <= 1 else { return false }
    var start = 0
    while start < min(a.count, b.count), a[start] == b[start] { start += 1 }
    var end = 0
    while end < min(a.count, b.count) - start, a[a.count - 1 - end] == b[b.count - 1 - end] { end += 1 }
    // Two neighbors exchanged as well.
    return max(a.count, b.count) - start - end <= 1
      || (a.count == b.count && a.count - start - end == 2 && a[start] == b[start + 1] && a[start + 1] == b[start])
  }

  /// Other words for an action.
  private static func synonyms(for action: Action) -> [String] {
    switch action {
    case .train: ["begin", "run", "continue", "go", "fit", "unpause", "halt"]
    case .startNew: ["begin", "run", "fit"]
    case .stop: ["end", "halt", "abort", "kill", "finish", "terminate", "cancel"]
    case .quit: ["exit", "leave", "close", "bye", "end"]
    case .interrupt: ["exit", "abort", "leave"]
    case .leaveRunning: ["detach", "background", "exit"]
    case .attach: ["watch", "connect", "join", "live", "reattach"]
    case .saveCheckpoint: ["store", "write", "snapshot", "weights"]
    case .settings:
      [
        "options", "configuration", "preferences", "hyperparameters", "network", "model", "batch", "epochs",
        "change",
      ]
    case .raiseLearningRate: ["lr", "increase", "raise", "higher", "faster", "up"]
    case .lowerLearningRate: ["lr", "decrease", "reduce", "lower", "slower", "down"]
    case .enterLearningRate: ["lr", "set", "change"]
    case .zoom: ["fullscreen", "maximize", "larger", "enlarge"]
    case .notices: ["log", "errors", "notifications", "history"]
    case .themes: ["colors", "dark", "light", "appearance", "style", "contrast", "blind"]
    case .help: ["keys", "shortcuts", "bindings", "manual"]
    case .palette: ["search"]
    case .readAgain: ["reload", "refresh", "rescan", "update"]
    case .exclude: ["remove", "delete", "drop", "ignore", "include"]
    case .relabel: ["label", "correct", "rename", "move", "annotate"]
    case .undoDecision: ["revert", "back", "restore"]
    case .resumeRun: ["resume", "continue", "restart"]
    case .nextView, .previousView: ["confusion", "mistakes", "classes", "matrix", "tab"]
    case .decideDivergence, .recover: ["nan", "diverge", "recover", "rollback"]
    case .redraw: ["refresh", "repaint", "clear"]
    case .suspend: ["background", "shell"]
    default: []
    }
  }
}
