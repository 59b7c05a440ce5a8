// One end of a socket between two processes: whole messages in, whole messages out. It knows nothing of what they mean.

import FoundationEssentials
import Glibc
import Synchronization

/// A connected stream socket that carries messages.
///
/// One thread reads and one writes; `close` may be called from any, and lets both go.
public final class Connection: Sendable {
  package let descriptor: Int32
  private let isClosed = Atomic(false)

  /// Takes over a connected socket, and closes it in the end.
  public init(descriptor: Int32) {
    self.descriptor = descriptor
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { Glibc.close(descriptor) }

  /// Ends the connection for both directions; reading and writing then throw `TransportError.closed`.
  public func close() {
    // The number itself stays ours until nobody uses it any more: another file must not get it meanwhile.
    if !isClosed.exchange(true, ordering: .acquiringAndReleasing) { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  /// How long `send` and `receive` may wait before they throw `TransportError.silent`; 0 is for ever. After that the
  /// connection is of no more use: half a message may have been moved.
  package func setTimeout(seconds: Int) { Self.setTimeout(seconds: seconds, of: descriptor) }

  /// The same for a socket that is not connected yet: connecting then waits no longer either.
  package static func setTimeout(seconds: Int, of descriptor: Int32) {
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout.size(ofValue: limit)))
    }
  }

  /// Writes a message; waits while the other end does not read.
  /// - Parameter limit: the longest message that is sent, bytes.
  /// - Throws: `TransportError.closed` when the other end is gone, `.tooLong` where nothing was sent, `.silent` or
  ///   `.system`.
  public func send(_ message: some Encodable, limit: Int? = nil) throws {
    try send(frame: FrameCodec.encode(message, limit: limit ?? FrameCodec.maximumLength))
  }

  /// Writes a message that is encoded already.
  package func send(frame: Data) throws {
    try frame.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = Glibc.send(
          descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        if count < 0 {
          if errno == EINTR { continue }
          throw TransportError(step: "writing to the socket", code: errno)
        }
        sent += count
      }
    }
  }

  /// Writes a short message if that is possible without waiting; else it is not written, or only in part.
  package func sendNow(_ message: some Encodable) {
    guard let frame = try? FrameCodec.encode(message) else { return }
    _ = frame.withUnsafeBytes {
      Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
  }

  /// Reads what has come, without waiting.
  /// - Returns: at most so many bytes; nil where none have come yet.
  /// - Throws: `TransportError`; `.closed` at the end.
  func readNow(count: Int) throws(TransportError) -> Data? {
    var bytes = [UInt8](repeating: 0, count: count)
    while true {
      let got = bytes.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, count, Int32(MSG_DONTWAIT)) }
      if got > 0 { return Data(bytes[..<got]) }
      if got == 0 { throw .closed }
      if errno == EAGAIN || errno == EWOULDBLOCK { return nil }
      if errno != EINTR { throw TransportError(step: "reading from the socket", code: errno) }
    }
  }

  /// Waits for the next message.
  /// - Parameter limit: the longest message that is taken, bytes.
  /// - Throws: `TransportError`; `.closed` at the end.
  public func receive<Message: Decodable>(_ type: Message.Type, limit: Int? = nil) throws(TransportError) -> Message
  {
    let length = try FrameCodec.length(
      of: try read(count: FrameCodec.prefixLength), limit: limit ?? FrameCodec.maximumLength)
    return try FrameCodec.decode(type, from: try read(count: length))
  }

  /// The user at the other end.
  /// - Throws: `TransportError.system`.
  package func peerUser() throws(TransportError) -> uid_t {
    // `struct ucred` of socket(7), which is not imported: process, user, group.
    var credentials: (process: pid_t, user: uid_t, group: gid_t) = (0, 0, 0)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 else {
      throw .system(step: "asking who is at the other end", code: errno)
    }
    return credentials.user
  }

  /// Memory is taken as bytes arrive, not as they are announced.
  private func read(count: Int) throws(TransportError) -> Data {
    var data = Data()
    var chunk = [UInt8](repeating: 0, count: min(count, 1 << 16))
    while data.count < count {
      let wanted = min(chunk.count, count - data.count)
      let got = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, wanted, 0) }
      if got < 0 {
        if errno == EINTR { continue }
        throw TransportError(step: "reading from the socket", code: errno)
      }
      if got == 0 { throw .closed }
      data.append(contentsOf: chunk[..<got])
    }
    return data
  }
}

extension TransportError {
  /// What a failed call on a connected socket means.
  fileprivate init(step: String, code: Int32) {
    switch code {
    case EPIPE, ECONNRESET: self = .closed
    case EAGAIN: self = .silent
    default: self = .system(step: step, code: code)
    }
  }
}
