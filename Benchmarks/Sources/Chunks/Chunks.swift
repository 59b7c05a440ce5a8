// What many threads could gain, on a machine with few: into how many chunks the loops of a step are cut, how long each
// takes on one thread, and how long the step would take if so many threads shared them.

import ArgumentParser
import Foundation
import Measuring
import Messages
import Tensors

@main
struct Chunks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chunks",
    abstract: "Counts the chunks of a step's loops and reckons what many threads could gain.",
    discussion: """
      Every chunk is timed on one thread. For more threads the chunks of a loop are given out, each to the first that is \
      free; what lies between loops stays as it is. Threads are taken to disturb each other in nothing: neither memory nor \
      telling them of a loop costs anything. So it says what the cuts and the serial part allow, not what a machine does.
      """)

  @Option(help: "net/size/batch; several, with commas.") var rows =
    "cifar20/32/128,resnet18/64/64,resnet18/224/16,resnet50/64/32,resnet50/224/16"
  @Option(help: "Steps that are timed; of each loop the fastest counts.") var steps = 3
  @Option(help: "Numbers of threads, with commas.") var threads = "2,8,16,32,64"
  @Option(help: "How many places in the source to list for each row.") var places = 8

  func run() throws {
    let counts = threads.split(separator: ",").compactMap { Int($0) }
    for row in rows.split(separator: ",") {
      let parts = row.split(separator: "/")
      guard parts.count == 3, let size = Int(parts[1]), let batch = Int(parts[2]) else {
        throw ValidationError("\(row): a row is net/size/batch")
      }
      let step = try TimedStep(
        Workload(net: String(parts[0]), size: size, batch: batch, mode: .train), steps: steps)
      step.print(name: String(row), threads: counts, places: places)
    }
  }
}

/// The loops of a step, and what it takes besides.
struct TimedStep {
  var loops: [LoopLog.Loop]
  /// Seconds outside of loops.
  var serial: Double
  var all: Double { serial + loops.reduce(0) { $0 + $1.seconds.reduce(0, +) } }

  init(_ workload: Workload, steps: Int) throws {
    let log = LoopLog()
    let prepared = try PreparedWorkload(workload, pool: ThreadPool(writing: log))
    prepared.step()
    _ = log.taken()
    loops = []
    serial = .infinity
    for _ in 0..<max(1, steps) {
      let start = Clock.wall.seconds
      prepared.step()
      let wall = Clock.wall.seconds - start
      let taken = log.taken()
      serial = min(serial, wall - taken.reduce(0) { $0 + $1.seconds.reduce(0, +) })
      // Steps are alike, loop by loop and chunk by chunk.
      guard !loops.isEmpty else {
        loops = taken
        continue
      }
      for (index, loop) in taken.enumerated() {
        for (chunk, seconds) in loop.seconds.enumerated() {
          loops[index].seconds[chunk] = min(loops[index].seconds[chunk], seconds)
        }
      }
    }
  }

  func seconds(threads: Int) -> Double { serial + loops.reduce(0) { $0 + $1.seconds(threads: threads) } }

  /// Whether a loop is one of products, which stay in the caches; others pass over memory.
  private func multiplies(_ loop: LoopLog.Loop) -> Bool {
    ["Convolution", "GEMM", "Winograd", "Dense", "PackedWeights"].contains { loop.place.contains($0) }
  }

  private func share(_ loops: [LoopLog.Loop]) -> Double {
    loops.reduce(0) { $0 + $1.seconds.reduce(0, +) } / all
  }

  func print(name: String, threads: [Int], places: Int) {
    func percent(_ value: Double) -> String { String(format: "%.2f %%", 100 * value) }
    func out(_ line: String) { Swift.print(line) }
    out(
      "\(name): \(loops.count) loops, \(String(format: "%.1f", all * 1e3)) ms; outside of loops \(percent(serial / all)), "
        + "passes over memory \(percent(share(loops.filter { !multiplies($0) })))")
    let limits = [1, 2, 4, 8, 16, 32, 64]
    out(
      "  time in loops of at most so many chunks: "
        + limits.map { most in "\(most): \(percent(share(loops.filter { $0.seconds.count <= most })))" }
        .joined(separator: ", "))
    out(
      "  speed by threads: "
        + threads.map { count in
          let gain = all / seconds(threads: count)
          return "\(count): \(String(format: "%.1f", gain)) (\(percent(gain / Double(count))))"
        }.joined(separator: ", "))
    guard let most = threads.max() else { return }
    // Where the time goes that the threads wait: what a place takes beyond its share of all threads.
    let byPlace = Dictionary(grouping: loops, by: \.place)
    let lost = byPlace.mapValues { loops in
      loops.reduce(0) { $0 + $1.seconds(threads: most) - $1.seconds.reduce(0, +) / Double(most) }
    }
    out("  what waits at \(most) threads, of their step:")
    out("    \(percent(serial / seconds(threads: most)))  outside of loops")
    for (place, seconds) in lost.sorted(by: { $0.value > $1.value }).prefix(places) {
      let chunks = (byPlace[place] ?? []).map(\.seconds.count)
      out(
        "    \(percent(seconds / self.seconds(threads: most)))  \(place): \(chunks.count) loops of "
          + "\(chunks.min() ?? 0) to \(chunks.max() ?? 0) chunks")
    }
  }
}
