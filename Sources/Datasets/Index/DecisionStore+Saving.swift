// Changes decisions on disk: one process at a time, and whoever reads finds the old ones or the new ones, complete.

import Files
import Foundation
import Messages

extension DecisionStore {
  /// Reads the decisions about a dataset, changes them, and writes them if that made a difference. The file is removed
  /// with the last decision. Other processes that change decisions wait meanwhile.
  /// - Returns: the decisions as they are now.
  /// - Throws: `DatasetError` where the decisions that are there cannot be read; `FileOperationError`; what `change`
  ///   throws. Then nothing was changed.
  @discardableResult
  public func update(dataset root: String, _ change: (inout Decisions) throws -> Void) throws -> Decisions {
    try Folder.make(folder)
    let lock = folder.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard lock >= 0 else { throw FileOperationError(path: folder, step: .open, code: errno) }
    // Closing gives the lock up.
    defer { close(lock) }
    // Some network file systems know no locks; two people deciding at the same moment are rare enough.
    while flock(lock, LOCK_EX) != 0 && errno == EINTR {}

    let before = try load(dataset: root)
    var decisions = before
    try change(&decisions)
    guard decisions != before else { return decisions }
    let file = file(forDataset: root)
    if decisions.isEmpty {
      guard file.withPathCString({ unlink($0) }) == 0 || errno == ENOENT else {
        throw FileOperationError(path: file, step: .remove, code: errno)
      }
    } else {
      try AtomicFile.write(Data(decisions.text(dataset: FilePath.real(root)).utf8), to: file)
    }
    return decisions
  }
}
