// The socket file of a run: made by its engine, found by whoever wants to attach. It lies in the run's folder, is open
// to its owner only, and nothing listens on a network.

import Foundation
import Messages

/// Where an engine listens: `engine.sock` in the folder of its run.
public struct SocketFile: Sendable {
  public static let name = "engine.sock"

  /// The folder, kept open: an address has room for 107 bytes, fewer than paths have, but a folder that is open has a
  /// short name.
  private let folder: OpenFolder

  /// - Throws: `LinkError.system` if the folder cannot be opened.
  public init(folder path: String) throws(LinkError) {
    folder = try OpenFolder(path: path)
  }

  /// A socket that listens; a leftover of an engine that is gone is replaced.
  /// - Throws: `LinkError.system`.
  func listen() throws(LinkError) -> Int32 {
    let descriptor = try Self.makeSocket()
    remove()
    // Linux gives the file the socket's own mode (unix(7)), so that nobody else can connect at any moment.
    guard fchmod(descriptor, 0o600) == 0, withAddress({ Foundation.bind(descriptor, $0, $1) }) == 0,
      Foundation.listen(descriptor, 8) == 0
    else {
      let code = errno
      Foundation.close(descriptor)
      throw .system(step: "making the socket \(Self.name)", code: code)
    }
    return descriptor
  }

  /// Connects to the engine that listens.
  /// - Returns: nil where none does.
  /// - Throws: `LinkError.system`.
  public func connect() throws(LinkError) -> Connection? {
    let descriptor = try Self.makeSocket()
    guard withAddress({ Foundation.connect(descriptor, $0, $1) }) == 0 else {
      let code = errno
      Foundation.close(descriptor)
      if code == ENOENT || code == ECONNREFUSED { return nil }
      throw .system(step: "connecting to \(Self.name)", code: code)
    }
    return Connection(descriptor: descriptor)
  }

  func remove() { unlinkat(folder.descriptor, Self.name, 0) }

  private static func makeSocket() throws(LinkError) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .system(step: "making a socket", code: errno) }
    return descriptor
  }

  private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = "/proc/self/fd/\(folder.descriptor)/\(Self.name)"
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}

/// A folder that is held open.
private final class OpenFolder: Sendable {
  let descriptor: Int32

  init(path: String) throws(LinkError) {
    descriptor = path.withPathCString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw .system(step: "opening \(path)", code: errno) }
  }

  deinit { close(descriptor) }
}
