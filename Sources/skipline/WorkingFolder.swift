// The folder that this process works in, which paths are written from.

import Files

enum WorkingFolder {
  /// From the root. It is the same all the time: nothing here changes it.
  static let path = FilePath.absolute(".")
}
