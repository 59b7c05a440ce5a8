// What may happen to the processes of a run without a screen, and what is promised then: no run is lost, none is
// trained twice, and everybody who asks is told the truth.

import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct ProcessFaultTests {
  @Test func `one process trains a run, the second is told which; kill -9 frees it`() async throws {
    let workspace = try Workspace()
    let first = try await workspace.startLongRun()
    let second = try await workspace.skipline("train", "--resume", "runs/long")
    #expect(second.status == 75)
    #expect(second.errors.contains("process \(first.number)"))
    first.send(SIGKILL)
    #expect(try await first.finish().status == 137)
    let third = try RunningProgram(["skipline", "train", "--resume", "runs/long"], in: workspace)
    try await third.waitForErrors("/1000000  step")
    #expect(try await workspace.listedRun().process == third.number)
    third.send(SIGTERM)
    #expect(try await third.finish().status == 143)
  }

  @Test func `twenty runs that start at once get names of their own`() async throws {
    let workspace = try Workspace()
    let command = ["skipline", "train", "data"] + Workspace.tinyNetwork + ["--epochs", "1", "--save-every", "0"]
    let programs = try (1...20).map { _ in try RunningProgram(command, in: workspace) }
    var folders: [String] = []
    for program in programs { folders += try await program.finish().outputLines.filter { $0.hasPrefix("run: ") } }
    #expect(Set(folders) == Set((1...20).map { "run: runs/cifar8-\($0)" }))
    for number in 1...20 { #expect(try workspace.lines("runs/cifar8-\(number)/results.csv").count == 2) }
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal while data are prepared leaves nothing behind`(signal: Int32, status: Int32) async throws {
    let workspace = try Workspace()
    try workspace.multiplyPictures(in: "train", by: 800)
    let program = try RunningProgram(
      ["skipline", "train", "data"] + Workspace.tinyNetwork + Workspace.longRun(), in: workspace)
    // From the moment that it takes the signal as a request, which is before it looks at the data.
    try Patience.watch(for: "a watch over signals") { Self.outlives(signal, program.number) }
    program.send(signal)
    let ended = try await program.finish()
    #expect(ended.status == status)
    #expect(!workspace.exists("runs"))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal in a validation ends it, and the epoch is validated anew`(
    signal: Int32, status: Int32
  ) async throws {
    let workspace = try Workspace()
    try workspace.multiplyPictures(in: "val", by: 2000)
    let program = try RunningProgram(
      ["skipline", "train", "data"] + Workspace.tinyNetwork + ["--name", "long", "--epochs", "1"], in: workspace)
    // Saved before validating.
    try Patience.watch(for: "a checkpoint") { workspace.exists("runs/long/checkpoints/last.safetensors") }
    program.send(signal)
    #expect(try await program.finish().status == status)
    #expect(!workspace.exists("runs/long/results.csv"))
    let resumed = try await workspace.skipline("train", "--resume", "runs/long")
    #expect(resumed.status == 0)
    #expect(try workspace.lines("runs/long/results.csv").count == 2)
  }

  @Test func `a second signal does not wait for the step`() async throws {
    let workspace = try Workspace()
    let program = try RunningProgram(
      [
        "skipline", "train", "data", "--recipe", "none", "--net", "resnet18", "--imgsz", "160", "--batch", "48",
        "--threads", "1",
        "--name", "slow", "--crop", "none",
      ], in: workspace)
    try await program.waitForErrors("run runs/slow")
    program.send(SIGINT)
    try await Task.sleep(for: .milliseconds(200))
    let start = ContinuousClock.now
    program.send(SIGINT)
    #expect(try await program.finish().status == 130)
    #expect(ContinuousClock.now - start < .seconds(2))
    #expect(!workspace.exists("runs/slow/checkpoints/last.safetensors"))
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a run is paused, resumed and stopped from a shell, and a signal ends a paused one saved`(
    signal: Int32, status: Int32
  ) async throws {
    let workspace = try Workspace()
    let program = try await workspace.startLongRun()
    try await workspace.expectTraining()
    #expect(try await workspace.listedRun().process == program.number)
    let paused = try await workspace.skipline("pause", "long")
    #expect(paused.output == "runs/long paused\n")
    let standing = try await workspace.listedRun()
    #expect(standing.state == "paused")
    try await Task.sleep(for: .milliseconds(100))
    #expect(try await workspace.listedRun() == standing)
    #expect(try await workspace.skipline("resume", "runs/long").output == "runs/long goes on\n")
    try await workspace.expectTraining()
    #expect(try await workspace.skipline("stop", "runs/long").output == "runs/long stopped and saved\n")
    #expect(try await program.finish().status == 0)
    #expect(try await workspace.listedRun().state == "resumable")
    #expect(try await workspace.skipline("pause", "runs/long").status == 66)

    // At once: the one that was stopped is gone.
    let resumed = try RunningProgram(["skipline", "train", "--resume", "runs/long"], in: workspace)
    try await resumed.waitForErrors("/1000000  step")
    _ = try await workspace.skipline("pause", "runs/long")
    resumed.send(signal)
    #expect(try await resumed.finish().status == status)
    try await workspace.expectSaved()
    #expect(!workspace.exists("runs/long/engine.sock"))
  }

  @Test func `a finished run is listed as that`() async throws {
    let workspace = try Workspace()
    try await workspace.train("long", epochs: 1)
    let run = try await workspace.listedRun()
    #expect(run.state == "finished" && run.process == nil && run.step > 0)
  }

  @Test func `nohup has its meaning`() async throws {
    let workspace = try Workspace()
    let program = try RunningProgram(
      [
        "sh", "-c",
        "trap '' HUP; exec skipline train data "
          + (Workspace.tinyNetwork + Workspace.longRun()).joined(separator: " "),
      ],
      in: workspace)
    try await program.waitForErrors("epoch 1/")
    program.send(SIGHUP)
    try await workspace.expectTraining()
    program.send(SIGTERM)
    #expect(try await program.finish().status == 143)
  }

  @Test func `training completes when nobody reads its output any more`() async throws {
    let workspace = try Workspace()
    let command =
      "skipline train data \(Workspace.tinyNetwork.joined(separator: " ")) --epochs 5 --name piped --json"
    let piped = try await RunningProgram(
      ["sh", "-c", "{ \(command); echo $? >status; } | head -n 1"], in: workspace
    ).finish()
    #expect(piped.outputLines.count == 1)
    #expect(try workspace.text("status") == "0\n")
    #expect(try workspace.lines("runs/piped/results.csv").count == 6)
  }

  @Test func `a run whose process stands still is listed all the same`() async throws {
    let workspace = try Workspace()
    let program = try await workspace.startLongRun()
    program.send(SIGSTOP)
    let run = try await workspace.listedRun()
    #expect(run.process == program.number)
    #expect(run.state == "in use")
    program.send(SIGCONT)
    try await workspace.expectTraining()
    try await workspace.stopAndVerify()
  }

  @Test(arguments: [0o022, 0o002, 0o077] as [mode_t])
  func `a run's folder is as open as the user's mask says, and what steers it is its owner's alone`(
    mask: mode_t
  ) async throws {
    let workspace = try Workspace()
    let program = try RunningProgram(
      [
        "sh", "-c",
        "umask \(String(mask, radix: 8)); exec skipline train data "
          + (Workspace.tinyNetwork + Workspace.longRun()).joined(separator: " "),
      ], in: workspace)
    // Progress is told before the file that keeps it is made.
    try await Patience.wait(for: "metrics", lastSeen: { "" }) { workspace.exists("runs/long/metrics.jsonl") }
    let modes: [(String, mode_t)] = [
      ("", 0o777 & ~mask), ("/checkpoints", 0o777 & ~mask), ("/engine.sock", 0o600), ("/run.lock", 0o666 & ~mask),
      ("/run.json", 0o666 & ~mask), ("/metrics.jsonl", 0o666 & ~mask), ("/log.txt", 0o666 & ~mask),
    ]
    for (name, mode) in modes {
      var status = stat()
      #expect(stat("\(workspace.folder)/runs/long\(name)", &status) == 0)
      #expect(status.st_mode & 0o777 == mode, "runs/long\(name)")
    }
    program.send(SIGKILL)
    _ = try await program.finish()
    // What is left of it misleads nobody.
    #expect(workspace.exists("runs/long/engine.sock"))
    #expect(try await workspace.listedRun().state == "resumable")
    let watched = try await workspace.skipline("watch", "runs/long")
    #expect(watched.status == 66 && watched.errors.contains("train --resume runs/long"))
  }

  /// Whether a signal does not end a process any more.
  private static func outlives(_ signal: Int32, _ process: Int32) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    guard status.contains("Name:\tskipline") else { return false }
    return status.split(separator: "\n").contains { line in
      guard line.hasPrefix("SigIgn:") || line.hasPrefix("SigCgt:"),
        let mask = UInt64(line.dropFirst("SigIgn:\t".count), radix: 16)
      else { return false }
      return mask & (1 << UInt64(signal - 1)) != 0
    }
  }

  @Test func `a terminal that is gone without a signal ends the screen and not the run`() async throws {
    let workspace = try Workspace()
    let terminal = try PseudoTerminal()
    // No terminal controls it, so nothing sends it a signal.
    let screen = Process()
    screen.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    screen.arguments = ["skipline", "data"] + Workspace.tinyNetwork + Workspace.longRun()
    screen.currentDirectoryURL = URL(fileURLWithPath: workspace.folder)
    screen.environment = Program.environment(in: workspace).merging(["COLUMNS": "80", "LINES": "24"]) { $1 }
    let end = FileHandle(fileDescriptor: terminal.programEnd, closeOnDealloc: false)
    screen.standardInput = end
    screen.standardOutput = end
    screen.standardError = FileHandle.nullDevice
    try screen.run()
    terminal.handedOver()
    defer { if screen.isRunning { kill(screen.processIdentifier, SIGKILL) } }
    try await Patience.wait(for: "a run", every: .milliseconds(200), lastSeen: { "none" }) {
      if !workspace.exists("runs/long") { terminal.type(" \r") }
      return workspace.exists("runs/long/engine.sock")
    }
    try await workspace.expectTraining()
    terminal.breakDown()
    try await Workspace.waitForEnd(of: screen.processIdentifier)
    try await workspace.expectTraining()
    try await workspace.stopAndVerify()
    #expect(workspace.processNumbers(with: "engine").isEmpty)
  }
}
