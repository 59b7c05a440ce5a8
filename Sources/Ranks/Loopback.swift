// A single rank: what it sends comes back.

/// The communicator of a program that runs alone.
public final class Loopback: Communicator {
  public let rank = 0
  public let size = 1
  public let machine: String

  public init(machine: String = "localhost") { self.machine = machine }

  public func allGather(_ bytes: [UInt8]) -> [[UInt8]] { [bytes] }

  public func broadcast(_ bytes: [UInt8]) -> [UInt8] { bytes }

  public func start(_ exchange: FloatExchange) -> any PendingExchange {
    exchange.take(exchange.sentParts[0], of: exchange.sent, from: 0)
    return Done()
  }

  public func abort(_ message: String) {}

  private final class Done: PendingExchange {
    func isDone() -> Bool { true }
    func wait() {}
  }
}

extension FloatExchange {
  /// Copies what a rank has for this one to its place.
  /// - Parameters:
  ///   - part: of what that rank sends.
  ///   - sent: its numbers.
  func take(_ part: Range<Int>, of sent: UnsafeBufferPointer<Float>, from rank: Int) {
    let place = receivedParts[rank]
    precondition(part.count == place.count, "rank \(rank) sends \(part.count) numbers, \(place.count) are expected")
    guard !part.isEmpty, let source = sent.baseAddress, let target = received.baseAddress else { return }
    (target + place.lowerBound).update(from: source + part.lowerBound, count: part.count)
  }
}
