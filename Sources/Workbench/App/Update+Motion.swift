// Moving in lists, opening and going back, for each pane.

import Messages

extension WorkbenchState {
  mutating func performMotion(_ action: Action) -> [Effect] {
    let page = listBody(of: focus).height
    if focus == .inspector, Self.choosing.contains(action) { inspector.choose() }
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
    case .left: goLeft()
    case .right: goRight()
    case .filter: filtering = listPath(of: focus) != nil
    case .open: open()
    case .back: return goBack()
    default: break
    }
    return []
  }

  /// What a person does to stand on another checkpoint.
  private static let choosing: Set<Action> = [
    .up, .down, .pageUp, .pageDown, .halfPageUp, .halfPageDown, .first, .last, .next, .previous, .filter,
  ]

  private mutating func select(_ position: (BrowsableList) -> Int) {
    guard let path = listPath(of: focus) else { return }
    let page = listBody(of: focus).height
    self[keyPath: path].select(position(self[keyPath: path]), page: page)
  }

  private mutating func cycle(by rows: Int) {
    guard let path = listPath(of: focus) else { return }
    let page = listBody(of: focus).height
    self[keyPath: path].cycle(by: rows, page: page)
  }

  private mutating func goLeft() {
    switch focus {
    case .dataset: _ = dataset.goUp()
    case .layers, .curves: break
    case .inspector:
      if inspector.view == .confusion { inspector.confusionColumn = max(0, inspector.confusionColumn - 1) }
      if inspector.view == .mistakes { cycle(by: -1) }
    }
  }

  private mutating func goRight() {
    switch focus {
    case .dataset: if dataset.level == .classes || dataset.level == .findings { open() }
    case .layers, .curves: break
    case .inspector:
      if inspector.view == .confusion {
        let last = (inspector.report?.confusion.classes ?? 1) - 1
        inspector.confusionColumn = max(0, min(last, inspector.confusionColumn + 1))
      }
      if inspector.view == .mistakes { cycle(by: 1) }
    }
  }

  private mutating func open() {
    switch focus {
    case .dataset: openInDataset()
    case .layers, .curves: toggleZoom()
    case .inspector: openInReport()
    }
  }

  /// From a class or a finding to its files.
  private mutating func openInDataset() {
    switch dataset.level {
    case .classes:
      if let report = dataset.report, let index = dataset.classes.selectedItem {
        dataset.open(.classNamed(report.classes[index].name))
      } else {
        toggleZoom()
      }
    case .findings:
      guard let finding = dataset.selectedFinding else { return }
      if !finding.paths.isEmpty {
        dataset.open(.finding(finding))
      } else if let name = finding.subject, dataset.report?.classes.contains(where: { $0.name == name }) == true {
        dataset.open(.classNamed(name))
      } else {
        notify(.information, "this finding is about no file in particular")
      }
    case .files, .figures: toggleZoom()
    }
  }

  /// From a class or a pair to its mistakes.
  private mutating func openInReport() {
    guard let report = inspector.report else { return }
    switch inspector.view {
    case .overview:
      guard let index = inspector.pairs.selectedItem else { return }
      let pair = inspector.confused[index]
      showMistakes(of: report.pairText(truth: pair.truth, predicted: pair.predicted))
    case .classes, .confusion:
      let list = inspector.view == .classes ? inspector.classes : inspector.confusionRows
      guard let index = list.selectedItem else { return }
      showMistakes(of: report.truthText(index))
    case .checkpoints, .mistakes: toggleZoom()
    }
  }

  private mutating func showMistakes(of filter: String) {
    inspector.view = .mistakes
    setFilter(filter)
  }

  private mutating func toggleZoom() {
    zoomed.toggle()
    moveSelection(in: focus, by: 0)
  }

  /// One step back, the most passing thing first: a message, a filter, a level, a reading, the full screen.
  private mutating func goBack() -> [Effect] {
    covered = nil
    if let message, message.level != .information {
      self.message = nil
    } else if activeFilter?.isEmpty == false {
      setFilter("")
    } else if focus == .dataset, dataset.goUp() {
      // Another level is open now.
    } else if focus == .dataset, dataset.reading.isUnderWay {
      return [.browse(.cancelReading)]
    } else if focus == .inspector, inspector.view != .checkpoints {
      inspector.view = .checkpoints
    } else if zoomed {
      toggleZoom()
    } else {
      message = nil
    }
    return []
  }

  mutating func performWhileFiltering(_ action: Action) -> [Effect] {
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
}
