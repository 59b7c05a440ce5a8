// A list of paths that is read while somebody writes it: the output of `find`, or of a camera that names a picture now
// and then. Nothing is known of what the paths lead to.

import Glibc
import Messages
import Support

/// Paths from a descriptor, a line each in the form of split lists, or each ended by a zero byte.
public struct PathStream {
  public enum Ending: Sendable {
    /// A path a line: as it stands, or in the double quotes of split lists. Empty lines and comments are passed over.
    case line
    /// Bytes up to a zero byte, as `find -print0` writes them.
    case zero
  }

  private let descriptor: Int32
  private let ending: Ending
  /// What was read and not given out.
  private var waiting: [UInt8] = []
  /// Lines given out.
  private var lines = 0
  private var isAtEnd = false
  private var isAtBeginning = true

  /// No path is so long.
  private static let longest = 1 << 20
  /// How long to wait for more paths, milliseconds, when there are some.
  private static let patience: Int32 = 50

  public init(_ ending: Ending, descriptor: Int32 = STDIN_FILENO) {
    self.ending = ending
    self.descriptor = descriptor
  }

  /// The next paths: about as many as asked for, or fewer where whoever writes them takes a rest.
  /// - Returns: nil at the end.
  /// - Throws: `DatasetError.malformedLine`, or `.unreadableFile` where it cannot be read.
  public mutating func next(_ count: Int) throws(DatasetError) -> [String]? {
    var paths: [String] = []
    while paths.count < count {
      if isAtEnd || !paths.isEmpty && !hasMore() { break }
      try read()
      paths += try takeWhole()
    }
    return paths.isEmpty && isAtEnd ? nil : paths
  }

  private func hasMore() -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&request, 1, Self.patience) > 0
  }

  private mutating func read() throws(DatasetError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count > 0 {
        waiting += buffer[..<count]
        return
      }
      if count == 0 {
        isAtEnd = true
        return
      }
      guard errno == EINTR else {
        throw .unreadableFile(path: Self.name, reason: String(cString: strerror(errno)))
      }
    }
  }

  /// Takes what is whole of what was read; at the end all of it.
  private mutating func takeWhole() throws(DatasetError) -> [String] {
    let mark: UInt8 = ending == .zero ? 0 : UInt8(ascii: "\n")
    // UTF-16 has no lines by bytes: such a list, of some editors and shells, is read at its end.
    let isWide =
      ending == .line && isAtBeginning && [[0xff, 0xfe], [0xfe, 0xff]].contains(Array(waiting.prefix(2)))
    var whole = waiting[...]
    if !isAtEnd {
      let end = isWide ? nil : waiting.lastIndex(of: mark)
      guard let end else {
        guard isWide || waiting.count <= Self.longest else {
          throw .malformedLine(file: Self.name, line: lines + 1, reason: "a path of more than a megabyte")
        }
        return []
      }
      whole = waiting[...end]
    }
    let taken = Array(whole)
    waiting.removeFirst(taken.count)
    isAtBeginning = isAtBeginning && taken.isEmpty
    return ending == .zero
      ? taken.split(separator: 0).map { String(pathBytes: $0) } : try paths(ofLines: taken)
  }

  private mutating func paths(ofLines bytes: [UInt8]) throws(DatasetError) -> [String] {
    var paths: [String] = []
    for (number, line) in LineFile.lines(of: bytes[...]) {
      do throws(QuotingError) {
        paths.append(try PathQuoting.path(ofLine: line))
      } catch {
        throw .malformedLine(file: Self.name, line: lines + number, reason: error.reason)
      }
    }
    lines += bytes.count { $0 == UInt8(ascii: "\n") }
    return paths
  }

  private static let name = "standard input"
}
