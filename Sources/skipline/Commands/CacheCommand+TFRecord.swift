// `skipline cache DATA --tfrecord FOLDER`: its options, and what it says. The writing is Datasets'.

import ArgumentParser
import Canvas
import Datasets
import Messages
import Resources

struct TFRecordOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write TFRecord shards of tf.train.Example into FOLDER.", valueName: "folder"))
  var tfrecord: String?
  @Option(Limits.shards) var shards: Int?
  @Option(byteCount: Limits.shardSize, binary: false, instead: "100M, unless --shards says how many,")
  var shardSize: Int?
  @Flag(help: "Replace all shards that FOLDER has.") var overwrite = false
  @Flag(help: "Write the rest where a part of the data cannot be read.") var acceptErrors = false

  func validate() throws {
    if tfrecord == nil, shards != nil || shardSize != nil || overwrite || acceptErrors {
      throw ValidationError("--shards, --shard-size, --overwrite and --accept-errors go with --tfrecord FOLDER")
    }
    if shards != nil, shardSize != nil { throw ValidationError("give --shards or --shard-size, not both") }
  }

  /// Writes an index's images where `--tfrecord` says, and prints what was written.
  /// - Throws: `RecordExportError`; an exit with 65 where images were left out, 128 + N where a signal came.
  func export(_ index: DatasetIndex, json: Bool) throws {
    guard let tfrecord else { return }
    let export = TFRecordExport(index, sharding: sharding)
    let total = index.items.count
    Console.progress(
      "to write: \(Format.counted(total, "image")), about \(Format.bytes(export.imageBytes))")
    let signals = try SignalWatcher()
    let summary = try written(export, to: tfrecord, total: total, endsWith: signals.requests)
    if json { try Console.print(json: summary) } else { print(summary) }
    for failure in summary.leftOut { Console.complain("! left out: \(failure)") }
    if !summary.leftOut.isEmpty { throw ExitCode(ExitStatus.badData.rawValue) }
  }

  private func written(
    _ export: TFRecordExport, to folder: String, total: Int, endsWith requests: EndRequests
  ) throws -> TFRecordExport.Summary {
    do throws(RecordExportError) {
      return try export.write(
        to: folder, overwrite: overwrite, workers: SystemProcessors.available,
        progress: { done in
          if done.isMultiple(of: 5000) { Console.progress("\(Format.count(done)) of \(Format.count(total))") }
        }, isCancelled: { requests.first != nil })
    } catch {
      guard error == .cancelled, let signal = requests.first else { throw error }
      Console.complain("skipline: \(error)")
      throw ExitCode(128 + signal)
    }
  }

  private func print(_ summary: TFRecordExport.Summary) {
    let rows = summary.parts.map { part in
      [part.split.rawValue, Format.count(part.images), "\(part.shards)", Format.bytes(part.bytes)]
    }
    for line in Console.table([["split", "images", "shards", "size"]] + rows) { Console.print(line) }
    Console.print("shards: \(summary.folder)")
  }

  private var sharding: TFRecordExport.Sharding {
    shards.map { .count($0) } ?? .bytes(shardSize ?? 100_000_000)
  }
}
