// The folder of image caches: which there are, which is a dataset's, and what is removed from it. Making an image cache
// up to date is in ImageCacheFolder+Preparing.swift.

import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Support

/// A folder that holds caches, each with a lock file beside it.
public struct ImageCacheFolder: Sendable {
  public let path: String
  var calls = FileCalls.system
  /// The cap on pixels in force.
  var maximumPixels = ImageDecoder.defaultMaximumPixels

  static let cacheEnding = ".cache"
  static let lockEnding = ".lock"
  static let partialEnding = ".partial"
  /// An image cache that no run used for so long is removed when another one is made.
  static let unusedDays = 30

  public init(path: String) { self.path = path }

  /// `skipline/caches` in the user's cache folder: `$XDG_CACHE_HOME`, else `~/.cache` (XDG Base Directory
  /// Specification 0.8). Nil where neither is known.
  public static var user: ImageCacheFolder? {
    UserFolders.current.cache.map { ImageCacheFolder(path: $0 + "/skipline/caches") }
  }

  /// One cache of the list.
  public struct Listing: Codable, Sendable, Equatable {
    public var path: String
    /// Bytes.
    public var size: Int
    /// When it was made or last used by a run.
    public var lastUsed: Date
    /// nil for a file that is no sound image cache of this version.
    public var content: Content?

    public struct Content: Codable, Sendable, Equatable {
      /// The dataset's folder.
      public var dataset: String
      public var images: Int
      public var imageSize: Int
      public var resize: Preprocessing.Resize
      public var background: Background
    }
  }

  /// Every cache, the one used last first. A folder that is not there holds none.
  public func list() -> [Listing] {
    names(ending: Self.cacheEnding).compactMap { name in
      var status = stat()
      let path = "\(path)/\(name)"
      guard path.withPathCString({ stat($0, &status) }) == 0 else { return nil }
      let summary = ImageCacheFile.summary(path: path)
      return Listing(
        path: path, size: Int(status.st_size),
        lastUsed: Date(timeIntervalSince1970: TimeInterval(status.st_mtim.tv_sec)),
        content: summary.map {
          Listing.Content(
            dataset: $0.description.root, images: $0.images, imageSize: $0.description.imageSize,
            resize: $0.description.resize, background: $0.description.background)
        })
    }.sorted { ($1.lastUsed, $0.path) < ($0.lastUsed, $1.path) }
  }

  /// Removes every image cache that nobody is making at this moment. Runs that use one keep what they have open.
  /// - Returns: those removed, and the paths of those that are being made.
  public func clear() -> (removed: [Listing], busy: [String]) {
    var (removed, busy): ([Listing], [String]) = ([], [])
    for cache in list() {
      if remove(cache.path) { removed.append(cache) } else { busy.append(cache.path) }
    }
    sweepLeftovers()
    for name in names(ending: Self.lockEnding) {
      let path = "\(path)/\(name)"
      if (try? ImageCacheLock.attempt(path: path)) != nil { unlink(path) }
    }
    return (removed, busy)
  }

  /// Removes what killed builders left, and image caches that were not used for a month.
  func sweep(now: Date = Date()) {
    sweepLeftovers()
    let oldest = now.addingTimeInterval(-Double(Self.unusedDays) * 86_400)
    for cache in list() where cache.lastUsed < oldest { _ = remove(cache.path) }
  }

  private func sweepLeftovers() {
    for name in names(ending: Self.partialEnding) {
      let partial = "\(path)/\(name)"
      let lock = partial.dropLast(Self.partialEnding.count) + Self.lockEnding
      // Whoever can have the lock has no living builder before him.
      if let lock = try? ImageCacheLock.attempt(path: String(lock)) {
        withExtendedLifetime(lock) { _ = unlink(partial) }
      }
    }
  }

  /// - Returns: false when it is being made.
  private func remove(_ cache: String) -> Bool {
    guard let lock = try? ImageCacheLock.attempt(path: cache + Self.lockEnding) else { return false }
    return withExtendedLifetime(lock) {
      defer { unlink(cache + Self.lockEnding) }
      return unlink(cache) == 0
    }
  }

  private func names(ending: String) -> [String] {
    ((try? Folder.names(in: path)) ?? []).filter { $0.hasSuffix(ending) }
  }
}
