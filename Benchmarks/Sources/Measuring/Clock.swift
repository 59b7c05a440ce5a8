// The two clocks that matter on a machine that others use too, and what a few repetitions say together.

import Foundation

/// A clock, in seconds.
public enum Clock: Sendable {
  /// The processor time of the whole process: what the work costs, whoever else is running.
  case cpu
  /// The time that passes: what several threads gain.
  case wall

  /// With one thread its processor time is exact; with several only the time that passes says anything.
  public init(forThreads threads: Int) { self = threads == 1 ? .cpu : .wall }

  public var seconds: Double {
    var time = timespec()
    clock_gettime(self == .cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Seconds that `body` takes.
  public func time(_ body: () -> Void) -> Double {
    let start = seconds
    body()
    return seconds - start
  }
}

/// Repetitions of one measurement.
public struct Spread: Codable, Sendable, Equatable {
  public let median: Double
  public let least: Double
  public let greatest: Double

  public init(_ values: [Double]) {
    precondition(!values.isEmpty, "a spread of nothing")
    let sorted = values.sorted()
    let middle = sorted.count / 2
    median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    least = sorted[0]
    greatest = sorted[sorted.count - 1]
  }
}
