// The threads behind a loader: they prepare batches a few ahead of the one who takes them, who gets them in order.

import Images
import Resources

/// The batches of one epoch, in order. Dropping it ends its threads as soon as each has finished its batch.
///
/// For one taker: it is not `Sendable`.
public final class BatchStream: Sequence, IteratorProtocol {
  let queue: BatchQueue
  /// Every image met so far that does not decode, also of batches that were passed over at the end.
  public private(set) var skipped: [DecodingFailure] = []
  /// Why there are fewer threads than the loader asked for; nil where there are as many. The batches are the same.
  public private(set) var shortage: ResourceShortage?
  /// Prepares batches on the thread of the one who takes them, where there is no other.
  private var preparer: BatchPreparer?

  /// - Parameter batches: their places in the epoch.
  init(loader: BatchLoader, plan: BatchLoader.EpochPlan, batches: [Int]) {
    let queue = BatchQueue(batches, ahead: loader.ahead)
    self.queue = queue
    let wanted = Swift.min(loader.workers, batches.count)
    var started = 0
    while started < wanted {
      do throws(ResourceShortage) {
        // The thread holds the queue, not the stream, or the stream could never be dropped.
        try SystemThread.start("batches \(started)") {
          let preparer = BatchPreparer(loader: loader, plan: plan)
          while let (turn, index) = queue.claim() { queue.deliver(preparer.prepare(index), turn: turn) }
        }
        started += 1
      } catch {
        shortage = error
        break
      }
    }
    if started == 0 { preparer = BatchPreparer(loader: loader, plan: plan) }
  }

  deinit { queue.close() }

  /// Waits for the next batch that has an image in it.
  /// - Returns: nil at the end of the epoch.
  public func next() -> Batch? {
    var passedOver: [DecodingFailure] = []
    while var batch = take() {
      skipped += batch.skipped
      if batch.items.isEmpty {
        passedOver += batch.skipped
        continue
      }
      batch.skipped = passedOver + batch.skipped
      return batch
    }
    return nil
  }

  /// The same, but one without any image has its turn too: for whoever counts places. They are not among `skipped`.
  public func nextInPlace() -> Batch? { take() }

  private func take() -> Batch? {
    if let preparer, let (turn, index) = queue.claim() { queue.deliver(preparer.prepare(index), turn: turn) }
    return queue.take()
  }
}

/// What one thread needs to prepare batches.
private struct BatchPreparer {
  let loader: BatchLoader
  let plan: BatchLoader.EpochPlan
  let decoder = ImageDecoder()
  let table: NormalizationTable

  init(loader: BatchLoader, plan: BatchLoader.EpochPlan) {
    self.loader = loader
    self.plan = plan
    table = NormalizationTable(loader.preprocessing)
  }

  func prepare(_ index: Int) -> Batch { loader.prepare(index, of: plan, decoder: decoder, table: table) }
}

/// Hands out batch numbers in order, takes prepared batches in any order, and gives them on in order.
///
/// It is `@unchecked Sendable` because `condition` guards every variable.
final class BatchQueue: @unchecked Sendable {
  private let condition = Condition()
  private let batches: [Int]
  private let ahead: Int
  private var nextToPrepare = 0
  private var nextToTake = 0
  private var prepared: [Int: Batch] = [:]
  private var closed = false

  /// - Parameters:
  ///   - batches: their numbers, in the order in which they are taken.
  ///   - ahead: how many batches may be claimed but not taken.
  init(_ batches: [Int], ahead: Int) {
    self.batches = batches
    self.ahead = ahead
  }

  /// The next batch to prepare, and its turn; waits while enough of them are under way.
  /// - Returns: nil when there are no more.
  func claim() -> (turn: Int, batch: Int)? {
    condition.lock()
    defer { condition.unlock() }
    while !closed && nextToPrepare < batches.count && nextToPrepare >= nextToTake + ahead { condition.wait() }
    guard !closed, nextToPrepare < batches.count else { return nil }
    nextToPrepare += 1
    return (nextToPrepare - 1, batches[nextToPrepare - 1])
  }

  /// Puts in a batch that was claimed.
  func deliver(_ batch: Batch, turn: Int) {
    condition.lock()
    defer { condition.unlock() }
    if !closed { prepared[turn] = batch }
    condition.broadcast()
  }

  /// The next batch in order; waits until it is prepared.
  /// - Returns: nil at the end, or when the queue is closed.
  func take() -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    guard nextToTake < batches.count else { return nil }
    while !closed {
      if let batch = prepared.removeValue(forKey: nextToTake) {
        nextToTake += 1
        condition.broadcast()
        return batch
      }
      condition.wait()
    }
    return nil
  }

  /// Lets every thread go.
  func close() {
    condition.lock()
    defer { condition.unlock() }
    closed = true
    prepared = [:]
    condition.broadcast()
  }
}
