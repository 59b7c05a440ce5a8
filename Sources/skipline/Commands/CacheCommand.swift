// `skipline cache`: makes the image cache that training would make on first use, and says which there are.

import ArgumentParser
import Canvas
import Datasets
import Glibc
import Messages
import Resources
import Support

struct CacheCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache", abstract: "Decodes and resizes a dataset once, into a file that training reads.",
    discussion: """
      Training does it by itself on first use. The file lies in skipline/caches below $XDG_CACHE_HOME or ~/.cache; one \
      that no run used for 30 days is removed when another is made. Images that changed are cached anew, one by one.
      """)

  @Argument(help: "The dataset's folder; not with --list or --clear.", transform: given) var data: String?
  @Option(Settings.imageSize.number) var imgsz = 32
  @Option(help: "How images become square: stretch, crop, pad, or auto (crop from 128 pixels on).")
  var resize: PreprocessingSettings.Resize = .automatic
  @Option(Settings.padColor) var padColor: PadColor?
  @Option(help: ArgumentHelp(Settings.background.meaning)) var background = Background.white
  @Option(byteCount: Settings.cacheLimit.number, binary: true, instead: "half of the free disk and of the memory")
  var cacheLimit: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "List the image caches there are.") var list = false
  @Flag(help: "Remove every image cache.") var clear = false
  @OptionGroup(title: "To write TFRecord shards instead") var records: TFRecordOptions
  @Option(help: ArgumentHelp(Settings.split.meaning)) var split = "80/10/10"
  @Option(Settings.groupBy) var groupBy: String?
  @OptionGroup var folders: SplitFolderOptions
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard [data != nil, list, clear].count(where: { $0 }) == 1 else {
      throw ValidationError("name a dataset's folder, or give --list, or --clear")
    }
  }

  func run() throws {
    if let data, records.tfrecord != nil {
      let index = try DatasetIndex.open(
        root: data, split: try splitSettings(split, folders, groupBy: groupBy, in: data))
      if !records.acceptErrors { try index.requireWhole() }
      for finding in index.unread { Console.complain("! \(finding.text)") }
      return try records.export(index, json: json)
    }
    guard let folder = ImageCacheFolder.user else {
      throw ValidationError("there is no cache folder: set XDG_CACHE_HOME or HOME")
    }
    if list { return try printList(folder) }
    if clear { return clearAll(folder) }
    guard let data else { return }
    try cache(data, folder)
  }

  private struct Summary: Encodable {
    var path: String
    /// Files that it knows: images and undecodable ones.
    var entries: Int
    /// Those whose pixels are in it, whenever they were decoded.
    var images: Int
    var undecodable: Int
    /// Files that are in no way in it: over the cap on pixels, or not readable.
    var leftOut: Int
    var bytes: Int
    /// Of the images: decoded now, taken over from an earlier image cache; both 0 where it was up to date.
    var decoded: Int
    var kept: Int
    var seconds: Double
  }

  private func cache(_ data: String, _ folder: ImageCacheFolder) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let signals = try SignalWatcher()
    let printer = PreparationPrinter()
    let preprocessing = try Preprocessing(
      unmeasured: PreprocessingSettings(
        imageSize: imgsz, resize: resize, padColor: padColor, background: background))
    // Every split is cached: how the images are divided does not matter.
    let index: DatasetIndex
    let prepared: PreparedImageCache
    do {
      index = try DatasetIndex.open(
        root: data, split: folders.settings(in: data),
        progress: { if case .scanning(let files, _) = $0 { printer.report(.scanning(files: files)) } },
        isCancelled: signals.hasReceived)
      prepared = try folder.prepare(
        index: index, preprocessing: preprocessing, limit: cacheLimit,
        workers: threads ?? SystemProcessors.available, progress: { printer.report($0) },
        isCancelled: signals.hasReceived)
    } catch let error where !signals.hasReceived() {
      throw error
    } catch {
      throw ExitCode(128 + (signals.received ?? SIGINT))
    }
    if let warning = prepared.warning { throw NotPacked(reason: warning) }
    guard let cache = prepared.cache else { return }
    let seconds = (clock.now - start) / .seconds(1)
    let statistics = cache.statistics
    complain(statistics, data)
    if json {
      return try Console.print(
        json: Summary(
          path: cache.path, entries: cache.count, images: statistics.images, undecodable: statistics.undecodable,
          leftOut: statistics.tooLarge + statistics.unread, bytes: cache.byteCount, decoded: prepared.decoded,
          kept: prepared.kept, seconds: seconds))
    }
    let work =
      prepared.isUpToDate
      ? "up to date" : "\(Format.count(prepared.decoded)) decoded, \(Format.count(prepared.kept)) kept"
    Console.print(
      "\(Format.counted(statistics.images, "image")), \(Format.bytes(cache.byteCount)), \(work), in "
        + "\(Format.fixed(seconds, 1)) s")
    Console.print("cache: \(cache.path)")
  }

  /// Says what is not in the image cache.
  private func complain(_ statistics: ImageCacheStatistics, _ data: String) {
    func files(_ count: Int, _ verb: String, _ verbs: String) -> String {
      "! \(Format.counted(count, "file")) \(count == 1 ? verb : verbs)"
    }
    let names = "skipline check \(shellQuoted(data))"
    if statistics.undecodable > 0 {
      Console.complain(files(statistics.undecodable, "does", "do") + " not decode: '\(names)' says why")
    }
    if statistics.tooLarge > 0 {
      Console.complain(
        files(statistics.tooLarge, "has", "have")
          + " more pixels than are allowed, and \(statistics.tooLarge == 1 ? "is" : "are")"
          + " left out: '\(names)' says more")
    }
    if statistics.unread > 0 {
      Console.complain(
        files(statistics.unread, "is", "are") + " left out, not readable at this moment, or no memory for "
          + "\(statistics.unread == 1 ? "it" : "them"): '\(names)' says why; the next run tries again")
    }
  }

  private func printList(_ folder: ImageCacheFolder) throws {
    let caches = folder.list()
    if json { return try Console.print(json: caches) }
    if caches.isEmpty { return Console.print("no image caches in \(folder.path)") }
    let rows = caches.map { cache in
      [
        cache.content?.dataset ?? "\(cache.path) (damaged, or of another version)",
        cache.content.map { content in
          let ground = content.background == .white ? "" : " \(content.background)"
          let padding = content.padColor.map { " \($0)" } ?? ""
          return "\(content.imageSize) \(content.resize.rawValue)\(padding)\(ground)"
        } ?? "",
        cache.content.map { Format.count($0.images) } ?? "", Format.bytes(cache.size),
        Format.duration(max(0, -cache.lastUsed.timeIntervalSinceNow)) + " ago",
      ]
    }
    let table = Console.table([["dataset", "size", "images", "bytes", "last used"]] + rows, hasPaths: true)
    for line in table { Console.print(line) }
  }

  private func clearAll(_ folder: ImageCacheFolder) {
    let (removed, busy) = folder.clear()
    Console.print(
      "removed \(Format.counted(removed.count, "cache")), \(Format.bytes(removed.reduce(0) { $0 + $1.size }))")
    for path in busy { Console.complain("! \(path) stays: it is being made") }
  }
}

/// An image cache was asked for and there is none.
struct NotPacked: Error, CustomStringConvertible {
  let reason: String

  var description: String { reason }
}
