// What changes the dataset pane: the engine's word about the folder, the pane's own actions, and moving between its
// levels.

import Canvas
import Messages

extension DatasetPane {
  static func initialEffects(_ state: WorkbenchState) -> [Effect] {
    [.browse(.openDataset(path: state.dataset.path, split: state.settings.split, checkingFiles: false))]
  }

  static func requests(_ state: inout WorkbenchState) -> [Effect] {
    state.dataset.selectedPath.map { state.request(picture: $0) } ?? []
  }

  static func isAnimated(_ state: WorkbenchState) -> Bool {
    state.dataset.reading.isUnderWay || state.dataset.fileCheckAsked
  }

  // MARK: The engine

  static func handle(_ event: Messages.Event, in state: inout WorkbenchState) -> [Effect] {
    switch event {
    case .datasetProgress(.scanning(let files, let classes)):
      state.dataset.reading = .scanning(files: files, classes: classes)
    case .datasetProgress(.checking(let done, let total)):
      state.dataset.reading = .checking(TaskProgress(done: done, total: total))
    case .readingCancelled: takeCancelled(&state)
    case .dataset(let report): return apply(report, in: &state)
    case .failure(let text):
      state.dataset.fileCheckAsked = false
      if state.dataset.reading.isUnderWay {
        state.dataset.reading = state.dataset.report == nil ? .failed(text) : .done
      }
    default: break
    }
    return []
  }

  private static func apply(_ report: DatasetReport, in state: inout WorkbenchState) -> [Effect] {
    let (classesBefore, asked) = (state.classCount, state.dataset.fileCheckAsked)
    state.dataset.apply(report)
    if asked, report.statistics != nil { tellFindings(of: report, in: &state) }
    return state.classCount == classesBefore ? [] : [.browse(state.describeNetwork)]
  }

  private static func tellFindings(of report: DatasetReport, in state: inout WorkbenchState) {
    let counts = report.findingCounts.map { $0.severity.counted($0.count) }.joined(separator: ", ")
    guard !counts.isEmpty else {
      state.notify(.information, "\(Format.counted(report.checkedFiles, "file")) checked, no problems")
      return
    }
    state.notify(
      report.hasErrors ? .warning : .information,
      "\(Format.counted(report.checkedFiles, "file")) checked: \(counts); w in the dataset pane lists them")
  }

  private static func takeCancelled(_ state: inout WorkbenchState) {
    // It may have ended by itself just before it was to be cancelled.
    guard state.dataset.reading.isUnderWay || state.dataset.fileCheckAsked else { return }
    let key = state.dataset.fileCheckAsked ? "c checks the files again" : "R reads the folder again"
    state.dataset.reading = state.dataset.report == nil ? .cancelled : .done
    state.dataset.fileCheckAsked = false
    state.notify(.information, "cancelled; \(key)")
  }

  // MARK: Actions

  static func perform(_ action: Action, in state: inout WorkbenchState) -> [Effect]? {
    switch action {
    case .findings: state.dataset.level = state.dataset.level == .findings ? .classes : .findings
    case .statistics: state.dataset.level = state.dataset.level == .statistics ? .classes : .statistics
    case .checkFiles:
      guard !state.dataset.fileCheckAsked else {
        state.notify(.information, "every file is being checked; Esc cancels")
        return []
      }
      return state.openDataset(checkingFiles: true)
    case .readAgain: return state.openDataset(checkingFiles: false)
    case .open: open(&state)
    case .left: _ = state.dataset.goUp()
    case .right: if [.classes, .findings].contains(state.dataset.level) { open(&state) }
    case .back:
      if state.dataset.goUp() { return [] }
      return state.dataset.reading.isUnderWay ? [.browse(.cancelReading)] : nil
    default: return nil
    }
    return []
  }

  /// From a class or a finding to its files.
  private static func open(_ state: inout WorkbenchState) {
    switch state.dataset.level {
    case .classes:
      if let report = state.dataset.report, let index = state.dataset.classes.selectedItem {
        state.dataset.open(.classNamed(report.classes[index].name))
      } else {
        state.toggleZoom()
      }
    case .findings:
      guard let finding = state.dataset.selectedFinding else { return }
      if !finding.paths.isEmpty {
        state.dataset.open(.finding(finding))
      } else if let name = finding.subject,
        state.dataset.report?.classes.contains(where: { $0.name == name }) == true
      {
        state.dataset.open(.classNamed(name))
      } else {
        state.notify(.information, "this finding is about no file in particular")
      }
    case .files, .statistics: state.toggleZoom()
    }
  }

  // MARK: What is on show

  static func list(in state: WorkbenchState) -> ShownList? {
    switch state.dataset.level {
    case .classes:
      let classes = state.dataset.report?.classes ?? []
      return ShownList(path: \.dataset.classes) { classes[$0].name }
    case .files:
      let files = state.dataset.listed
      return ShownList(path: \.dataset.files) { files[$0].path }
    case .findings:
      let findings = state.dataset.report?.findings ?? []
      return ShownList(path: \.dataset.findings) { findings[$0].searchText }
    case .statistics: return nil
    }
  }

  static func image(in state: WorkbenchState) -> ShownImage? {
    state.dataset.selectedPath.map { ShownImage(file: state.dataset.selectedFile, path: $0) }
  }
}

extension WorkbenchState {
  /// Has the folder read, and every file looked into if that is asked for.
  mutating func openDataset(checkingFiles: Bool) -> [Effect] {
    dataset.ask(checkingFiles: checkingFiles)
    pictures.forgetAll()
    thumbnails.forgetAll()
    inspector.askedThumbnails = []
    return [.browse(.openDataset(path: dataset.path, split: settings.split, checkingFiles: checkingFiles))]
  }
}
