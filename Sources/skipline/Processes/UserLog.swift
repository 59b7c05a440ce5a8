// The file that takes what a screen and its engines write to standard error: the last words of a crash, and why a run
// ended that has no folder any more. It lies where nobody else can put anything: a name that others can guess, in a
// folder that others write to, could be a link to one of the user's files.

import Files
import FoundationEssentials
import Glibc
import Messages

/// `skipline.log` in `$XDG_STATE_HOME/skipline`, or `~/.local/state/skipline`; where that cannot be, in a new folder of
/// its own among the temporary ones.
struct UserLog {
  let path: String
  private let isTemporary: Bool

  /// - Parameter environment: of the process; the variables of the XDG base directory specification.
  /// - Throws: `NoLogFolder` where no folder can be had.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    let state = UserFolders { environment[$0] }.state
    if let folder = state.map({ $0 + "/skipline" }), Self.makePrivate(folder) {
      (path, isTemporary) = (folder + "/skipline.log", false)
      return
    }
    var template = Array((environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp").utf8CString.dropLast())
    template += "/skipline-XXXXXX".utf8CString
    guard mkdtemp(&template) != nil else { throw NoLogFolder(reason: String(cString: strerror(errno))) }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    (path, isTemporary) = (folder + "/skipline.log", true)
  }

  /// Removes a temporary log that nothing was written to.
  func close() {
    var status = stat()
    guard isTemporary, stat(path, &status) == 0, status.st_size == 0, unlink(path) == 0 else { return }
    rmdir(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
  }

  /// Makes a folder and those above it.
  /// - Returns: whether it is the user's own and nobody else can write there.
  private static func makePrivate(_ folder: String) -> Bool {
    var path = ""
    for part in folder.split(separator: "/") {
      path += "/" + part
      mkdir(path, 0o700)
    }
    var status = stat()
    return lstat(folder, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == geteuid()
      && status.st_mode & 0o022 == 0 && access(folder, W_OK) == 0
  }
}

/// There is no place for the log.
struct NoLogFolder: Error, CustomStringConvertible {
  let reason: String

  var description: String {
    "neither ~/.local/state nor the folder for temporary files takes a log: \(reason); set XDG_STATE_HOME or TMPDIR to a "
      + "folder of your own"
  }
}
