// What the inspector shows, written to a file for other programs: which form, which file, and the command that does the
// same. The engine writes; a file that is there already is replaced only once the person has said so.

import Canvas
import Messages

/// A file being named.
struct ExportDialog: Sendable, Equatable {
  /// What is written, by the view that shows it.
  enum Subject: Sendable, Equatable {
    case images(marked: Bool)
    case confusion, pairs, metrics, reliability, suspects, comparison, explanation
  }

  var subject: Subject
  /// In words: `7 images`.
  var title: String
  let formats: [EvaluationExport.Format]
  private(set) var format: EvaluationExport.Format
  /// The file's path from the working folder.
  private(set) var file: String
  /// Why it was not written.
  var error: String?
  /// The file that is there and would be replaced by the next Enter.
  var existing: String?
  /// What is being written.
  var waiting: EvaluationExport?

  private static let longest = 400

  init(_ subject: Subject, title: String, formats: [EvaluationExport.Format], folder: String, name: String) {
    self.subject = subject
    self.title = title
    self.formats = formats
    format = formats[0]
    file = joined(folder, "exports/\(name).\(formats[0].rawValue)")
  }

  mutating func cycle(by places: Int) {
    guard let place = formats.firstIndex(of: format) else { return }
    let ending = ".\(format.rawValue)"
    format = formats[(place + places + formats.count) % formats.count]
    if file.hasSuffix(ending) { file = String(file.dropLast(ending.count)) + ".\(format.rawValue)" }
    (error, existing) = (nil, nil)
  }

  mutating func type(_ text: String) { edit(file + text) }
  mutating func erase() { edit(String(file.dropLast())) }
  mutating func clear() { edit("") }

  private mutating func edit(_ text: String) {
    file = String(text.prefix(Self.longest))
    (error, existing) = (nil, nil)
    // What the name says is what is written.
    if let named = EvaluationExport.Format(ofFile: file), formats.contains(named) { format = named }
  }

  /// What is written; sets `error` where the name says no form that it can have.
  mutating func request(_ content: EvaluationExport.Content, name: String) -> EvaluationExport? {
    guard waiting == nil else { return nil }
    guard EvaluationExport.Format(ofFile: file) == format else {
      error = "the name ends in " + formats.map { ".\($0.rawValue)" }.joined(separator: ", ")
      return nil
    }
    let export = EvaluationExport(content, name: name, format: format, file: file, replaces: existing == file)
    (waiting, error) = (export, nil)
    return export
  }
}

extension WorkbenchState {
  mutating func perform(_ action: Action, in dialog: ExportDialog) -> [Effect] {
    var dialog = dialog
    switch action {
    case .left: dialog.cycle(by: -1)
    case .right: dialog.cycle(by: 1)
    case .erase: dialog.erase()
    case .clear: dialog.clear()
    case .cancel:
      overlay = nil
      return []
    case .accept:
      guard let content = InspectorPane.content(of: dialog.subject, in: self) else {
        dialog.error = "it is not there any more: Esc closes this"
        break
      }
      let export = dialog.request(content, name: InspectorPane.exportName(in: self))
      overlay = .export(dialog)
      return export.map { [.inspect(.export($0))] } ?? []
    default: break
    }
    overlay = .export(dialog)
    return []
  }

  /// Takes in what became of an export.
  mutating func take(_ answer: InspectionAnswer, toExport export: EvaluationExport) {
    guard case .export(var dialog) = overlay, dialog.waiting?.file == export.file else {
      // The person did not wait for it.
      switch answer {
      case .exported(let file): notify(.information, "wrote \(file)")
      case .exists(let file): notify(.warning, "\(file) is there already, and stays as it is")
      case .failure(let reason): notify(.failure, reason)
      default: break
      }
      return
    }
    dialog.waiting = nil
    switch answer {
    case .exported(let file):
      overlay = nil
      let command = InspectorPane.exportCommand(dialog, in: self)
      return notify(.information, "wrote \(file)" + (command.map { ": $ \($0)" } ?? ""))
    case .exists(let file): dialog.existing = file
    case .failure(let reason): dialog.error = reason
    default: break
    }
    overlay = .export(dialog)
  }
}

enum ExportView {
  static func draw(_ dialog: ExportDialog, _ state: WorkbenchState, into frame: inout Frame, theme: Theme) {
    let theme = theme.over(.overlay)
    let screen = Rect(frame.size).inset(bottom: 2)
    let width = min(frame.size.width - 4, 76)
    let command = InspectorPane.exportCommand(dialog, in: state).map { "$ " + $0 }
    let lines = Paragraph.wrapped(
      command ?? "marks are this screen's: no command knows which images have one", width: width - 4)
    let said = Paragraph.wrapped(word(dialog), width: width - 4)
    let height = min(screen.height, 6 + said.count + lines.count)
    let inner = frame.overlay(
      screen.centered(width: width, height: height), title: "Export \(dialog.title)", trailing: "Enter writes",
      theme: theme)
    frame.put(
      pieces: [[Span("form", theme[.dimmed])]]
        + dialog.formats.map {
          [Span(" \($0.rawValue) ", $0 == dialog.format ? theme.selection(focused: true) : theme[.text])]
        },
      in: inner.row(0), style: theme[.text])
    let entry = inner.row(1)
    frame.fill(entry, style: theme[.input])
    let room = max(1, entry.width - 3)
    frame.put(
      typed: ": " + Truncation.start.fit(dialog.file, width: room, ellipsis: theme.glyphs.ellipsis), in: entry,
      style: theme[.input], caret: true)
    let style = dialog.error != nil ? theme[.error] : dialog.existing != nil ? theme[.warning] : theme[.dimmed]
    for (row, line) in said.enumerated() { frame.put(line, in: inner.row(2 + row), style: style) }
    for (row, line) in lines.enumerated() {
      frame.put(line, in: inner.row(3 + said.count + row), style: theme[.dimmed])
    }
  }

  private static func word(_ dialog: ExportDialog) -> String {
    if dialog.waiting != nil { return "writing" }
    if let error = dialog.error { return error }
    if let file = dialog.existing { return "\(lastComponent(file)) is there already: Enter again replaces it" }
    switch (dialog.subject, dialog.format) {
    case (.images, .png), (.images, .svg), (.suspects, .png), (.suspects, .svg):
      return "a contact sheet of the first 240, with classes and file names"
    case (_, .csv): return "a table: comma-separated values"
    case (_, .json): return "a table as JSON"
    case (_, .png): return "a picture"
    case (_, .svg): return "a picture that can be enlarged"
    }
  }
}
