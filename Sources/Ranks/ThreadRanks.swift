// Ranks that are threads of one process: for tests, and to try without MPI what runs on many.

import Resources

/// So many ranks in one process.
///
///     let ranks = ThreadRanks(count: 2)
///     // on a thread each
///     let everyone = try ranks[0].allGather([1])    // [[1], [2]] on both
///
/// It is `@unchecked Sendable` because `condition` guards every variable.
public final class ThreadRanks: @unchecked Sendable {
  private let condition = Condition()
  private var failure: RankFailure?
  /// What was said at each meeting that somebody still needs, by the meeting's number.
  private var meetings: [Int: Meeting] = [:]
  private var exchanges: [Int: Transfer] = [:]
  /// What each call is, by its number: all ranks have to make the same ones.
  private var kinds: [Int: (isExchange: Bool, left: Int)] = [:]
  public let count: Int

  private struct Meeting {
    var bytes: [Int: [UInt8]] = [:]
    var left: Int
  }

  private struct Transfer {
    var offers: [Int: FloatExchange] = [:]
    var left: Int
  }

  public init(count: Int) {
    precondition(count > 0, "at least one rank")
    self.count = count
  }

  /// The communicator of a rank. It is made once.
  public subscript(rank: Int) -> any Communicator {
    precondition((0..<count).contains(rank), "rank \(rank) of \(count)")
    return ThreadRank(rank, of: self)
  }

  /// Ends it for all: what waits, and every later call, throws.
  func fail(_ failure: RankFailure) {
    condition.lock()
    if self.failure == nil { self.failure = failure }
    condition.broadcast()
    condition.unlock()
  }

  /// Notes a call, and fails where another rank makes another one in its place. Called with the lock.
  private func note(_ number: Int, isExchange: Bool) throws(RankFailure) {
    if failure == nil, let other = kinds[number], other.isExchange != isExchange {
      failure = RankFailure("call \(number) is an exchange on one rank and a meeting on another")
      condition.broadcast()
    }
    if let failure { throw failure }
    let left = (kinds[number]?.left ?? count) - 1
    kinds[number] = left == 0 ? nil : (isExchange, left)
  }

  /// - Returns: what all said at a meeting, by rank.
  fileprivate func meet(_ number: Int, _ rank: Int, _ bytes: [UInt8]) throws(RankFailure) -> [[UInt8]] {
    condition.lock()
    defer { condition.unlock() }
    try note(number, isExchange: false)
    meetings[number, default: Meeting(left: count)].bytes[rank] = bytes
    condition.broadcast()
    while failure == nil, meetings[number]?.bytes.count != count { condition.wait() }
    if let failure { throw failure }
    guard var meeting = meetings[number] else { preconditionFailure("a meeting ended before all had left") }
    meeting.left -= 1
    meetings[number] = meeting.left == 0 ? nil : meeting
    return (0..<count).map { meeting.bytes[$0] ?? [] }
  }

  fileprivate func offer(_ number: Int, _ rank: Int, _ exchange: FloatExchange) throws(RankFailure) {
    condition.lock()
    defer { condition.unlock() }
    try note(number, isExchange: true)
    exchanges[number, default: Transfer(left: count)].offers[rank] = exchange
    condition.broadcast()
  }

  /// Copies what is there for a rank.
  /// - Parameters:
  ///   - taken: the ranks whose part it has.
  ///   - waiting: whether to wait for all of them.
  /// - Returns: whether everybody has everything: nobody reads this rank's numbers any more.
  fileprivate func collect(
    _ number: Int, _ rank: Int, taken: inout Set<Int>, waiting: Bool
  ) throws(RankFailure) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let failure { throw failure }
      // The last one of all to have its parts took the exchange away.
      guard var transfer = exchanges[number] else { return true }
      if taken.count < count, let own = transfer.offers[rank] {
        for (other, offer) in transfer.offers where taken.insert(other).inserted {
          own.take(offer.sentParts[rank], of: offer.sent, from: other)
        }
        if taken.count == count {
          transfer.left -= 1
          exchanges[number] = transfer.left == 0 ? nil : transfer
          condition.broadcast()
          if transfer.left == 0 { return true }
        }
      }
      guard waiting else { return false }
      condition.wait()
    }
  }
}

/// It is `@unchecked Sendable` because a communicator is used by one thread at a time.
private final class ThreadRank: Communicator, @unchecked Sendable {
  let rank: Int
  private let ranks: ThreadRanks
  private var calls = 0

  var size: Int { ranks.count }
  var machine: String { "thread \(rank)" }

  init(_ rank: Int, of ranks: ThreadRanks) {
    self.rank = rank
    self.ranks = ranks
  }

  func allGather(_ bytes: [UInt8]) throws(RankFailure) -> [[UInt8]] {
    calls += 1
    return try ranks.meet(calls, rank, bytes)
  }

  func broadcast(_ bytes: [UInt8]) throws(RankFailure) -> [UInt8] {
    calls += 1
    return try ranks.meet(calls, rank, rank == 0 ? bytes : [])[0]
  }

  func start(_ exchange: FloatExchange) throws(RankFailure) -> any PendingExchange {
    calls += 1
    try ranks.offer(calls, rank, exchange)
    return Pending(calls, rank, ranks)
  }

  func abort(_ message: String) { ranks.fail(RankFailure("rank \(rank) gave up: \(message)")) }

  private final class Pending: PendingExchange {
    private let number: Int
    private let rank: Int
    private let ranks: ThreadRanks
    private var taken: Set<Int> = []
    private var done = false

    init(_ number: Int, _ rank: Int, _ ranks: ThreadRanks) {
      (self.number, self.rank, self.ranks) = (number, rank, ranks)
    }

    func isDone() throws(RankFailure) -> Bool { try collect(waiting: false) }

    func wait() throws(RankFailure) { _ = try collect(waiting: true) }

    private func collect(waiting: Bool) throws(RankFailure) -> Bool {
      if !done { done = try ranks.collect(number, rank, taken: &taken, waiting: waiting) }
      return done
    }
  }
}
