// In which order the replicas' numbers are added up: a fixed tree, so that the sum has the same bits whoever adds, and
// wherever a part of it was added before. Which replica is computed where, the layout says.

/// Pairwise summation over replicas: (0, 1), (2, 3) ..., then the sums of these, and so on; an odd one out goes up alone.
///
/// A node of the tree is the range of replicas that it sums. A rank of four that has replicas 0 and 1 of 4 adds these
/// two, and whoever adds what the ranks send adds nothing else: `x + y` is what it is anywhere.
struct ReplicaTree: Equatable {
  let replicas: Int

  /// Sums that wait for their other half while a replica is computed, at most, when they come in order.
  var mostWaiting: Int { Int.bitWidth - 1 - max(1, replicas).leadingZeroBitCount }

  /// Whether two neighbors are the halves of a node: their sum may be made now.
  func joins(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
    // The left half is never cut off by the end: it says how wide the node is.
    let width = 2 * left.count
    return left.count.nonzeroBitCount == 1 && left.lowerBound % width == 0 && left.upperBound == right.lowerBound
      && right.upperBound == min(left.lowerBound + width, replicas)
  }

  /// The nodes that are left of a block of replicas when all that can be added within it is.
  func nodes(in block: Range<Int>) -> [Range<Int>] {
    var nodes: [Range<Int>] = []
    for replica in block {
      nodes.append(replica..<(replica + 1))
      while nodes.count > 1, joins(nodes[nodes.count - 2], nodes[nodes.count - 1]) {
        let right = nodes.removeLast()
        nodes[nodes.count - 1] = nodes[nodes.count - 1].lowerBound..<right.upperBound
      }
    }
    return nodes
  }

  /// The additions that make the sum of all out of nodes that cover the replicas in order.
  /// - Returns: places among the nodes; the last sum is at the first. Each place is added to an earlier one, once.
  func additions(of nodes: [Range<Int>]) -> [(from: Int, to: Int)] {
    var additions: [(from: Int, to: Int)] = []
    var open: [(place: Int, range: Range<Int>)] = []
    for (place, range) in nodes.enumerated() {
      open.append((place, range))
      while open.count > 1, joins(open[open.count - 2].range, open[open.count - 1].range) {
        let right = open.removeLast()
        let left = open.removeLast()
        additions.append((from: right.place, to: left.place))
        open.append((left.place, left.range.lowerBound..<right.range.upperBound))
      }
    }
    precondition(open.count <= 1, "nodes that do not cover all replicas")
    return additions
  }
}

/// Which replicas a rank computes: neighbors, as many on each rank as on any other or one more.
struct ReplicaLayout: Equatable {
  let replicas: Int
  let ranks: Int

  init(replicas: Int, ranks: Int = 1) {
    precondition(ranks > 0 && replicas >= ranks, "\(replicas) replicas on \(ranks) ranks")
    (self.replicas, self.ranks) = (replicas, ranks)
  }

  /// The first ranks have one more where they cannot all have as many.
  func block(of rank: Int) -> Range<Int> {
    let (each, more) = replicas.quotientAndRemainder(dividingBy: ranks)
    let start = rank * each + min(rank, more)
    return start..<(start + each + (rank < more ? 1 : 0))
  }

  var tree: ReplicaTree { ReplicaTree(replicas: replicas) }
}

/// The batches of the loader that make up a step: `rounds` neighbors for each replica, in the replicas' order. At the end of
/// an epoch the last replicas have fewer, or none.
struct StepBatches: Equatable {
  /// Places in the epoch.
  let range: Range<Int>
  let rounds: Int

  /// - Parameters:
  ///   - start: the first one's place in the epoch.
  ///   - rounds: batches of each replica.
  ///   - count: batches of the epoch.
  init(from start: Int, layout: ReplicaLayout, rounds: Int, of count: Int) {
    range = start..<min(count, start + layout.replicas * rounds)
    self.rounds = rounds
  }

  /// Those of some replicas.
  func of(_ replicas: Range<Int>) -> Range<Int> {
    let start = range.lowerBound
    let (first, end) = (start + replicas.lowerBound * rounds, start + replicas.upperBound * rounds)
    return min(first, range.upperBound)..<min(end, range.upperBound)
  }

  /// Rounds in which replicas take a batch each: the first replica has as many as any other.
  var roundCount: Int { min(rounds, range.count) }

  /// A batch's place in the step.
  func slot(of batch: Int) -> Int { batch - range.lowerBound }
}
