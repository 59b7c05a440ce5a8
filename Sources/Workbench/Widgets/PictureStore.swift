// The decoded pictures that panes show: a few, so that stepping back and forth does not decode each again.

import Messages

/// Pictures by path, the newest few of them.
struct PictureStore: Sendable, Equatable {
  enum Entry: Sendable, Equatable {
    case waiting
    case picture(PixelImage)
    /// Why there is none.
    case failed(String)
  }

  private let capacity: Int

  init(capacity: Int = 32) { self.capacity = capacity }

  /// By the bytes of the path: `==` calls two spellings of an accented letter equal, and they may be two files.
  private var entries: [[UInt8]: Entry] = [:]
  /// Paths, the oldest first.
  private var order: [[UInt8]] = []

  subscript(path: String) -> Entry? { entries[Array(path.utf8)] }

  mutating func set(_ entry: Entry, for path: String) {
    let path = Array(path.utf8)
    if entries.updateValue(entry, forKey: path) == nil { order.append(path) }
    if order.count > capacity { entries[order.removeFirst()] = nil }
  }

  /// Forgets a request that will not be answered, so that it is made again.
  mutating func forgetAll() { self = PictureStore(capacity: capacity) }
}
