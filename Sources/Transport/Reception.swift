// Where those come in who connect to a run's socket: one thread takes them in and hears what each says first. Whoever
// says nothing costs a descriptor for a moment and no thread, and never keeps anybody out.

import Files
import FoundationEssentials
import Glibc
import Resources
import Support

/// The thread that listens at the socket file of a run.
///
/// Of those who have not said hello yet only the newest so many are kept: a hello is sent at once, so whoever means
/// well is never the oldest for long, however large the crowd is. Those who said it come in at a pace that the run does
/// not feel, since each is told all that happened so far.
package final class Reception: Sendable {
  private let socket: ListeningSocket
  private let folder: SocketFile
  private let file: FileIdentity

  /// - Parameters:
  ///   - timeout: seconds that a hello may take.
  ///   - capacity: how many may be about to say it.
  ///   - greeted: called, on the thread, with whoever said a proper hello.
  /// - Throws: `TransportError.system`.
  package init(
    file folder: SocketFile, timeout: Int, capacity: Int,
    greeted: @escaping @Sendable (Connection, Hello) -> Void
  ) throws(TransportError) {
    self.folder = folder
    let made = try folder.listen()
    file = made.file
    socket = ListeningSocket(descriptor: made.descriptor)
    do throws(ResourceShortage) {
      try SystemThread.start("listening", stackSize: SystemThread.smallStack, attempts: 2) { [socket] in
        var desk = Desk(socket: socket, timeout: .seconds(timeout), capacity: capacity, greeted: greeted)
        desk.serve()
      }
    } catch {
      folder.remove(file)
      throw .system(step: "starting a thread for the socket", code: error.code)
    }
  }

  package func close() {
    folder.remove(file)
    // Wakes the thread, which then ends.
    shutdown(socket.descriptor, Int32(SHUT_RDWR))
  }

  deinit { close() }
}

/// A descriptor that is closed when neither the reception nor its thread uses it any more.
private final class ListeningSocket: Sendable {
  let descriptor: Int32

  init(descriptor: Int32) {
    self.descriptor = descriptor
    // Whoever connected may be gone again when it is their turn.
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  deinit { Glibc.close(descriptor) }
}

/// What the thread knows: who is there and has not said hello yet, and who has and is not let in yet, the oldest first.
private struct Desk {
  let socket: ListeningSocket
  let timeout: Duration
  let capacity: Int
  let greeted: @Sendable (Connection, Hello) -> Void
  private var newcomers: [Newcomer] = []
  private var waiting: [(connection: Connection, hello: Hello)] = []
  /// Screens and commands come in by separate doors: `skipline stop` does not wait behind screens.
  private var screens = Door()
  private var commands = Door()
  /// Given up for a moment where there are no descriptors any more, so that somebody can be told so.
  private var spare = open("/dev/null", O_RDONLY | O_CLOEXEC)

  init(
    socket: ListeningSocket, timeout: Duration, capacity: Int,
    greeted: @escaping @Sendable (Connection, Hello) -> Void
  ) {
    self.socket = socket
    self.timeout = timeout
    self.capacity = capacity
    self.greeted = greeted
  }

  mutating func serve() {
    defer { if spare >= 0 { close(spare) } }
    while true {
      var polled = [pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)]
      polled += newcomers.map { pollfd(fd: $0.connection.descriptor, events: Int16(POLLIN), revents: 0) }
      // Of these only whether they are still there.
      polled += waiting.map { pollfd(fd: $0.connection.descriptor, events: 0, revents: 0) }
      guard poll(&polled, nfds_t(polled.count), millisecondsLeft) >= 0 || errno == EINTR else { return }
      let signs = polled.map(\.revents)
      let gone = signs.dropFirst(1 + newcomers.count).map { $0 != 0 }
      waiting = zip(waiting, gone).filter { !$0.1 }.map(\.0)
      hear(signs[1..<1 + newcomers.count].map { $0 != 0 })
      letIn()
      if signs[0] & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 { return }
      if signs[0] != 0 { takeIn() }
    }
  }

  /// Until the oldest has had its time, or the next is let in; -1 where nobody is there.
  private var millisecondsLeft: Int32 {
    var next = newcomers.first?.deadline
    for (_, hello) in waiting {
      let opening = hello.purpose == .command ? commands.nextOpening : screens.nextOpening
      next = min(next ?? opening, opening)
    }
    guard let next else { return -1 }
    let left = ContinuousClock.now.duration(to: next)
    return Int32(clamping: left.milliseconds + 1)
      .clamped(to: 0...60_000)
  }

  private mutating func hear(_ ready: [Bool]) {
    let now = ContinuousClock.now
    var staying: [Newcomer] = []
    for (newcomer, isReady) in zip(newcomers, ready) {
      var newcomer = newcomer
      do throws(TransportError) {
        if isReady, let hello = try newcomer.listen() {
          waiting.append((newcomer.connection, hello))
        } else if now >= newcomer.deadline {
          throw .silent
        } else {
          staying.append(newcomer)
        }
      } catch {
        newcomer.connection.refuse(error)
      }
    }
    newcomers = staying
  }

  /// Lets in who is next at each door, as far as it is open.
  private mutating func letIn() {
    let now = ContinuousClock.now
    var staying: [(connection: Connection, hello: Hello)] = []
    for (connection, hello) in waiting {
      let isOpen = hello.purpose == .command ? commands.pass(at: now) : screens.pass(at: now)
      if isOpen { greeted(connection, hello) } else { staying.append((connection, hello)) }
    }
    while staying.count > capacity {
      staying.removeFirst().connection.refuse(
        .refused(reason: "too many attach to the run at once; try again in a moment"))
    }
    waiting = staying
  }

  private mutating func takeIn() {
    // Not more in one go than may be waiting: those who speak are to be heard in between.
    for _ in 0..<16 {
      // The system takes a descriptor before it looks whether anybody waits: asked for nobody, it would refuse too.
      var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, 0) > 0, waiting.revents == Int16(POLLIN) else { return }
      let connection = ResourceCalls.current.accept(socket.descriptor)
      if connection >= 0 {
        newcomers.append(
          Newcomer(connection: Connection(descriptor: connection), deadline: ContinuousClock.now + timeout))
        if newcomers.count > capacity { newcomers.removeFirst().connection.close() }
        continue
      }
      switch -connection {
      case EINTR, ECONNABORTED: continue
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        guard newcomers.isEmpty else {
          newcomers.removeFirst().connection.refuse(Self.noRoom(-connection))
          continue
        }
        turnAway(because: -connection)
        return
      default: return
      }
    }
  }

  /// Tells the next one that there is no room, which takes a descriptor too.
  private mutating func turnAway(because code: Int32) {
    if spare >= 0 { close(spare) }
    let connection = accept(socket.descriptor, nil, nil)
    if connection >= 0 {
      Connection(descriptor: connection).refuse(Self.noRoom(code))
    } else {
      // Nothing to be done but to wait until somebody leaves.
      usleep(200_000)
    }
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
  }

  private static func noRoom(_ code: Int32) -> TransportError {
    .refused(reason: "the run has no descriptor left: \(SystemError(number: code))")
  }
}

/// Lets a number through at once, and from then on one in an interval.
struct Door {
  /// So many at once, after a while without anybody.
  static let burst = 32
  static let interval = Duration.milliseconds(30)

  /// When the whole burst may pass again, if nobody comes.
  private var full = ContinuousClock.now

  /// When the next may pass.
  var nextOpening: ContinuousClock.Instant { full - Self.interval * (Self.burst - 1) }

  /// - Returns: whether one may pass, who then has.
  mutating func pass(at now: ContinuousClock.Instant) -> Bool {
    guard nextOpening <= now else { return false }
    full = max(full, now) + Self.interval
    return true
  }
}

/// Somebody who has not said hello yet.
private struct Newcomer {
  let connection: Connection
  let deadline: ContinuousClock.Instant
  /// What was heard of the first message.
  private var heard = Data()

  /// A hello is short.
  private static let longestHello = 1 << 16

  init(connection: Connection, deadline: ContinuousClock.Instant) {
    self.connection = connection
    self.deadline = deadline
  }

  /// Takes what there is, and nothing of a second message.
  /// - Returns: the hello, once it is whole.
  /// - Throws: `TransportError` for what is no hello of this version, or comes from another user.
  mutating func listen() throws(TransportError) -> Hello? {
    while true {
      var wanted = FrameCodec.prefixLength
      if heard.count >= FrameCodec.prefixLength {
        wanted += try FrameCodec.length(of: heard.prefix(FrameCodec.prefixLength), limit: Self.longestHello)
      }
      if heard.count == wanted, heard.count > FrameCodec.prefixLength { break }
      guard let more = try connection.readNow(count: wanted - heard.count) else { return nil }
      heard += more
      if heard.count == FrameCodec.prefixLength, try FrameCodec.length(of: heard) == 0 { break }
    }
    return try Self.hello(
      FrameCodec.decode(Request<Ignored>.self, from: heard.dropFirst(FrameCodec.prefixLength)), from: connection)
  }

  /// - Throws: `TransportError` for a message that is none, or comes from another user.
  static func hello(_ message: Request<Ignored>, from connection: Connection) throws(TransportError) -> Hello {
    guard try connection.peerUser() == geteuid() else {
      throw TransportError.refused(reason: "the engine belongs to another user")
    }
    guard case .hello(let hello) = message else {
      throw TransportError.malformed(reason: "the first message is no hello")
    }
    guard hello.protocolVersion == protocolVersion else {
      throw TransportError.otherVersion(theirs: hello.protocolVersion)
    }
    return hello
  }
}

extension Connection {
  /// Waits for a hello.
  /// - Throws: `TransportError`.
  package func receiveHello() throws(TransportError) -> Hello {
    try Newcomer.hello(try receive(Request<Ignored>.self, limit: FrameCodec.maximumRequest), from: self)
  }

  /// Says why, if that can be said without waiting, and ends the connection.
  package func refuse(_ error: TransportError) {
    if error != .closed {
      let reason = if case .refused(let reason) = error { reason } else { "\(error)" }
      sendNow(Reply<Ignored>.refused(reason: reason))
    }
    close()
  }
}

extension Int32 {
  fileprivate func clamped(to range: ClosedRange<Int32>) -> Int32 {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
