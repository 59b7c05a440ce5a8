// The sum over all replicas where they are computed on several ranks: sums of each rank's own replicas go to the ranks
// that own a part of the result, which add them in the tree's order and send what comes out to all.

import Ranks
import Tensors

/// Adds up tensors over ranks, bucket by bucket, while the network still goes backwards.
///
/// The numbers of a bucket are divided evenly among the ranks. Each rank sends every owner its part of each of its
/// nodes (see `ReplicaTree.nodes`), the owner adds them and sends the sum to all: of K ranks that have one node each, a
/// rank sends and receives 2 (K - 1) / K times the bytes, as in a ring, but the order of additions is the tree's. So the
/// bits are those of one rank that has all replicas.
///
/// All ranks start the same exchanges in the same order, whatever arrives first: the sum of a bucket is sent on when
/// the next bucket's parts are on their way.
final class GradientExchange {
  /// Numbers of a bucket, at least, unless there are no more: 4 MB.
  static let bucketSize = 1 << 20

  private let communicator: any Communicator
  private let layout: ReplicaLayout
  /// The nodes of each rank.
  private let nodes: [[Range<Int>]]
  private let additions: [(from: Int, to: Int)]
  /// The buckets under way, in the order in which they were begun.
  private var buckets: [Bucket] = []
  /// So many of them have their parts, or their sum, on the way.
  private var summed = 0
  /// Seconds in which this rank waited for others since `takeWaiting`.
  private var waiting = 0.0
  private let clock = ContinuousClock()

  /// Floats that an exchange takes on the rank with the most replicas while its sums are under way, and the sums.
  /// - Parameter count: of all that is summed.
  static func floats(of count: Int, _ layout: ReplicaLayout) -> Int {
    guard layout.ranks > 1 else { return 0 }
    let nodes = (0..<layout.ranks).map { layout.tree.nodes(in: layout.block(of: $0)).count }
    let received = (count * nodes.reduce(0, +) + layout.ranks - 1) / layout.ranks
    return count * (nodes.max() ?? 1) + received + 2 * count
  }

  /// Of the buckets that are under way.
  var floatsUnderWay: Int { buckets.reduce(0) { $0 + $1.floats } }

  init(_ communicator: any Communicator, replicas: Int) {
    self.communicator = communicator
    layout = ReplicaLayout(replicas: replicas, ranks: communicator.size)
    let tree = layout.tree
    nodes = (0..<communicator.size).map { [layout] in tree.nodes(in: layout.block(of: $0)) }
    additions = tree.additions(of: nodes.flatMap { $0 })
  }

  /// What is summed together.
  private final class Bucket {
    /// Whose sums these are, and where they begin in the bucket.
    let tensors: [(key: Int, place: Int, count: Int)]
    let count: Int
    let sent: FloatBuffer
    let received: FloatBuffer
    let sum: FloatBuffer
    let floats: Int
    var parts: (any PendingExchange)?
    var whole: (any PendingExchange)?

    init(_ tensors: [(key: Int, place: Int, count: Int)], count: Int, own: Int, received: Int) {
      self.tensors = tensors
      self.count = count
      sent = FloatBuffer(count: count * own)
      self.received = FloatBuffer(count: received)
      sum = FloatBuffer(count: count)
      floats = count * own + received + count
    }
  }

  /// The part of a bucket that a rank adds up.
  private func part(_ rank: Int, of count: Int) -> Range<Int> {
    (count * rank / communicator.size)..<(count * (rank + 1) / communicator.size)
  }

  /// Begins a bucket.
  /// - Parameters:
  ///   - tensors: of each of this rank's nodes, the tensors by their keys: the same keys in the same order on all ranks.
  /// - Throws: `RankFailure`.
  func begin(_ keys: [Int], _ tensors: (_ key: Int) -> [Tensor], _ ops: Ops) throws(RankFailure) {
    let rank = communicator.rank
    let own = nodes[rank].count
    var places: [(key: Int, place: Int, count: Int)] = []
    var count = 0
    let values = keys.map(tensors)
    for (key, value) in zip(keys, values) {
      precondition(value.count == own, "a tensor for each node")
      places.append((key, count, value[0].count))
      count += value[0].count
    }
    let mine = part(rank, of: count)
    let bucket = Bucket(places, count: count, own: own, received: mine.count * nodes.reduce(0) { $0 + $1.count })
    for owner in 0..<communicator.size {
      let part = part(owner, of: count)
      for (tensor, value) in zip(places, values) {
        let all = tensor.place..<(tensor.place + tensor.count)
        let piece = all.clamped(to: part)
        guard !piece.isEmpty else { continue }
        let own = (piece.lowerBound - all.lowerBound)..<(piece.upperBound - all.lowerBound)
        for (node, tensor) in value.enumerated() {
          let place = part.lowerBound * value.count + node * part.count + piece.lowerBound - part.lowerBound
          bucket.sent.put(own, of: tensor, at: place)
        }
      }
    }
    var firsts: [Int] = [0]
    for other in nodes { firsts.append((firsts.last ?? 0) + other.count * mine.count) }
    bucket.parts = try communicator.start(
      FloatExchange(
        sent: UnsafeBufferPointer(bucket.sent.memory),
        sentParts: (0..<communicator.size).map {
          let part = part($0, of: count)
          return (part.lowerBound * own)..<(part.upperBound * own)
        }, received: bucket.received.memory,
        receivedParts: (0..<communicator.size).map { firsts[$0]..<firsts[$0 + 1] }))
    buckets.append(bucket)
    // All but the newest: their parts had the time of a bucket to arrive.
    while summed < buckets.count - 1 { try sum(buckets[summed], ops) }
  }

  /// Adds up this rank's part of a bucket, and begins to send it to all.
  private func sum(_ bucket: Bucket, _ ops: Ops) throws(RankFailure) {
    summed += 1
    try wait(for: bucket.parts)
    bucket.parts = nil
    let mine = part(communicator.rank, of: bucket.count)
    if !mine.isEmpty {
      for addition in additions {
        ops.add(
          in: bucket.received, from: addition.from * mine.count, to: addition.to * mine.count, count: mine.count)
      }
    }
    bucket.whole = try communicator.start(
      FloatExchange(
        sent: UnsafeBufferPointer(bucket.received.memory),
        sentParts: Array(repeating: 0..<mine.count, count: communicator.size), received: bucket.sum.memory,
        receivedParts: (0..<communicator.size).map { part($0, of: bucket.count) }))
  }

  /// Lets what is under way go on.
  func poll() throws(RankFailure) {
    for bucket in buckets {
      if let parts = bucket.parts {
        _ = try parts.isDone()
      } else if let whole = bucket.whole {
        _ = try whole.isDone()
      }
    }
  }

  /// Waits for all buckets.
  /// - Parameter put: given each sum with its key.
  func end(_ ops: Ops, _ put: (_ key: Int, _ fill: (inout Tensor) -> Void) -> Void) throws(RankFailure) {
    while summed < buckets.count { try sum(buckets[summed], ops) }
    for bucket in buckets {
      try wait(for: bucket.whole)
      for tensor in bucket.tensors {
        put(tensor.key) { bucket.sum.take(0..<tensor.count, of: &$0, from: tensor.place) }
      }
    }
    buckets = []
    summed = 0
  }

  private func wait(for exchange: (any PendingExchange)?) throws(RankFailure) {
    let start = clock.now
    try exchange?.wait()
    waiting += (clock.now - start).seconds
  }

  /// Seconds in which this rank waited for others since this was asked for.
  func takeWaiting() -> Double {
    defer { waiting = 0 }
    return waiting
  }
}
