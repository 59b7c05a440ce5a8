// Runs on several ranks of which one is killed, and that go on with another number of ranks: in the end nothing tells them
// from a run of one process that was left in peace.

import Foundation
import Support

/// Kills a random rank of a run again and again, at random moments.
func rankKills(_ laboratory: Laboratory) throws -> String {
  try expect(
    laboratory.exists(
      (laboratory.skipline as NSString).deletingLastPathComponent + "/libskipline-mpi.so"),
    "there is no libskipline-mpi.so beside \(laboratory.skipline): make build MPI=1")
  var random = laboratory.random(9)
  let wanted = min(100, laboratory.kills)
  var (kills, runs, resumed, verified) = (0, 0, 0, 0)
  var onRanks = [0, 0, 0, 0]
  while kills < wanted {
    runs += 1
    let (reference, run) = ("alone-\(runs)", "ranks-\(runs)")
    let epochs = 30
    func starting(_ name: String, threads: Int) -> [String] {
      ["train"] + laboratory.settings(name, epochs: epochs, seed: runs, threads: threads) + ["--replicas", "4"]
        + (runs % 2 == 0 ? ["--sync-norm"] : [])
    }
    let begin = ContinuousClock.now
    try expect(
      try laboratory.finish(starting(reference, threads: 2)) == .exited(0),
      "the run without any fault failed: \(laboratory.text("output.txt").suffix(400))")
    let total = (ContinuousClock.now - begin).seconds
    let quota = min(12, wanted - kills)
    var (killed, isOver) = (0, false)
    while !isOver {
      let ranks = 1 + random.integer(below: 4)
      let hasBegun = laboratory.exists("runs/\(run)/checkpoints/last.safetensors")
      if !hasBegun { laboratory.remove("runs/\(run)") }
      let words = hasBegun ? ["train", "--resume", "runs/\(run)"] : starting(run, threads: 1)
      if hasBegun { resumed += 1 }
      let before = saved(run)
      let child = try laboratory.start(ranks: ranks, words)
      guard killed < quota else {
        let ending = try child.wait(atMost: 300)
        try expect(
          ending == .exited(0), "\(run) on \(ranks) ranks: \(ending): \(laboratory.text("output.txt").suffix(400))")
        break
      }
      // Not before all are there; every third time at a random moment of starting, else some time after a save.
      let found = try laboratory.ranks(of: child, count: ranks)
      if random.integer(below: 3) > 0 {
        try waitUntil("a save of \(run)") { saved(run) != before || child.poll() != nil }
        usleep(UInt32(4 * total / Double(epochs) * Double(random.integer(below: 1000)) * 1000))
      } else {
        usleep(UInt32(random.integer(below: 2_000_000)))
      }
      let wasRunning = child.poll() == nil && !found.isEmpty
      if wasRunning { kill(found[random.integer(below: found.count)], SIGKILL) }
      let ending = try child.wait(atMost: 90)
      isOver = ending == .exited(0)
      try waitUntil("the end of all ranks", atMost: 60) { laboratory.processes().isEmpty }
      guard !isOver else { break }
      try expect(
        wasRunning, "\(run) on \(ranks) ranks: \(ending): \(laboratory.text("output.txt").suffix(400))")
      (kills, killed) = (kills + 1, killed + 1)
      onRanks[ranks - 1] += 1
      verified += try laboratory.verify(run).checkpoints
    }
    try laboratory.expectSame(run, as: reference)
    laboratory.remove("runs/\(reference)")
    laboratory.remove("runs/\(run)")
  }
  let counts = onRanks.map { "\($0)" }.joined(separator: "/")
  return "\(kills) kills, on 1/2/3/4 ranks \(counts); \(resumed) times resumed; \(verified) checkpoints verified; "
    + "\(runs) runs bit-identical to one on one rank"
}

/// When `last` was saved, as the file system has it; nil where it was not.
private func saved(_ run: String) -> [Int]? {
  var facts = stat()
  guard stat("runs/\(run)/checkpoints/last.safetensors", &facts) == 0 else { return nil }
  return [facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec]
}

extension Laboratory {
  /// Starts the program as so many ranks.
  fileprivate func start(ranks: Int, _ words: [String]) throws -> Child {
    guard ranks > 1 else { return try start(words) }
    return try Child(
      ["mpirun", "-n", "\(ranks)", skipline] + words, output: "output.txt",
      environment: [
        // Open MPI is to start more ranks than there are processors, and as root.
        "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      ])
  }

  /// The processes of the program that work here.
  fileprivate func processes() -> [pid_t] {
    let here = FileManager.default.currentDirectoryPath
    let files = FileManager.default
    return ((try? files.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter { number in
      (try? files.destinationOfSymbolicLink(atPath: "/proc/\(number)/cwd")) == here
        && (try? files.destinationOfSymbolicLink(atPath: "/proc/\(number)/exe")) == skipline
    }
  }

  /// Waits until so many ranks are there, or their start has failed.
  fileprivate func ranks(of child: Child, count: Int) throws -> [pid_t] {
    var found: [pid_t] = []
    try waitUntil("\(count) ranks") {
      found = processes()
      return found.count >= count || child.poll() != nil
    }
    return found
  }
}
