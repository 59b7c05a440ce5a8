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

  static let capacity = 32

  private var entries: [String: Entry] = [:]
  /// Paths, the oldest first.
  private var order: [String] = []

  subscript(path: String) -> Entry? { entries[path] }

  mutating func set(_ entry: Entry, for path: String) {
    if entries.updateValue(entry, forKey: path) == nil { order.append(path) }
    if order.count > Self.capacity { entries[order.removeFirst()] = nil }
  }

  /// Forgets a request that will not be answered, so that it is made again.
  mutating func forgetAll() { self = PictureStore() }
}
