// What goes over the socket between an engine and a screen: who says what, and how one message is told from the next.
// Moving bytes is in Connection.swift.

import Files
import FoundationEssentials
import Glibc
import Messages

/// The version of the messages; two ends of different versions do not talk to each other.
public let protocolVersion = 6

/// What a screen, or a command such as `skipline pause`, says to an engine.
public enum ClientMessage: Codable, Sendable, Equatable {
  /// The first message.
  case hello(Hello)
  /// Whoever attaches asks for work only: what is browsed is read where it is shown.
  case command(WorkCommand)

  /// What somebody attaches for.
  public enum Purpose: String, Codable, Sendable {
    /// To look on, for any time.
    case screen
    /// To ask one thing, such as `skipline stop`: there is room for these when there is none for screens.
    case command
  }

  public struct Hello: Codable, Sendable, Equatable {
    public var protocolVersion: Int
    /// Whether it only looks on: its commands are refused.
    public var readOnly: Bool
    /// nil is a screen.
    public var purpose: Purpose?

    public init(protocolVersion: Int = Link.protocolVersion, readOnly: Bool, purpose: Purpose? = nil) {
      self.protocolVersion = protocolVersion
      self.readOnly = readOnly
      self.purpose = purpose
    }
  }
}

/// What an engine says to whoever is attached to it.
public enum ServerMessage: Codable, Sendable, Equatable {
  /// The answer to `hello`; everything that happened so far follows as events, then what happens from now on.
  case welcome(Welcome)
  /// Why this end closes the connection.
  case refused(reason: String)
  case event(Event)

  public struct Welcome: Codable, Sendable, Equatable {
    public var protocolVersion: Int
    /// The version of the program.
    public var skipline: String
    /// The engine's process.
    public var process: Int32

    public init(protocolVersion: Int = Link.protocolVersion, skipline: String, process: Int32) {
      self.protocolVersion = protocolVersion
      self.skipline = skipline
      self.process = process
    }
  }
}

/// Why a connection cannot go on.
public enum LinkError: Error, Equatable, CustomStringConvertible {
  /// A message is longer than any that this program sends.
  case tooLong(bytes: Int)
  /// The bytes are no message.
  case malformed(reason: String)
  case otherVersion(theirs: Int)
  case refused(reason: String)
  /// The other end is gone.
  case closed
  /// The other end is there and says nothing, as a process does that was stopped.
  case silent
  /// Another user's process listens where this user's run should.
  case foreign
  case system(step: String, code: Int32)

  public var description: String {
    switch self {
    case .tooLong(let bytes):
      "a message of \(bytes) bytes was announced, which is more than is taken"
    case .malformed(let reason): "a message cannot be understood: \(reason)"
    case .otherVersion(let theirs):
      "the other end speaks version \(theirs) of the messages, this one version \(protocolVersion); "
        + "use the same skipline for both"
    case .refused(let reason): "the engine refused: \(reason)"
    case .closed: "the connection is closed"
    case .silent: "the other end does not answer; its process may be stopped or very busy"
    case .foreign: "the process that listens there belongs to another user, and is not trusted"
    case .system(let step, EACCES):
      "\(step): \(SystemError(number: EACCES)); only who trains the run may attach to it"
    case .system(let step, let code): "\(step): \(SystemError(number: code))"
    }
  }
}

/// One message as bytes: its length in four bytes, the least significant first, then JSON.
enum Wire {
  /// A list of a million images is a few dozen megabytes.
  static let maximumLength = 256 << 20
  /// What a screen asks is short.
  static let maximumRequest = 16 << 20
  static let prefixLength = 4

  /// - Throws: `LinkError.tooLong`.
  static func encode(_ message: some Encodable, limit: Int = maximumLength) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let body = try encoder.encode(message)
    guard body.count <= limit else { throw LinkError.tooLong(bytes: body.count) }
    var frame = Data(capacity: prefixLength + body.count)
    for shift in [0, 8, 16, 24] { frame.append(UInt8(truncatingIfNeeded: body.count >> shift)) }
    frame.append(body)
    return frame
  }

  /// - Throws: `LinkError.tooLong`; nothing was allocated for it.
  static func length(
    of prefix: some Collection<UInt8>, limit: Int = maximumLength
  ) throws(LinkError) -> Int {
    let length = prefix.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= limit else { throw .tooLong(bytes: length) }
    return length
  }

  /// - Throws: `LinkError.malformed`.
  static func decode<Message: Decodable>(_ type: Message.Type, from body: Data) throws(LinkError) -> Message {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do {
      return try decoder.decode(type, from: body)
    } catch {
      throw .malformed(reason: "it is no \(type) in JSON (\(body.count) bytes)")
    }
  }
}
