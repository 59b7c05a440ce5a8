// Paths made absolute, for comparing and for recording. Paths are texts in the form of Messages' PathText.

import Glibc
import Support

/// Questions about paths.
public enum FilePath {
  /// The path from the root, without `.` and empty parts; `..` stays, since a link may stand before it.
  public static func absolute(_ path: String) -> String {
    let full = path.hasPrefix("/") ? path : "\(workingFolder)/\(path)"
    return "/" + full.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
  }

  /// The path from the root with every link followed; the absolute path where there is no such file.
  public static func real(_ path: String) -> String {
    guard let found = path.withPathCString({ realpath($0, nil) }) else { return absolute(path) }
    defer { free(found) }
    return String(pathBytes: UnsafeRawBufferPointer(start: found, count: strlen(found)))
  }

  /// The part of a path below a folder, whichever way it leads there; nil for a path that leads elsewhere.
  public static func relative(_ path: String, below folder: String) -> String? {
    func remainder(_ path: String, _ folder: String) -> String? {
      let prefix = folder == "/" ? "/" : folder + "/"
      guard path.utf8.starts(with: prefix.utf8), path.utf8.count > prefix.utf8.count else { return nil }
      return String(Substring(path.utf8.dropFirst(prefix.utf8.count)))
    }
    let path = absolute(path)
    if let found = remainder(path, absolute(folder)) { return found }
    // The file itself may be a link to elsewhere: only the folders before it are followed.
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
    let parent = real(slash == path.startIndex ? "/" : String(path[..<slash]))
    return remainder((parent == "/" ? "" : parent) + path[slash...], real(folder))
  }

  /// Whether a folder is another one or lies in it, whatever links lead there, also where it is not there yet.
  public static func lies(_ path: String, within folder: String) -> Bool {
    guard let root = FileIdentity(folder: folder) else { return false }
    // A folder that is not there yet lies where its first existing ancestor does.
    var ancestor = path.hasPrefix("/") ? path : "./\(path)"
    while true {
      if let identity = FileIdentity(folder: ancestor) {
        if identity == root { return true }
        // Up by the file system's own way: the name's last part may be a link.
        ancestor += "/.."
        if FileIdentity(folder: ancestor) == identity { return false }
      } else {
        guard let slash = ancestor.lastIndex(of: "/") else { return false }
        ancestor = slash == ancestor.startIndex ? "/" : String(ancestor[..<slash])
      }
    }
  }

  /// The folder that a file is in, `.` for a bare name, and the file's name in it.
  public static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), String(path[path.utf8.index(after: slash)...]))
  }

  /// What a path leads to.
  public enum Kind: Sendable {
    case file, folder
    /// A pipe, device or socket.
    case other
  }

  /// What a path leads to, through links; nil where there is nothing. Nothing is there, and not to be allowed to look,
  /// are two things: whoever tells the user that something is missing asks here.
  /// - Throws: `FileOperationError` where that cannot be told, because a folder on the way may not be entered for
  ///   instance.
  public static func kind(of path: String) throws(FileOperationError) -> Kind? {
    var status = stat()
    guard path.withPathCString({ stat($0, &status) }) == 0 else {
      let code = errno
      if code == ENOENT || code == ENOTDIR { return nil }
      throw FileOperationError(path: path, step: .open, code: code)
    }
    return switch status.st_mode & S_IFMT {
    case S_IFDIR: .folder
    case S_IFREG: .file
    default: .other
    }
  }

  /// Whether a path leads to a folder; nil where there is nothing, or where it cannot be told: see `kind(of:)`.
  public static func isFolder(_ path: String) -> Bool? {
    var status = stat()
    guard path.withPathCString({ stat($0, &status) }) == 0 else { return nil }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  private static var workingFolder: String {
    guard let path = getcwd(nil, 0) else { return "" }
    defer { free(path) }
    return String(pathBytes: UnsafeRawBufferPointer(start: path, count: strlen(path)))
  }
}
