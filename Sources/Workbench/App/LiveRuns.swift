// Runs that are trained by processes of their own, offered to be attached to.

import Canvas
import Messages

/// The list of live runs that covers the panes.
struct LiveRunChooser: Sendable, Equatable {
  let runs: [LiveRun]
  var list: BrowsableList

  init(_ runs: [LiveRun]) {
    self.runs = runs
    list = BrowsableList(total: runs.count)
  }

  var selected: LiveRun? { list.selectedItem.map { runs[$0] } }
}

extension WorkbenchState {
  /// Offers the runs that are being trained elsewhere.
  mutating func apply(live runs: [LiveRun], asked: Bool) {
    guard !runs.isEmpty else {
      if asked { notify(.information, "no other run in \(settings.project) is being trained") }
      return
    }
    guard overlay == nil, !runUnderWay else { return }
    overlay = .liveRuns(LiveRunChooser(runs))
  }

  /// Whether a checkpoint is of the run on show, and that is trained by another process.
  func isElsewhere(_ checkpoint: CheckpointInfo) -> Bool {
    curves.isHistory && curves.isElsewhere && curves.run?.folder == checkpoint.runFolder
  }

  mutating func findLiveRuns() -> [Effect] {
    guard !runUnderWay else {
      notify(.information, "a run is under way here: leave it running (q) before another is looked at")
      return []
    }
    return [.findLiveRuns]
  }

  mutating func perform(_ action: Action, in chooser: LiveRunChooser) -> [Effect] {
    var chooser = chooser
    let page = LiveRunsView.rows(chooser, in: size)
    switch action {
    case .up: chooser.list.move(by: -1, page: page)
    case .down: chooser.list.move(by: 1, page: page)
    case .cancel:
      overlay = nil
      return []
    case .accept:
      overlay = nil
      awaitedOrigin = nil
      guard let run = chooser.selected else { return [] }
      clearMessage()
      return [.attach(folder: run.folder)]
    default: break
    }
    overlay = .liveRuns(chooser)
    return []
  }
}

/// The list on the screen.
enum LiveRunsView {
  static func rows(_ chooser: LiveRunChooser, in size: Size) -> Int {
    max(1, min(chooser.runs.count, size.height - 8))
  }

  static func draw(_ chooser: LiveRunChooser, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let count = rows(chooser, in: frame.size)
    let width = min(frame.size.width - 4, 66)
    let rect = Rect(frame.size).inset(bottom: 2).centered(width: width, height: count + 4)
    let title = chooser.runs.count == 1 ? "A run is being trained" : "Runs are being trained"
    let inner = frame.overlay(rect, title: title, theme: theme)
    let (body, foot) = inner.splitTop(count)
    let columns = [
      Table.Column("", width: .flexible(minimum: 10, weight: 1), truncation: .start),
      Table.Column("", width: .fixed(12)), Table.Column("", width: .fixed(min(24, width / 3)), truncation: .start),
    ]
    Table.of(chooser.list, columns: columns, height: count, focused: true, showsHeader: false) { item in
      let run = chooser.runs[item]
      return [.text(run.folder), .text(run.network), .spans([Span(run.data, theme[.dimmed])])]
    }.draw(into: &frame, in: body, theme: theme)
    frame.put(
      keys([("Enter", "attaches"), ("Esc", "not now; a asks again")], theme: theme), in: foot.row(1),
      style: theme[.text])
  }
}

/// Keys and what they do, in one line.
func keys(_ answers: [(String, String)], theme: Theme) -> [Span] {
  answers.flatMap { key, answer in [Span(key, theme[.hintKey]), Span(" \(answer)   ")] }
}
