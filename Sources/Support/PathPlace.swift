// The same place named from different folders. Two processes may talk of one run and have different working folders:
// between them paths go from the root, and each shows those below its own folder the short way. It works on texts
// alone and asks no file system.

extension String {
  /// The path from the root, without empty parts and `.`. A relative path is taken from `folder`, and each `..` that it
  /// begins with leads up from there; one behind a name stays, since that name may be a link to elsewhere.
  /// - Parameter folder: a working folder, from the root and without links, as the system gives it.
  public func path(from folder: String) -> String {
    guard utf8.first != UInt8(ascii: "/") else { return "/" + Self.joined(pathParts) }
    var base = folder.pathParts
    var rest = pathParts
    while rest.first?.elementsEqual("..".utf8) == true {
      rest.removeFirst()
      if !base.isEmpty { base.removeLast() }
    }
    return "/" + Self.joined(base + rest)
  }

  /// The path as somebody in `folder` writes it: what follows the folder where it lies below that, else from the root.
  public func shownPath(from folder: String) -> String {
    let (parts, base) = (path(from: folder).pathParts, folder.pathParts)
    guard parts.starts(with: base, by: { $0.elementsEqual($1) }) else { return "/" + Self.joined(parts) }
    let rest = Self.joined(Array(parts.dropFirst(base.count)))
    return rest.isEmpty ? "." : rest
  }

  /// A text with the paths in it that lie below `folder` written the short way. A path begins where a word does.
  public func shownPaths(from folder: String) -> String {
    let prefix = Array((folder == "/" ? "/" : folder + "/").utf8)
    guard prefix.count > 1 else { return self }
    let bytes = Array(utf8)
    var kept: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let beginsWord = index == 0 || Self.wordBegins(after: bytes[index - 1])
      if beginsWord, bytes[index...].starts(with: prefix) {
        index += prefix.count
      } else {
        kept.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  private static func wordBegins(after byte: UInt8) -> Bool { " \t\n'\"(=".utf8.contains(byte) }

  /// Compared by bytes: the names of files are bytes, not characters.
  private var pathParts: [Substring.UTF8View] {
    utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
  }

  private static func joined(_ parts: [Substring.UTF8View]) -> String {
    String(decoding: Array(parts.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
  }
}
