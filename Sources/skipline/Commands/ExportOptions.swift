// What evaluations are written to for other programs: files by the ending of their names, none of which is replaced unasked.

import ArgumentParser
import Engine
import Files
import Messages

/// Whether files that are there may be replaced.
struct OverwriteOption: ParsableArguments {
  @Flag(help: "Replace files that are there already.") var overwrite = false
}

/// A file that an option names.
struct ExportTarget {
  let option: String
  let path: String
  let format: EvaluationExport.Format

  /// Checks it while nothing was done yet.
  /// - Parameters:
  ///   - formats: that it may be of.
  ///   - replaces: whether a file that is there may be replaced.
  ///   - data: the dataset's folder.
  /// - Throws: `ExportRefusal`, or `FileOperationError`.
  init(
    _ path: String, option: String, formats: [EvaluationExport.Format], replaces: Bool, data: String?
  ) throws {
    let endings = formats.map { ".\($0.rawValue)" }
    guard let format = EvaluationExport.Format(ofFile: path), formats.contains(format) else {
      throw ExportRefusal(
        "\(option) \(path): the name ends in \(endings.dropLast().joined(separator: ", ")) or \(endings.last ?? "")"
      )
    }
    if let data, FilePath.lies(FilePath.split(path).folder, within: data) {
      throw ExportRefusal(
        "\(option) \(path) lies in the dataset's folder, which is only read; name a file elsewhere")
    }
    switch try FilePath.kind(of: path) {
    case .folder?: throw ExportRefusal("\(option) \(path) is a folder; name a file in it")
    case .file? where !replaces:
      throw ExportRefusal("\(option) \(path) is there already: name another file, or take --overwrite")
    default: break
    }
    (self.option, self.path, self.format) = (option, path, format)
  }

  /// - Throws: as `EvaluationExporter.write`; `ExportRefusal` for a file that has come to be there meanwhile.
  func write(_ content: EvaluationExport.Content, name: String, replaces: Bool) throws {
    let export = EvaluationExport(content, name: name, format: format, file: path, replaces: replaces)
    switch try EvaluationExporter.write(export) {
    case .exists: throw ExportRefusal("\(option) \(path) is there already: name another file, or take --overwrite")
    case .written(let notes):
      Console.progress("wrote \(path)")
      for note in notes { Console.complain("! \(note)") }
    }
  }
}

/// Tells of a table that is replaced.
func tellOfReplaced(_ path: String) throws {
  if try FilePath.kind(of: path) == .file { Console.complain("! \(path) is replaced") }
}
