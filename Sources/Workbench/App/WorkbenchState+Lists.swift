// Which list the keys move in, for each pane and each of its views, and what its filter looks at.

import Messages

extension WorkbenchState {
  /// The list that a pane shows now; nil where it shows none.
  func listPath(of pane: Pane) -> WritableKeyPath<WorkbenchState, BrowsableList>? {
    switch pane {
    case .dataset:
      switch dataset.level {
      case .classes: \.dataset.classes
      case .files: \.dataset.files
      case .findings: \.dataset.findings
      case .figures: nil
      }
    case .layers: \.layers.rows
    case .curves: nil
    case .inspector:
      switch inspector.view {
      case .checkpoints: \.inspector.list
      case .overview: \.inspector.pairs
      case .classes: \.inspector.classes
      case .confusion: \.inspector.confusionRows
      case .mistakes: \.inspector.mistakes
      }
    }
  }

  /// The text of each item of the list that a pane shows now.
  private func listText(of pane: Pane) -> (Int) -> String {
    switch pane {
    case .dataset:
      switch dataset.level {
      case .classes:
        let classes = dataset.report?.classes ?? []
        return { classes[$0].name }
      case .files:
        let files = dataset.listed
        return { files[$0].path }
      case .findings:
        let findings = dataset.report?.findings ?? []
        return { findings[$0].searchText }
      case .figures: return { _ in "" }
      }
    case .layers:
      let rows = layers.summary?.layers ?? []
      return { LayersState.text(of: rows[$0]) }
    case .curves: return { _ in "" }
    case .inspector: return inspectorText
    }
  }

  private var inspectorText: (Int) -> String {
    let report = inspector.report
    switch inspector.view {
    case .checkpoints:
      let checkpoints = inspector.checkpoints ?? []
      return { InspectorState.text(of: checkpoints[$0]) }
    case .overview:
      let pairs = inspector.confused
      return { report?.pairText(truth: pairs[$0].truth, predicted: pairs[$0].predicted) ?? "" }
    case .classes, .confusion: return { report?.className($0) ?? "" }
    case .mistakes: return { index in report.map { $0.text(of: $0.misclassified[index]) } ?? "" }
    }
  }

  /// The filter of the focused pane's list; nil where it has no list.
  var activeFilter: String? { listPath(of: focus).map { self[keyPath: $0].filter } }

  mutating func setFilter(_ text: String) {
    guard let path = listPath(of: focus) else { return }
    let texts = listText(of: focus)
    self[keyPath: path].narrow(to: text, text: texts)
    self[keyPath: path].move(by: 0, page: listBody(of: focus).height)
  }

  /// Moves the selection of a pane's list.
  mutating func moveSelection(in pane: Pane, by rows: Int) {
    guard let path = listPath(of: pane) else { return }
    let page = listBody(of: pane).height
    self[keyPath: path].move(by: rows, page: page)
  }
}
