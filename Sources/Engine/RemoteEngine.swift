// A screen's end of the socket: an engine in another process, used as if it were here.

import Glibc
import Messages
import Resources
import Support
import Synchronization
import Transport

/// An engine that is reached over a socket.
///
/// What it reports is handed on in order. `close` detaches: the engine goes on.
public final class RemoteEngine: Sendable {
  public let welcome: Welcome
  private let connection: Connection
  private let outgoing = Mailbox<WorkCommand>(capacity: 64)

  /// How a connection ended.
  public enum Ending: Sendable, Equatable {
    /// This end detached.
    case detached
    /// The other end closed it: the run is over, or its process is.
    case closed
    case failed(String)
  }

  /// Says hello and waits for the welcome.
  /// - Parameters:
  ///   - readOnly: whether commands are to be refused.
  ///   - purpose: what it is attached for.
  ///   - timeout: how long the welcome may take, seconds; nil for what a running engine may take.
  ///   - report: takes what the engine reports, on a thread of its own; it may wait. False ends the connection.
  ///   - ended: called once, from another thread, after the last event.
  /// - Throws: `TransportError`.
  public init(
    _ connection: Connection, readOnly: Bool, purpose: Purpose = .screen, timeout: Int? = nil,
    report: @escaping @Sendable (Event) -> Bool,
    ended: @escaping @Sendable (Ending) -> Void
  ) throws {
    self.connection = connection
    connection.setTimeout(seconds: timeout ?? SocketFile.timeout)
    // Who may write to a shared folder may put a socket of their own into it.
    guard try connection.peerUser() == geteuid() else { throw TransportError.foreign }
    do {
      try connection.send(ClientMessage.hello(.init(readOnly: readOnly, purpose: purpose)))
    } catch TransportError.closed {
      // Turned away before it could say a word: why can still be read.
    }
    switch try connection.receive(ServerMessage.self) {
    case .welcome(let welcome):
      guard welcome.protocolVersion == protocolVersion else {
        throw TransportError.otherVersion(theirs: welcome.protocolVersion)
      }
      self.welcome = welcome
    case .refused(let reason): throw TransportError.refused(reason: reason)
    case .event: throw TransportError.malformed(reason: "an event before the welcome")
    }
    connection.setTimeout(seconds: 0)
    let detached = detached
    try start("events from the engine") { [connection, outgoing] in
      let ending = Self.read(connection, report)
      outgoing.close()
      ended(detached.isSet ? .detached : ending)
    }
    try start("commands to the engine") { [connection, outgoing] in
      while let command = outgoing.receive() {
        do { try connection.send(ClientMessage.command(command)) } catch { return }
      }
    }
  }

  private let detached = SharedFlag()

  deinit { close() }

  /// Hands over a command; never waits.
  /// - Returns: false when it was not taken: too many are waiting already, or the connection has ended.
  @discardableResult
  public func send(_ command: WorkCommand) -> Bool { outgoing.offer(command) }

  /// Detaches.
  public func close() {
    detached.set()
    outgoing.close()
    connection.close()
  }

  private static func read(_ connection: Connection, _ report: (Event) -> Bool) -> Ending {
    do {
      while true {
        switch try connection.receive(ServerMessage.self) {
        case .event(let event):
          guard report(event) else { return .detached }
        case .refused(let reason): return .failed(reason)
        case .welcome: throw TransportError.malformed(reason: "a second welcome")
        }
      }
    } catch TransportError.closed {
      return .closed
    } catch {
      return .failed("\(error)")
    }
  }

  /// - Throws: `TransportError.system`; the connection then is closed, which lets a thread that was started before end.
  private func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(TransportError) {
    do throws(ResourceShortage) {
      try SystemThread.start(
        name, stackSize: SystemThread.smallStack, attempts: SystemThread.patientAttempts, body)
    } catch {
      close()
      throw .system(step: "starting a thread", code: error.code)
    }
  }
}
