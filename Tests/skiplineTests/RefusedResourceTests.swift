// What the program does where the system refuses it threads, memory, stack, files, or a reader: it makes do with less
// or ends with the cause and advice; it never hangs and never crashes.

import Engine
import Files
import Foundation
import Messages
import Support
import TestSupport
import Testing
import Transport
import WeightFiles

@testable import skipline

@Suite(.serialized) struct RefusedResourceTests {
  private static let train =
    "skipline train data \(Workspace.tinyNetwork.joined(separator: " ")) --epochs 2 --save-every 0 --no-cache"

  /// Runs a command of the shell; one that hangs is ended by status 124.
  private func shell(_ command: String, in workspace: Workspace) async throws -> FinishedProgram {
    try await RunningProgram(["timeout", "120", "bash", "-c", command], in: workspace).finish()
  }

  @Test(arguments: [140, 180, 220, 260, 300])
  func `with little memory every command ends, and says what is lacking`(megabytes: Int) async throws {
    let workspace = try Workspace()
    for command in ["skipline --help", "skipline summary cifar20", "skipline check data", Self.train] {
      let ended = try await shell("ulimit -v \(megabytes * 1024); \(command)", in: workspace)
      #expect([0, 1].contains(ended.status), "\(command): \(ended.status) \(ended.errors.suffix(300))")
      if ended.status != 0 { #expect(ended.errors.contains("ulimit -v"), "\(command): \(ended.errors)") }
    }
  }

  @Test func `memory for products is counted once where an image is predicted`() async throws {
    let workspace = try Workspace()
    let trained = try await shell("\(Self.train) --name one", in: workspace)
    #expect(trained.status == 0, "\(trained.errors.suffix(300))")
    // 128 MiB for each of two threads, and about as much for the program; half as much again would be too much.
    let ended = try await shell(
      "ulimit -v \(600 * 1024); skipline predict runs/one $(find data -name '*.png' | head -n 1) --threads 2",
      in: workspace)
    #expect(ended.status == 0, "\(ended.errors.suffix(300))")
  }

  @Test func `memory that is lacking is no fault of the file's that does not fit`() {
    let weights = WeightsFileError(path: "w.safetensors", fault: .noMemory(bytes: 1))
    #expect(ExitStatus(of: weights) == .failure)
    #expect(ExitStatus(of: FileOperationError(path: "w.safetensors", step: .read, code: ENOMEM)) == .failure)
    #expect(ExitStatus(of: FileOperationError(path: "w.safetensors", step: .read, code: EIO)) == .inputOutput)
  }

  @Test(arguments: [32, 64, 256, 1024]) func `a small stack is no matter`(kibibytes: Int) async throws {
    let workspace = try Workspace()
    let ended = try await shell("ulimit -s \(kibibytes); \(Self.train)", in: workspace)
    #expect(ended.status == 0, "\(ended.errors.suffix(300))")
  }

  @Test(arguments: [7, 12, 20, 23, 24, 32])
  func `with few open files a run is trained, or says how many it needs`(files: Int) async throws {
    let workspace = try Workspace()
    let ended = try await shell("ulimit -n \(files); \(Self.train) --workers 8", in: workspace)
    #expect(ended.status == (files < 24 ? 1 : 0), "\(ended.errors.suffix(500))")
    #expect(ended.errors.contains("ulimit -n") == (files < 24))
    #expect(!ended.errors.contains("skipped"), "\(ended.errors)")
  }

  @Test(.enabled(if: geteuid() == 0, "limits on processes are tried as another user, which takes root"))
  func `with few processes a run is trained with the threads there are, or says what is lacking`() async throws {
    let workspace = try Workspace()
    chmod(workspace.folder, 0o777)
    let user = 54_321
    var statuses = Set<Int32>()
    for threads in 1...8 {
      // The limit counts every thread of the user.
      let ended = try await shell(
        "ulimit -u \(threads); exec setpriv --reuid \(user) --clear-groups timeout 60 \(Self.train) --project made\(threads)",
        in: workspace)
      statuses.insert(ended.status)
      #expect([0, 1, 125, 126].contains(ended.status), "\(threads): \(ended.status) \(ended.errors.suffix(300))")
      if ended.errors.contains("skipline:") {
        #expect(ended.errors.contains("ulimit -u"), "\(threads): \(ended.errors.suffix(300))")
      }
    }
    #expect(statuses.contains(0))
  }

  @Test(arguments: ["--json", ""]) func `who does not read does not stop training`(json: String) async throws {
    let workspace = try Workspace()
    // More than a pipe takes: an epoch is some 200 bytes, and some 300 as JSON.
    let command =
      "{ skipline train data \(Workspace.tinyNetwork.joined(separator: " ")) --epochs 400 --save-every 0 --name deaf "
      + "\(json) 2>&1; echo $? >status; } | sleep 1000"
    let program = try RunningProgram(["bash", "-c", command], in: workspace)
    try await Patience.wait(for: "an end", lastSeen: { (try? workspace.text("status")) ?? "none" }) {
      workspace.exists("status")
    }
    // The outcome was never read, whatever its form.
    #expect(try workspace.text("status") == "74\n")
    #expect(try workspace.lines("runs/deaf/results.csv").count == 401)
    for number in workspace.processNumbers(with: "sleep") { kill(number, SIGKILL) }
    _ = try await program.finish()
  }

  @Test func `a reader who comes late gets every result`() async throws {
    let workspace = try Workspace()
    let command =
      "skipline train data \(Workspace.tinyNetwork.joined(separator: " ")) --epochs 400 --save-every 0 --json "
      + "2>/dev/null | { until [ -s runs/cifar8-1/results.csv ]; do sleep 0.1; done; sleep 1; cat; }; "
      + "exit ${PIPESTATUS[0]}"
    let ended = try await shell(command, in: workspace)
    #expect(ended.status == 0)
    #expect(ended.outputLines.count == 401)
  }

  @Test(.timeLimit(.minutes(2)), arguments: ["run.lock", "run.json", "images.txt", "engine.sock", "metrics.jsonl"])
  func `a pipe in a run's folder holds nobody up`(name: String) async throws {
    let workspace = try Workspace()
    try await workspace.train("tiny", epochs: 1)
    let path = "\(workspace.folder)/runs/tiny/\(name)"
    unlink(path)
    #expect(mkfifo(path, 0o600) == 0)
    for command in ["runs", "stop tiny", "watch tiny", "evaluate runs/tiny", "train --resume runs/tiny --epochs 2"]
    {
      let ended = try await shell("skipline \(command)", in: workspace)
      #expect(![124, 132, 133, 134, 139].contains(ended.status), "\(command): \(ended.status)")
      if command == "runs" { #expect(ended.output.contains("runs/tiny")) }
    }
  }

  @Test func `a record of a terabyte is refused by its size`() async throws {
    let workspace = try Workspace()
    try await workspace.train("tiny", epochs: 1)
    #expect(truncate("\(workspace.folder)/runs/tiny/run.json", 1 << 40) == 0)
    let listed = try await shell("skipline runs", in: workspace)
    #expect(listed.status == 0)
    #expect(listed.output.contains("unreadable"))
    #expect(listed.errors.contains("it has 1.0 TiB"), "\(listed.errors)")
  }

  @Test func `what is written through a link goes nowhere`() async throws {
    let workspace = try Workspace()
    try await workspace.train("tiny", epochs: 1)
    for name in ["metrics.jsonl", "results.csv", "log.txt"] {
      let path = "\(workspace.folder)/runs/tiny/\(name)"
      unlink(path)
      #expect(symlink("\(workspace.folder)/precious", path) == 0)
    }
    try workspace.write(Array("precious\n".utf8), to: "precious")
    let resumed = try await workspace.skipline("train", "--resume", "runs/tiny", "--epochs", "2")
    #expect(try workspace.text("precious") == "precious\n")
    #expect(resumed.errors.contains("it is a link"), "\(resumed.errors)")
  }

  @Test(.enabled(if: geteuid() == 0, "what another user sees is tried as another user, which takes root"))
  func `what may not be read is not called missing`() async throws {
    let workspace = try Workspace()
    chmod(workspace.folder, 0o755)
    try await workspace.train("tiny", epochs: 1)
    chmod("\(workspace.folder)/runs/tiny", 0o700)
    for command in [
      "runs", "evaluate runs/tiny", "evaluate runs/tiny/checkpoints/best.safetensors", "watch runs/tiny",
      "stop tiny",
      "train --resume runs/tiny", "predict runs/tiny data",
    ] {
      let ended = try await shell(
        "exec setpriv --reuid 54321 --clear-groups skipline \(command)", in: workspace)
      #expect(ended.errors.contains("Permission denied"), "\(command): \(ended.errors) \(ended.output)")
      #expect(!ended.errors.contains("there is no"), "\(command): \(ended.errors)")
      #expect(!ended.output.contains("no runs"), "\(command): \(ended.output)")
    }
  }

  @Test(.timeLimit(.minutes(2)))
  func `a screen that asks for an evaluation while a run is paused is answered at once`() async throws {
    let workspace = try Workspace()
    let program = try await workspace.startLongRun()
    _ = try await workspace.skipline("pause", "long")
    let folder = "\(workspace.folder)/runs/long"
    let connection = try #require(try SocketFile(folder: folder).connect())
    let events = Mailbox<Event>(capacity: 1000)
    let screen = try RemoteEngine(connection, readOnly: false, report: { events.send($0) }) { _ in events.close() }
    screen.send(.evaluate(checkpoint: "\(folder)/checkpoints/last.safetensors", data: nil, split: .test))
    var answer: String?
    while answer == nil, let event = events.receive() {
      if case .failure(let text) = event { answer = text }
    }
    #expect(answer?.contains("skipline evaluate") == true)
    #expect(try await workspace.listedRun().state == "paused")
    screen.close()
    program.send(SIGTERM)
    _ = try await program.finish()
  }

  @Test func `a run with as many screens as can be is paused and stopped all the same`() async throws {
    let workspace = try Workspace()
    let program = try await workspace.startLongRun()
    let folder = "\(workspace.folder)/runs/long"
    var screens: [RemoteEngine] = []
    while true {
      let connection = try #require(try SocketFile(folder: folder).connect())
      do {
        screens.append(try RemoteEngine(connection, readOnly: false, report: { _ in true }) { _ in })
      } catch TransportError.refused { break }
    }
    #expect(screens.count == 64)
    // And those who say nothing.
    let silent = try (0..<200).map { _ in try SocketFile(folder: folder).connect() }
    #expect(try await workspace.skipline("pause", "long").output == "runs/long paused\n")
    #expect(try await workspace.skipline("stop", "long").output == "runs/long stopped and saved\n")
    #expect(try await program.finish().status == 0)
    withExtendedLifetime((screens, silent)) {}
  }
}
