// The files that are written of an evaluation for other programs. Nothing that is there is replaced unasked, and nothing is
// written into a dataset.

import Files
import Inspection
import Messages
import Reports

/// Writes an export to its file.
public enum EvaluationExporter {
  public enum Outcome: Sendable, Equatable {
    /// With what is to be known of it: images that could not be shown.
    case written(notes: [String])
    /// A file of the name is there already.
    case exists
  }

  /// - Throws: `ExportRefusal` for a file that nothing is written to; `FileOperationError`; `NoRenderer` or
  ///   `RenderingFailure` for a picture. What was there then stays.
  public static func write(_ export: EvaluationExport) throws -> Outcome {
    let file = export.file
    guard export.content.formats.contains(export.format) else {
      throw ExportRefusal("\(file): this is written as \(words(export.content.formats))")
    }
    switch try FilePath.kind(of: file) {
    case .folder?: throw ExportRefusal("\(file) is a folder; name a file in it")
    case .other?: throw ExportRefusal("\(file) is no file that could be replaced; name another one")
    case .file?: if !export.replaces { return .exists }
    case nil: break
    }
    let (folder, name) = FilePath.split(file)
    if let data = export.data, FilePath.lies(folder, within: data) {
      throw ExportRefusal("\(file) lies in the dataset's folder, which is only read; name a file elsewhere")
    }
    if FilePath.split(folder).name == "exports" { try Folder.make(folder) }
    guard !name.isEmpty else { throw ExportRefusal("name a file") }
    switch export.format {
    case .csv, .json:
      try AtomicFile.write(to: file) { output in
        let buffer = Buffer(output)
        try export.writeTable(buffer.append)
        try buffer.flush()
      }
      return .written(notes: [])
    case .png, .svg: return .written(notes: try writePicture(export))
    }
  }

  private static func writePicture(_ export: EvaluationExport) throws -> [String] {
    if case .explanation(let explanation, let labels) = export.content {
      guard let picture = explanation.picture(of: labels) else {
        throw ExportRefusal("\(export.file): there is no memory for the picture of \(labels.count) classes")
      }
      try AtomicFile.write(to: export.file) { try $0.append(picture.bytes) }
      return []
    }
    var notes: [String] = []
    let figure = export.figure { images, first in
      notes.append("\(images) images cannot be shown, the first: \(first)")
    }
    guard let figure else { return [] }
    try PictureFile(path: export.file, format: export.format == .svg ? .svg : .png).write(figure)
    return notes
  }

  private static func words(_ formats: [EvaluationExport.Format]) -> String {
    formats.map { ".\($0.rawValue)" }.joined(separator: ", ")
  }

  /// Rows are small: they go to the file in larger pieces.
  private final class Buffer {
    private let output: OutputFile
    private var bytes: [UInt8] = []

    init(_ output: OutputFile) { self.output = output }

    func append(_ more: [UInt8]) throws {
      bytes += more
      if bytes.count >= 1 << 18 { try flush() }
    }

    func flush() throws {
      try output.append(bytes)
      bytes.removeAll(keepingCapacity: true)
    }
  }
}

/// A file that nothing is exported to.
public struct ExportRefusal: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
