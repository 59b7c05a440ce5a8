// The socket file of a run: made by its engine, found by whoever wants to attach. It lies in the run's folder, is open
// to its owner only, and nothing listens on a network.

import Files
import Glibc
import Resources
import Support

/// Where an engine listens: `engine.sock` in the folder of its run.
public struct SocketFile: Sendable {
  public static let name = "engine.sock"

  /// The folder, kept open: an address has room for 107 bytes, fewer than paths have, but a folder that is open has a
  /// short name.
  private let folder: OpenFolder

  /// - Throws: `TransportError.system` if the folder cannot be opened.
  public init(folder path: String) throws(TransportError) {
    folder = try OpenFolder(path: path)
  }

  /// How long an engine may take to answer somebody who wants to attach, seconds.
  public static let timeout = 5

  /// A socket that listens; a leftover of an engine that is gone is replaced.
  /// - Returns: the socket, and which file it made.
  /// - Throws: `TransportError.system`.
  func listen() throws(TransportError) -> (descriptor: Int32, file: FileIdentity) {
    let descriptor = try Self.makeSocket()
    unlinkat(folder.descriptor, Self.name, 0)
    // Linux gives the file the socket's own mode (unix(7)), so that nobody else can connect at any moment.
    guard fchmod(descriptor, 0o600) == 0, withAddress({ Glibc.bind(descriptor, $0, $1) }) == 0,
      Glibc.listen(descriptor, 64) == 0, let file = identity
    else {
      let code = errno
      Glibc.close(descriptor)
      throw .system(step: "making the socket \(Self.name)", code: code)
    }
    return (descriptor, file)
  }

  /// Connects to the engine that listens.
  /// - Returns: nil where none does.
  /// - Throws: `TransportError.system`, or `.silent` where one listens and does not answer.
  public func connect() throws(TransportError) -> Connection? {
    let descriptor = try Self.makeSocket()
    // A stopped engine whose queue is full would else hold up whoever asks.
    Connection.setTimeout(seconds: Self.timeout, of: descriptor)
    guard withAddress({ Glibc.connect(descriptor, $0, $1) }) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      if code == ENOENT || code == ECONNREFUSED { return nil }
      if code == EAGAIN { throw .silent }
      throw .system(step: "connecting to \(Self.name)", code: code)
    }
    return Connection(descriptor: descriptor)
  }

  private var identity: FileIdentity? {
    var status = stat()
    let found = withExtendedLifetime(folder) {
      fstatat($0.descriptor, Self.name, &status, AT_SYMLINK_NOFOLLOW)
    }
    guard found == 0 else { return nil }
    return FileIdentity(status)
  }

  /// Removes the file unless it is another one by now: the run may have a new engine already.
  func remove(_ file: FileIdentity) {
    if identity == file { unlinkat(folder.descriptor, Self.name, 0) }
  }

  private static func makeSocket() throws(TransportError) -> Int32 {
    let descriptor = ResourceCalls.current.socket()
    guard descriptor >= 0 else { throw .system(step: "making a socket", code: -descriptor) }
    return descriptor
  }

  private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = "/proc/self/fd/\(folder.descriptor)/\(Self.name)"
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        // The folder must stay open for as long as its number is used, which the compiler does not see.
        withExtendedLifetime(folder) { body(address, socklen_t(MemoryLayout<sockaddr_un>.size)) }
      }
    }
  }
}

/// A folder that is held open.
private final class OpenFolder: Sendable {
  let descriptor: Int32

  init(path: String) throws(TransportError) {
    descriptor = path.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw .system(step: "opening \(path)", code: errno) }
  }

  deinit { close(descriptor) }
}
