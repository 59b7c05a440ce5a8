// Puts a set into a folder. It writes the set's own files and nothing else, and deletes nothing.

import Foundation

/// Why a sample set could not be made.
public enum SampleDataError: Error, Equatable, CustomStringConvertible {
  case encoding(reason: String)
  case writing(path: String, reason: String)

  public var description: String {
    switch self {
    case .encoding(let reason): "libpng could not compress a picture: \(reason)"
    case .writing(let path, let reason):
      "cannot write \(path): \(reason). Choose a folder that you may write to, on a disk with 5 MB to spare."
    }
  }
}

extension SampleSet {
  /// Writes every picture below a folder, which is created if it does not exist; files of the same name are
  /// replaced, each in one step.
  ///
  /// - Returns: how many files were written, and their total size in bytes.
  /// - Throws: `SampleDataError`, naming the first file that failed.
  @discardableResult
  public func write(to folder: String) throws -> (files: Int, bytes: Int) {
    let root = URL(fileURLWithPath: folder, isDirectory: true)
    var total = (files: 0, bytes: 0)
    for item in items {
      let bytes = try picture(of: item).encodedAsPNG()
      let file = root.appendingPathComponent(item.path)
      do {
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file, options: .atomic)
      } catch {
        throw SampleDataError.writing(path: file.path, reason: error.localizedDescription)
      }
      total = (total.files + 1, total.bytes + bytes.count)
    }
    return total
  }
}
