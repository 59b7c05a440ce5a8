// Ranks as threads: who gets what, whatever the order in which they come.

import Glibc
import TestSupport
import Testing

@testable import Ranks

@Suite("Ranks of one process")
struct ThreadRanksTests {
  @Test("everybody's bytes come by rank, and rank 0's to all", arguments: [1, 2, 3, 5])
  func bytes(count: Int) throws {
    let outcomes = try onRanks(count) { rank in
      var seen: [[UInt8]] = []
      for round in 0..<20 {
        if rank.rank == round % count { usleep(300) }
        let own = [UInt8](repeating: UInt8(rank.rank + round), count: rank.rank)
        seen += try rank.allGather(own)
        seen.append(try rank.broadcast([UInt8(rank.rank), UInt8(round)]))
      }
      return seen
    }
    var expected: [[UInt8]] = []
    for round in 0..<20 {
      for rank in 0..<count { expected.append([UInt8](repeating: UInt8(rank + round), count: rank)) }
      expected.append([0, UInt8(round)])
    }
    for seen in outcomes { #expect(seen == expected) }
  }

  @Test("parts of several exchanges under way arrive at their places", arguments: [1, 2, 3, 4])
  func exchanges(count: Int) throws {
    let outcomes = try onRanks(count) { rank in
      // Rank r sends rank k, in exchange e, k + 1 numbers 100 e + 10 r + k.
      let counts = (0..<count).map { $0 + 1 }
      let total = counts.reduce(0, +)
      let own = rank.rank + 1
      let sent = UnsafeMutableBufferPointer<Float>.allocate(capacity: 3 * total)
      let received = UnsafeMutableBufferPointer<Float>.allocate(capacity: 3 * own * count)
      defer {
        sent.deallocate()
        received.deallocate()
      }
      received.initialize(repeating: -1)
      var pending: [any PendingExchange] = []
      for exchange in 0..<3 {
        var parts: [Range<Int>] = []
        var place = exchange * total
        for other in 0..<count {
          let part = place..<(place + counts[other])
          for index in part { sent[index] = Float(100 * exchange + 10 * rank.rank + other) }
          parts.append(part)
          place = part.upperBound
        }
        let first = exchange * own * count
        pending.append(
          try rank.start(
            FloatExchange(
              sent: UnsafeBufferPointer(sent), sentParts: parts, received: received,
              receivedParts: (0..<count).map { (first + $0 * own)..<(first + ($0 + 1) * own) })))
      }
      // In another order than they were started.
      for exchange in pending.reversed() {
        for _ in 0..<3 where try !exchange.isDone() { usleep(100) }
        try exchange.wait()
        #expect(try exchange.isDone())
      }
      return Array(received)
    }
    for (rank, seen) in outcomes.enumerated() {
      var expected: [Float] = []
      for exchange in 0..<3 {
        for other in 0..<count {
          expected += [Float](repeating: Float(100 * exchange + 10 * other + rank), count: rank + 1)
        }
      }
      #expect(seen == expected)
    }
  }

  @Test("one that gives up ends what the others wait for")
  func abort() {
    #expect(throws: RankFailure("rank 2 gave up: no more")) {
      try onRanks(3) { rank in
        if rank.rank == 2 { rank.abort("no more") }
        _ = try rank.allGather([])
      }
    }
  }
}
