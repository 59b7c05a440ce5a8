// `skipline pack DATA --tfrecord FOLDER`: its options, and what it says. The writing is Datasets'.

import ArgumentParser
import Canvas
import Datasets
import Foundation
import Messages

struct TFRecordOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Write TFRecord shards of tf.train.Example into FOLDER.", valueName: "folder"))
  var tfrecord: String?
  @Option(help: "How many shards for each split.") var shards: Int?
  @Option(help: "About how many bytes a shard, if --shards does not say; as 500K, 100M or 1G.")
  var shardSize: String?
  @Flag(help: "Replace all shards that FOLDER has.") var overwrite = false

  func validate() throws {
    if tfrecord == nil, shards != nil || shardSize != nil || overwrite {
      throw ValidationError("--shards, --shard-size and --overwrite go with --tfrecord FOLDER")
    }
    if shards != nil, shardSize != nil { throw ValidationError("give --shards or --shard-size, not both") }
    if let shards, !(1...99_999).contains(shards) {
      throw ValidationError("--shards \(shards): a number from 1 to 99999")
    }
    _ = try sharding()
  }

  /// Writes an index's images where `--tfrecord` says, and prints what was written.
  /// - Throws: `RecordExportError`; an exit with 65 where images were left out, 128 + N where a signal came.
  func export(_ index: DatasetIndex, json: Bool) throws {
    guard let tfrecord else { return }
    let export = TFRecordExport(index, sharding: try sharding())
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
        to: folder, overwrite: overwrite, workers: ProcessInfo.processInfo.activeProcessorCount,
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

  private func sharding() throws -> TFRecordExport.Sharding {
    if let shards { return .count(shards) }
    guard let shardSize else { return .bytes(100_000_000) }
    let factors: [Character: Int] = ["K": 1000, "M": 1_000_000, "G": 1_000_000_000]
    let factor = shardSize.last.flatMap { factors[Character($0.uppercased())] }
    let digits = factor == nil ? shardSize[...] : shardSize.dropLast()
    guard digits.allSatisfy(\.isASCII), let number = Int(digits), number > 0 else {
      throw ValidationError("--shard-size \(shardSize): write a number of bytes such as 500K, 100M or 1G")
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: factor ?? 1)
    return .bytes(overflow ? .max : bytes)
  }
}
