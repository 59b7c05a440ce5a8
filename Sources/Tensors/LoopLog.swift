// What the loops of a step took, chunk by chunk, on one thread: for those who want to know what more threads could gain
// than there are.

import Synchronization

/// Writes down every loop of the pool that it is given to.
public final class LoopLog: Sendable {
  /// A loop that was carried out.
  public struct Loop: Sendable {
    /// Where it stands in the source: `Tensors/Dense.swift:17`.
    public var place: String
    /// Of each chunk.
    public var seconds: [Double]

    public init(place: String, seconds: [Double]) {
      self.place = place
      self.seconds = seconds
    }
  }

  private let loops = Mutex<[Loop]>([])

  public init() {}

  /// Everything since the last time.
  public func taken() -> [Loop] {
    loops.withLock { loops in
      defer { loops = [] }
      return loops
    }
  }

  func run(chunks: Int, place: () -> String, _ body: (Int) -> Void) {
    let clock = ContinuousClock()
    var seconds: [Double] = []
    var last = clock.now
    for chunk in 0..<max(0, chunks) {
      body(chunk)
      let now = clock.now
      let (whole, fraction) = (now - last).components
      seconds.append(Double(whole) + Double(fraction) * 1e-18)
      last = now
    }
    let loop = Loop(place: place(), seconds: seconds)
    loops.withLock { $0.append(loop) }
  }
}

extension LoopLog.Loop {
  /// Seconds on so many threads, each of which takes the next chunk as soon as it is free; without what it costs to tell
  /// them of it.
  public func seconds(threads: Int) -> Double {
    var busy = [Double](repeating: 0, count: max(1, min(threads, seconds.count)))
    for chunk in seconds {
      let first = busy.indices.min { busy[$0] < busy[$1] } ?? 0
      busy[first] += chunk
    }
    return busy.max() ?? 0
  }
}
