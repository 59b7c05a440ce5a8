// The folder of packs: which there are, which is a dataset's, and what is removed from it. Making a pack up to date is
// in PackFolder+Preparing.swift.

import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Support

/// A folder that holds packs, each with a lock file beside it.
public struct PackFolder: Sendable {
  public let path: String
  var calls = FileCalls.system
  /// The cap on pixels in force.
  var maximumPixels = ImageDecoder.defaultMaximumPixels

  static let packEnding = ".pack"
  static let lockEnding = ".lock"
  static let partialEnding = ".partial"
  /// A pack that no run used for so long is removed when another one is made.
  static let unusedDays = 30

  public init(path: String) { self.path = path }

  /// `skipline/packs` in the user's cache folder: `$XDG_CACHE_HOME`, else `~/.cache` (XDG Base Directory
  /// Specification 0.8). Nil where neither is known.
  public static var user: PackFolder? {
    UserFolders.current.cache.map { PackFolder(path: $0 + "/skipline/packs") }
  }

  /// One pack of the list.
  public struct Listing: Codable, Sendable, Equatable {
    public var path: String
    /// Bytes.
    public var size: Int
    /// When it was made or last used by a run.
    public var lastUsed: Date
    /// nil for a file that is no sound pack of this version.
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

  /// Every pack, the one used last first. A folder that is not there holds none.
  public func list() -> [Listing] {
    names(ending: Self.packEnding).compactMap { name in
      var status = stat()
      let path = "\(path)/\(name)"
      guard path.withPathCString({ stat($0, &status) }) == 0 else { return nil }
      let summary = PackFile.summary(path: path)
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

  /// Removes every pack that nobody is making at this moment. Runs that use one keep what they have open.
  /// - Returns: those removed, and the paths of those that are being made.
  public func clear() -> (removed: [Listing], busy: [String]) {
    var (removed, busy): ([Listing], [String]) = ([], [])
    for pack in list() {
      if remove(pack.path) { removed.append(pack) } else { busy.append(pack.path) }
    }
    sweepLeftovers()
    for name in names(ending: Self.lockEnding) {
      let path = "\(path)/\(name)"
      if (try? PackLock.attempt(path: path)) != nil { unlink(path) }
    }
    return (removed, busy)
  }

  /// Removes what killed builders left, and packs that were not used for a month.
  func sweep(now: Date = Date()) {
    sweepLeftovers()
    let oldest = now.addingTimeInterval(-Double(Self.unusedDays) * 86_400)
    for pack in list() where pack.lastUsed < oldest { _ = remove(pack.path) }
  }

  private func sweepLeftovers() {
    for name in names(ending: Self.partialEnding) {
      let partial = "\(path)/\(name)"
      let lock = partial.dropLast(Self.partialEnding.count) + Self.lockEnding
      // Whoever can have the lock has no living builder before him.
      if let lock = try? PackLock.attempt(path: String(lock)) {
        withExtendedLifetime(lock) { _ = unlink(partial) }
      }
    }
  }

  /// - Returns: false when it is being made.
  private func remove(_ pack: String) -> Bool {
    guard let lock = try? PackLock.attempt(path: pack + Self.lockEnding) else { return false }
    return withExtendedLifetime(lock) {
      defer { unlink(pack + Self.lockEnding) }
      return unlink(pack) == 0
    }
  }

  private func names(ending: String) -> [String] {
    ((try? Folder.names(in: path)) ?? []).filter { $0.hasSuffix(ending) }
  }
}
