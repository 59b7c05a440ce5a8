// Renaming runs, and removing them so that it can be undone. What is in a run is not touched.

import Files
import Glibc
import Messages
import Support

extension RunFolder {
  /// Where removed runs lie, in the folder of their project.
  static let trashName = ".trash"

  /// Gives the run another name. A process that trains it follows.
  /// - Returns: the run under its new name.
  /// - Throws: `RunFolderError.badName` or `.exists`; `FileOperationError`.
  public func renamed(to name: String) throws -> RunFolder {
    guard RunName.refusal(name) == nil else { throw RunFolderError.badName(name) }
    return try moved(to: FilePath.split(path).folder + "/" + name)
  }

  /// Puts the run into its project's folder for removed runs, `.trash`.
  /// - Returns: where it lies now.
  /// - Throws: `RunFolderError.inUse` while a process trains it; `FileOperationError`.
  public func removed() throws -> RunFolder {
    if let process = RunLock.holder(of: self) {
      throw RunFolderError.inUse(path: path, process: process == 0 ? nil : process)
    }
    let trash = FilePath.split(path).folder + "/" + Self.trashName
    try Folder.make(trash)
    var number = 1
    while true {
      do { return try moved(to: "\(trash)/\(name)" + (number == 1 ? "" : "-\(number)")) } catch RunFolderError
        .exists
      {
        number += 1
      }
    }
  }

  /// Puts a removed run back where it was.
  /// - Throws: `RunFolderError.exists` where there is another of that name by now; `FileOperationError`.
  public func restored(to path: String) throws -> RunFolder { try moved(to: path) }

  private func moved(to target: String) throws -> RunFolder {
    // A folder would be replaced by another only if it were empty; this one must not be replaced at all.
    guard try FilePath.kind(of: target) == nil else { throw RunFolderError.exists(path: target) }
    try FileCalls.system.move(path, to: target)
    try? FileCalls.system.syncFolder(FilePath.split(path).folder)
    try? FileCalls.system.syncFolder(FilePath.split(target).folder)
    return RunFolder(moved: target)
  }
}
