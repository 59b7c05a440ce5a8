// Decisions about images: leaving one out, giving it another class, undoing the last decision. The images stay as
// they are; the engine keeps what was decided and answers with a new report.

import Canvas
import Messages

extension WorkbenchState {
  static let mostUndoable = 1000

  mutating func performDecision(_ action: Action) -> [Effect] {
    guard mayChange() else { return [] }
    if action == .undoDecision { return undoDecision() }
    let marked = panes[focus].marked(in: self)
    if !marked.isEmpty { return action == .exclude ? excludeOrInclude(marked) : chooseClass(for: marked) }
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

  /// Excludes all that are not, or includes them again where all are.
  private mutating func excludeOrInclude(_ files: [ListedFile]) -> [Effect] {
    let images = files.filter { $0.className != nil }
    let excludes = images.contains { $0.decision != .excluded }
    var (changes, inverse): ([DecisionChange], [DecisionChange]) = ([], [])
    for file in images where (file.decision != .excluded) == excludes {
      changes.append(excludes ? .exclude(path: file.path) : .include(path: file.path))
      inverse.append(excludes ? .include(path: file.path) : .exclude(path: file.path))
      if excludes, case .relabeled = file.decision, let name = file.className {
        inverse.append(.relabel(path: file.path, to: name))
      }
    }
    return decide(changes, undoing: inverse)
  }

  /// Asks for one class for all of them; those that are excluded stay so.
  private mutating func chooseClass(for files: [ListedFile]) -> [Effect] {
    let images = files.filter { $0.className != nil && $0.decision != .excluded }
    let classes = dataset.report?.classes.map(\.name) ?? []
    guard let first = images.first, let current = first.className, classes.count > 1 else {
      notify(.information, "none of the marked images can be given another class")
      return []
    }
    let isSame = images.allSatisfy { $0.className == current }
    var chooser = ClassChooser(
      path: first.path, current: isSame ? current : "", original: nil, classes: classes,
      likely: panes[focus].image(in: self)?.likely)
    chooser.others = images.dropFirst().map { ClassChooser.Image(path: $0.path, current: $0.className ?? "") }
    chooser.firstCurrent = current
    overlay = .relabel(chooser)
    return []
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

  /// Keeps that an image's label is right, so that no model's doubt about it is listed again.
  mutating func confirmLabel(_ path: String, as className: String) -> [Effect] {
    guard mayChange() else { return [] }
    let change = DecisionChange.confirm(path: path, as: className)
    dataset.undoable.append([.doubt(path: path)])
    notify(
      .information,
      "\(lastComponent(path)) is right, and not suspected again: $ "
        + ShellCommand.decide(change, data: dataset.path, settings.split))
    return [.browse(.decide(data: dataset.path, split: settings.split, changes: [change]))]
  }

  mutating func perform(_ action: Action, in chooser: ClassChooser) -> [Effect] {
    switch action {
    case .cancel: overlay = nil
    case .accept:
      guard let chosen = chooser.selected else { return [] }
      overlay = nil
      // Those that are of the class already have nothing to be decided.
      let images = chooser.images.filter { ClassName($0.current) != ClassName(chosen) }
      return decide(
        images.map { .relabel(path: $0.path, to: chosen) },
        undoing: images.map { .relabel(path: $0.path, to: $0.current) })
    default:
      var chooser = chooser
      chooser.perform(action, page: SearchBox.rows(in: size))
      overlay = .relabel(chooser)
    }
    return []
  }

  private mutating func decide(_ change: DecisionChange, undoing inverse: [DecisionChange]) -> [Effect] {
    decide([change], undoing: inverse)
  }

  /// Decides about several images at once: taken back at once too.
  private mutating func decide(_ changes: [DecisionChange], undoing inverse: [DecisionChange]) -> [Effect] {
    guard !changes.isEmpty else {
      notify(.information, "nothing changes")
      return []
    }
    dataset.undoable.append(inverse)
    if dataset.undoable.count > Self.mostUndoable { dataset.undoable.removeFirst() }
    return send(changes)
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
    let commands = changes.prefix(3).map { ShellCommand.decide($0, data: dataset.path, settings.split) }.joined(
      separator: "; ")
    let more = changes.count > 3 ? " and \(Format.count(changes.count - 3)) more" : ""
    // A run keeps the data that it began with, and an evaluation the metrics that it had.
    let isAboutImages = changes.contains { if case .doubt = $0 { false } else { true } }
    let fromWhen = isAboutImages && (runUnderWay || focus == .inspector) ? "from the next run on: " : ""
    let isBenchmark = isAboutImages && areTests(changes)
    notify(
      isBenchmark ? .warning : .information,
      "\(isBenchmark ? "decisions about test images change the benchmark; " : "")\(fromWhen)$ \(commands)\(more)")
    return [.browse(.decide(data: dataset.path, split: settings.split, changes: changes))]
  }

  /// Whether test images are among those that something is decided about.
  private func areTests(_ changes: [DecisionChange]) -> Bool {
    dataset.images(at: changes.map(\.path)).contains { $0.split == .test }
  }
}

extension DecisionChange {
  fileprivate var path: String {
    switch self {
    case .exclude(let path), .include(let path), .relabel(let path, _), .confirm(let path, _), .doubt(let path):
      path
    }
  }
}
