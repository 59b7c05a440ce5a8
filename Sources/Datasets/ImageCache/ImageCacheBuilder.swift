// Writes an image cache: on all threads at once, into a file of another name that takes the image cache's place when it
// is whole and on disk. What an earlier image cache holds unharmed is copied, the rest decoded.

import Files
import Glibc
import Images
import Messages
import Support
import Synchronization

/// Why no image cache was made.
enum ImageCacheFault: Error, Equatable {
  case cancelled
  /// It grew beyond what it may have.
  case tooLarge(limit: Int)
  case system(FileOperationError)
}

/// What is to be done with one file of the dataset.
enum ImageCachePlan {
  /// There is no such file, or it cannot be read.
  case leaveOut
  /// The earlier image cache has it, and nothing changed.
  case keep(ImageCacheEntry)
  /// The earlier image cache has it, but the file has another stamp.
  case review(ImageCacheEntry)
  /// No earlier image cache has it, or only that it was refused for a reason that may be gone.
  case make
}

/// One building of an image cache.
struct ImageCacheBuilder: Sendable {
  let description: ImageCacheDescription
  let preprocessing: Preprocessing
  /// Below the dataset's folder, to open, as they were found, and what to do: each an array over the dataset's files.
  let names: [String]
  let paths: [String]
  let stamps: [FileStamp?]
  let plans: [ImageCachePlan]
  /// The earlier image cache.
  let old: ImageCacheFile?
  let target: String
  /// Bytes that the pixels may have.
  let limit: Int
  /// What the pixels will come to, for the progress.
  let expectedBytes: Int
  let calls: FileCalls
  /// The cap in force.
  var maximumPixels = ImageDecoder.defaultMaximumPixels

  struct Result {
    var file: ImageCacheFile
    /// Images decoded, and images copied from the earlier image cache; failures are neither.
    var decoded: Int
    var kept: Int
  }

  /// - Parameters:
  ///   - progress: called a few times a second, never from two threads at a time.
  ///   - isCancelled: asked before each file, from any thread.
  func build(
    workers: Int, progress: @Sendable (PreparationProgress) -> Void, isCancelled: @Sendable () -> Bool
  ) throws(ImageCacheFault) -> Result {
    let partial = target + ImageCacheFolder.partialEnding
    // What a killed builder left; a living one would have the lock.
    _ = partial.withPathCString { unlink($0) }
    let file: OutputFile
    do {
      file = try OutputFile(creating: partial, for: target, permissions: 0o600, calls: calls)
    } catch {
      throw .system(error)
    }
    do throws(ImageCacheFault) {
      let result = try fill(file, workers: workers, progress: progress, isCancelled: isCancelled)
      do throws(FileOperationError) {
        try file.sync()
        try calls.move(partial, to: target)
      } catch {
        throw ImageCacheFault.system(error)
      }
      // Without it a power cut may bring the old image cache back, which is as good.
      try? calls.syncFolder(FilePath.split(target).folder)
      return result
    } catch {
      _ = partial.withPathCString { unlink($0) }
      throw error
    }
  }

  /// Writes everything.
  private func fill(
    _ file: OutputFile, workers: Int, progress: @Sendable (PreparationProgress) -> Void,
    isCancelled: @Sendable () -> Bool
  ) throws(ImageCacheFault) -> Result {
    let state = BuildState(total: paths.count, bytes: expectedBytes)
    let made = concurrentMap(
      count: paths.count, workers: workers, state: { ImageDecoder(maximumPixels: maximumPixels) }
    ) { index, decoder in
      guard state.fault == nil else { return nil as ImageCacheEntry? }
      if isCancelled() {
        state.fail(.cancelled)
        return nil
      }
      do throws(ImageCacheFault) {
        let entry = try entry(index, decoder, file, state)
        state.advance(progress)
        return entry
      } catch {
        state.fail(error)
        return nil
      }
    }
    if let fault = state.fault { throw fault }
    let table = ImageCacheTable(description: description, entries: made.compactMap { $0 })
    let bytes = table.bytes
    let end = state.end.load(ordering: .relaxed)
    try write(bytes, to: file, at: end)
    let header = ImageCacheHeader(
      fileLength: end + bytes.count, tableOffset: end, tableLength: bytes.count, tableChecksum: checksum(bytes))
    try write(header.bytes, to: file, at: 0)
    do {
      return Result(
        file: ImageCacheFile(try InputFile(path: target, written: file), table: table),
        decoded: state.decoded.load(ordering: .relaxed), kept: state.kept.load(ordering: .relaxed))
    } catch {
      throw .system(error)
    }
  }

  /// Copies or makes one entry.
  private func entry(
    _ index: Int, _ decoder: ImageDecoder, _ file: OutputFile, _ state: BuildState
  ) throws(ImageCacheFault) -> ImageCacheEntry? {
    guard let stamp = stamps[index] else { return nil }
    switch plans[index] {
    case .leaveOut: return nil
    case .keep(let entry):
      if let copy = try copied(entry, file, state) { return copy }
      // Damaged in the earlier image cache.
      return try made(index, stamp, nil, decoder, file, state)
    case .review(let entry): return try made(index, stamp, entry, decoder, file, state)
    case .make: return try made(index, stamp, nil, decoder, file, state)
    }
  }

  private func copied(
    _ entry: ImageCacheEntry, _ file: OutputFile, _ state: BuildState
  ) throws(ImageCacheFault) -> ImageCacheEntry? {
    var entry = entry
    if var image = entry.image {
      guard let pixels = old?.pixels(of: image) else { return nil }
      image.offset = try place(pixels, file, state)
      entry.content = .image(image)
      state.kept.add(1, ordering: .relaxed)
    }
    return entry
  }

  /// What reading a file gave.
  private enum Reading {
    case same
    case image(DecodedPicture, stored: PixelImage, hash: UInt64)
    case failure(DecodingFailure.Cause, reason: String, hash: UInt64)
  }

  /// - Parameter known: the entry of the file as it was; kept if it still has the same bytes.
  private func made(
    _ index: Int, _ stamp: FileStamp, _ known: ImageCacheEntry?, _ decoder: ImageDecoder, _ file: OutputFile,
    _ state: BuildState
  ) throws(ImageCacheFault) -> ImageCacheEntry? {
    let name = names[index]
    func entry(_ hash: UInt64, _ content: ImageCacheEntry.Content) -> ImageCacheEntry {
      ImageCacheEntry(path: name, stamp: stamp, contentHash: hash, content: content)
    }
    switch read(index, known, decoder) {
    case .same:
      guard var known else { return nil }
      known.stamp = stamp
      if let copy = try copied(known, file, state) { return copy }
      return try made(index, stamp, nil, decoder, file, state)
    case .failure(.content, let reason, let hash): return entry(hash, .failure(reason: reason))
    case .failure(.pixelLimit(let required), _, let hash): return entry(hash, .tooLarge(required: required))
    case .failure(.circumstances, _, _): return entry(0, .unread)
    case .image(let picture, let image, let hash):
      state.decoded.add(1, ordering: .relaxed)
      return entry(
        hash,
        .image(
          ImageCacheEntry.CachedImage(
            width: image.width, height: image.height, sourceWidth: picture.width, sourceHeight: picture.height,
            requiredPixels: picture.requiredPixels, offset: try place(image.pixels, file, state),
            checksum: checksum(image.pixels))))
    }
  }

  private func read(_ index: Int, _ known: ImageCacheEntry?, _ decoder: ImageDecoder) -> Reading {
    let name = names[index]
    // What was refused before is not known by its bytes.
    let knownHash = known.flatMap { $0.isOpen(maximumPixels: maximumPixels) ? nil : $0.contentHash }
    do throws(DecodingFailure) {
      return try decoder.withContents(path: paths[index], name: name) { (bytes) throws(DecodingFailure) in
        let hash = checksum(bytes)
        if hash == knownHash { return Reading.same }
        do throws(DecodingFailure) {
          let picture = try decoder.picture(
            bytes: bytes, name: name, minimumSide: preprocessing.minimumSide, background: preprocessing.background)
          return .image(picture, stored: preprocessing.cachedForm(of: picture.image), hash: hash)
        } catch {
          return .failure(error.cause, reason: error.reason, hash: hash)
        }
      }
    } catch {
      return .failure(error.cause, reason: error.reason, hash: 0)
    }
  }

  /// Writes pixels where there is room.
  /// - Returns: where that is.
  private func place(_ pixels: [UInt8], _ file: OutputFile, _ state: BuildState) throws(ImageCacheFault) -> Int {
    let end = state.end.add(pixels.count, ordering: .relaxed).newValue
    guard end - ImageCacheHeader.byteCount <= limit else { throw .tooLarge(limit: limit) }
    try write(pixels, to: file, at: end - pixels.count)
    return end - pixels.count
  }

  private func write(_ bytes: [UInt8], to file: OutputFile, at offset: Int) throws(ImageCacheFault) {
    do { try file.write(bytes, at: offset) } catch { throw .system(error) }
  }
}

/// What the threads of a building share.
private final class BuildState: Sendable {
  let total: Int
  let bytes: Int
  /// Where the next pixels go.
  let end = Atomic<Int>(ImageCacheHeader.byteCount)
  let decoded = Atomic<Int>(0)
  let kept = Atomic<Int>(0)
  private let clock = ContinuousClock()
  private let firstFault = Mutex<ImageCacheFault?>(nil)
  private let reporting: Mutex<(done: Int, last: ContinuousClock.Instant?)> = Mutex((0, nil))
  /// The longest time between two reports.
  private static let interval = Duration.milliseconds(100)

  init(total: Int, bytes: Int) {
    self.total = total
    self.bytes = bytes
  }

  var fault: ImageCacheFault? { firstFault.withLock { $0 } }

  func fail(_ fault: ImageCacheFault) { firstFault.withLock { $0 = $0 ?? fault } }

  func advance(_ progress: @Sendable (PreparationProgress) -> Void) {
    reporting.withLock { state in
      state.done += 1
      let now = clock.now
      if let last = state.last, now - last < Self.interval, state.done < total { return }
      state.last = now
      progress(.caching(done: state.done, total: total, bytes: bytes))
    }
  }
}
