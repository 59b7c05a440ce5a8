// Decisions about images: leaving one out, giving it another class, undoing the last decision. The images stay as
// they are; the engine keeps what was decided and answers with a new report.

import Canvas
import Messages

extension WorkbenchState {
  static let mostUndoable = 1000

  mutating func performDecision(_ action: Action) -> [Effect] {
    guard mayChange() else { return [] }
    if action == .undoDecision { return undoDecision() }
    guard let file = chosenImage else {
      notify(.information, "choose an image first: Enter opens a class or a finding of the dataset")
      return []
    }
    guard let className = file.className else {
      notify(.information, "\(lastComponent(file.path)) is not an image of a class: there is nothing to decide")
      return []
    }
    return action == .exclude ? excludeOrInclude(file, className) : chooseClass(for: file, className)
  }

  /// The image that a decision would be about: the one whose picture is shown.
  var chosenImage: ListedFile? { panes[focus].image(in: self)?.file }

  private mutating func excludeOrInclude(_ file: ListedFile, _ className: String) -> [Effect] {
    switch file.decision {
    case .excluded: return decide(.include(path: file.path), undoing: [.exclude(path: file.path)])
    case .relabeled:
      // Whatever becomes of the other class meanwhile, taking this back gives it again.
      return decide(
        .exclude(path: file.path), undoing: [.include(path: file.path), .relabel(path: file.path, to: className)])
    case nil: return decide(.exclude(path: file.path), undoing: [.include(path: file.path)])
    }
  }

  private mutating func chooseClass(for file: ListedFile, _ className: String) -> [Effect] {
    var original: String?
    switch file.decision {
    case .excluded:
      notify(.information, "\(lastComponent(file.path)) is excluded: x includes it again, then m relabels it")
      return []
    case .relabeled(let from): original = from
    case nil: break
    }
    let classes = dataset.report?.classes.map(\.name) ?? []
    guard classes.count > 1 else {
      notify(.information, "there is no other class in this dataset")
      return []
    }
    let likely = panes[focus].image(in: self)?.likely
    overlay = .relabel(
      ClassChooser(path: file.path, current: className, original: original, classes: classes, likely: likely))
    return []
  }

  mutating func perform(_ action: Action, in chooser: ClassChooser) -> [Effect] {
    switch action {
    case .cancel: overlay = nil
    case .accept:
      guard let chosen = chooser.selected else { return [] }
      overlay = nil
      return decide(
        .relabel(path: chooser.path, to: chosen), undoing: [.relabel(path: chooser.path, to: chooser.current)])
    default:
      var chooser = chooser
      chooser.perform(action, page: SearchBox.rows(in: size))
      overlay = .relabel(chooser)
    }
    return []
  }

  private mutating func decide(_ change: DecisionChange, undoing inverse: [DecisionChange]) -> [Effect] {
    dataset.undoable.append(inverse)
    if dataset.undoable.count > Self.mostUndoable { dataset.undoable.removeFirst() }
    return send([change])
  }

  private mutating func undoDecision() -> [Effect] {
    guard let inverse = dataset.undoable.popLast() else {
      notify(.information, "there is no decision here to undo")
      return []
    }
    return send(inverse)
  }

  /// Asks the engine for it and tells how a shell does the same.
  private mutating func send(_ changes: [DecisionChange]) -> [Effect] {
    let commands = changes.map { ShellCommand.decide($0, data: dataset.path, settings.split) }.joined(
      separator: "; ")
    // A run keeps the data that it began with, and an evaluation the metrics that it had.
    let fromWhen = runUnderWay || focus == .inspector ? "from the next run on: " : ""
    notify(.information, "\(fromWhen)$ \(commands)")
    return [.browse(.decide(data: dataset.path, split: settings.split, changes: changes))]
  }
}
