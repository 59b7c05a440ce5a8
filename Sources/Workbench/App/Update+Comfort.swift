// What makes the screen one's own, and what reaches beyond it: sizes of panes, another dataset, the clipboard.

import Canvas
import Messages

extension WorkbenchState {
  // MARK: Dividers

  /// Makes the focused pane smaller or larger by moving a line beside it.
  mutating func moveDivider(_ action: Action) {
    if action == .usualDividers {
      dividers.reset()
      return
    }
    guard !layout.dividers.isEmpty else {
      notify(.information, zoomed ? "z shows all panes again: then they have sizes" : Self.tooSmallForDividers)
      return
    }
    let isVertical = action == .narrower || action == .wider
    let (grows, step) = (action == .wider || action == .taller, isVertical ? 2 : 1)
    guard let rect = layout[focus] else { return }
    // The line after the pane, or else the one before it.
    let beside = layout.dividers.filter { $0.divider.isVertical == isVertical }.compactMap {
      place -> (DividerPlace, Int)? in
      let (start, end) = isVertical ? (rect.x, rect.right) : (rect.y, rect.bottom)
      guard !place.area.intersection(rect).isEmpty else { return nil }
      if place.position == end { return (place, 1) }
      return place.position == start ? (place, -1) : nil
    }
    guard let (place, sign) = beside.max(by: { $0.1 < $1.1 }) else {
      notify(.information, isVertical ? "this pane is as wide as the screen" : "this pane is as high as the screen")
      return
    }
    dividers.move(place.divider, to: place.length + (grows ? sign : -sign) * step, in: place.extent)
    settleLists()
  }

  private static let tooSmallForDividers =
    "below \(ScreenLayout.roomy.width)x\(ScreenLayout.roomy.height) cells the pane with the focus has the room"

  mutating func grabDivider(x: Int, y: Int) {
    grabbed = layout.dividers.last { $0.contains(x: x, y: y) }?.divider
  }

  mutating func dragDivider(x: Int, y: Int) {
    guard let grabbed, let place = layout.dividers.first(where: { $0.divider == grabbed }) else { return }
    dividers.move(grabbed, to: place.length(draggedTo: x, y), in: place.extent)
    settleLists()
  }

  /// Brings selections into view where panes have other sizes now.
  mutating func settleLists() {
    for pane in panes.ids { moveSelection(in: pane, by: 0) }
  }

  // MARK: Another dataset

  mutating func askForDataset() {
    guard !runUnderWay else {
      notify(
        .information, "a run is under way here: q leaves it running, and skipline FOLDER opens another dataset")
      return
    }
    overlay = .prompt(
      TextPrompt(.openDataset(place: nil), TextEntry(text: recentDatasets.dropFirst().first ?? "", isFresh: true)))
  }

  /// Puts the next older or newer of the recent datasets into the line.
  func showingRecent(_ prompt: TextPrompt, by step: Int) -> TextPrompt {
    guard case .openDataset(let place) = prompt.purpose, !recentDatasets.isEmpty else { return prompt }
    let next = min(max((place ?? (step > 0 ? -1 : recentDatasets.count)) + step, 0), recentDatasets.count - 1)
    return TextPrompt(.openDataset(place: next), TextEntry(text: recentDatasets[next], isFresh: true))
  }

  /// Begins anew with another dataset; what belongs to the screen stays.
  /// - Parameters:
  ///   - data: its folder, as the person wrote it.
  ///   - settings: for the next run there.
  /// - Returns: what to do first.
  public mutating func open(data: String, settings: TrainingSettings) -> [Effect] {
    let before = self
    self = WorkbenchState(
      data: data, settings: settings, rules: before.rules, themeNames: before.themeNames,
      theme: before.themeNames.indices.contains(before.theme) ? before.themeNames[before.theme] : nil,
      size: before.size, looksOnly: before.looksOnly, glyphs: before.glyphs, panes: before.panes)
    (time, notices, machine) = (before.time, before.notices, before.machine)
    adopt(before.memory)
    return initialEffects(self)
  }

  // MARK: The clipboard

  /// Has the command copied that does an action in a shell.
  func copyCommand(for action: Action) -> [Effect] {
    let command = action == .train && runUnderWay ? curves.run?.settings.commandLine : headless(for: action)
    return command.map { [.copy($0)] } ?? []
  }

  /// Takes in whether a text was copied.
  public mutating func copied(_ text: String, _ isDone: Bool) {
    notify(
      .information,
      isDone ? "copied, where the terminal allows it: \(text)" : "this terminal has no clipboard: \(text)")
  }

  // MARK: The title of the window

  /// What goes on, in a few words, for a window that is not looked at.
  public var title: String {
    let name = curves.runName.map { curves.isHistory ? nil : $0 } ?? nil
    guard runUnderWay || curves.outcome != nil, let name else { return "skipline \(dataset.name)" }
    let share = curves.totalSteps.map { total in
      runUnderWay ? " \(Int((100 * Double(curves.reachedStep) / Double(max(1, total))).rounded(.down)))%" : ""
    }
    return "\(phaseName) \(name)\(share ?? "") - skipline"
  }
}
