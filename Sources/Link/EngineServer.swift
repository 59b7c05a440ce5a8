// The engine's end of the sockets: takes in whoever wants to attach, tells each what happened and what happens, and
// hands on what they ask. Whatever they do, or fail to do, never holds up the engine.

import Foundation
import Messages
import Synchronization

/// Lets any number of screens and commands attach to one engine.
///
/// `broadcast` is called by one thread, in the order of the events. A client that does not read is dropped once its
/// queue is full; one that sends what is no message, or comes from another user, is refused.
public final class EngineServer: Sendable {
  private let version: String
  private let take: @Sendable (Command) -> Bool
  private let shared = Mutex(Shared())

  private struct Shared {
    var record = EventRecord()
    var clients: [Client] = []
    var listener: Listener?
    var isClosed = false
  }

  /// - Parameters:
  ///   - version: of the program.
  ///   - take: hands a client's command to the engine; false when it cannot be taken now. Called from any thread.
  public init(version: String, take: @escaping @Sendable (Command) -> Bool) {
    self.version = version
    self.take = take
  }

  /// Begins to listen in a run's folder.
  /// - Throws: `LinkError`.
  public func listen(inFolder path: String) throws(LinkError) {
    let listener = try Listener(file: try SocketFile(folder: path)) { [weak self] connection in
      self?.attach(connection)
    }
    shared.withLock { $0.listener = listener }
  }

  /// Takes in a connection that was made in another way, such as the one a process was started with.
  public func attach(_ connection: Connection) {
    let client = Client(connection)
    let isOpen = shared.withLock { shared in
      if !shared.isClosed { shared.clients.append(client) }
      return !shared.isClosed
    }
    guard isOpen else { return connection.close() }
    let thread = Thread { [self] in
      converse(with: client)
      client.close()
      shared.withLock { shared in shared.clients.removeAll { $0 === client } }
    }
    thread.name = "attached screen"
    thread.start()
  }

  /// Whether somebody is attached who may steer.
  public var isAttended: Bool { shared.withLock { $0.clients.contains(where: \.maySteer) } }

  /// Tells everybody, and keeps what those who come later need.
  public func broadcast(_ event: Event) {
    let stuck = shared.withLock { shared in
      shared.record.add(event)
      return shared.clients.filter { !$0.tell(event) }
    }
    for client in stuck { client.close() }
  }

  /// Stops listening, removes the socket file, tells every client what it was not told yet, and ends.
  public func close() {
    let (clients, listener) = shared.withLock { shared in
      shared.isClosed = true
      return (shared.clients, shared.listener)
    }
    listener?.close()
    for client in clients { client.finish(within: Self.farewell) }
  }

  /// How long the last events may take to a client that reads slowly.
  private static let farewell = 2.0

  // MARK: One client

  private func converse(with client: Client) {
    do {
      guard try client.connection.peerUser() == geteuid() else {
        throw LinkError.refused(reason: "the engine belongs to another user")
      }
      guard case .hello(let hello) = try client.connection.receive(ClientMessage.self) else {
        throw LinkError.malformed(reason: "the first message is no hello")
      }
      guard hello.protocolVersion == protocolVersion else {
        throw LinkError.otherVersion(theirs: hello.protocolVersion)
      }
      try client.connection.send(
        ServerMessage.welcome(.init(skipline: version, process: ProcessInfo.processInfo.processIdentifier)))
      if !hello.readOnly { client.letSteer() }
      // In one go with the registration: no event is missed, none told twice.
      shared.withLock { client.begin(with: $0.record.replay) }
      while true {
        guard case .command(let command) = try client.connection.receive(ClientMessage.self) else {
          throw LinkError.malformed(reason: "a second hello")
        }
        obey(command, of: client, readOnly: hello.readOnly)
      }
    } catch LinkError.closed {
    } catch {
      client.refuse(because: "\(error)")
    }
  }

  private func obey(_ command: Command, of client: Client, readOnly: Bool) {
    if readOnly {
      _ = client.tell(.warning("attached to look on only: nothing was changed"))
    } else if !take(command) {
      _ = client.tell(.warning("the engine is busy with earlier commands; try again in a moment"))
    }
  }
}

/// A connection, and the events that wait to go over it.
private final class Client: Sendable {
  let connection: Connection
  private let events = Mailbox<Event>.forEvents(capacity: 4096)
  private let hasBegun = Atomic(false)
  private let steers = Atomic(false)
  private let written = DispatchGroup()

  init(_ connection: Connection) { self.connection = connection }

  var maySteer: Bool { steers.load(ordering: .acquiring) }
  func letSteer() { steers.store(true, ordering: .releasing) }

  /// From now on events are taken; those given come first.
  func begin(with replay: [Event]) {
    for event in replay { _ = events.offer(event) }
    hasBegun.store(true, ordering: .releasing)
    written.enter()
    let thread = Thread { [self] in
      defer { written.leave() }
      while let event = events.receive() {
        do { try connection.send(ServerMessage.event(event)) } catch { return close() }
      }
      connection.close()
    }
    thread.name = "events to a screen"
    thread.start()
  }

  /// - Returns: false for a client that has stopped reading.
  func tell(_ event: Event) -> Bool { !hasBegun.load(ordering: .acquiring) || events.offer(event) }

  func refuse(because reason: String) {
    // Before anything else was said the socket is free for this thread; later the writer has it.
    if !hasBegun.load(ordering: .acquiring) { try? connection.send(ServerMessage.refused(reason: reason)) }
  }

  func close() {
    events.close()
    connection.close()
  }

  /// Lets the writer finish, but not for ever.
  func finish(within seconds: Double) {
    events.close()
    if hasBegun.load(ordering: .acquiring) { _ = written.wait(timeout: .now() + seconds) }
    connection.close()
  }
}

/// The thread that takes in connections.
private final class Listener: Sendable {
  private let descriptor: Int32
  private let file: SocketFile

  init(file: SocketFile, accepted: @escaping @Sendable (Connection) -> Void) throws(LinkError) {
    self.file = file
    descriptor = try file.listen()
    let thread = Thread { [descriptor] in
      while true {
        let connection = accept(descriptor, nil, nil)
        if connection >= 0 {
          accepted(Connection(descriptor: connection))
        } else if [EINTR, ECONNABORTED].contains(errno) {
          continue
        } else if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
          // Nothing to be done but to wait until somebody leaves.
          usleep(200_000)
        } else {
          return
        }
      }
    }
    thread.name = "listening"
    thread.start()
  }

  func close() {
    file.remove()
    // Wakes the thread in `accept`, which then ends.
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  deinit { Foundation.close(descriptor) }
}
