// The parallel loop: work cut into a number of chunks that depends on the work alone, done by however many threads
// there are. Because the cut does not depend on the threads, neither do the results. How threads find and await work
// is in LoopBoard.

import Glibc
import Resources

/// Threads that carry out the chunks of one loop at a time, the calling thread among them.
public final class ThreadPool: Sendable {
  /// How many threads compute, the caller's included.
  public let threads: Int
  /// Why there are fewer threads than were asked for; nil where there are as many. The results are the same.
  public let shortage: ResourceShortage?
  private let board: LoopBoard
  private let log: LoopLog?

  /// Makes threads, as many as the system gives.
  /// - Parameter threads: at least 1; nil for one a processor that this process may use.
  public convenience init(threads: Int? = nil) { self.init(threads: threads, shortage: nil) }

  /// A thread, the caller's, whose loops are written down.
  public convenience init(writing log: LoopLog) { self.init(threads: 1, shortage: nil, log: log) }

  /// The same, with the memory taken that matrix products need on each thread: fewer threads where there is less.
  /// - Throws: `ResourceShortage` where matrix products cannot be computed at all.
  public convenience init(reserving threads: Int?) throws(ResourceShortage) {
    let wanted = max(1, threads ?? Self.processors)
    let reserved = try GEMM.reserve(threads: wanted)
    self.init(
      threads: reserved,
      shortage: reserved < wanted
        ? ResourceShortage(.memory(128 << 20, purpose: "each of \(wanted) computing threads"), code: ENOMEM) : nil)
  }

  private static var processors: Int { SystemProcessors.available }

  private init(threads: Int?, shortage: ResourceShortage?, log: LoopLog? = nil) {
    self.log = log
    let processors = Self.processors
    let wanted = max(1, threads ?? processors)
    // With more threads than processors, whoever looks out for work keeps another from doing it.
    board = LoopBoard(spinTime: wanted <= processors ? Self.spinTime : 0)
    var (started, shortage) = (1, shortage)
    while started < wanted {
      do throws(ResourceShortage) {
        try SystemThread.start("thread \(started)") { [board] in board.work() }
        started += 1
      } catch {
        shortage = error
        break
      }
    }
    self.threads = started
    self.shortage = shortage
  }

  deinit { board.close() }

  /// Calls `body` once for each chunk, from several threads, and returns when all are done.
  ///
  /// `body` must write only to what belongs to its chunk: the compiler cannot check it, because chunks share arrays.
  /// Not to be called from inside a chunk, nor from two threads at once.
  /// - Parameters:
  ///   - file, line: where the loop stands, for a log.
  public func run(
    chunks: Int, file: StaticString = #fileID, line: UInt = #line, _ body: (_ chunk: Int) -> Void
  ) {
    if let log {
      log.run(chunks: chunks, place: { "\(file):\(line)" }, body)
    } else if threads == 1 || chunks <= 1 {
      for chunk in 0..<max(0, chunks) { body(chunk) }
    } else {
      board.run(chunks: chunks, body)
    }
  }

  /// Cuts 0 ..< count into at most `chunks` ranges of nearly equal length and calls `body` for each.
  public func run(
    over count: Int, chunks: Int = ThreadPool.standardChunks, file: StaticString = #fileID, line: UInt = #line,
    _ body: (_ range: Range<Int>) -> Void
  ) {
    let chunks = min(chunks, count)
    run(chunks: chunks, file: file, line: line) { chunk in body(ThreadPool.range(chunk, of: chunks, count: count)) }
  }

  /// The number of chunks for work that can be cut anywhere. It is part of the numerical result: never make it
  /// depend on the machine.
  public static let standardChunks = 16

  /// The part of 0 ..< count that chunk `index` of `chunks` covers.
  public static func range(_ index: Int, of chunks: Int, count: Int) -> Range<Int> {
    (count * index / chunks)..<(count * (index + 1) / chunks)
  }

  /// How long a thread looks out for work before it sleeps, nanoseconds. Waking one takes some 10 microseconds, and
  /// what lies between two loops of a training step mostly less than this; between two steps threads sleep.
  private static let spinTime: UInt64 = 50_000
}
