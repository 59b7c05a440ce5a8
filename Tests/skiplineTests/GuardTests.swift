// A run whose folder is taken away or renamed, and the places that nobody else can put anything in, without a screen.

import Support
import Transport
import Engine
import Foundation
import Messages
import Testing

@testable import skipline

extension Workspace {
  /// Removes a folder that a process may be writing to at the moment.
  func removeStubbornly(_ name: String) {
    while exists(name) { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
  }
}

@Suite(.serialized) struct GuardTests {
  private func path(_ workspace: Workspace, _ name: String) -> String { "\(workspace.folder)/\(name)" }

  @Test func `a run whose folder is removed ends with the status of a failed save, and makes no other`()
    async throws
  {
    let workspace = try Workspace()
    let program = try await workspace.startLongRun()
    workspace.removeStubbornly("runs/long")
    let ended = try await program.finish()
    #expect(ended.status == 74)
    #expect(ended.errors.contains("skipline: runs/long was removed while it was trained"))
    #expect(!workspace.exists("runs/long"))
  }

  @Test func `a run that is renamed goes on, and is stopped and resumed by its new name`() async throws {
    let workspace = try Workspace()
    let program = try await workspace.startLongRun()
    try FileManager.default.moveItem(atPath: path(workspace, "runs/long"), toPath: path(workspace, "runs/better"))
    try await program.waitForErrors("runs/better now: the run goes on there")
    try await workspace.expectTraining("better")
    try await workspace.stopAndVerify("better")
    let ended = try await program.finish()
    #expect(ended.status == 0 && ended.output.contains("run: runs/better"))
    #expect(!workspace.exists("runs/long") && !workspace.exists("runs/better/engine.sock"))
    let resumed = try RunningProgram(["skipline", "train", "--resume", "runs/better"], in: workspace)
    try await resumed.waitForErrors("/1000000  step")
    resumed.send(SIGTERM)
    #expect(try await resumed.finish().status == 143)
  }

  @Test func `an engine whose run's folder is removed ends with that status too`() async throws {
    let workspace = try Workspace()
    var pair: [Int32] = [-1, -1]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    let connection = Connection(descriptor: pair[0])
    let theirs = pair[1]
    // The engine expects its end of the connection at a number of its own, which a shell can give it.
    _ = fcntl(theirs, F_SETFD, 0)
    defer { close(theirs) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, theirs, EngineProcess.connectionDescriptor)
    posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, path(workspace, "errors.txt"), O_WRONLY | O_CREAT, 0o600)
    let command = ["sh", "-c", "cd '\(workspace.folder)' && exec skipline engine"]
    var words = command.map { strdup($0) } + [nil]
    var variables = Program.environment(in: workspace).map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    var process = pid_t()
    #expect(posix_spawn(&process, "/bin/sh", &actions, nil, &words, &variables) == 0)
    defer { kill(process, SIGKILL) }

    let events = Mailbox<Event>.forEvents(capacity: 4096)
    let engine = try RemoteEngine(
      connection, readOnly: false, timeout: 30, report: { events.send($0) }, ended: { _ in events.close() })
    var settings = TrainingSettings(
      data: path(workspace, "data"), network: NetworkSettings(name: "cifar8", widthMultiplier: 0.25),
      preprocessing: PreprocessingSettings(imageSize: 16), batchSize: 8, epochs: 1_000_000, timeBudget: 300,
      threads: 1, project: path(workspace, "runs"), name: "long")
    settings.keep.everyEpochs = 0
    #expect(engine.send(.start(settings)))
    var failure: String?
    while let event = events.receive() {
      if case .training(.epoch(let epoch)) = event, epoch.epoch == 1 {
        workspace.removeStubbornly("runs/long")
      }
      if case .failure(let text) = event { failure = text }
    }
    #expect(failure?.contains("was removed while it was trained") == true)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    #expect(status & 0x7f == 0 && status >> 8 & 0xff == 74, "\(status)")
    #expect(try workspace.text("errors.txt").contains("runs/long was removed"))
    #expect(!workspace.exists("runs/long"))
  }

  // MARK: The log

  @Test func `the log lies in a folder that is the user's alone`() throws {
    let workspace = try Workspace(withData: false)
    let log = try UserLog(environment: ["HOME": workspace.folder])
    #expect(log.path == path(workspace, ".local/state/skipline/skipline.log"))
    var status = stat()
    #expect(stat(path(workspace, ".local/state/skipline"), &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
    let stated = try UserLog(environment: ["HOME": "/nowhere", "XDG_STATE_HOME": path(workspace, "state")])
    #expect(stated.path == path(workspace, "state/skipline/skipline.log"))
  }

  @Test func `a folder that others can write to, or a link to one, takes no log`() throws {
    let workspace = try Workspace(withData: false)
    let state = path(workspace, "state")
    let temporary = path(workspace, "tmp")
    for folder in [state, temporary, path(workspace, "bait")] { mkdir(folder, 0o700) }
    mkdir(state + "/skipline", 0o700)
    chmod(state + "/skipline", 0o777)
    let environment = ["XDG_STATE_HOME": state, "TMPDIR": temporary]
    let first = try UserLog(environment: environment)
    #expect(first.path.hasPrefix(temporary + "/skipline-"))
    rmdir(state + "/skipline")
    symlink(path(workspace, "bait"), state + "/skipline")
    let second = try UserLog(environment: environment)
    #expect(second.path.hasPrefix(temporary + "/skipline-") && second.path != first.path)
    // A name of its own, a folder of its own, and nothing left of it where nothing was written.
    try workspace.write([], to: String(second.path.dropFirst(workspace.folder.count + 1)))
    second.close()
    #expect(!FileManager.default.fileExists(atPath: second.path))
    try workspace.write([], to: "file")
    // Without a HOME it would be the one of the list of users.
    #expect(throws: NoLogFolder.self) {
      try UserLog(environment: ["XDG_STATE_HOME": path(workspace, "file"), "TMPDIR": path(workspace, "none")])
    }
  }
}
