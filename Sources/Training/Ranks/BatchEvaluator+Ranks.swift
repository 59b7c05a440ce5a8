// A validation among ranks: each runs the network over its share of the batches, and all count the outputs of all.

import Datasets
import Images
import Ranks

extension BatchEvaluator {
  /// Rank k of K runs batches k, k + K ..., and every rank has all outputs in the order of batches: what is counted is
  /// what one rank by itself would have.
  /// - Parameters:
  ///   - take: given each batch that has images, with its logits [N, classes].
  ///   - goesOn: asked after a batch of each rank; false ends it. It has to say the same on all ranks.
  /// - Returns: what did not decode.
  /// - Throws: `RankFailure`; what `goesOn` throws.
  func run(
    _ loader: BatchLoader, among communicator: any Communicator, _ take: (Batch, [Float]) -> Void,
    goesOn: () throws -> Bool
  ) throws -> [DecodingFailure] {
    let (rank, size) = (communicator.rank, communicator.size)
    let stream = loader.epoch(batches: Array(stride(from: rank, to: loader.batchCount, by: size)))
    var (skipped, passedOver): ([DecodingFailure], [DecodingFailure]) = ([], [])
    for first in stride(from: 0, to: loader.batchCount, by: size) {
      var own = MeasuredBatch()
      if first + rank < loader.batchCount, let batch = stream.nextInPlace() {
        own.batch = batch
        if !batch.items.isEmpty {
          own.logits = network.outputs(
            batch.images, count: batch.labels.count, size: loader.preprocessing.imageSize, augmentation, pool)
        }
      }
      for (other, bytes) in try communicator.allGather(own.bytes).enumerated() {
        var measured = try MeasuredBatch(bytes, rank: other)
        skipped += measured.batch.skipped
        passedOver += measured.batch.skipped
        guard !measured.batch.items.isEmpty else { continue }
        measured.batch.skipped = passedOver
        passedOver = []
        take(measured.batch, measured.logits)
      }
      guard try goesOn() else { break }
    }
    return skipped
  }
}

/// A batch without its pixels, and what the network says of it.
private struct MeasuredBatch {
  var batch = Batch(index: 0)
  /// [N, classes]
  var logits: [Float] = []

  init() {}

  /// - Throws: `RankFailure`.
  init(_ bytes: [UInt8], rank: Int) throws(RankFailure) {
    var words = WordReader(bytes)
    batch.index = words.word()
    batch.labels = words.words()
    batch.items = words.words()
    batch.skipped = words.list(DecodingFailure.self)
    logits = words.floats()
    guard words.isValid, batch.labels.count == batch.items.count else {
      throw RankFailure(unreadable: "a validation", rank: rank)
    }
  }

  var bytes: [UInt8] {
    var words = WordWriter()
    words.put(batch.index)
    words.put(batch.labels)
    words.put(batch.items)
    words.put(batch.skipped)
    words.put(logits)
    return words.bytes
  }
}
