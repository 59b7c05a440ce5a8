// What of each view is exported, under which name, and how a shell does the same.

import Canvas
import Messages
import Support

extension InspectorPane {
  /// Opens the dialog that names a file for what is shown.
  static func export(_ state: inout WorkbenchState) -> [Effect] {
    guard let report = state.inspector.report, let subject = subject(in: state) else {
      state.notify(.information, "there is nothing to export here yet")
      return []
    }
    guard let content = content(of: subject, in: state) else {
      state.notify(.information, obstacle(to: subject, state))
      return []
    }
    let folder = runFolder(of: report)
    state.overlay = .export(
      ExportDialog(
        subject, title: title(of: subject, in: state), formats: content.formats, folder: folder,
        name: fileName(of: subject, report)))
    return []
  }

  private static func subject(in state: WorkbenchState) -> ExportDialog.Subject? {
    switch state.inspector.view {
    case .checkpoints, .hardest: nil
    case .confusion: .confusion
    case .overview: .pairs
    case .classes: .metrics
    case .images where state.inspector.images.isSingle && state.inspector.showsHeat: .explanation
    case .images: .images(marked: !state.inspector.images.marks.isEmpty)
    case .confidence: .reliability
    case .suspects: .suspects
    case .comparison: .comparison
    }
  }

  /// nil for what is not there.
  static func content(of subject: ExportDialog.Subject, in state: WorkbenchState) -> EvaluationExport.Content? {
    let inspector = state.inspector
    switch subject {
    case .images:
      guard let table = inspector.images.table else { return nil }
      let rows = inspector.images.exportedRows
      return rows.isEmpty ? nil : .images(table.selecting(rows))
    case .confusion: return inspector.report.map { .confusion($0) }
    case .pairs: return inspector.report.map { .pairs($0) }
    case .metrics: return inspector.report.map { .metrics($0) }
    case .reliability:
      return inspector.images.isWhole ? inspector.images.table.map { .reliability($0.reliability()) } : nil
    case .suspects:
      guard var report = inspector.suspects.report else { return nil }
      let list = inspector.suspects.list
      report.suspects = (0..<list.count).compactMap { list.item(at: $0) }.map { report.suspects[$0] }
      report.confirmed = inspector.suspects.left
      return .suspects(report)
    case .comparison: return inspector.comparison.comparison.map { .comparison($0) }
    case .explanation:
      guard let question = inspector.explanationQuestion,
        case .answer(.explanation(let explanation)) = inspector.answers[question]
      else { return nil }
      return .explanation(explanation, labels: explanation.heats.map(\.label))
    }
  }

  private static func obstacle(to subject: ExportDialog.Subject, _ state: WorkbenchState) -> String {
    switch subject {
    case .images: "there is no image to export"
    case .reliability: state.inspector.noTable
    case .suspects: state.inspector.waitingText(for: state.inspector.suspectsQuestion, state)
    case .comparison: state.inspector.waitingText(for: state.inspector.comparison.wanted, state)
    default: "there is nothing to export here yet"
    }
  }

  private static func title(of subject: ExportDialog.Subject, in state: WorkbenchState) -> String {
    let images = state.inspector.images
    switch subject {
    case .images(let marked):
      let count = images.exportedRows.count
      return Format.counted(count, marked ? "marked image" : "image")
    case .confusion: return "the confusion matrix"
    case .pairs: return "the confused pairs"
    case .metrics: return "the metrics of each class"
    case .reliability: return "the reliability diagram"
    case .suspects: return Format.counted(state.inspector.suspects.list.count, "suspected label")
    case .comparison: return "the comparison"
    case .explanation: return "where the network looked"
    }
  }

  private static func fileName(of subject: ExportDialog.Subject, _ report: EvaluationReport) -> String {
    let split = report.split.rawValue
    switch subject {
    case .images: return "images-\(split)"
    case .confusion: return "confusion-\(split)"
    case .pairs: return "pairs-\(split)"
    case .metrics: return "classes-\(split)"
    case .reliability: return "reliability-\(split)"
    case .suspects: return "suspects"
    case .comparison: return "comparison-\(split)"
    case .explanation: return "grad-cam"
    }
  }

  private static func runFolder(of report: EvaluationReport) -> String {
    CheckpointInfo(path: report.checkpoint, name: "", epoch: 0, step: 0, validationAccuracy: nil, savedAt: "")
      .runFolder
  }

  /// What heads a picture.
  static func exportName(in state: WorkbenchState) -> String {
    guard let report = state.inspector.report else { return "" }
    return name(of: report.checkpoint) + (report.split == .all ? "" : " on \(report.split.rawValue)")
  }

  /// The command that writes the same; nil where there is none.
  static func exportCommand(_ dialog: ExportDialog, in state: WorkbenchState) -> String? {
    guard let report = state.inspector.report else { return nil }
    func evaluate(_ options: [String]) -> String {
      ([ShellCommand.evaluate(report.checkpoint, data: report.data, split: report.split)] + options)
        .joined(separator: " ")
    }
    func file(_ option: String) -> String { shellOption(option, dialog.file) }
    switch dialog.subject {
    case .images(marked: true): return nil
    case .images:
      let images = state.inspector.images
      let filter = images.list.filter.isEmpty ? [] : [shellOption("--filter", images.list.filter)]
      return evaluate(filter + ["--sort", images.sort.rawValue, file("--images")])
    case .confusion: return evaluate([file("--confusion")])
    case .pairs: return evaluate([file("--pairs")])
    case .metrics: return evaluate([file("--metrics")])
    case .reliability: return evaluate([file("--reliability")])
    case .suspects:
      return ShellCommand.suspects(of: report.checkpoint, data: report.data) + " " + file("--suspects")
    case .comparison:
      guard let comparison = state.inspector.comparison.comparison else { return nil }
      return ShellCommand.compare(comparison.first, comparison.second) + " " + file("--out")
    case .explanation:
      guard case .explanation(let explanation, let labels)? = content(of: .explanation, in: state) else {
        return nil
      }
      return ShellCommand.explain(
        explanation.checkpoint, file: explanation.path, classes: labels.map { explanation.classes[$0] }) + " "
        + file("--out")
    }
  }
}

extension ImagesState {
  /// The marked rows, those that are shown first, or all that are shown, in the order in which they are.
  var exportedRows: [Int32] {
    let shown = (0..<list.count).compactMap { list.item(at: $0) }
    guard !marks.isEmpty else { return shown.map { Int32($0) } }
    let marked = shown.filter(marks.contains)
    return (marked + marks.subtracting(marked).sorted()).map { Int32($0) }
  }
}
