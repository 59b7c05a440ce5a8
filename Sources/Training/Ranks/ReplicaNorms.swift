// What batch norms add up over all replicas, in the order of the replicas' tree: those of this rank here, the sums of the
// ranks after they have told each other.

import Networks
import Ranks
import Tensors

/// Sums over all replicas, with the bits of a rank that has them all.
struct ReplicaNorms: NormMeeting {
  private let communicator: any Communicator
  private let tree: ReplicaTree
  private let block: Range<Int>
  /// How many sums each rank has that it cannot add up by itself, and which are then added to which.
  private let counts: [Int]
  private let additions: [(from: Int, to: Int)]
  private let waiting: (Double) -> Void

  /// - Parameter waiting: told the seconds in which this rank waited for others.
  init(_ communicator: any Communicator, replicas: Int, waiting: @escaping (Double) -> Void) {
    let layout = ReplicaLayout(replicas: replicas, ranks: communicator.size)
    self.communicator = communicator
    tree = layout.tree
    block = layout.block(of: communicator.rank)
    let nodes = (0..<communicator.size).map { layout.tree.nodes(in: layout.block(of: $0)) }
    counts = nodes.map(\.count)
    additions = tree.additions(of: nodes.flatMap { $0 })
    self.waiting = waiting
  }

  /// - Throws: `RankFailure`.
  func whole<Sum: NormSum>(_ own: [Sum]) throws -> Sum {
    precondition(own.count == block.count, "a sum for each replica of this rank")
    var sums: [(replicas: Range<Int>, sum: Sum)] = []
    for (replica, sum) in zip(block, own) {
      sums.append((replica..<(replica + 1), sum))
      while sums.count > 1, tree.joins(sums[sums.count - 2].replicas, sums[sums.count - 1].replicas) {
        let right = sums.removeLast()
        sums[sums.count - 1].sum.add(right.sum)
        sums[sums.count - 1].replicas = sums[sums.count - 1].replicas.lowerBound..<right.replicas.upperBound
      }
    }
    var all = sums.map(\.sum)
    if communicator.size > 1 { all = try gathered(all) }
    for addition in additions { all[addition.to].add(all[addition.from]) }
    return all[0]
  }

  /// - Returns: the sums of all ranks, in their order.
  private func gathered<Sum: NormSum>(_ own: [Sum]) throws(RankFailure) -> [Sum] {
    let (clock, start) = (ContinuousClock(), ContinuousClock.now)
    let numbers = own.map(\.numbers)
    let told = try communicator.allGather(numbers.flatMap { $0 }.withUnsafeBytes { Array($0) })
    waiting((clock.now - start).seconds)
    let width = numbers[0].count
    var all: [Sum] = []
    for (rank, bytes) in told.enumerated() {
      guard bytes.count == counts[rank] * width * MemoryLayout<Double>.stride else {
        throw RankFailure(unreadable: "a batch norm", rank: rank)
      }
      let values = [Double](unsafeUninitializedCapacity: counts[rank] * width) { buffer, count in
        UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
        count = counts[rank] * width
      }
      for node in 0..<counts[rank] {
        all.append(Sum(numbers: Array(values[(node * width)..<((node + 1) * width)])))
      }
    }
    return all
  }
}
