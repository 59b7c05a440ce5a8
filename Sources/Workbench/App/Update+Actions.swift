// What each action does when no overlay is open, where the pane does nothing of its own: moving in lists, going back,
// the focus, leaving.

import Canvas
import Messages

extension WorkbenchState {
  mutating func perform(_ action: Action) -> [Effect] {
    switch action {
    case .interrupt: return interrupt()
    case .suspend: return [.suspend]
    case .redraw: return [.redraw]
    default: break
    }
    if overlay != nil { return performInOverlay(action) }
    if filtering { return performWhileFiltering(action) }
    return performInPanes(action)
  }

  /// What the focused pane does differently it does itself; going back is asked of it in its turn.
  private mutating func performInPanes(_ action: Action) -> [Effect] {
    if action != .back, let effects = panes[focus].perform(action, in: &self) { return effects }
    switch action {
    case .help: overlay = .help(scroll: 0)
    case .palette: overlay = .palette(CommandPalette(self))
    case .notices: overlay = .notices(scroll: 0)
    case .settings: return openForm()
    case .openLab: return openLab()
    case .themes: overlay = themeNames.isEmpty ? nil : .themes(ThemeChooser(names: themeNames, current: theme))
    case .openDataset: askForDataset()
    case .copyCommand: return copyCommand(for: .train)
    case .narrower, .wider, .lower, .taller, .usualDividers: moveDivider(action)
    case .zoom, .open: toggleZoom()
    case .nextPane: moveFocus(to: panes.moved(focus, by: 1))
    case .previousPane: moveFocus(to: panes.moved(focus, by: -1))
    case .focus(let pane): moveFocus(to: pane)
    case .quit: return quit()
    case .train, .stop, .saveCheckpoint, .evaluateNow, .raiseLearningRate, .lowerLearningRate, .enterLearningRate:
      return performTraining(action)
    case .up, .down, .pageUp, .pageDown, .halfPageUp, .halfPageDown, .first, .last, .next, .previous, .filter:
      move(action)
    case .back: return goBack()
    case .exclude, .relabel, .undoDecision: return performDecision(action)
    case .decideDivergence: decideDivergence()
    case .recover(let recovery): return recover(recovery)
    case .attach: return findLiveRuns()
    case .leaveRunning:
      if runUnderWay { return [.quit] }
      notify(.information, "nothing is training: q quits")
    case .pane(let own): return panes[own.pane].perform(action, in: &self) ?? []
    case .left, .right, .readAgain, .nextView, .previousView, .resumeRun: break
    case .accept, .cancel, .erase, .clear, .interrupt, .suspend, .redraw, .startNew, .findLearningRate, .saveRecipe,
      .loadRecipe:
      break
    }
    return []
  }

  private mutating func moveFocus(to pane: PaneID) {
    focus = pane
    moveSelection(in: pane, by: 0)
  }

  /// The focused pane alone, or all again.
  mutating func toggleZoom() {
    zoomed.toggle()
    moveSelection(in: focus, by: 0)
  }

  // MARK: Moving

  private mutating func move(_ action: Action) {
    let page = listBody(of: focus).height
    switch action {
    case .up: moveSelection(in: focus, by: -1)
    case .down: moveSelection(in: focus, by: 1)
    case .pageUp: moveSelection(in: focus, by: -max(1, page - 1))
    case .pageDown: moveSelection(in: focus, by: max(1, page - 1))
    case .halfPageUp: moveSelection(in: focus, by: -max(1, page / 2))
    case .halfPageDown: moveSelection(in: focus, by: max(1, page / 2))
    case .first: select { _ in 0 }
    case .last: select { $0.count - 1 }
    case .next: cycle(by: 1)
    case .previous: cycle(by: -1)
    case .filter: filtering = list(of: focus) != nil
    default: break
    }
  }

  /// Moves the selection of a pane's list.
  mutating func moveSelection(in pane: PaneID, by rows: Int) {
    guard let path = list(of: pane)?.path else { return }
    let page = listBody(of: pane).height
    self[keyPath: path].move(by: rows, page: page)
  }

  private mutating func select(_ position: (BrowsableList) -> Int) {
    guard let path = list(of: focus)?.path else { return }
    let page = listBody(of: focus).height
    self[keyPath: path].select(position(self[keyPath: path]), page: page)
  }

  mutating func cycle(by rows: Int) {
    guard let path = list(of: focus)?.path else { return }
    let page = listBody(of: focus).height
    self[keyPath: path].cycle(by: rows, page: page)
  }

  /// One step back, the most passing thing first: a message, a filter, what the pane has open, the full screen.
  private mutating func goBack() -> [Effect] {
    covered = nil
    if let message, message.level != .information {
      self.message = nil
    } else if activeFilter?.isEmpty == false, list(of: focus)?.isNarrowedByOrigin != true {
      setFilter("")
    } else if let effects = panes[focus].perform(.back, in: &self) {
      return effects
    } else if zoomed {
      toggleZoom()
    } else {
      message = nil
    }
    return []
  }

  // MARK: Filtering

  /// The filter of the focused pane's list; nil where it has no list.
  var activeFilter: String? { list(of: focus).map { self[keyPath: $0.path].filter } }

  mutating func setFilter(_ text: String) {
    guard let list = list(of: focus) else { return }
    if let narrow = list.narrow { return narrow(&self, text) }
    self[keyPath: list.path].narrow(to: text, text: list.text)
    self[keyPath: list.path].move(by: 0, page: listBody(of: focus).height)
  }

  private mutating func performWhileFiltering(_ action: Action) -> [Effect] {
    switch action {
    case .accept: filtering = false
    case .cancel:
      setFilter("")
      filtering = false
    case .erase: setFilter(String((activeFilter ?? "").dropLast()))
    case .clear: setFilter("")
    case .up: moveSelection(in: focus, by: -1)
    case .down: moveSelection(in: focus, by: 1)
    default: break
    }
    return []
  }

  // MARK: Leaving

  private mutating func quit() -> [Effect] {
    guard runUnderWay else { return [.quit] }
    if engine == .stopping {
      quitsWhenStopped = true
      notify(.information, "quits as soon as the run is saved; ctrl-c quits at once")
    } else {
      overlay = .confirmQuit
    }
    return []
  }

  /// Whether the run under way is somebody else's, or not to be changed from here: it is not stopped unasked.
  var asksBeforeStopping: Bool { looksOnly || runOrigin == .attached }

  private mutating func interrupt() -> [Effect] {
    if interrupted { return [.interruptNow] }
    guard runUnderWay else { return [.quit] }
    if asksBeforeStopping, engine != .stopping {
      // Whoever presses it again wants to leave, and nothing was said about the run.
      if overlay == .confirmQuit { return [.quit] }
      filtering = false
      overlay = .confirmQuit
      return []
    }
    interrupted = true
    return stopAndQuit()
  }

  /// Ends the run with a checkpoint, and leaves when it has ended.
  mutating func stopAndQuit() -> [Effect] {
    let isStopping = engine == .stopping
    overlay = nil
    filtering = false
    quitsWhenStopped = true
    (engine, startRequested) = (.stopping, false)
    notify(.information, "saving, then quitting; ctrl-c \(interrupted ? "again " : "")quits at once")
    return isStopping ? [] : [.send(.training(.stop))]
  }
}
