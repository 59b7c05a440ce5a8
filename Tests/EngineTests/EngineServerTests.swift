// Two ends of a socket in one process: what is said arrives, what is wrong is refused, and nobody holds up the engine.

@testable import Engine
import Foundation
import Messages
import Support
import Synchronization
import TestSupport
import Testing
@testable import Transport

/// Seconds that the two ends may take to greet each other where that is not what is tested. On a machine that is busy
/// with other things the five of the program have passed before the other thread had its turn.
private let loadedMachine = 60

/// A server with a folder of its own, and what its clients asked for.
private final class Bench {
  let folder: TemporaryFolder
  let server: EngineServer
  private let taken = SharedList<WorkCommand>()

  init(longestMessage: Int? = nil) throws {
    folder = try TemporaryFolder()
    server = EngineServer(version: "1.0", timeout: loadedMachine, longestMessage: longestMessage) {
      [taken] command in
      taken.append(command)
      return .taken
    }
    try server.listen(inFolder: folder.path)
  }

  deinit { server.close() }

  var commands: [WorkCommand] { taken.values }

  func connect() throws -> Connection { try #require(try SocketFile(folder: folder.path).connect()) }

  func attach(readOnly: Bool = false, purpose: Purpose = .screen) throws -> Screen {
    try Screen(try connect(), readOnly: readOnly, purpose: purpose)
  }

  /// Sends a stop as the command of that name does, and waits until it is taken.
  func stop() throws {
    let command = try attach(purpose: .command)
    #expect(command.engine.send(.training(.stop)))
    withExtendedLifetime(command) {
      let deadline = ContinuousClock.now + .seconds(loadedMachine)
      while commands.isEmpty, ContinuousClock.now < deadline { usleep(1000) }
    }
    #expect(commands == [.training(.stop)])
  }
}

/// A client, what it was told, and how it ended.
private final class Screen: Sendable {
  let engine: RemoteEngine
  let events = Mailbox<Event>(capacity: 100_000)
  private let endings = SharedList<RemoteEngine.Ending>()

  init(_ connection: Connection, readOnly: Bool, purpose: Purpose = .screen) throws {
    engine = try RemoteEngine(
      connection, readOnly: readOnly, purpose: purpose, timeout: loadedMachine,
      report: { [events] in events.send($0) }
    ) { [endings, events] ending in
      endings.append(ending)
      events.close()
    }
  }

  /// Reads until an event comes that is asked for, or the end.
  func events(until isLast: (Event) -> Bool) -> [Event] {
    var all: [Event] = []
    while let event = events.receive() {
      all.append(event)
      if isLast(event) { break }
    }
    return all
  }

  func waitForEnding() -> RemoteEngine.Ending? {
    while events.receive() != nil {}
    return endings.values.first
  }
}

private final class SharedList<Element: Sendable>: Sendable {
  private let list = Mutex<[Element]>([])

  var values: [Element] { list.withLock { $0 } }

  func append(_ element: Element) { list.withLock { $0.append(element) } }
}

private func step(_ number: Int) -> Event {
  .training(
    .step(
      StepMetrics(
        step: number, epoch: 1, loss: 1 / Double(number), accuracy: 0, learningRate: 0.1, gradientNorm: 1,
        imagesPerSecond: 1, secondsLeft: nil)))
}

private let description = RunDescription(
  folder: "runs/a", settings: TrainingSettings(data: "d", network: NetworkSettings(name: "cifar20")),
  classes: ["a", "b"], trainingImages: 8, validationImages: 2, stepsPerEpoch: 2, parameters: 1,
  majorityBaseline: 0.5)

private let marker = Event.warning("marker")

@Suite(.timeLimit(.minutes(5))) struct EngineServerTests {
  @Test func `whoever attaches late is told everything that still matters`() throws {
    let bench = try Bench()
    for event: Event in [.state(.training), .training(.started(description))] { bench.server.broadcast(event) }
    for number in 1...3 { bench.server.broadcast(step(number)) }
    bench.server.broadcast(.training(.learningRateChanged(0.02)))
    let screen = try bench.attach()
    #expect(screen.engine.welcome.skipline == "1.0")
    let events = screen.events { $0 == .state(.training) }
    var whole = description
    whole.steps = (1...3).compactMap { if case .training(.step(let metrics)) = step($0) { metrics } else { nil } }
    whole.marks = [RunMark(.learningRate, step: 3, value: 0.02)]
    #expect(
      events == [
        .training(.started(whole)), .training(.learningRateChanged(0.02)), step(3), .state(.training),
      ])
    bench.server.broadcast(step(4))
    #expect(screen.events { $0 == step(4) } == [step(4)])
  }

  @Test func `what is too long for a screen is told to be, and the screen stays`() throws {
    let bench = try Bench(longestMessage: 1000)
    bench.server.broadcast(.state(.training))
    let screen = try bench.attach()
    _ = screen.events { $0 == .state(.training) }
    bench.server.broadcast(.failure(String(repeating: "x", count: 2000)))
    bench.server.broadcast(marker)
    let told = screen.events { $0 == marker }
    #expect(told.count == 2)
    guard case .warning(let text)? = told.first else {
      Issue.record("\(told)")
      return
    }
    #expect(text.contains("too long for a screen"))
  }

  @Test func `several screens see the same, and a screen that looks on changes nothing`() throws {
    let bench = try Bench()
    bench.server.broadcast(.state(.training))
    let (first, second) = (try bench.attach(), try bench.attach(readOnly: true))
    for screen in [first, second] { _ = screen.events { $0 == .state(.training) } }
    bench.server.broadcast(marker)
    for screen in [first, second] { #expect(screen.events { $0 == marker } == [marker]) }
    second.engine.send(.training(.stop))
    guard case .warning(let text) = second.events(until: { _ in true }).last else {
      Issue.record("a screen that looks on is told that its command was refused")
      return
    }
    #expect(text.contains("read-only"))
    #expect(first.engine.send(.training(.pause)))
    // What was asked before has been refused, so the first command that comes is this one. The screen lives until
    // then: one that is let go takes what it has not sent with it.
    withExtendedLifetime(first) {
      let deadline = ContinuousClock.now + .seconds(loadedMachine)
      while bench.commands.isEmpty, ContinuousClock.now < deadline { usleep(1000) }
    }
    #expect(bench.commands == [.training(.pause)])
  }

  @Test func `a screen that does not read never holds up the engine`() throws {
    let bench = try Bench()
    let stuck = try bench.connect()
    try stuck.send(ClientMessage.hello(.init(readOnly: false)))
    _ = try stuck.receive(ServerMessage.self)
    let other = try bench.attach()
    let long = Event.warning(String(repeating: "x", count: 10_000))
    let reader = Thread { while other.events.receive() != nil {} }
    reader.start()
    let start = ContinuousClock.now
    for _ in 0..<6000 { bench.server.broadcast(long) }
    #expect(ContinuousClock.now - start < .seconds(20))
    // It was dropped: what it can still read ends.
    #expect(throws: TransportError.self) { while true { _ = try stuck.receive(ServerMessage.self) } }
  }

  @Test(
    arguments: [
      [0xff, 0xff, 0xff, 0xff], [5, 0, 0, 0, 1, 2, 3, 4, 5], [2, 0, 0, 0, 0x7b, 0x7d],
    ] as [[UInt8]])
  func `what is no message is refused, and others go on`(bytes: [UInt8]) throws {
    let bench = try Bench()
    let answer = try bench.connect()
    _ = bytes.withUnsafeBytes { write(answer.descriptor, $0.baseAddress, $0.count) }
    guard case .refused(let reason) = try answer.receive(ServerMessage.self) else {
      Issue.record("no refusal")
      return
    }
    #expect(reason.contains("message"))
    #expect(throws: TransportError.closed) { try answer.receive(ServerMessage.self) }
    bench.server.broadcast(marker)
    let screen = try bench.attach()
    #expect(screen.events { $0 == marker } == [marker])
  }

  @Test func `another version of the messages is refused by number`() throws {
    let bench = try Bench()
    let connection = try bench.connect()
    try connection.send(ClientMessage.hello(.init(protocolVersion: 99, readOnly: true)))
    guard case .refused(let reason) = try connection.receive(ServerMessage.self) else {
      Issue.record("no refusal")
      return
    }
    #expect(reason.contains("99") && reason.contains("\(protocolVersion)"))
  }

  @Test func `the socket is its owner's alone, and a leftover is replaced`() throws {
    let folder = try TemporaryFolder()
    for _ in 0..<2 {
      let server = EngineServer(version: "1") { _ in .taken }
      try server.listen(inFolder: folder.path)
      var status = stat()
      #expect(stat("\(folder.path)/engine.sock", &status) == 0)
      #expect(status.st_mode & S_IFMT == S_IFSOCK && status.st_mode & 0o777 == 0o600)
      #expect(try SocketFile(folder: folder.path).connect() != nil)
    }
    let last = EngineServer(version: "1") { _ in .taken }
    try last.listen(inFolder: folder.path)
    last.close()
    #expect(try SocketFile(folder: folder.path).connect() == nil)
  }

  @Test func `only so many screens can be attached, commands get through besides, and whoever leaves makes room`()
    throws
  {
    let bench = try Bench()
    var screens = try (0..<EngineServer.capacity).map { _ in try bench.attach() }
    do {
      _ = try bench.attach()
      Issue.record("no refusal")
    } catch TransportError.refused(let reason) {
      #expect(reason.contains("\(EngineServer.capacity) others"))
    }
    try bench.stop()
    screens.removeAll()
    // The engine notices in its own time.
    var screen: Screen?
    while screen == nil { screen = try? bench.attach() }
    bench.server.broadcast(marker)
    #expect(screen?.events { $0 == marker } == [marker])
  }

  @Test(arguments: ["silent", "half a hello", "a hello and no more"])
  func `a crowd that does not mean well keeps no command out`(crowd: String) throws {
    let bench = try Bench()
    let hello = try FrameCodec.encode(ClientMessage.hello(.init(readOnly: false)))
    let sockets = try (0..<4 * EngineServer.newcomerCapacity).map { _ in
      let connection = try bench.connect()
      let bytes = ["silent": 0, "half a hello": hello.count / 2][crowd] ?? hello.count
      _ = hello.withUnsafeBytes { write(connection.descriptor, $0.baseAddress, bytes) }
      return connection
    }
    try bench.stop()
    withExtendedLifetime(sockets) {}
  }

  @Test func `what steers a run gets through although too many commands are waiting`() throws {
    let folder = try TemporaryFolder()
    let attempts = Mutex(0)
    let server = EngineServer(version: "1") { _ in
      attempts.withLock { attempts in
        attempts += 1
        return attempts > 5 ? .taken : .busy
      }
    }
    try server.listen(inFolder: folder.path)
    let screen = try Screen(try #require(try SocketFile(folder: folder.path).connect()), readOnly: false)
    screen.engine.send(.training(.stop))
    let deadline = ContinuousClock.now + .seconds(loadedMachine)
    while attempts.withLock({ $0 }) < 6, ContinuousClock.now < deadline { usleep(1000) }
    #expect(attempts.withLock { $0 } == 6)
    server.close()
  }

  @Test func `who asks for what the engine does not do is told at once, and nobody else`() throws {
    let folder = try TemporaryFolder()
    let server = EngineServer(version: "1") { _ in .refused("not here") }
    try server.listen(inFolder: folder.path)
    let (asker, other) = (
      try Screen(try #require(try SocketFile(folder: folder.path).connect()), readOnly: false),
      try Screen(try #require(try SocketFile(folder: folder.path).connect()), readOnly: false)
    )
    asker.engine.send(.evaluate(checkpoint: "c", data: nil, split: .test))
    #expect(asker.events { $0 == .failure("not here") } == [.failure("not here")])
    server.broadcast(marker)
    #expect(other.events { $0 == marker } == [marker])
    server.close()
  }

  @Test(arguments: 0..<6)
  func `a thread that is refused costs one screen at most, and no later one`(number: Int) throws {
    let refusing = FaultyResources(.thread, failing: number..<number + 2)
    try refusing.during {
      let bench: Bench
      do { bench = try Bench() } catch TransportError.system(_, let code) {
        #expect(number == 0 && code == EAGAIN)
        return
      }
      // Which thread comes first, the screen's or the server's, is chance: the one may be turned away at the greeting
      // or right after it.
      var isTold: [Bool] = []
      for _ in 0..<3 {
        let screen = try? bench.attach()
        bench.server.broadcast(marker)
        isTold.append(screen?.events { $0 == marker }.last == marker)
      }
      #expect(isTold.count { !$0 } <= 1 && isTold.last == true, "\(isTold)")
    }
  }

  @Test(arguments: 0..<3)
  func `a connection that cannot be taken in is told why, and the next one is taken in`(number: Int) throws {
    let refusing = FaultyResources(.accept, failing: number..<number + 1)
    try refusing.during {
      let bench = try Bench()
      let deadline = ContinuousClock.now + .seconds(loadedMachine)
      var screen: Screen?
      while screen == nil, ContinuousClock.now < deadline {
        do { screen = try bench.attach() } catch TransportError.refused(let reason) {
          #expect(reason.contains("no descriptor left"))
        }
      }
      bench.server.broadcast(marker)
      #expect(screen?.events { $0 == marker } == [marker])
    }
  }

  @Test func `screens that do not read hold up the end no longer than one`() throws {
    let bench = try Bench()
    let stuck = try (0..<8).map { _ in try bench.connect() }
    for connection in stuck {
      try connection.send(ClientMessage.hello(.init(readOnly: false)))
      _ = try connection.receive(ServerMessage.self)
    }
    let long = Event.warning(String(repeating: "x", count: 10_000))
    for _ in 0..<200 { bench.server.broadcast(long) }
    let start = ContinuousClock.now
    bench.server.close()
    #expect(ContinuousClock.now - start < .seconds(6))
    withExtendedLifetime(stuck) {}
  }

  @Test func `an engine that ends leaves the socket of the next one alone`() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (EngineServer(version: "1") { _ in .taken }, EngineServer(version: "2") { _ in .taken })
    try first.listen(inFolder: folder.path)
    try second.listen(inFolder: folder.path)
    first.close()
    let connection = try #require(try SocketFile(folder: folder.path).connect())
    #expect(try Screen(connection, readOnly: true).engine.welcome.skipline == "2")
    second.close()
  }

  @Test func `who waits for an answer of a stopped process is told`() throws {
    let folder = try TemporaryFolder()
    // It listens, and nobody takes anybody in.
    let (descriptor, _) = try SocketFile(folder: folder.path).listen()
    defer { close(descriptor) }
    let connection = try #require(try SocketFile(folder: folder.path).connect())
    #expect(throws: TransportError.silent) {
      try RemoteEngine(connection, readOnly: true, timeout: 1, report: { _ in true }, ended: { _ in })
    }
  }

  @Test func `a request longer than any is refused before it comes`() throws {
    let bench = try Bench()
    let connection = try bench.connect()
    let length = UInt32(FrameCodec.maximumRequest + 1)
    let prefix = (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    _ = prefix.withUnsafeBytes { write(connection.descriptor, $0.baseAddress, 4) }
    guard case .refused(let reason) = try connection.receive(ServerMessage.self) else {
      Issue.record("no refusal")
      return
    }
    #expect(reason.contains("\(length) bytes"))
  }

  @Test func `a folder with a long path will do`() throws {
    let folder = try TemporaryFolder()
    let long = Array(repeating: String(repeating: "d", count: 60), count: 4).joined(separator: "/")
    try folder.makeFolder(long)
    let server = EngineServer(version: "1") { _ in .taken }
    try server.listen(inFolder: "\(folder.path)/\(long)")
    #expect(try SocketFile(folder: "\(folder.path)/\(long)").connect() != nil)
    server.close()
  }

  @Test func `the last events arrive before the end`() throws {
    let bench = try Bench()
    bench.server.broadcast(.state(.training))
    let screen = try bench.attach()
    _ = screen.events { $0 == .state(.training) }
    for _ in 0..<500 { bench.server.broadcast(marker) }
    bench.server.broadcast(.state(.idle))
    bench.server.close()
    #expect(screen.events { $0 == .state(.idle) }.count == 501)
    #expect(screen.waitForEnding() == .closed)
    let other = try Bench()
    let leaving = try other.attach()
    leaving.engine.close()
    #expect(leaving.waitForEnding() == .detached)
    withExtendedLifetime(other) {}
  }

  @Test func `a figure that is no number crosses the socket`() throws {
    let bench = try Bench()
    bench.server.broadcast(.state(.training))
    let screen = try bench.attach()
    _ = screen.events { $0 == .state(.training) }
    bench.server.broadcast(step(0))
    guard case .training(.step(let metrics)) = screen.events(until: { _ in true }).last else {
      Issue.record("no step")
      return
    }
    #expect(metrics.loss == .infinity)
  }
}

@Suite struct DoorTests {
  @Test func `a burst passes at once, then one an interval, and a rest gives the burst back`() {
    var door = Door()
    let start = ContinuousClock.now
    #expect((0..<100).count { _ in door.pass(at: start) } == Door.burst)
    #expect(door.nextOpening == start + Door.interval)
    for tick in 1...10 {
      let now = start + Door.interval * tick
      #expect((0..<100).count { _ in door.pass(at: now) } == 1)
    }
    let later = start + Door.interval * (10 + Door.burst)
    #expect((0..<100).count { _ in door.pass(at: later) } == Door.burst)
  }
}
