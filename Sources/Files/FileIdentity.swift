// What tells a file or folder from every other, whatever path leads there.

import Glibc
import Support

/// A file system's number and that of a file in it. A file that is removed may leave its numbers to another.
public struct FileIdentity: Hashable, Sendable {
  private var device: dev_t
  private var file: ino_t

  public init(_ status: stat) {
    device = status.st_dev
    file = status.st_ino
  }

  /// Of what a path leads to, through links; nil where there is nothing.
  public init?(path: String) {
    var status = stat()
    guard path.withPathCString({ stat($0, &status) }) == 0 else { return nil }
    self.init(status)
  }

  /// Of the folder that a path leads to; nil for what is no folder.
  public init?(folder path: String) {
    var status = stat()
    guard path.withPathCString({ stat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
    self.init(status)
  }

  /// Of a file that is open; nil where it is none.
  public init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }
}
