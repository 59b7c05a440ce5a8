// By what a file is known to be the same as before without being read: size and times.

import Glibc
import Images
import Messages
import Support

/// What the system says of a file. Two equal stamps mean that the file was not changed in between, as far as the file
/// system's clock can tell.
package struct FileStamp: Sendable, Equatable {
  /// Bytes.
  package var size: Int64
  /// Nanoseconds since 1970 of the last change of content.
  package var modified: Int64
  /// Nanoseconds since 1970 of the last change of content, name or rights: programs can set `modified` back, but not
  /// this one.
  package var changed: Int64

  package init(size: Int64, modified: Int64, changed: Int64) {
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  /// - Parameter path: a file, or the name of a `FileSlice`: then the file it lies in.
  /// - Returns: nil where there is no regular file.
  package init?(path: String) {
    var status = stat()
    if path.withPathCString({ stat($0, &status) }) != 0 {
      guard errno == ENOENT, let slice = FileSlice(name: path),
        slice.path.withPathCString({ stat($0, &status) }) == 0
      else { return nil }
    }
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) }
    self.init(
      size: Int64(status.st_size), modified: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim))
  }

  /// The longest step of a file system's clock on Linux, with room: two changes within it may get the same time.
  private static let clockStep: Int64 = 20_000_000

  /// The stamps of many files, taken on several threads. A file that changed just now is looked at again once the
  /// clock has gone on: whatever changes it later then changes its stamp too.
  ///
  /// - Complexity: O(n), about a microsecond a file on a warm cache.
  package static func stamps(of paths: [String], workers: Int) -> [FileStamp?] {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let start = Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    var stamps = concurrentMap(count: paths.count, workers: workers) { FileStamp(path: paths[$0]) }
    let recent = stamps.indices.filter { stamps[$0].map { $0.changed > start - clockStep } ?? false }
    if !recent.isEmpty {
      usleep(useconds_t(clockStep / 1000))
      for index in recent { stamps[index] = FileStamp(path: paths[index]) }
    }
    return stamps
  }
}
