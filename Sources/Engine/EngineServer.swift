// The engine's end of the sockets: takes in whoever wants to attach, tells each what happened and what happens, and
// hands on what they ask. Whatever they do, or fail to do, never holds up the engine.

import Files
import FoundationEssentials
import Glibc
import Messages
import Resources
import Support
import Synchronization
import Transport

/// What becomes of a command that somebody who is attached has sent.
public enum CommandAnswer: Sendable, Equatable {
  case taken
  /// Not now: too many are waiting.
  case busy
  /// Not by this engine; whoever sent it is told why.
  case refused(String)
}

/// Lets any number of screens and commands attach to one engine.
///
/// `broadcast` is called by one thread, in the order of the events. A client that does not read is dropped once its
/// queue is full; one that sends what is no message, says nothing, comes from another user or is one too many is
/// refused.
public final class EngineServer: Sendable {
  private let version: String
  private let timeout: Int
  private let longestMessage: Int?
  private let handle: @Sendable (WorkCommand) -> CommandAnswer
  private let shared = Mutex(Shared())

  private struct Shared {
    var record = SessionSnapshot()
    var clients: [Client] = []
    var reception: Reception?
    var isClosed = false
  }

  /// So many screens may be attached: each takes two threads and a descriptor, and the run needs descriptors for its
  /// files.
  static let capacity = 64
  /// So many commands may be attached besides: `skipline stop` gets through whatever else is attached.
  static let commandCapacity = 16
  /// So many may be about to say hello.
  static let newcomerCapacity = 64

  /// - Parameters:
  ///   - version: of the program.
  ///   - timeout: seconds that somebody who attaches may take to say hello.
  ///   - longestMessage: bytes of the longest event that clients are told; nil for what they take.
  ///   - handle: hands a client's command to the engine. Called from any thread.
  public init(
    version: String, timeout: Int = SocketFile.timeout, longestMessage: Int? = nil,
    handle: @escaping @Sendable (WorkCommand) -> CommandAnswer
  ) {
    self.version = version
    self.timeout = timeout
    self.longestMessage = longestMessage
    self.handle = handle
  }

  /// Begins to listen in a run's folder.
  /// - Throws: `TransportError`.
  public func listen(inFolder path: String) throws(TransportError) {
    let reception = try Reception(
      file: try SocketFile(folder: path), timeout: timeout, capacity: Self.newcomerCapacity
    ) { [weak self] connection, hello in
      self?.welcome(connection, hello)
    }
    shared.withLock { $0.reception = reception }
  }

  /// Takes in a connection that was made in another way, such as the one a process was started with.
  /// - Parameter left: called when it has ended.
  public func attach(_ connection: Connection, left: @escaping @Sendable () -> Void = {}) {
    connection.setTimeout(seconds: timeout)
    let isStarted = start("attached screen") { [self] in
      do {
        let hello = try connection.receiveHello()
        let client = try admit(connection, hello)
        converse(with: client, hello)
      } catch {
        connection.refuse(error as? TransportError ?? .closed)
      }
      left()
    }
    if !isStarted {
      connection.close()
      left()
    }
  }

  /// Lets somebody in who said hello.
  private func welcome(_ connection: Connection, _ hello: Hello) {
    do throws(TransportError) {
      let client = try admit(connection, hello)
      if !start("attached screen", { [self] in converse(with: client, hello) }) {
        forget(client)
        throw .refused(reason: "the run's process gets no thread to serve another screen")
      }
    } catch {
      connection.refuse(error)
    }
  }

  private func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    (try? SystemThread.start(name, stackSize: SystemThread.smallStack, attempts: 2, body)) != nil
  }

  private func admit(_ connection: Connection, _ hello: Hello) throws(TransportError) -> Client {
    let client = Client(connection, purpose: hello.purpose ?? .screen, longestMessage: longestMessage)
    let refusal: String? = shared.withLock { shared in
      if shared.isClosed { return "the run is over" }
      let limit = client.purpose == .screen ? Self.capacity : Self.commandCapacity
      let others = shared.clients.count { $0.purpose == client.purpose }
      if others >= limit {
        return "\(others) others are attached already" + (client.purpose == .screen ? "; leave one of them" : "")
      }
      shared.clients.append(client)
      return nil
    }
    if let refusal { throw .refused(reason: refusal) }
    return client
  }

  private func forget(_ client: Client) {
    client.close()
    shared.withLock { shared in shared.clients.removeAll { $0 === client } }
  }

  /// Whether somebody is attached who may steer.
  public var isAttended: Bool { shared.withLock { $0.clients.contains(where: \.maySteer) } }

  /// Tells everybody, and keeps what those who come later need.
  public func broadcast(_ event: Event) {
    let told = ToldEvent(event)
    let stuck = shared.withLock { shared in
      shared.record.add(event)
      return shared.clients.filter { !$0.tell(told) }
    }
    for client in stuck { client.close() }
  }

  /// Stops listening, removes the socket file, tells every client what it was not told yet, and ends.
  public func close() {
    let (clients, reception) = shared.withLock { shared in
      shared.isClosed = true
      return (shared.clients, shared.reception)
    }
    reception?.close()
    for client in clients { client.sayNoMore() }
    let deadline = ContinuousClock.now + Self.farewell
    for client in clients { client.finish(by: deadline) }
  }

  /// How long the last events may take to clients that read slowly, all of them together.
  private static let farewell = Duration.seconds(2)

  // MARK: One client

  private func converse(with client: Client, _ hello: Hello) {
    defer { forget(client) }
    do {
      client.connection.setTimeout(seconds: timeout)
      try client.connection.send(
        ServerMessage.welcome(.init(skipline: version, process: ProcessInfo.processInfo.processIdentifier)))
      // From here on a screen may look on for hours without a word, and may be stopped for hours; a command says at
      // once what it came for.
      if client.purpose == .screen { client.connection.setTimeout(seconds: 0) }
      if !hello.readOnly { client.letSteer() }
      // In one go with the registration: no event is missed, none told twice.
      try shared.withLock { try client.begin(with: $0.record.replay) }
      while true {
        guard
          case .command(let command) = try client.connection.receive(
            ClientMessage.self, limit: FrameCodec.maximumRequest)
        else {
          throw TransportError.malformed(reason: "a second hello")
        }
        client.connection.setTimeout(seconds: 0)
        obey(command, of: client, readOnly: hello.readOnly)
      }
    } catch TransportError.closed {
    } catch {
      client.refuse(because: "\(error)")
    }
  }

  /// How long what steers a run is tried again where too many commands are waiting. Nobody waits but who sent it.
  private static let insistence = Duration.seconds(5)

  private func obey(_ command: WorkCommand, of client: Client, readOnly: Bool) {
    guard !readOnly else {
      _ = client.tell(.warning("attached read-only: nothing was changed"))
      return
    }
    var answer = handle(command)
    if case .training = command {
      let deadline = ContinuousClock.now + Self.insistence
      while answer == .busy, ContinuousClock.now < deadline, !shared.withLock({ $0.isClosed }) {
        usleep(10_000)
        answer = handle(command)
      }
    }
    switch answer {
    case .taken: break
    case .busy: _ = client.tell(.warning("the engine is busy with earlier commands; try again in a moment"))
    case .refused(let reason): _ = client.tell(.failure(reason))
    }
  }
}

/// An event on its way to any number of clients: it is encoded once, by the first that sends it.
private final class ToldEvent: Sendable {
  let event: Event
  private let encoded = Mutex<Data?>(nil)

  init(_ event: Event) { self.event = event }

  /// - Throws: `TransportError.tooLong`.
  func frame(limit: Int) throws -> Data {
    let frame = try encoded.withLock { encoded in
      if let encoded { return encoded }
      let frame = try FrameCodec.encode(ServerMessage.event(event), limit: limit)
      encoded = frame
      return frame
    }
    guard frame.count - FrameCodec.prefixLength <= limit else { throw TransportError.tooLong(bytes: frame.count) }
    return frame
  }
}

/// A connection, and the events that wait to go over it.
private final class Client: Sendable {
  let connection: Connection
  private let longestMessage: Int?
  let purpose: Purpose
  private let events = Mailbox<ToldEvent>(
    capacity: 4096, coalescing: { $0.event.isReplaced(by: $1.event) ? $1 : nil })
  private let hasBegun = Atomic(false)
  private let steers = Atomic(false)
  private let isFinishing = Atomic(false)
  private let written = ThreadGroup()

  /// The least time between two steps that a client is told, microseconds.
  private static let stepInterval: UInt32 = 20_000

  /// - Parameter longestMessage: bytes; what would be longer is told to be too long.
  init(_ connection: Connection, purpose: Purpose, longestMessage: Int?) {
    self.connection = connection
    self.purpose = purpose
    self.longestMessage = longestMessage
  }

  /// Whether somebody looks on who can be asked: a command asks itself, and is gone.
  var maySteer: Bool { purpose == .screen && steers.load(ordering: .acquiring) }
  func letSteer() { steers.store(true, ordering: .releasing) }

  /// From now on events are taken; those given come first.
  /// - Throws: `TransportError.refused` where there is no thread to tell them.
  func begin(with replay: [Event]) throws(TransportError) {
    for event in replay { _ = events.offer(ToldEvent(event)) }
    written.enter()
    do throws(ResourceShortage) {
      // Once only: whoever tells events waits meanwhile.
      try SystemThread.start("events to a screen", stackSize: SystemThread.smallStack) { [self] in
        defer { written.leave() }
        while let event = events.receive() {
          do { try send(event) } catch { return close() }
          // More steps than a screen draws would only take time from the training; the newest waits here.
          if case .training(.step) = event.event, !isFinishing.load(ordering: .acquiring) {
            usleep(Self.stepInterval)
          }
        }
        connection.close()
      }
    } catch {
      written.leave()
      throw .refused(reason: "the run's process gets no thread to serve another screen")
    }
    hasBegun.store(true, ordering: .releasing)
  }

  /// Sends an event, or says that it is too long to be sent: the screen stays attached.
  private func send(_ event: ToldEvent) throws {
    do {
      try connection.send(frame: event.frame(limit: longestMessage ?? FrameCodec.maximumLength))
    } catch TransportError.tooLong(let bytes) {
      try connection.send(
        ServerMessage.event(
          .warning("the engine had something to tell that is too long for a screen: \(bytes) bytes")))
    }
  }

  /// - Returns: false for a client that has stopped reading.
  func tell(_ event: Event) -> Bool { tell(ToldEvent(event)) }

  /// - Returns: false for a client that has stopped reading.
  func tell(_ event: ToldEvent) -> Bool { !hasBegun.load(ordering: .acquiring) || events.offer(event) }

  func refuse(because reason: String) {
    // Before anything else was said the socket is free for this thread; later the writer has it.
    if !hasBegun.load(ordering: .acquiring) { try? connection.send(ServerMessage.refused(reason: reason)) }
  }

  func close() {
    events.close()
    connection.close()
  }

  /// No event is taken any more; what waits is still told.
  func sayNoMore() {
    isFinishing.store(true, ordering: .releasing)
    events.close()
  }

  /// Lets the writer finish, but not for ever.
  func finish(by deadline: ContinuousClock.Instant) {
    if hasBegun.load(ordering: .acquiring) { written.wait(until: deadline) }
    connection.close()
  }
}
