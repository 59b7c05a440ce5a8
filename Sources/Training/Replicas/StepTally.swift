// What is counted of a step besides its gradient, batch by batch: added up in the order of batches, wherever they were
// computed.

import Images
import Ranks

/// A batch of a step: what became of it.
struct BatchTally: Equatable {
  /// Its place in the step.
  var slot: Int
  /// Images that decoded; 0 for one that was not computed.
  var images: Int
  /// The mean over its images, nats.
  var loss: Double
  /// Images predicted rightly; of a mixed one, a share.
  var correct: Double
  /// The images' places among the training images.
  var items: [Int]
  var skipped: [DecodingFailure]
}

/// The batches of a step, in their order.
struct StepTally: Equatable {
  private(set) var batches: [BatchTally] = []

  /// - Parameter batch: behind those that are there.
  mutating func add(_ batch: BatchTally) {
    precondition(batches.last.map { $0.slot < batch.slot } ?? true, "batches come in order")
    batches.append(batch)
  }

  mutating func clear() { batches.removeAll(keepingCapacity: true) }

  var images: Int { batches.reduce(0) { $0 + $1.images } }
  var correct: Double { batches.reduce(0) { $0 + $1.correct } }
  var skipped: [DecodingFailure] { batches.flatMap(\.skipped) }
  var skippedCount: Int { batches.reduce(0) { $0 + $1.skipped.count } }
  var items: [Int] { batches.flatMap(\.items) }

  /// The mean over its images, nats. A batch by itself has its own, to the last bit.
  var loss: Double {
    let computed = batches.filter { $0.images > 0 }
    if computed.count == 1 { return computed[0].loss }
    return computed.reduce(0) { $0 + $1.loss * Double($1.images) } / Double(max(1, images))
  }

  /// For each replica, how many of its batches were computed.
  /// - Parameter rounds: batches of a replica.
  func computed(replicas: Int, rounds: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: replicas)
    for batch in batches where batch.images > 0 { counts[batch.slot / rounds] += 1 }
    return counts
  }
}

extension StepTally {
  /// Adds the batches that a rank tells of, behind those of the ranks before.
  /// - Throws: `RankFailure` for what is none.
  mutating func add(_ words: inout WordReader, of rank: Int) throws(RankFailure) {
    for _ in 0..<max(0, words.word()) {
      let batch = BatchTally(
        slot: words.word(), images: words.word(), loss: words.number(), correct: words.number(),
        items: words.words(), skipped: words.list(DecodingFailure.self))
      guard words.isValid, batches.last.map({ $0.slot < batch.slot }) ?? true else {
        throw RankFailure(unreadable: "a step", rank: rank)
      }
      add(batch)
    }
    guard words.isValid else { throw RankFailure(unreadable: "a step", rank: rank) }
  }

  /// As `add(_:of:)` reads them.
  func put(into words: inout WordWriter) {
    words.put(batches.count)
    for batch in batches {
      words.put(batch.slot)
      words.put(batch.images)
      words.put(batch.loss)
      words.put(batch.correct)
      words.put(batch.items)
      words.put(batch.skipped)
    }
  }
}
