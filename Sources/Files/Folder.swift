// Making folders and listing the names in them, for names of any bytes. What is in them is no matter here.

import Glibc
import Support

/// Folders by their paths, which are in the form of `PathText`.
public enum Folder {
  /// Makes a folder and those above it; content with what exists.
  /// - Throws: `FileOperationError`.
  public static func make(_ path: String, permissions: mode_t = 0o777) throws(FileOperationError) {
    if path.withPathCString({ mkdir($0, permissions) }) == 0 { return }
    var code = errno
    // A parent that may not be written to is no matter if the folder is there.
    if FilePath.isFolder(path) == true { return }
    if code == EEXIST { code = ENOTDIR }
    let above = FilePath.split(path).folder
    if code == ENOENT, above.utf8.count < path.utf8.count {
      try make(above, permissions: permissions)
      // Another program may have made it meanwhile, which is as good.
      if path.withPathCString({ mkdir($0, permissions) }) == 0 || errno == EEXIST { return }
      code = errno
    }
    throw FileOperationError(path: path, step: .makeFolder, code: code)
  }

  /// The names of all that is in a folder, in the order of their bytes; without `.` and `..`.
  /// - Throws: `FileOperationError`.
  public static func names(in folder: String) throws(FileOperationError) -> [String] {
    guard let stream = folder.withPathCString({ opendir($0) }) else {
      throw FileOperationError(path: folder, step: .listFolder, code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        if errno != 0 { throw FileOperationError(path: folder, step: .listFolder, code: errno) }
        break
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(pathBytes: bytes.prefix { $0 != 0 })
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
