// A program for tests and for checking the model of scaling: ranks that do nothing but exchange. It is started by
// mpirun; what goes wrong, it does itself or has done to it.

import ArgumentParser
import Foundation
import MPIRanks
import Ranks

@main
struct Probe: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ranks-probe", abstract: "Exchanges numbers among ranks, under mpirun.",
    subcommands: [Sum.self, Go.self, Time.self])
}

/// A line on standard output, at once: whoever reads it may end this process.
func report(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

/// What every subcommand has, and how it begins and ends as the program does.
struct ProbeOptions: ParsableArguments {
  @Argument(help: "The library that scripts/build-mpi made.") var library: String
  @Option(help: "Seconds to wait for a sign of life.") var silence = 30
  @Option(help: "Seconds to wait for a rank that is alive.") var patience = 3600

  func run(_ body: (MPICommunicator) throws -> Void) throws -> Never {
    var limits = MPICommunicator.Limits()
    limits.silence = .seconds(silence)
    limits.patience = .seconds(patience)
    let ranks = try MPICommunicator(MPILibrary(path: library), limits: limits)
    do {
      try body(ranks)
      try ranks.leave()
    } catch {
      ranks.abort("\(error)")
      if ranks.speaks { FileHandle.standardError.write(Data("probe: \(error)\n".utf8)) }
      ranks.abandon(status: 1)
    }
    Foundation.exit(0)
  }
}

/// Twelve summands of so many numbers, laid on the ranks in blocks and added in one order wherever they lie.
struct Sum: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Prints a checksum that is the same on 1 to 12 ranks.")
  static let summands = 12

  @OptionGroup var options: ProbeOptions
  @Option var count = 10_000
  @Option var rounds = 3

  func run() throws {
    try options.run { ranks in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for round in 0..<rounds {
        for number in try sum(round, ranks) {
          hash = (hash ^ UInt64(number.bitPattern)) &* 0x100_0000_01b3
        }
      }
      // All have the same, and say so.
      let all = try ranks.allGather(Array("\(hash)".utf8))
      guard Set(all).count == 1 else { throw RankFailure("ranks have different sums") }
      let first = try ranks.broadcast(Array("from rank \(ranks.rank)".utf8))
      if ranks.rank == 0 {
        report("sum \(String(hash, radix: 16)) \(String(decoding: first, as: UTF8.self)) ranks \(ranks.size)")
      }
    }
  }

  /// Summand k at i: numbers of very different size, whose sum depends on the order.
  private func summand(_ index: Int, _ round: Int) -> [Float] {
    (0..<count).map { i in
      let bits =
        UInt32(truncatingIfNeeded: (i &* 2_654_435_761) ^ (index &* 40_503) ^ (round &* 97)) &* 2_246_822_519
      return Float(bits >> 8)
        * Float(sign: bits & 1 == 0 ? .plus : .minus, exponent: Int(bits >> 3 & 15) - 24, significand: 1)
    }
  }

  private func part(_ index: Int, of parts: Int, count: Int) -> Range<Int> {
    (count * index / parts)..<(count * (index + 1) / parts)
  }

  /// Every rank sends each owner its slice of its summands, the owners add in the order of the summands, and everyone
  /// gathers the slices.
  private func sum(_ round: Int, _ ranks: MPICommunicator) throws -> [Float] {
    let own = part(ranks.rank, of: ranks.size, count: Self.summands)
    let slice = part(ranks.rank, of: ranks.size, count: count)
    var sent: [Float] = []
    var sentParts: [Range<Int>] = []
    for rank in 0..<ranks.size {
      let begin = sent.count
      for index in own { sent += summand(index, round)[part(rank, of: ranks.size, count: count)] }
      sentParts.append(begin..<sent.count)
    }
    var receivedParts: [Range<Int>] = []
    for rank in 0..<ranks.size {
      let begin = receivedParts.last?.upperBound ?? 0
      receivedParts.append(begin..<begin + part(rank, of: ranks.size, count: Self.summands).count * slice.count)
    }
    let summands = try exchanged(sent, sentParts, receivedParts, ranks)
    let sums = (0..<slice.count).map { i in
      (1..<Self.summands).reduce(summands[i]) { $0 + summands[$1 * slice.count + i] }
    }
    let slices = (0..<ranks.size).map { part($0, of: ranks.size, count: count) }
    return try exchanged(sums, Array(repeating: 0..<sums.count, count: ranks.size), slices, ranks)
  }
}

/// Exchanges, and waits.
func exchanged(
  _ sent: [Float], _ sentParts: [Range<Int>], _ receivedParts: [Range<Int>], _ ranks: MPICommunicator
) throws -> [Float] {
  var received = [Float](repeating: .nan, count: receivedParts.last?.upperBound ?? 0)
  try sent.withUnsafeBufferPointer { sent in
    try received.withUnsafeMutableBufferPointer { received in
      try ranks.start(
        FloatExchange(sent: sent, sentParts: sentParts, received: received, receivedParts: receivedParts)
      ).wait()
    }
  }
  return received
}

/// Goes on until something happens.
struct Go: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Meets again and again; prints each rank's process before, and rank 0 that it goes on.")

  enum Deed: String, ExpressibleByArgument, CaseIterable { case end, giveUp, hang }

  @OptionGroup var options: ProbeOptions
  @Option(help: "What one rank does after fifty meetings.") var deed: Deed?
  @Option(help: "Which.") var by = 0

  func run() throws {
    try options.run { ranks in
      let processes = try ranks.allGather(Array("\(getpid())".utf8)).map { String(decoding: $0, as: UTF8.self) }
      if ranks.rank == 0 { report("processes \(processes.joined(separator: " "))") }
      for meeting in 0... {
        _ = try ranks.broadcast(Array("\(meeting)".utf8))
        // Unlike a broadcast, which rank 0 may be through with before anybody has it.
        _ = try ranks.allGather([UInt8(truncatingIfNeeded: meeting)])
        if ranks.rank == 0, meeting == 10 { report("going on") }
        if meeting == 50, ranks.rank == by, let deed { try act(deed) }
        usleep(10_000)
      }
    }
  }

  private func act(_ deed: Deed) throws {
    switch deed {
    case .end: _exit(3)
    case .giveUp: throw RankFailure("the disk is full")
    case .hang: while true { sleep(1000) }
    }
  }
}

/// What an exchange costs.
struct Time: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times sums of so many bytes: an exchange of slices, and gathering them.")

  @OptionGroup var options: ProbeOptions
  @Option(help: "Bytes of all numbers that are summed; several, with commas.") var bytes = "4000,1000000,10000000"
  @Option var rounds = 5

  func run() throws {
    try options.run { ranks in
      if ranks.rank == 0 { report("\(ranks.size) ranks, \(ranks.library)") }
      for size in bytes.split(separator: ",").compactMap({ Int($0) }) {
        var seconds: [Double] = []
        for _ in 0...rounds { seconds.append(try time(size / 4, ranks)) }
        // The first makes connections.
        let sorted = seconds.dropFirst().sorted()
        if ranks.rank == 0 {
          report(
            "bytes \(size) seconds \(sorted[sorted.count / 2]) least \(sorted[0]) most \(sorted[sorted.count - 1])")
        }
      }
    }
  }

  private func time(_ count: Int, _ ranks: MPICommunicator) throws -> Double {
    let numbers = [Float](repeating: 1, count: count)
    let slices = (0..<ranks.size).map { count * $0 / ranks.size..<count * ($0 + 1) / ranks.size }
    let own = slices[ranks.rank].count
    _ = try ranks.allGather([])
    let began = ContinuousClock.now
    let parts = (0..<ranks.size).map { $0 * own..<($0 + 1) * own }
    let received = try exchanged(numbers, slices, parts, ranks)
    _ = try exchanged(
      Array(received.prefix(own)), Array(repeating: 0..<own, count: ranks.size), slices, ranks)
    _ = try ranks.allGather([])
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }
}
