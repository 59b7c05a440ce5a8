// The screen and the engine are killed in turn: each outlives the other, nothing stays behind, and the run ends as if
// nothing had happened.

import Foundation
import TestSupport
import Training

/// How many of the kills that need a screen, which takes a while to open.
private func count(_ laboratory: Laboratory) -> Int { max(3, laboratory.kills / 20) }

/// The workbench on a terminal of its own, with a run under way.
private struct OpenScreen {
  let terminal: PseudoTerminal
  let screen: Child

  init(_ laboratory: Laboratory, run: String, epochs: Int) throws {
    let terminal = try PseudoTerminal()
    self.terminal = terminal
    screen = try Child(
      [laboratory.skipline] + laboratory.settings(run, epochs: epochs), terminal: terminal.programEnd)
    terminal.handedOver()
    // A key before the screen is there would be thrown away.
    try waitUntil("a run from the screen", every: 100_000) {
      if !laboratory.exists("runs/\(run)") { terminal.type(" \r") }
      return laboratory.exists("runs/\(run)/engine.sock")
    }
  }
}

private func engine(of run: String) throws -> Int32 {
  var holder: Int32?
  try waitUntil("an engine of \(run)") {
    holder = RunLock.holder(of: try RunFolder(existing: "runs/\(run)"))
    return holder ?? 0 > 0
  }
  return holder ?? 0
}

/// Kills screens; their engines train on, are stopped from a shell, and resumed to the end.
func screenKills(_ laboratory: Laboratory) throws -> String {
  var random = laboratory.random(2)
  let epochs = 300
  _ = try laboratory.reference("whole", epochs: epochs)
  var (stopped, finished) = (0, 0)
  for _ in 0..<count(laboratory) {
    let open = try OpenScreen(laboratory, run: "seen", epochs: epochs)
    let engine = try engine(of: "seen")
    usleep(UInt32(random.integer(below: 300_000)))
    open.screen.send(SIGKILL)
    _ = open.screen.wait()
    open.terminal.breakDown()
    let step = try laboratory.loggedSteps("seen")
    let total = try laboratory.loggedSteps("whole")
    try waitUntil("a step of the engine without its screen") {
      let now = try laboratory.loggedSteps("seen")
      return now > step || now == total
    }
    let ending = try laboratory.finish(["stop", "runs/seen"])
    if ending == .exited(0) { stopped += 1 } else { finished += 1 }
    try waitUntil("the end of the engine") { kill(engine, 0) != 0 || isZombie(engine) }
    try laboratory.verify("seen")
    try laboratory.resumeToEnd("seen")
    try laboratory.expectSame("seen", as: "whole")
    laboratory.remove("runs/seen")
  }
  laboratory.remove("runs/whole")
  return
    "\(count(laboratory)) screens killed, every engine trained on; \(stopped) runs stopped and resumed, \(finished) "
    + "had ended by then; all bit-identical"
}

/// Of a process whose parent was killed too, and whose new one does not ask after it.
private func isZombie(_ process: Int32) -> Bool {
  let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
  return status.isEmpty || status.contains("State:\tZ")
}

/// Kills engines; their screens stay, no zombie does, and the runs are resumed to the end.
func engineKills(_ laboratory: Laboratory) throws -> String {
  var random = laboratory.random(3)
  let epochs = 300
  _ = try laboratory.reference("whole", epochs: epochs)
  var anew = 0
  for _ in 0..<count(laboratory) {
    let open = try OpenScreen(laboratory, run: "seen", epochs: epochs)
    let engine = try engine(of: "seen")
    usleep(UInt32(random.integer(below: 300_000)))
    kill(engine, SIGKILL)
    // The screen asks after its child: the number is free again.
    try waitUntil("the end of the engine, without a zombie", atMost: 5) { kill(engine, 0) != 0 }
    usleep(50_000)
    try expect(open.screen.poll() == nil, "the screen ended with its engine")
    open.screen.send(SIGTERM)
    let ending = try open.screen.wait(atMost: 20)
    try expect(ending == .exited(128 + SIGTERM), "the screen ended with \(ending)")
    open.terminal.breakDown()
    try laboratory.verify("seen")
    if laboratory.exists("runs/seen/checkpoints/last.safetensors") {
      try laboratory.resumeToEnd("seen")
      try laboratory.expectSame("seen", as: "whole")
    } else {
      anew += 1
    }
    laboratory.remove("runs/seen")
  }
  laboratory.remove("runs/whole")
  return
    "\(count(laboratory)) engines killed, no zombie, every screen stayed; \(anew) had saved nothing yet, the others "
    + "were resumed and are bit-identical"
}

/// Stops and continues a run at random.
func stopStorm(_ laboratory: Laboratory) throws -> String {
  var random = laboratory.random(4)
  let epochs = 300
  _ = try laboratory.reference("whole", epochs: epochs)
  let child = try laboratory.start(["train"] + laboratory.settings("stopped", epochs: epochs, threads: 2))
  var stops = 0
  while child.poll() == nil {
    child.send(SIGSTOP)
    usleep(UInt32(random.integer(below: 8000)))
    child.send(SIGCONT)
    usleep(UInt32(random.integer(below: 8000)))
    stops += 1
  }
  try expect(child.wait() == .exited(0), "the run ended with \(child.wait())")
  try laboratory.expectSame("stopped", as: "whole")
  for run in ["whole", "stopped"] { laboratory.remove("runs/\(run)") }
  return "\(stops) stops; bit-identical"
}
