// Decodes every file of a dataset to find the broken ones before training does.

import Images
import Messages
import Synchronization

extension DatasetIndex {
  /// Decodes every image.
  ///
  /// - Parameters:
  ///   - workers: threads that decode.
  ///   - progress: called now and then, from any of the threads but never from two at a time, with the number of
  ///     files done.
  ///   - isCancelled: asked before each file; true leaves the rest out.
  /// - Returns: the files that do not decode, with paths below the dataset's folder, in the order of `items`.
  public func checkDecoding(
    workers: Int = 1, progress: @Sendable (Int) -> Void = { _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) -> [DecodingFailure] {
    let found = Mutex<(done: Int, failures: [(index: Int, failure: DecodingFailure)])>((0, []))
    forEachConcurrently(count: items.count, workers: workers, state: { ImageDecoder() }) { index, decoder in
      guard !isCancelled() else { return }
      var failure: DecodingFailure?
      do throws(DecodingFailure) {
        _ = try decoder.decode(path: items[index].absolutePath(root: root), name: items[index].path)
      } catch {
        failure = error
      }
      found.withLock { found in
        found.done += 1
        if let failure { found.failures.append((index, failure)) }
        if found.done.isMultiple(of: 100) || found.done == items.count { progress(found.done) }
      }
    }
    return found.withLock { $0.failures.sorted { $0.index < $1.index }.map(\.failure) }
  }
}
