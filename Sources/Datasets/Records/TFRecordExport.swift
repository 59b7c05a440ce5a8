// Writes a dataset as TFRecord shards of `tf.train.Example`: which images go into which shard, and the way from plan to
// folder. Putting files into place is in ShardFolder.swift, what an Example holds in ImageExample+Writing.swift.

import Files
import Glibc
import Images
import Messages
import Support
import Synchronization

/// The export of an index: its splits, labels and decisions as they are, its images' files unchanged.
///
/// The images of a split are shuffled, so that a reader with a small shuffle buffer still sees all classes mixed; by
/// a fixed seed, so that the same index always gives the same bytes.
public struct TFRecordExport: Sendable {
  /// How a split is cut into shards.
  public enum Sharding: Sendable, Equatable {
    /// So many for each split, though never more than it has images.
    case count(Int)
    /// About so many bytes in each.
    case bytes(Int)
  }

  /// One shard that will be written.
  struct Shard: Sendable {
    var split: Split
    /// `train-00000-of-00004.tfrecord`
    var name: String
    var items: [DatasetItem]
  }

  /// What was written.
  public struct Summary: Codable, Sendable, Equatable {
    public struct Part: Codable, Sendable, Equatable {
      public var split: Split
      public var images: Int
      public var shards: Int
      public var bytes: Int
    }

    public var folder: String
    /// The splits that have images.
    public var parts: [Part]
    /// Images that do not decode: no reader could use them.
    public var leftOut: [DecodingFailure]

    public var images: Int { parts.reduce(0) { $0 + $1.images } }
    public var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }
  }

  let index: DatasetIndex
  let shards: [Shard]
  /// Bytes of the image files that will be in the shards: their size but for some 200 bytes an image.
  public let imageBytes: Int

  /// The seed of the order within a split.
  static let shuffleSeed: UInt64 = 0x5446_5265_636f_7264

  /// Plans the export; nothing is written yet.
  public init(_ index: DatasetIndex, sharding: Sharding = .bytes(100_000_000)) {
    self.index = index
    var shards: [Shard] = []
    var total = 0
    for (number, split) in Split.allCases.enumerated() {
      let items = index.items(in: split)
      guard !items.isEmpty else { continue }
      let bytes = items.reduce(0) { $0 + Self.fileBytes($1.absolutePath(root: index.root)) }
      total += bytes
      let wanted =
        switch sharding {
        case .count(let count): count
        case .bytes(let size): bytes / max(1, size) + (bytes % max(1, size) > 0 ? 1 : 0)
        }
      let count = max(1, min(wanted, items.count, 99_999))
      var generator = RandomGenerator(Self.shuffleSeed, UInt64(number))
      let order = generator.permutation(items.count)
      for shard in 0..<count {
        let range = (shard * items.count / count)..<((shard + 1) * items.count / count)
        shards.append(
          Shard(split: split, name: Self.name(split, shard, of: count), items: order[range].map { items[$0] }))
      }
    }
    self.shards = shards
    imageBytes = total
  }

  /// The names that TensorFlow's programs give.
  private static func name(_ split: Split, _ number: Int, of count: Int) -> String {
    func padded(_ number: Int) -> String { String(repeating: "0", count: 5 - "\(number)".count) + "\(number)" }
    return "\(split == .validation ? "validation" : split.rawValue)-\(padded(number))-of-\(padded(count)).tfrecord"
  }

  private static func fileBytes(_ path: String) -> Int {
    var status = stat()
    if path.withPathCString({ stat($0, &status) }) == 0 { return Int(status.st_size) }
    return FileSlice(name: path)?.length ?? 0
  }

  /// Writes the shards and labels.txt: all of them or, on failure, none.
  ///
  /// - Parameters:
  ///   - folder: made if it is not there; not within the dataset.
  ///   - overwrite: replaces all shards that are in it. Without it a folder that has some is refused.
  ///   - workers: threads that read, decode and write.
  ///   - progress: called now and then, from any of the threads but never from two at a time, with the number of
  ///     images done.
  ///   - isCancelled: asked before each image.
  /// - Throws: `RecordExportError`. The folder then is as it was before.
  @discardableResult
  public func write(
    to folder: String, overwrite: Bool = false, workers: Int = 1, calls: FileCalls = .system,
    progress: @Sendable (Int) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws(RecordExportError) -> Summary {
    guard !shards.isEmpty else { throw .noImages(root: index.root) }
    let target = try ShardFolder(path: folder, datasetRoot: index.root, overwrite: overwrite, calls: calls)
    defer { target.removeStaging() }
    let results = try writeShards(into: target, workers: workers, progress: progress, isCancelled: isCancelled)
    let labels = try target.create(LabelsFile.name)
    try labels.append(LabelsFile.content(classes: index.classes))
    try labels.finish()
    try target.commit(shards.map(\.name) + [LabelsFile.name])
    return summary(of: results, folder: folder)
  }

  private func summary(of results: [WrittenShard], folder: String) -> Summary {
    let parts = Split.allCases.compactMap { split -> Summary.Part? in
      let written = zip(shards, results).filter { $0.0.split == split }.map(\.1)
      guard !written.isEmpty else { return nil }
      return Summary.Part(
        split: split, images: written.reduce(0) { $0 + $1.images }, shards: written.count,
        bytes: written.reduce(0) { $0 + $1.bytes })
    }
    let leftOut = results.flatMap(\.leftOut).sorted { NaturalOrder.precedes($0.path, $1.path) }
    return Summary(folder: folder, parts: parts, leftOut: leftOut)
  }
}

/// What became of one shard.
struct WrittenShard: Sendable {
  var images = 0
  var bytes = 0
  var leftOut: [DecodingFailure] = []
}

extension TFRecordExport {
  private func writeShards(
    into target: ShardFolder, workers: Int, progress: @Sendable (Int) -> Void,
    isCancelled: @Sendable () -> Bool
  ) throws(RecordExportError) -> [WrittenShard] {
    struct State {
      var done = 0
      var results: [Int: WrittenShard] = [:]
      var error: RecordExportError?
    }
    let state = Mutex(State())
    forEachConcurrently(count: shards.count, workers: workers, state: { ImageDecoder() }) { number, decoder in
      do throws(RecordExportError) {
        let result = try write(shards[number], into: target, decoder: decoder) { () throws(RecordExportError) in
          if isCancelled() { throw .cancelled }
          let goesOn = state.withLock { state in
            guard state.error == nil else { return false }
            state.done += 1
            if state.done.isMultiple(of: 100) || state.done == index.items.count { progress(state.done) }
            return true
          }
          // Another shard failed: what happened is told there.
          if !goesOn { throw .cancelled }
        }
        state.withLock { $0.results[number] = result }
      } catch {
        state.withLock { $0.error = $0.error ?? error }
      }
    }
    let (results, error) = state.withLock { ($0.results, $0.error) }
    if let error { throw error }
    return shards.indices.map { results[$0] ?? WrittenShard() }
  }

  private func write(
    _ shard: Shard, into target: ShardFolder, decoder: ImageDecoder,
    beforeEach: () throws(RecordExportError) -> Void
  ) throws(RecordExportError) -> WrittenShard {
    let file = try target.create(shard.name)
    var written = WrittenShard()
    for item in shard.items {
      try beforeEach()
      let data: [UInt8]
      do throws(DecodingFailure) {
        data = try example(of: item, decoder: decoder)
      } catch {
        written.leftOut.append(error)
        continue
      }
      let record = TFRecord.record(data)
      try file.append(record)
      written.images += 1
      written.bytes += record.count
    }
    try file.finish()
    return written
  }

  /// The serialized Example of an image, which is decoded to be sure that readers can.
  private func example(of item: DatasetItem, decoder: ImageDecoder) throws(DecodingFailure) -> [UInt8] {
    try decoder.withContents(path: item.absolutePath(root: index.root), name: item.path) {
      (bytes) throws(DecodingFailure) in
      let header = try decoder.header(bytes: bytes, name: item.path)
      _ = try decoder.decode(bytes: bytes, name: item.path)
      return ImageExample.serialized(
        ImageExample.features(
          encoded: Array(bytes), header: header, label: item.label, className: index.classes[item.label],
          filename: item.path))
    }
  }
}
