// Looks into every file of a dataset, each read once: whether it decodes, what its header says, what it looks like.
// Nothing is judged here.

import Images
import Messages
import Synchronization

extension DatasetIndex {
  /// Reads and decodes every image that takes part; excluded ones do not. A file that is damaged, too large or gone is
  /// a fact like others, never an end.
  ///
  /// Memory: about 450 bytes an image besides the files under way, one a worker.
  ///
  /// - Parameters:
  ///   - workers: threads that decode; the result does not depend on it.
  ///   - progress: called now and then, from any of the threads but never from two at a time.
  ///   - isCancelled: asked before each file, from any of the threads.
  /// - Returns: nil if it was cancelled.
  public func checkFiles(
    workers: Int = 1, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in },
    isCancelled: @Sendable () -> Bool = { false }
  ) -> FileCheck? {
    let found = Mutex<(done: Int, files: [InspectedFile?])>((0, Array(repeating: nil, count: items.count)))
    // A hundred times in all, more often only where every hundred files are less.
    let interval = max(1, min(100, items.count / 100))
    forEachConcurrently(count: items.count, workers: workers, state: { ImageDecoder() }) { index, decoder in
      guard !isCancelled() else { return }
      let file = InspectedFile(items[index], root: root, decoder: decoder)
      found.withLock { found in
        found.files[index] = file
        found.done += 1
        if found.done.isMultiple(of: interval) || found.done == items.count { progress(found.done, items.count) }
      }
    }
    let files = found.withLock { $0.files.compactMap(\.self) }
    guard files.count == items.count else { return nil }

    let decoder = ImageDecoder()
    let copies = IdenticalFiles(read: { index, body in
      try? decoder.withContents(path: items[index].absolutePath(root: root)) { body($0) }
    }).groups(
      keys: files.map { file in file.fingerprint.map { _ in (file.facts.content, file.facts.bytes) } },
      isCancelled: isCancelled)
    var fingerprints = files.map(\.fingerprint)
    for copy in copies.flatMap({ $0.dropFirst() }) { fingerprints[copy] = nil }
    let lookalikes = SimilarImages(among: fingerprints, isCancelled: isCancelled)
    if isCancelled() { return nil }
    return FileCheck(facts: files.map(\.facts), copies: copies, lookalikes: lookalikes)
  }
}

/// One file and what is needed only until all files were compared.
private struct InspectedFile {
  var facts: ImageFacts
  /// nil where the file does not decode.
  var fingerprint: Fingerprint?

  init(_ item: DatasetItem, root: String, decoder: ImageDecoder) {
    // What is known by the time something fails.
    var known = (bytes: 0, content: ContentHash(UnsafeRawBufferPointer(start: nil, count: 0)))
    do throws(DecodingFailure) {
      self = try decoder.withContents(path: item.absolutePath(root: root), name: item.path) {
        (bytes) throws(DecodingFailure) in
        known = (bytes.count, ContentHash(bytes))
        let header = try decoder.header(bytes: bytes, name: item.path)
        let picture = try decoder.picture(bytes: bytes, name: item.path)
        return InspectedFile(
          facts: ImageFacts(
            bytes: known.bytes, content: known.content,
            outcome: .decoded(header, ChannelSums(picture.image), picture.transparency)),
          fingerprint: Fingerprint(picture.image))
      }
    } catch {
      self.init(
        facts: ImageFacts(bytes: known.bytes, content: known.content, outcome: .failed(error.reason, error.cause)),
        fingerprint: nil)
    }
  }

  private init(facts: ImageFacts, fingerprint: Fingerprint?) {
    self.facts = facts
    self.fingerprint = fingerprint
  }
}
