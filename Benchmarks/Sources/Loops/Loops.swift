// What a parallel loop of the thread pool costs by itself: empty ones, after pauses of different lengths, and loops of
// so much work in turn on one thread and on several.

import ArgumentParser
import CAllocations
import CMeasuring
import Foundation
import Measuring
import Tensors

@main
struct Loops: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loops", abstract: "Times the thread pool's loops: their latency, and what threads gain.",
    discussion: "With --busy as many threads as there are processors compute beside it all the time.")

  @Option(help: "Threads of the pool.") var threads = 2
  @Option(help: "Chunks of each loop.") var chunks = ThreadPool.standardChunks
  @Flag(help: "Keep every processor busy with something else.") var busy = false

  func run() {
    if busy { Self.keepProcessorsBusy() }
    let pool = ThreadPool(threads: threads)
    print("empty loops of \(chunks) chunks on \(threads) threads\(busy ? ", all processors busy" : "")")
    let pauses = TextTable([
      .init("after a pause of", -18), .init("median us", 10), .init("least", 8), .init("90%", 8),
    ])
    pauses.printHeader()
    for pause in [0, 5, 20, 100, 1000, 10_000] {
      let times = latencies(pool, pause: Double(pause) * 1e-6)
      pauses.printRow([
        "\(pause) us", times[times.count / 2].text(2), times[0].text(2), times[times.count * 9 / 10].text(2),
      ])
    }
    ca_start()
    for _ in 0..<1000 { pool.run(chunks: chunks) { _ in } }
    let allocations = ca_stop()
    if ca_can_count() != 0 {
      print("\(Double(allocations.calls) / 1000) allocations a loop, \(Double(allocations.bytes) / 1000) bytes")
    }

    print("\nloops of work: the time that passes on one thread over that on \(threads)")
    let gains = TextTable([
      .init("work of a loop", -18), .init("one us", 10), .init("\(threads) us", 10), .init("gain", 6),
      .init("of the best", 12),
    ])
    gains.printHeader()
    let alone = ThreadPool(threads: 1)
    for turns in [10, 100, 1000, 10_000, 100_000] as [UInt64] {
      let (one, several) = seconds(alone, pool, turns)
      gains.printRow([
        "\(chunks) x \(turns) turns", (one.median * 1e6).figure, (several.median * 1e6).figure,
        (one.median / several.median).text(2), (one.least / several.least).text(2),
      ])
    }
  }

  /// Microseconds of empty loops, in order of size; before each, this thread computes for `pause` seconds.
  private func latencies(_ pool: ThreadPool, pause: Double) -> [Double] {
    let count = pause > 0.001 ? 50 : 1000
    return (0..<count).map { _ in
      let end = Clock.wall.seconds + pause
      while Clock.wall.seconds < end { _ = cm_multiply_adds(20) }
      return Clock.wall.time { pool.run(chunks: chunks) { _ in } } * 1e6
    }.sorted()
  }

  /// Of one loop whose chunks compute for so many turns, by one pool and by another, in turn.
  private func seconds(_ one: ThreadPool, _ other: ThreadPool, _ turns: UInt64) -> (Spread, Spread) {
    let loops = max(1, 2000 / Int(turns))
    func time(_ pool: ThreadPool) -> Double {
      Clock.wall.time {
        for _ in 0..<loops { pool.run(chunks: chunks) { _ in _ = cm_multiply_adds(turns) } }
      } / Double(loops)
    }
    let pairs = (0..<40).map { _ in (time(one), time(other)) }
    return (Spread(pairs.map(\.0)), Spread(pairs.map(\.1)))
  }

  private static func keepProcessorsBusy() {
    for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
      let thread = Thread { while true { _ = cm_multiply_adds(1_000_000) } }
      thread.start()
    }
  }
}
