// The tables of steps: ours beside the peer's, memory and allocations, several threads beside one.

import Foundation
import Measuring

/// Several processes of one program in one row.
struct Runs {
  let row: Row
  private(set) var figures: [StepFigures] = []
  /// Images/s of each, by CPU or wall time.
  private(set) var speeds: [Double] = []

  init(_ row: Row) { self.row = row }

  mutating func add(_ new: StepFigures, _ clock: Clock) {
    figures.append(new)
    speeds.append(clock == .cpu ? new.imagesPerCPUSecond : new.imagesPerSecond)
  }

  var speed: Spread { Spread(speeds) }
  /// The greatest of all, MiB.
  var peakMemory: Double { figures.map(\.peakMemoryMB).max() ?? 0 }
}

/// Prints our engine beside the peer's, in pairs of processes that alternate.
/// - Returns: ours.
func comparePairs(
  _ rows: [Row], ours: StepProgram, peer: StepProgram?, pairs: Int, steps: Int, threads: Int, _ log: ResultsLog
) throws -> [Runs] {
  let clock = Clock(forThreads: threads)
  let unit = clock == .cpu ? "images per CPU second" : "images/s, wall time"
  print(
    "\(unit), \(plural(threads, "thread", "threads")): medians of \(plural(pairs, "process", "processes")) (least..greatest), "
      + "\(plural(steps, "step", "steps")) each after one")
  let table = TextTable([
    .init("network", -9), .init("px", 4), .init("batch", 5), .init("", -10), .init("skipline", 22),
    .init(peer?.name ?? "", 22), .init("layout", -13), .init("ratio", 17), .init("MiB", 6), .init("peer", 6),
    .init("ratio", 5),
  ])
  table.printHeader()
  return try rows.map { row in
    var (mine, theirs) = (Runs(row), Runs(row))
    // The layout that is better for this row: each is tried once, not counted.
    let tried = try (peer?.layouts ?? []).map { layout -> (layout: String, speed: Double) in
      guard let figures = try peer?.measure(row, steps: steps, threads: threads, layout: layout) else {
        return (layout, 0)
      }
      return (layout, clock == .cpu ? figures.imagesPerCPUSecond : figures.imagesPerSecond)
    }
    let layout = tried.max { $0.speed < $1.speed }?.layout
    for pair in 1...pairs {
      mine.add(try ours.measure(row, steps: steps, threads: threads), clock)
      if let peer { theirs.add(try peer.measure(row, steps: steps, threads: threads, layout: layout), clock) }
      let both = [mine, theirs].compactMap { $0.speeds.last?.figure }.joined(separator: " ")
      complain("\(row.text), pair \(pair): \(both)")
    }
    for figures in mine.figures + theirs.figures { try log.add(figures) }
    printRow(row, mine, theirs, layout, table)
    return mine
  }
}

private func printRow(_ row: Row, _ mine: Runs, _ theirs: Runs, _ layout: String?, _ table: TextTable) {
  let workload = row.workload
  var cells = [workload.net, "\(workload.size)", "\(workload.batch)", workload.modeText, text(mine.speed)]
  if theirs.speeds.isEmpty {
    cells += ["-", "-", "-", mine.peakMemory.text(0), "-", "-"]
  } else {
    // Of each pair, because both of a pair saw the machine in much the same state.
    let ratios = Spread(zip(mine.speeds, theirs.speeds).map { $0 / $1 })
    cells += [
      text(theirs.speed), layout ?? "",
      "\(ratios.median.text(2)) (\(ratios.least.text(2))..\(ratios.greatest.text(2)))", mine.peakMemory.text(0),
      theirs.peakMemory.text(0), (mine.peakMemory / theirs.peakMemory).text(2),
    ]
  }
  table.printRow(cells)
}

/// Prints peak memory beside the estimate, and what a warm step asks of allocator and system.
func printMemory(_ runs: [Runs]) {
  print("\npeak memory of the process beside the summary's estimate, MiB; what a warm step asks for")
  let table = TextTable([
    .init("network", -9), .init("px", 4), .init("batch", 5), .init("", -10), .init("peak", 8), .init("estimate", 8),
    .init("ratio", 5), .init("allocations", 12), .init("bytes", 10), .init("pages", 6),
  ])
  table.printHeader()
  for row in runs {
    guard let last = row.figures.last else { continue }
    let workload = row.row.workload
    table.printRow([
      workload.net, "\(workload.size)", "\(workload.batch)", workload.modeText, row.peakMemory.text(0),
      last.estimatedMemoryMB?.text(0) ?? "-", last.estimatedMemoryMB.map { (row.peakMemory / $0).text(2) } ?? "-",
      last.allocations.map(String.init) ?? "-", last.allocatedBytes.map(String.init) ?? "-",
      last.pageFaults.map(String.init) ?? "-",
    ])
  }
}

/// Prints several threads beside one, by the time that passes.
func compareThreads(
  _ rows: [Row], _ ours: StepProgram, several: Int, pairs: Int, steps: Int, _ log: ResultsLog
) throws {
  print(
    "\nimages/s, wall time, \(several) threads beside one: medians of \(plural(pairs, "process", "processes")) (least..greatest)"
  )
  let table = TextTable([
    .init("network", -9), .init("px", 4), .init("batch", 5), .init("", -10), .init("1 thread", 22),
    .init("\(several) threads", 22), .init("ratio", 17),
  ])
  table.printHeader()
  for row in rows {
    var (one, more) = (Runs(row), Runs(row))
    for pair in 1...pairs {
      one.add(try ours.measure(row, steps: steps, threads: 1), .wall)
      more.add(try ours.measure(row, steps: steps, threads: several), .wall)
      complain("\(row.text), threads, pair \(pair)")
    }
    for figures in one.figures + more.figures { try log.add(figures) }
    let ratios = Spread(zip(more.speeds, one.speeds).map { $0 / $1 })
    let workload = row.workload
    table.printRow([
      workload.net, "\(workload.size)", "\(workload.batch)", workload.modeText, text(one.speed),
      text(more.speed), "\(ratios.median.text(2)) (\(ratios.least.text(2))..\(ratios.greatest.text(2)))",
    ])
  }
}

/// `257.5 (250.1..260.3)`
private func text(_ spread: Spread) -> String {
  "\(spread.median.figure) (\(spread.least.figure)..\(spread.greatest.figure))"
}

func plural(_ count: Int, _ one: String, _ more: String) -> String { "\(count) \(count == 1 ? one : more)" }
