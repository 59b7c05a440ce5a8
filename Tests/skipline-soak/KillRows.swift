// Runs that are killed, at random moments and at chosen ones, and resumed: the checkpoints are whole after each kill,
// and in the end nothing tells the run from one that was left in peace.

import Foundation
import Support
import Training

/// Kills runs again and again, every second time as soon as a file is being written.
func randomKills(_ laboratory: Laboratory) throws -> String {
  var random = laboratory.random(1)
  var tally = Tally()
  var runs = 0
  let epochs = 40
  while tally.kills < laboratory.kills {
    runs += 1
    let (reference, run) = ("whole-\(runs)", "killed-\(runs)")
    // The two have different numbers of threads, which must not matter.
    let (threads, others) = runs % 2 == 0 ? (1, 2) : (2, 1)
    let time = try laboratory.reference(reference, epochs: epochs, seed: runs, threads: others)
    let quota = min(25, laboratory.kills - tally.kills)
    // On the average such that the kills are spread over the whole run.
    let span = 2 * (time.first + (time.total - time.first) / Double(quota))
    try suffer(
      run, laboratory, starting: ["train"] + laboratory.settings(run, epochs: epochs, seed: runs, threads: threads),
      quota: quota, span: span, &random, &tally)
    try laboratory.expectSame(run, as: reference)
    laboratory.remove("runs/\(reference)")
    laboratory.remove("runs/\(run)")
  }
  return
    "\(tally.kills) kills, \(tally.whileSaving) of them while a file was written, \(tally.beforeFirst) before the "
    + "first save; \(tally.verified) checkpoints verified; \(runs) runs bit-identical"
}

private struct Tally {
  var kills = 0
  var whileSaving = 0
  var beforeFirst = 0
  var verified = 0
}

/// One run, killed and resumed until it ends or the kills are used up, and then to its end.
private func suffer(
  _ run: String, _ laboratory: Laboratory, starting: [String], quota: Int, span: Double,
  _ random: inout RandomGenerator, _ tally: inout Tally
) throws {
  for number in 0..<quota {
    let begun = laboratory.exists("runs/\(run)/run.json")
    if !begun { laboratory.remove("runs/\(run)") }
    let child = try laboratory.start(begun ? ["train", "--resume", "runs/\(run)"] : starting)
    usleep(UInt32(span * Double(random.integer(below: 1000)) * 1000))
    if number % 2 == 0 {
      let deadline = ContinuousClock.now + .seconds(2)
      while child.poll() == nil, ContinuousClock.now < deadline, !isSaving("runs/\(run)") {}
    }
    child.send(SIGKILL)
    switch child.wait() {
    case .exited(0): return
    case .exited(Laboratory.nothingToResume) where begun: laboratory.remove("runs/\(run)")
    case .exited(let status):
      throw Broken("status \(status) in the middle of \(run): \(laboratory.text("output.txt").suffix(400))")
    case .killed: tally.kills += 1
    }
    let left = try laboratory.verify(run)
    tally.verified += left.checkpoints
    if left.leftovers > 0 { tally.whileSaving += 1 }
    if !laboratory.exists("runs/\(run)/checkpoints/last.safetensors") { tally.beforeFirst += 1 }
  }
  try laboratory.goOn(run, starting: starting)
  try expect(try laboratory.verify(run).leftovers == 0, "\(run): a leftover of a save was not swept")
}

/// Whether a checkpoint is being written.
private func isSaving(_ folder: String) -> Bool {
  guard let entries = opendir("\(folder)/checkpoints") else { return false }
  defer { closedir(entries) }
  while let entry = readdir(entries) {
    // A temporary file's name begins with a dot, and is longer than "..".
    if entry.pointee.d_name.0 == 46, entry.pointee.d_name.1 != 46, entry.pointee.d_name.1 != 0 { return true }
  }
  return false
}

/// Kills a run right before each of the system calls that its saves are made of.
func killsAtCalls(_ laboratory: Laboratory) throws -> String {
  let shim = try CallShim(laboratory)
  let epochs = 3
  _ = try laboratory.reference("whole", epochs: epochs)
  let starting = ["train"] + laboratory.settings("called", epochs: epochs)
  let calls = try shim.record(starting, log: "calls.txt").count
  laboratory.remove("runs/called")
  // Evenly among all of them.
  let count = min(calls, max(10, laboratory.kills))
  var (resumed, anew) = (0, 0)
  for number in 0..<count {
    let call = number * calls / count + 1
    let ending = try laboratory.finish(starting, environment: shim.environment(log: "calls.txt", killAt: call))
    try expect(ending == .killed(signal: SIGKILL), "\(ending) before call \(call): the shim did not work")
    try laboratory.verify("called")
    if try laboratory.goOn("called", starting: starting) { resumed += 1 } else { anew += 1 }
    try laboratory.expectSame("called", as: "whole")
    laboratory.remove("runs/called")
  }
  laboratory.remove("runs/whole")
  return
    "killed before \(count) of \(calls) calls; \(resumed) resumed, \(anew) begun anew; all bit-identical"
}
