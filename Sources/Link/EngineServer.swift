// The engine's end of the sockets: takes in whoever wants to attach, tells each what happened and what happens, and
// hands on what they ask. Whatever they do, or fail to do, never holds up the engine.

import Files
import Foundation
import Messages
import Synchronization

/// Lets any number of screens and commands attach to one engine.
///
/// `broadcast` is called by one thread, in the order of the events. A client that does not read is dropped once its
/// queue is full; one that sends what is no message, says nothing, comes from another user or is one too many is
/// refused.
public final class EngineServer: Sendable {
  private let version: String
  private let patience: Int
  private let longestMessage: Int?
  private let take: @Sendable (Command) -> Bool
  private let shared = Mutex(Shared())

  private struct Shared {
    var record = EventRecord()
    var clients: [Client] = []
    var listener: Listener?
    var isClosed = false
  }

  /// So many may be attached: each takes two threads and a descriptor, and the run needs descriptors for its files.
  static let capacity = 64

  /// - Parameters:
  ///   - version: of the program.
  ///   - patience: seconds that somebody who attaches may take to say hello.
  ///   - longestMessage: bytes of the longest event that clients are told; nil for what they take.
  ///   - take: hands a client's command to the engine; false when it cannot be taken now. Called from any thread.
  public init(
    version: String, patience: Int = SocketFile.patience, longestMessage: Int? = nil,
    take: @escaping @Sendable (Command) -> Bool
  ) {
    self.version = version
    self.patience = patience
    self.longestMessage = longestMessage
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
  /// - Parameter left: called when it has ended.
  public func attach(_ connection: Connection, left: @escaping @Sendable () -> Void = {}) {
    connection.setPatience(seconds: patience)
    let client = Client(connection, longestMessage: longestMessage)
    let refusal: String? = shared.withLock { shared in
      if shared.isClosed { return "the run is over" }
      if shared.clients.count >= Self.capacity { return "\(Self.capacity) others are attached already" }
      shared.clients.append(client)
      return nil
    }
    if let refusal {
      client.refuse(because: refusal)
      connection.close()
      return left()
    }
    let thread = Thread { [self] in
      converse(with: client)
      client.close()
      shared.withLock { shared in shared.clients.removeAll { $0 === client } }
      left()
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
    for client in clients { client.sayNoMore() }
    let deadline = DispatchTime.now() + Self.farewell
    for client in clients { client.finish(by: deadline) }
  }

  /// How long the last events may take to clients that read slowly, all of them together, seconds.
  private static let farewell = 2.0

  // MARK: One client

  private func converse(with client: Client) {
    do {
      guard try client.connection.peerUser() == geteuid() else {
        throw LinkError.refused(reason: "the engine belongs to another user")
      }
      guard case .hello(let hello) = try client.connection.receive(ClientMessage.self, limit: Wire.maximumRequest)
      else {
        throw LinkError.malformed(reason: "the first message is no hello")
      }
      guard hello.protocolVersion == protocolVersion else {
        throw LinkError.otherVersion(theirs: hello.protocolVersion)
      }
      try client.connection.send(
        ServerMessage.welcome(.init(skipline: version, process: ProcessInfo.processInfo.processIdentifier)))
      // From here on a screen may look on for hours without a word, and may be stopped for hours.
      client.connection.setPatience(seconds: 0)
      if !hello.readOnly { client.letSteer() }
      // In one go with the registration: no event is missed, none told twice.
      shared.withLock { client.begin(with: $0.record.replay) }
      while true {
        guard
          case .command(let command) = try client.connection.receive(ClientMessage.self, limit: Wire.maximumRequest)
        else {
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
  private let longestMessage: Int?
  private let events = Mailbox<Event>.forEvents(capacity: 4096)
  private let hasBegun = Atomic(false)
  private let steers = Atomic(false)
  private let isFinishing = Atomic(false)
  private let written = DispatchGroup()

  /// The least time between two steps that a client is told, microseconds.
  private static let stepInterval: UInt32 = 20_000

  /// - Parameter longestMessage: bytes; what would be longer is told to be too long.
  init(_ connection: Connection, longestMessage: Int?) {
    self.connection = connection
    self.longestMessage = longestMessage
  }

  var maySteer: Bool { steers.load(ordering: .acquiring) }
  func letSteer() { steers.store(true, ordering: .releasing) }

  /// From now on events are taken; those given come first.
  func begin(with replay: [Event]) {
    for event in replay { _ = events.offer(event) }
    written.enter()
    hasBegun.store(true, ordering: .releasing)
    let thread = Thread { [self] in
      defer { written.leave() }
      while let event = events.receive() {
        do { try send(event) } catch { return close() }
        // More steps than a screen draws would only take time from the training; the newest waits here.
        if case .training(.step) = event, !isFinishing.load(ordering: .acquiring) { usleep(Self.stepInterval) }
      }
      connection.close()
    }
    thread.name = "events to a screen"
    thread.start()
  }

  /// Sends an event, or says that it is too long to be sent: the screen stays attached.
  private func send(_ event: Event) throws {
    do { try connection.send(ServerMessage.event(event), limit: longestMessage) } catch LinkError.tooLong(let bytes)
    {
      try connection.send(
        ServerMessage.event(
          .warning("the engine had something to tell that is too long for a screen: \(bytes) bytes")))
    }
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

  /// No event is taken any more; what waits is still told.
  func sayNoMore() {
    isFinishing.store(true, ordering: .releasing)
    events.close()
  }

  /// Lets the writer finish, but not for ever.
  func finish(by deadline: DispatchTime) {
    if hasBegun.load(ordering: .acquiring) { _ = written.wait(timeout: deadline) }
    connection.close()
  }
}

/// The thread that takes in connections.
private final class Listener: Sendable {
  private let socket: ListeningSocket
  private let folder: SocketFile
  private let file: FileIdentity

  init(file folder: SocketFile, accepted: @escaping @Sendable (Connection) -> Void) throws(LinkError) {
    self.folder = folder
    let made = try folder.listen()
    file = made.file
    socket = ListeningSocket(descriptor: made.descriptor)
    let thread = Thread { [socket] in
      while true {
        let connection = accept(socket.descriptor, nil, nil)
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
    folder.remove(file)
    // Wakes the thread in `accept`, which then ends.
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
  }

  deinit { close() }
}

/// A descriptor that is closed when neither the listener nor its thread uses it any more.
private final class ListeningSocket: Sendable {
  let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { Foundation.close(descriptor) }
}
