// Writing a file so that whoever reads it, at any time and after any crash, finds the old content or the new one,
// complete: a temporary file in the same folder, written, synced, renamed, and the folder synced, in this order. What
// does not fit on the disk is not begun.
// It knows nothing of what is written.

import FoundationEssentials
import Glibc
import Support
import Synchronization

/// Durable replacement of whole files.
public enum AtomicFile {
  /// Replaces the file at `path` by `data`.
  ///
  /// On failure the file that was there stays as it was, and the temporary file is removed.
  /// - Throws: `FileOperationError`, which names the file, the step and the system's reason.
  public static func write(_ data: Data, to path: String) throws {
    try write(to: path) { output in try data.withUnsafeBytes { try output.append($0) } }
  }

  /// Replaces the file at `path` by what `body` appends, so that a large content need never be in one piece.
  ///
  /// On failure, of the system or of `body`, the file that was there stays as it was.
  /// - Parameter size: bytes that `body` will append, where that is known: nothing is begun if they are not free.
  /// - Throws: `FileOperationError`, or what `body` throws.
  public static func write(
    to path: String, size: Int? = nil, calls: FileCalls = .system, _ body: (OutputFile) throws -> Void
  ) throws {
    let (folder, name) = FilePath.split(path)
    if let size, let free = calls.freeSpace(folder), free < size {
      throw FileOperationError(path: path, step: .write, reason: .noSpace(needed: size, free: free))
    }
    let (output, temporary) = try makeTemporary(folder: folder, name: name, target: path, calls: calls)
    do {
      try body(output)
      try output.sync()
      try calls.move(temporary, to: path)
    } catch {
      temporary.withPathCString { _ = unlink($0) }
      throw error
    }
    try calls.syncFolder(folder)
  }

  /// Removes temporary files that a killed process left in a folder. Call it only while no other process writes
  /// there.
  /// - Returns: the names that were removed.
  @discardableResult
  public static func sweepLeftovers(in folder: String) -> [String] {
    let names = (try? Folder.names(in: folder)) ?? []
    return names.filter { name in
      name.hasPrefix(".") && name.hasSuffix(temporaryEnding)
        && "\(folder)/\(name)".withPathCString { unlink($0) } == 0
    }
  }

  private static let temporaryEnding = ".partial"
  private static let serial = Atomic<Int>(0)

  private static func makeTemporary(
    folder: String, name: String, target: String, calls: FileCalls
  ) throws(FileOperationError) -> (file: OutputFile, path: String) {
    while true {
      let number = serial.wrappingAdd(1, ordering: .relaxed).newValue
      let temporary = "\(folder)/.\(name).\(getpid())-\(number)\(temporaryEnding)"
      do throws(FileOperationError) {
        return (try OutputFile(creating: temporary, for: target, calls: calls), temporary)
      } catch {
        // A killed process with our number may have left one (in a container every process may be number 1).
        if error.code != EEXIST { throw error }
      }
    }
  }
}
