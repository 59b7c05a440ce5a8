// Ranks: the processes, on one machine or many, that train one run together, and how they exchange bytes and numbers.
// Nothing of training is known here, and nothing is added up: whoever adds does it in an order of its own.

/// What one rank uses to speak with the others.
///
/// Every call but `abort` is a meeting: all ranks make the same calls in the same order, with the same counts where one
/// sends and another receives. An exchange that was started may be under way while other calls are made. One thread
/// uses it at a time.
///
/// No call waits for ever: a rank that is lost makes those of all others throw within a bounded time, which the
/// implementation states. Who has to wait for a person in between says so now and then, as `Consensus` in Training does.
public protocol Communicator: AnyObject, Sendable {
  /// 0..<size.
  var rank: Int { get }
  /// How many there are, at least 1.
  var size: Int { get }
  /// What the machine is called that this rank runs on.
  var machine: String { get }

  /// - Returns: everyone's bytes, by rank; they may differ in number.
  /// - Throws: `RankFailure`.
  func allGather(_ bytes: [UInt8]) throws(RankFailure) -> [[UInt8]]

  /// - Parameter bytes: of rank 0; those of others are not looked at.
  /// - Returns: rank 0's.
  /// - Throws: `RankFailure`.
  func broadcast(_ bytes: [UInt8]) throws(RankFailure) -> [UInt8]

  /// Begins to send each rank its part and to receive each rank's part for this one, and returns at once.
  /// - Throws: `RankFailure`.
  func start(_ exchange: FloatExchange) throws(RankFailure) -> any PendingExchange

  /// Ends the run for all: the others' calls throw a failure with this message, or their processes end. Whether it
  /// returns is the implementation's.
  func abort(_ message: String)
}

/// Numbers for each rank, and room for what each rank has for this one. Part k is rank k's, this rank's own included.
///
/// With the same part for everyone it gathers: parts to be sent may overlap, those that are received must not. Parts may
/// be empty. The memory is the caller's and stays in place until the exchange is done.
public struct FloatExchange {
  public var sent: UnsafeBufferPointer<Float>
  /// Of `sent`, one for each rank.
  public var sentParts: [Range<Int>]
  public var received: UnsafeMutableBufferPointer<Float>
  /// Of `received`, one for each rank: as long as that rank's part for this one.
  public var receivedParts: [Range<Int>]

  public init(
    sent: UnsafeBufferPointer<Float>, sentParts: [Range<Int>], received: UnsafeMutableBufferPointer<Float>,
    receivedParts: [Range<Int>]
  ) {
    self.sent = sent
    self.sentParts = sentParts
    self.received = received
    self.receivedParts = receivedParts
  }
}

/// An exchange that was started.
public protocol PendingExchange: AnyObject {
  /// Moves it on, without waiting.
  /// - Returns: whether everything has arrived and everything that was sent may be overwritten.
  /// - Throws: `RankFailure`.
  func isDone() throws(RankFailure) -> Bool

  /// Waits until it is done.
  /// - Throws: `RankFailure`.
  func wait() throws(RankFailure)
}

/// Why ranks cannot go on together: one was lost, or has given up.
public struct RankFailure: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
