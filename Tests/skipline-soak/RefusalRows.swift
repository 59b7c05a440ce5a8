// A system that refuses threads, sockets, pipes and memory, the first, the second, the third and so on: a run makes do
// with less and comes to the same end, or ends with the cause and is resumed to the same end. None hangs, none crashes.

import Foundation

/// How many of a kind are tried, and how many are refused at once.
private struct Refusal {
  var kind: String
  var most: Int
  /// As many as the program tries before it gives up, and one.
  var counts: [Int]
}

func refusals(_ laboratory: Laboratory) throws -> String {
  let shim = try CallShim(laboratory)
  let epochs = 3
  func words(_ run: String) -> [String] {
    ["train"] + laboratory.settings(run, epochs: epochs, threads: 2) + ["--workers", "2"]
  }
  _ = try laboratory.reference("granted", epochs: epochs, threads: 2)
  var (trials, completed, ended) = (0, 0, 0)
  for refusal in [
    Refusal(kind: "thread", most: 16, counts: [1, 1000]), Refusal(kind: "socket", most: 2, counts: [1, 1000]),
    Refusal(kind: "pipe", most: 2, counts: [1000]), Refusal(kind: "memory", most: 24, counts: [1, 1000]),
  ] {
    for count in refusal.counts {
      for number in 1...refusal.most {
        let run = "refused"
        laboratory.remove("runs/\(run)")
        var environment = shim.environment(log: "refusals.txt")
        environment["SOAK_REFUSE"] = refusal.kind
        environment["SOAK_REFUSE_FROM"] = "\(number)"
        environment["SOAK_REFUSE_COUNT"] = "\(count)"
        let what = "\(refusal.kind) \(number), \(count) refused"
        let child = try laboratory.start(words(run), environment: environment)
        let deadline = ContinuousClock.now + .seconds(120)
        while child.poll() == nil {
          try expect(ContinuousClock.now < deadline, "\(what): the run stands still")
          usleep(5_000)
        }
        switch child.wait() {
        case .exited(0): completed += 1
        case .exited(1), .exited(74):
          ended += 1
          let said = laboratory.text("output.txt")
          try expect(said.contains("skipline: "), "\(what): ended without a word: \(said.suffix(300))")
          try laboratory.goOn(run, starting: words(run))
        case let ending: throw Broken("\(what): \(ending): \(laboratory.text("output.txt").suffix(400))")
        }
        try laboratory.expectSame(run, as: "granted")
        trials += 1
      }
    }
  }
  for run in ["granted", "refused"] { laboratory.remove("runs/\(run)") }
  return
    "\(trials) refusals: \(completed) runs made do with less, \(ended) ended with the cause and were resumed; all the same, "
    + "bit for bit"
}
