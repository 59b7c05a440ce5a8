// The calls that ask the system for what it may refuse: threads, sockets, pipes, processes, pages of memory. They stand
// in one table, which tests make fail at the Nth call. Files have a table of their own (`FileCalls`).

import CResources
import Glibc

/// The system calls that take something of which there may be no more, each answering its result or the negative error
/// number.
public struct ResourceCalls: Sendable {
  /// Starts a thread that nobody waits for, with a stack of so many bytes.
  /// - Returns: 0.
  public var startThread: @Sendable (_ stackSize: Int, _ body: @escaping @Sendable () -> Void) -> Int32
  /// Makes a stream socket of the local kind.
  /// - Returns: the descriptor.
  public var socket: @Sendable () -> Int32
  /// Makes two sockets that are connected to each other.
  /// - Returns: 0.
  public var socketPair: @Sendable (_ ends: inout (Int32, Int32)) -> Int32
  /// Takes in somebody who connected to a listening socket.
  /// - Returns: the descriptor.
  public var accept: @Sendable (_ listening: Int32) -> Int32
  /// Makes a pipe whose writing end never waits.
  /// - Returns: 0.
  public var pipe: @Sendable (_ ends: inout (reading: Int32, writing: Int32)) -> Int32
  /// Starts a process by `posix_spawn`.
  /// - Returns: 0.
  public var spawn: @Sendable (_ start: () -> Int32) -> Int32
  /// Maps so many bytes of memory, at a place if that is free.
  /// - Returns: where it lies; nil where there is none.
  public var mapMemory: @Sendable (_ length: Int, _ wish: UInt) -> UInt?

  public init(
    startThread: @escaping @Sendable (_ stackSize: Int, _ body: @escaping @Sendable () -> Void) -> Int32,
    socket: @escaping @Sendable () -> Int32,
    socketPair: @escaping @Sendable (_ ends: inout (Int32, Int32)) -> Int32,
    accept: @escaping @Sendable (_ listening: Int32) -> Int32,
    pipe: @escaping @Sendable (_ ends: inout (reading: Int32, writing: Int32)) -> Int32,
    spawn: @escaping @Sendable (_ start: () -> Int32) -> Int32,
    mapMemory: @escaping @Sendable (_ length: Int, _ wish: UInt) -> UInt?
  ) {
    self.startThread = startThread
    self.socket = socket
    self.socketPair = socketPair
    self.accept = accept
    self.pipe = pipe
    self.spawn = spawn
    self.mapMemory = mapMemory
  }

  /// The table in force: the system's own, unless a test has put another one in its place for what runs inside
  /// `withValue`. Threads started by `SystemThread` go on with that of whoever started them.
  @TaskLocal public static var current = ResourceCalls.system

  /// The system's own.
  public static let system = ResourceCalls(
    startThread: { stackSize, body in
      var attributes = pthread_attr_t()
      pthread_attr_init(&attributes)
      defer { pthread_attr_destroy(&attributes) }
      pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
      pthread_attr_setstacksize(&attributes, stackSize)
      let box = Unmanaged.passRetained(ThreadBody(body))
      var thread = pthread_t()
      let code = pthread_create(
        &thread, &attributes,
        { box in
          if let box { Unmanaged<ThreadBody>.fromOpaque(box).takeRetainedValue().body() }
          return nil
        }, box.toOpaque())
      if code != 0 { box.release() }
      return -code
    },
    socket: {
      let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      return descriptor >= 0 ? descriptor : -errno
    },
    socketPair: { ends in
      var pair: [Int32] = [-1, -1]
      let code = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair)
      ends = (pair[0], pair[1])
      return code == 0 ? 0 : -errno
    },
    accept: { listening in
      let descriptor = Glibc.accept(listening, nil, nil)
      return descriptor >= 0 ? descriptor : -errno
    },
    pipe: { ends in
      var pair: [Int32] = [-1, -1]
      let code = resources_make_pipe(&pair)
      ends = (pair[0], pair[1])
      return -code
    },
    spawn: { start in -start() },
    mapMemory: { length, wish in
      let start = mmap(
        UnsafeMutableRawPointer(bitPattern: wish), length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
        0)
      guard let start, start != MAP_FAILED else { return nil }
      return UInt(bitPattern: start)
    })
}

/// What a thread does, as an object that its start can be handed.
private final class ThreadBody: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
