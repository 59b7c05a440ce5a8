// Making caches when something is in the way: no room, no rights, another builder, no patience.

import Files
import Foundation
import Images
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

@Test func `whichever write fails, there is a warning, no half cache, and the same batches`() throws {
  let fixture = try ImageCacheFixture()
  let expected = try fixture.batches(nil)
  var failing = 0
  while true {
    let turn = Atomic<Int>(0)
    let failingNow = failing
    var caches = fixture.caches
    let system = FileCalls.system
    caches.calls.write = { descriptor, bytes, offset in
      turn.wrappingAdd(1, ordering: .relaxed).oldValue == failingNow
        ? -Int(ENOSPC) : system.write(descriptor, bytes, offset)
    }
    let prepared = try fixture.prepare(caches)
    if prepared.warning == nil { break }
    #expect(prepared.warning?.contains("No space left on device") == true)
    #expect(prepared.cache == nil)
    #expect(fixture.caches.list().isEmpty)
    #expect(!fixture.names(in: "cache").contains { $0.hasSuffix(ImageCacheFolder.partialEnding) })
    #expect(try fixture.batches(prepared.cache) == expected)
    failing += 1
  }
  #expect(failing == ImageCacheFixture.count + 2, "a write for each image, the table and the header")
  #expect(try fixture.prepare().decoded == 0)
}

@Test(arguments: [FileOperationError.Step.create, .sync, .rename])
func `a disk that fails leaves the earlier image cache`(step: FileOperationError.Step) throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  try fixture.write(4, seed: 5)
  var caches = fixture.caches
  switch step {
  case .create: caches.calls.create = { _, _ in -EROFS }
  case .sync: caches.calls.sync = { _ in -EIO }
  default: caches.calls.rename = { _, _ in -EACCES }
  }
  let prepared = try fixture.prepare(caches)
  #expect(prepared.warning?.contains("cannot \(step.rawValue)") == true)
  // Eleven of twelve are still good.
  #expect(prepared.cache?.count == ImageCacheFixture.count - 1)
  #expect(try fixture.batches(prepared.cache) == fixture.batches(nil))
  #expect(try fixture.prepare().kept == ImageCacheFixture.count - 1)
}

@Test func `short and interrupted writes make a whole image cache`() throws {
  let fixture = try ImageCacheFixture()
  let turns = Atomic<Int>(0)
  var caches = fixture.caches
  let system = FileCalls.system
  caches.calls.write = { descriptor, bytes, offset in
    if turns.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 0 { return -Int(EINTR) }
    return system.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(50)), offset)
  }
  #expect(try fixture.prepare(caches).cache != nil)
  #expect(try fixture.batches(fixture.prepare().cache) == fixture.batches(nil))
}

@Test func `a cache folder that cannot be made is a warning`() throws {
  let fixture = try ImageCacheFixture()
  try fixture.folder.write([1], to: "file")
  let prepared = try fixture.prepare(ImageCacheFolder(path: fixture.folder.path + "/file/cache"))
  #expect(prepared.cache == nil)
  #expect(prepared.warning?.contains("file/cache") == true && prepared.warning?.contains("--no-cache") == true)
}

@Test(arguments: [Preprocessing.Resize.stretch, .crop])
func `a set too large for the limit is read from its files`(resize: Preprocessing.Resize) throws {
  let fixture = try ImageCacheFixture(resize)
  let needed = fixture.preprocessing.storedByteCount(
    files: try fixture.index().items.map { $0.absolutePath(root: "\(fixture.folder.path)/data") }, workers: 2)
  let cache = try #require(try fixture.prepare(limit: needed).cache)
  let pixels =
    cache.byteCount - (try #require(ImageCacheFile(path: cache.path))).table.bytes.count
    - ImageCacheHeader.byteCount
  #expect(needed == pixels)
  let refused = try fixture.prepare(limit: needed - 1)
  #expect(refused.cache == nil)
  #expect(refused.warning?.contains("--cache-limit") == true)
  #expect(fixture.caches.clear().removed.count == 1)
  #expect(try fixture.prepare(limit: needed - 1).cache == nil)
  #expect(fixture.caches.list().isEmpty)
}

@Test func `a set that turns out larger than it looked is given up`() throws {
  let fixture = try ImageCacheFixture()
  // The sampled headers cannot be read, so that nothing seems to be needed.
  let index = try fixture.index()
  let builder = ImageCacheBuilder(
    description: ImageCacheDescription(root: index.root, preprocessing: fixture.preprocessing),
    preprocessing: fixture.preprocessing, names: index.items.map(\.path),
    paths: index.items.map { $0.absolutePath(root: index.root) },
    stamps: index.items.map { FileStamp(path: $0.absolutePath(root: index.root)) },
    plans: index.items.map { _ in .make }, old: nil, target: fixture.folder.path + "/x.cache", limit: 1000,
    expectedBytes: 0, calls: .system)
  #expect(throws: ImageCacheFault.tooLarge(limit: 1000)) {
    try builder.build(workers: 2, progress: { _ in }, isCancelled: { false })
  }
  #expect(!fixture.names(in: "").contains { $0.hasPrefix("x.cache") })
}

@Test func `progress counts every image, and cancelling leaves nothing behind`() throws {
  let fixture = try ImageCacheFixture()
  let seen = Mutex<[PreparationProgress]>([])
  #expect(throws: CancellationError.self) {
    try fixture.prepare(
      workers: 1,
      isCancelled: {
        seen.withLock {
          $0.append(.scanning(files: 0)); return $0.count > 5
        }
      })
  }
  #expect(fixture.caches.list().isEmpty)
  #expect(!fixture.names(in: "cache").contains { $0.hasSuffix(ImageCacheFolder.partialEnding) })
  seen.withLock { $0 = [] }
  let cache = try #require(try fixture.prepare(progress: { step in seen.withLock { $0.append(step) } }).cache)
  guard case .caching(let done, let total, let bytes)? = seen.withLock({ $0.last }) else {
    Issue.record("no progress")
    return
  }
  #expect(
    done == ImageCacheFixture.count && total == ImageCacheFixture.count && bytes > 0 && bytes < cache.byteCount)
}

/// Who holds a lock keeps others from building, for as long as he lives.
@Test(.timeLimit(.minutes(5)))
func `the second of two builders waits, with progress, and finds the image cache made`()
  throws
{
  let fixture = try ImageCacheFixture()
  let description = ImageCacheDescription(root: try fixture.index().root, preprocessing: fixture.preprocessing)
  try fixture.folder.makeFolder("cache")
  let target = "\(fixture.caches.path)/\(description.fileName)"
  var lock = try ImageCacheLock.attempt(path: target + ImageCacheFolder.lockEnding)
  #expect(lock != nil)
  #expect(try ImageCacheLock.attempt(path: target + ImageCacheFolder.lockEnding) == nil)

  let waiting = DispatchSemaphore(value: 0)
  let ended = DispatchSemaphore(value: 0)
  let results = Mutex<[PreparedImageCache]>([])
  for _ in 0..<2 {
    Thread {
      let prepared = try? fixture.prepare(progress: { _ in waiting.signal() })
      results.withLock { $0 += [prepared].compactMap { $0 } }
      ended.signal()
    }.start()
  }
  // Both have told that they wait.
  for _ in 0..<6 { waiting.wait() }
  #expect(fixture.caches.list().isEmpty && results.withLock { $0.isEmpty })
  #expect(fixture.caches.clear().removed.isEmpty)
  withExtendedLifetime(lock) {}
  lock = nil
  for _ in 0..<2 { ended.wait() }
  #expect(results.withLock { $0.map(\.decoded).sorted() } == [0, ImageCacheFixture.count])
  #expect(results.withLock { $0.allSatisfy { $0.cache?.count == ImageCacheFixture.count } })
}

@Test(.timeLimit(.minutes(5))) func `waiting for another builder can be cancelled`() throws {
  let fixture = try ImageCacheFixture()
  let description = ImageCacheDescription(root: try fixture.index().root, preprocessing: fixture.preprocessing)
  try fixture.folder.makeFolder("cache")
  let lock = try ImageCacheLock.attempt(
    path: "\(fixture.caches.path)/\(description.fileName)\(ImageCacheFolder.lockEnding)")
  let waited = Atomic<Bool>(false)
  #expect(throws: CancellationError.self) {
    try fixture.prepare(
      progress: { _ in waited.store(true, ordering: .relaxed) }, isCancelled: { waited.load(ordering: .relaxed) })
  }
  withExtendedLifetime(lock) {}
}

@Test(.timeLimit(.minutes(5))) func `a builder that is killed holds no lock, and what it left is swept`() throws {
  let fixture = try ImageCacheFixture()
  try fixture.folder.makeFolder("cache")
  let lock = fixture.caches.path + "/other.cache" + ImageCacheFolder.lockEnding
  try fixture.folder.write([1, 2, 3], to: "cache/other.cache.partial")
  let holder = Process()
  holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
  // -o: the lock belongs to flock itself, not to the command it waits for.
  holder.arguments = ["-o", lock, "sleep", "20"]
  try holder.run()
  while try ImageCacheLock.attempt(path: lock) != nil { usleep(1000) }
  fixture.caches.sweep()
  #expect(fixture.names(in: "cache").contains("other.cache.partial"), "its builder lives")
  kill(holder.processIdentifier, SIGKILL)
  // Not waitUntilExit(): that would wait for `sleep` too.
  while try ImageCacheLock.attempt(path: lock) == nil { usleep(1000) }
  _ = try fixture.prepare()
  #expect(!fixture.names(in: "cache").contains("other.cache.partial"))
}

@Test func `caches are listed, the last used first, cleared, and removed after a month`() throws {
  let fixture = try ImageCacheFixture()
  #expect(fixture.caches.list().isEmpty)
  let first = try #require(try fixture.prepare().cache)
  var other = fixture.preprocessing
  other.imageSize = 9
  let second = try #require(
    try fixture.caches.prepare(index: fixture.index(), preprocessing: other, workers: 1).cache)
  var times = [
    timespec(tv_sec: time(nil) - 86_400 * 20, tv_nsec: 0), timespec(tv_sec: time(nil) - 86_400 * 20, tv_nsec: 0),
  ]
  utimensat(AT_FDCWD, first.path, &times, 0)
  var list = fixture.caches.list()
  #expect(list.map(\.path) == [second.path, first.path])
  #expect(list.map(\.size) == [second.byteCount, first.byteCount])
  #expect(list[0].content?.imageSize == 9 && list[0].content?.images == ImageCacheFixture.count)
  #expect(list[0].content?.dataset == first.description.root && list[0].content?.background == .white)
  // Used again, it is young again.
  _ = try fixture.prepare()
  #expect(fixture.caches.list()[1].lastUsed > Date().addingTimeInterval(-3600))
  utimensat(AT_FDCWD, first.path, &times, 0)
  fixture.caches.sweep()
  #expect(fixture.caches.list().count == 2, "twenty days")
  fixture.caches.sweep(now: Date().addingTimeInterval(86_400 * 11))
  list = fixture.caches.list()
  #expect(list.map(\.path) == [second.path], "thirty-one days")
  let cleared = fixture.caches.clear()
  #expect(cleared.removed == list && cleared.busy.isEmpty)
  #expect(fixture.names(in: "cache").isEmpty)
  // Who has it open can go on.
  #expect(try second.cachedForm(path: "odd/1.png") != nil)
}

@Test func `the cache folder follows the environment's rules`() throws {
  let path = try #require(ImageCacheFolder.user).path
  #expect(path.hasPrefix("/") && path.hasSuffix("/skipline/caches"))
}

@Test func `many files are looked at quickly and a fresh change never passes unseen`() throws {
  let folder = try TemporaryFolder()
  try folder.write([1], to: "a")
  let path = folder.path + "/a"
  // However close the writes come: the second has another stamp.
  for round in 0..<5 {
    let before = FileStamp.stamps(of: [path], workers: 1)[0]
    try Data([UInt8(round)]).write(to: URL(fileURLWithPath: path), options: [])
    #expect(FileStamp(path: path) != before)
  }
  #expect(
    FileStamp.stamps(of: [path, folder.path, folder.path + "/none"], workers: 2).map { $0 != nil } == [
      true, false, false,
    ])
  // A part of a larger file has the file's stamp.
  #expect(FileStamp(path: path + "@0+1") == FileStamp(path: path))
}
