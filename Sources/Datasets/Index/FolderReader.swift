// Lists one folder with plain system calls: what kind each entry is, without opening anything. It decides nothing
// about classes or images.

import Files
import Glibc
import Messages
import Support

/// One entry of a folder.
struct FolderEntry {
  enum Kind {
    case folder
    /// A symbolic link to a folder.
    case linkedFolder
    /// A regular file, or a link to one.
    case file
    /// A pipe, device, socket or link to nothing: never opened.
    case other
  }

  /// Whatever its bytes are, in the form of `PathText`.
  var name: String
  var kind: Kind
}

/// The content of one folder.
struct FolderListing {
  var identity: FileIdentity
  /// In natural order of the name, without dot-files and system files.
  var entries: [FolderEntry]

  /// Names that systems leave behind in folders of images, and the longest of their lengths in bytes.
  private static let systemNames: Set<String> = [
    "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "lost+found", "$recycle.bin",
    "system volume information",
  ]
  private static let longestSystemName = 25

  /// - Throws: the system's error number.
  init(path: String) throws(SystemError) {
    var entries: [FolderEntry] = []
    identity = try Self.visit(path) { name, type in
      entries.append(FolderEntry(name: name, kind: Self.kind(type: type, path: "\(path)/\(name)")))
    }
    entries.sort { NaturalOrder.precedes($0.name, $1.name) }
    self.entries = entries
  }

  /// Goes through a folder in no particular order.
  /// - Parameter take: called with each name and its `d_type`, but for dot-files and system files.
  /// - Throws: the system's error number.
  static func visit(_ path: String, _ take: (_ name: String, _ type: Int32) -> Void) throws(SystemError)
    -> FileIdentity
  {
    guard let folder = path.withPathCString({ opendir($0) }) else { throw SystemError(number: errno) }
    defer { closedir(folder) }
    var status = stat()
    guard fstat(dirfd(folder), &status) == 0 else { throw SystemError(number: errno) }

    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        if errno != 0 { throw SystemError(number: errno) }
        break
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(pathBytes: bytes.prefix { $0 != 0 })
      }
      if !isIgnored(name) { take(name, Int32(entry.pointee.d_type)) }
    }
    return FileIdentity(status)
  }

  private static func isIgnored(_ name: String) -> Bool {
    if name.utf8.first == UInt8(ascii: ".") { return true }
    return name.utf8.count <= longestSystemName && systemNames.contains(name.lowercased())
  }

  static func kind(type: Int32, path: String) -> FolderEntry.Kind {
    switch type {
    case Int32(DT_REG): return .file
    case Int32(DT_DIR): return .folder
    case Int32(DT_LNK), Int32(DT_UNKNOWN):
      // Some file systems do not tell the type while listing.
      var status = stat()
      var isLink = type == Int32(DT_LNK)
      if !isLink, path.withPathCString({ lstat($0, &status) }) == 0 { isLink = status.st_mode & S_IFMT == S_IFLNK }
      guard path.withPathCString({ stat($0, &status) }) == 0 else { return .other }
      switch status.st_mode & S_IFMT {
      case S_IFREG: return .file
      case S_IFDIR: return isLink ? .linkedFolder : .folder
      default: return .other
      }
    default: return .other
    }
  }
}
