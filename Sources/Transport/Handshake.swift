// What both ends of a connection say before anything else, and the two kinds of messages that follow. What those mean
// is up to whoever uses the connection.

/// The version of the messages; two ends of different versions do not talk to each other.
public let protocolVersion = 11

/// What somebody attaches for.
public enum Purpose: String, Codable, Sendable {
  /// To look on, for any time.
  case screen
  /// To ask one thing, such as `skipline stop`: there is room for these when there is none for screens.
  case command
}

/// The first message of who connects.
public struct Hello: Codable, Sendable, Equatable {
  public var protocolVersion: Int
  /// Whether it only looks on: its commands are refused.
  public var readOnly: Bool
  /// nil is a screen.
  public var purpose: Purpose?

  public init(protocolVersion: Int = Transport.protocolVersion, readOnly: Bool, purpose: Purpose? = nil) {
    self.protocolVersion = protocolVersion
    self.readOnly = readOnly
    self.purpose = purpose
  }
}

/// The answer to a hello.
public struct Welcome: Codable, Sendable, Equatable {
  public var protocolVersion: Int
  /// The version of the program.
  public var skipline: String
  /// The process that answers.
  public var process: Int32

  public init(protocolVersion: Int = Transport.protocolVersion, skipline: String, process: Int32) {
    self.protocolVersion = protocolVersion
    self.skipline = skipline
    self.process = process
  }
}

/// What who connects says.
public enum Request<Command: Codable & Sendable>: Codable, Sendable {
  /// The first message.
  case hello(Hello)
  case command(Command)
}

/// What who listens says.
public enum Reply<Event: Codable & Sendable>: Codable, Sendable {
  /// The answer to `hello`.
  case welcome(Welcome)
  /// Why this end closes the connection.
  case refused(reason: String)
  case event(Event)
}

extension Request: Equatable where Command: Equatable {}
extension Reply: Equatable where Event: Equatable {}

/// The content of a message that its reader has no use for.
struct Ignored: Codable, Sendable {
  init() {}
  init(from decoder: any Decoder) {}
}
