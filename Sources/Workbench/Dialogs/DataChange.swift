// A run that was to be resumed on images which are not those it was started on: what became of them, and the question
// whether to go on all the same.

import Canvas
import Messages

extension WorkbenchState {
  mutating func perform(_ action: Action, inDataChange scroll: Int) -> [Effect] {
    switch action {
    case .accept:
      guard let change = dataChange, !change.classesChanged else { return [] }
      (overlay, dataChange) = (nil, nil)
      return resume(change.run, ResumeChanges(acceptsData: true))
    case .cancel:
      (overlay, dataChange) = (nil, nil)
      notify(.information, "the run was not resumed: nothing is changed")
    default:
      guard let rows = scrollingQuestion?.rows(for: action, in: size) else { return [] }
      scrollQuestion(by: rows)
    }
    return []
  }

  /// Asks the engine to go on with a run.
  mutating func resume(_ folder: String, _ changes: ResumeChanges = ResumeChanges()) -> [Effect] {
    guard engine == .idle else {
      notify(.information, "something is under way: stop it before another run is resumed")
      return []
    }
    clearMessage()
    (engine, startRequested, awaitedOrigin) = (.preparing, true, .resumed)
    return [.send(.resumeRun(folder: folder, changes: changes))]
  }
}

enum DataChangeView {
  static func question(_ report: DataChangeReport) -> ListDialog {
    let name = lastComponent(report.run)
    let lines = report.groups.flatMap { group -> [ListDialog.Line] in
      let more = group.count - group.paths.count
      return [.init(text: "\(Format.count(group.count)) \(group.kind.title)", isHeading: true)]
        + group.paths.map { .init(text: "  " + $0) }
        + (more > 0 ? [.init(text: "  and \(Format.count(more)) more")] : [])
    }
    let what = "The images in \(report.data) are not those that \(name) was started on."
    if report.classesChanged {
      return ListDialog(
        title: "Other classes",
        head: [
          what + " Their classes are others too, which the network does not fit: restore them, or begin a new run "
            + "from its weights:",
          "$ " + ShellCommand.begin(from: report),
        ], answers: [.init(key: "Esc", text: "close; nothing is changed")], body: lines)
    }
    return ListDialog(
      title: "Go on with changed images?",
      head: [
        what + (lines.isEmpty ? " Which of them is not known: the run has no images.txt." : ""),
        "$ " + ShellCommand.resume(report.run) + " --accept-changes",
      ],
      answers: [
        .init(key: "y", text: "go on with the images as they are now"),
        .init(key: "n", text: "leave the run; nothing is changed"),
      ], body: lines)
  }
}

extension DataChangeReport.Kind {
  fileprivate var title: String {
    switch self {
    case .added: "added"
    case .removed: "removed"
    case .relabeled: "in another class"
    case .moved: "in another split"
    case .altered: "of another size"
    }
  }
}
