// The folder of image caches: which there are, which is a dataset's, and what is removed from it. Making an image cache
// up to date is in ImageCacheFolder+Preparing.swift.

import Files
import FoundationEssentials
import Glibc
import Images
import Messages
import Support
import Synchronization

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
      /// nil where nothing is padded.
      public var padColor: PadColor?
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
            resize: $0.description.resize, padColor: $0.description.padColor, background: $0.description.background)
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

// MARK: Preparing

// From a dataset to an image cache that is up to date: the one that is there, if nothing changed; else one made or
// mended. Why there is none is told in words, for a run goes on without.

/// What `ImageCacheFolder.prepare` came to.
public struct PreparedImageCache: Sendable {
  /// nil where the images are to be read from their files. It may lack some images, which are read so too.
  public var cache: ImageCache?
  /// Why there is none, or only a part.
  public var warning: String?
  /// Images that were decoded for it, and images copied from an earlier one; both 0 where it was up to date. Files
  /// that do not decode are in neither; `ImageCache.statistics` counts them.
  public var decoded: Int
  public var kept: Int
  /// Whether the one that was there was taken as it is.
  public var isUpToDate: Bool

  public init(
    cache: ImageCache? = nil, warning: String? = nil, decoded: Int = 0, kept: Int = 0, isUpToDate: Bool = false
  ) {
    self.isUpToDate = isUpToDate
    self.cache = cache
    self.warning = warning
    self.decoded = decoded
    self.kept = kept
  }
}

extension ImageCacheFolder {
  /// The image cache of a dataset as it is, for reading what it has; none is made.
  public func existing(index: DatasetIndex, preprocessing: Preprocessing, workers: Int) -> ImageCache? {
    let files = CachedFiles(index)
    let description = ImageCacheDescription(root: index.root, preprocessing: preprocessing)
    return open(description).flatMap { old in
      let stamps = FileStamp.stamps(of: files.paths, workers: workers)
      let survey = Survey(files, stamps: stamps, old: old, maximumPixels: maximumPixels)
      return survey.kept.isEmpty ? nil : cache(old, survey.kept)
    }
  }

  /// Brings a dataset's cache up to date: every image of every split, so that another way of splitting finds it whole.
  /// Entries whose files did not change are kept; a file that has new times but the same bytes is read, not decoded;
  /// entries of files that are gone are dropped when there is anything to write, or many of them. Files that were
  /// refused for a reason that lies not in their bytes are tried again, and the image cache is written anew if one of
  /// them can be decoded by now.
  ///
  /// Two that prepare the same cache at once, in one process or two, take turns: the second finds it made.
  ///
  /// - Parameters:
  ///   - limit: bytes that its pixels may have; nil for half of the free disk and half of the memory.
  ///   - progress: called a few times a second, never from two threads at a time.
  ///   - isCancelled: asked often, from any thread.
  /// - Throws: `CancellationError` only: what keeps an image cache from being made is a warning.
  public func prepare(
    index: DatasetIndex, preprocessing: Preprocessing, limit: Int? = nil, workers: Int,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws(CancellationError) -> PreparedImageCache {
    let files = CachedFiles(index)
    let description = ImageCacheDescription(root: index.root, preprocessing: preprocessing)
    let target = "\(path)/\(description.fileName)"
    var stamps = FileStamp.stamps(of: files.paths, workers: workers)
    var old = open(description)
    var survey = Survey(files, stamps: stamps, old: old, maximumPixels: maximumPixels)
    survey.retry(files, preprocessing, maximumPixels: maximumPixels, workers: workers, isCancelled)
    if let old, survey.isUpToDate, old.pixelByteCount <= limit ?? .max {
      return PreparedImageCache(cache: cache(old, survey.entries), isUpToDate: true)
    }

    // What is left when none can be made: the part of the earlier one that still holds.
    func without(_ reason: String) -> PreparedImageCache {
      PreparedImageCache(
        cache: old.flatMap {
          survey.kept.isEmpty || $0.pixelByteCount > limit ?? .max ? nil : cache($0, survey.kept)
        },
        warning: "images are read from their files, without an image cache: \(reason)")
    }
    do throws(FileOperationError) { try Folder.make(path, permissions: 0o700) } catch {
      return without("\(path) cannot be made (\(error.reason)); --no-cache silences this")
    }
    let allowed = limit ?? ImageCacheBudget.standard(folder: path)
    let needed = preprocessing.storedByteCount(files: files.paths, workers: workers)
    guard needed <= allowed else {
      return without(
        "it would have \(bytesText(needed)), and \(bytesText(allowed)) are allowed; --cache-limit "
          + "sets another limit")
    }

    let turn: (lock: ImageCacheLock?, waited: Bool)
    do throws(SystemError) {
      turn = try wait(target, total: files.paths.count, bytes: needed, progress, isCancelled)
    } catch {
      return without("\(target) cannot be locked (\(error)); --no-cache silences this")
    }
    guard let lock = turn.lock else { throw CancellationError() }
    // Another builder may have made just this one since we looked, or while we waited.
    if turn.waited { stamps = FileStamp.stamps(of: files.paths, workers: workers) }
    old = open(description)
    survey = Survey(files, stamps: stamps, old: old, maximumPixels: maximumPixels)
    survey.retry(files, preprocessing, maximumPixels: maximumPixels, workers: workers, isCancelled)
    if let old, survey.isUpToDate { return PreparedImageCache(cache: cache(old, survey.entries), isUpToDate: true) }
    return try withExtendedLifetime(lock) { () throws(CancellationError) in
      sweep()
      let builder = ImageCacheBuilder(
        description: description, preprocessing: preprocessing, names: files.names, paths: files.paths,
        stamps: stamps, plans: survey.plans, old: old, target: target, limit: allowed, expectedBytes: needed,
        calls: calls, maximumPixels: maximumPixels)
      do throws(ImageCacheFault) {
        let result = try builder.build(workers: workers, progress: progress, isCancelled: isCancelled)
        return PreparedImageCache(
          cache: cache(result.file, result.file.table.entries), decoded: result.decoded, kept: result.kept)
      } catch {
        switch error {
        case .cancelled: throw CancellationError()
        case .tooLarge(let limit):
          return without(
            "it grew beyond the \(bytesText(limit)) allowed; --cache-limit sets another limit")
        case .system(let error):
          return without(
            "\(error.summary); free some space there, set XDG_CACHE_HOME to another folder, or give --no-cache")
        }
      }
    }
  }

  /// - Returns: nil where there is no sound image cache of this description.
  private func open(_ description: ImageCacheDescription) -> ImageCacheFile? {
    guard let file = ImageCacheFile(path: "\(path)/\(description.fileName)"), file.table.description == description
    else {
      return nil
    }
    return file
  }

  private func cache(_ file: ImageCacheFile, _ entries: [ImageCacheEntry]) -> ImageCache {
    // Its time says when it was last of use.
    file.markUsed()
    return ImageCache(path: "\(path)/\(file.table.description.fileName)", file: file, entries: entries)
  }

  /// Waits for the lock; meanwhile the other builder's progress is told, from the size of what he wrote.
  /// - Returns: nil when it was cancelled.
  private func wait(
    _ target: String, total: Int, bytes: Int, _ progress: @Sendable (PreparationProgress) -> Void,
    _ isCancelled: @Sendable () -> Bool
  ) throws(SystemError) -> (lock: ImageCacheLock?, waited: Bool) {
    var waited = false
    while !isCancelled() {
      if let lock = try ImageCacheLock.attempt(path: target + Self.lockEnding) { return (lock, waited) }
      waited = true
      let written = FileStamp(path: target + Self.partialEnding).map { Int($0.size) } ?? 0
      progress(.caching(done: min(total, total * written / max(1, bytes)), total: total, bytes: bytes))
      usleep(50_000)
    }
    return (nil, waited)
  }
}

/// The files of a dataset that belong in its cache.
private struct CachedFiles {
  /// Below the dataset's folder.
  let names: [String]
  /// To open.
  let paths: [String]

  init(_ index: DatasetIndex) {
    // Those that the user excluded too: taken back in, they need not be decoded.
    let items = index.items + index.excluded
    names = items.map(\.path)
    paths = items.map { $0.absolutePath(root: index.root) }
  }
}

/// An earlier image cache held against the files.
private struct Survey {
  /// For each file.
  private(set) var plans: [ImageCachePlan] = []
  /// Entries that still hold.
  private(set) var kept: [ImageCacheEntry] = []
  /// Those and the ones that say that nothing is known of a file, for an image cache that is taken as it is.
  var entries: [ImageCacheEntry] { kept + unread.map(\.entry) }
  private(set) var isUpToDate: Bool
  /// Positions of files that could not be read when the image cache was made.
  private var unread: [(index: Int, entry: ImageCacheEntry)] = []

  init(_ files: CachedFiles, stamps: [FileStamp?], old: ImageCacheFile?, maximumPixels: Int) {
    let entries = Dictionary(
      (old?.table.entries ?? []).map { (PathKey($0.path), $0) }, uniquingKeysWith: { first, _ in first })
    var stale = 0
    var found = 0
    plans.reserveCapacity(files.names.count)
    for (index, name) in files.names.enumerated() {
      let entry = entries[PathKey(name)]
      if entry != nil { found += 1 }
      switch (stamps[index], entry) {
      case (nil, _): plans.append(.leaveOut)
      case (let stamp?, let entry?):
        if entry.stamp != stamp {
          plans.append(.review(entry))
          stale += 1
        } else if entry.isOpen(maximumPixels: maximumPixels) {
          plans.append(.make)
          if entry.content == .unread { unread.append((index, entry)) } else { stale += 1 }
        } else {
          plans.append(.keep(entry))
          kept.append(entry)
        }
      case (_?, nil):
        plans.append(.make)
        stale += 1
      }
    }
    let gone = entries.count - found
    isUpToDate = old != nil && stale == 0 && gone * 10 <= entries.count
  }

  /// Looks whether a file that could not be read before can be by now. Without, an image cache would be written anew at
  /// each run for a file that stays unreadable.
  mutating func retry(
    _ files: CachedFiles, _ preprocessing: Preprocessing, maximumPixels: Int, workers: Int,
    _ isCancelled: @Sendable () -> Bool
  ) {
    guard isUpToDate, !unread.isEmpty else { return }
    let isReadable = Atomic<Bool>(false)
    let paths = unread.map { files.paths[$0.index] }
    forEachConcurrently(
      count: paths.count, workers: workers, state: { ImageDecoder(maximumPixels: maximumPixels) }
    ) { position, decoder in
      guard !isReadable.load(ordering: .relaxed), !isCancelled() else { return }
      do throws(DecodingFailure) {
        _ = try decoder.decode(
          path: paths[position], minimumSide: preprocessing.minimumSide,
          background: preprocessing.background)
      } catch {
        if error.cause == .circumstances { return }
      }
      isReadable.store(true, ordering: .relaxed)
    }
    if isReadable.load(ordering: .relaxed) { isUpToDate = false }
  }
}
