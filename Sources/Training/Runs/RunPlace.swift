// Where the folder of a run is while it is trained: people rename, move and remove folders without asking who works in
// them. What is done about it is the loop's.

import Files
import Glibc
import Support

/// A run's folder, held open, so that it is the same one whatever becomes of its name.
///
/// A folder that was renamed or moved on its disk is found again, and the run goes on in it: nothing is lost, and the
/// name is where the person who gave it looks for the run. A folder that was removed is gone, also when there is
/// another one of its name by now, which belongs to another run. A move to another disk is a copy and a removal.
struct RunPlace: ~Copyable {
  enum Finding: Equatable {
    case here
    /// The path that it has now, from the root.
    case moved(to: String)
    case gone
  }

  private let descriptor: Int32

  /// - Throws: `FileOperationError`.
  init(_ run: RunFolder) throws(FileOperationError) {
    descriptor = run.path.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw FileOperationError(path: run.path, step: .open, code: errno) }
  }

  deinit { close(descriptor) }

  /// Whether it is certain that the folder was removed. One system call: cheap enough for every step.
  var isRemoved: Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return errno == ESTALE }
    return status.st_nlink == 0
  }

  /// Looks for the folder. What cannot be told, as on a disk that does not answer, is no removal: `here`.
  /// - Parameter path: where it was.
  func look(for path: String) -> Finding {
    if isRemoved { return .gone }
    if isFolder(path) { return .here }
    guard let now = currentPath else { return .here }
    if isFolder(now) { return .moved(to: now) }
    // What the system says of a folder without a name (proc(5)), on file systems that do not count links.
    return now.hasSuffix(" (deleted)") ? .gone : .here
  }

  /// Whether a path leads to the folder.
  private func isFolder(_ path: String) -> Bool {
    var (own, other) = (stat(), stat())
    guard fstat(descriptor, &own) == 0, path.withPathCString({ stat($0, &other) }) == 0 else { return false }
    return own.st_dev == other.st_dev && own.st_ino == other.st_ino
  }

  private var currentPath: String? {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/fd/\(descriptor)", &text, text.count)
    guard count > 0, count < text.count else { return nil }
    return String(pathBytes: text[..<count].map { UInt8(bitPattern: $0) })
  }
}
