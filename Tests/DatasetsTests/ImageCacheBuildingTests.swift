// Making packs when something is in the way: no room, no rights, another builder, no patience.

import Files
import Foundation
import Images
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

@Test func `whichever write fails, there is a warning, no half pack, and the same batches`() throws {
  let fixture = try PackFixture()
  let expected = try fixture.batches(nil)
  var failing = 0
  while true {
    let turn = Atomic<Int>(0)
    let failingNow = failing
    var packs = fixture.packs
    let system = FileCalls.system
    packs.calls.write = { descriptor, bytes, offset in
      turn.wrappingAdd(1, ordering: .relaxed).oldValue == failingNow
        ? -Int(ENOSPC) : system.write(descriptor, bytes, offset)
    }
    let prepared = try fixture.prepare(packs)
    if prepared.warning == nil { break }
    #expect(prepared.warning?.contains("No space left on device") == true)
    #expect(prepared.pack == nil)
    #expect(fixture.packs.list().isEmpty)
    #expect(!fixture.names(in: "cache").contains { $0.hasSuffix(PackFolder.partialEnding) })
    #expect(try fixture.batches(prepared.pack) == expected)
    failing += 1
  }
  #expect(failing == PackFixture.count + 2, "a write for each image, the table and the header")
  #expect(try fixture.prepare().decoded == 0)
}

@Test(arguments: [FileOperationError.Step.create, .sync, .rename])
func `a disk that fails leaves the earlier pack`(step: FileOperationError.Step) throws {
  let fixture = try PackFixture()
  _ = try fixture.prepare()
  try fixture.write(4, seed: 5)
  var packs = fixture.packs
  switch step {
  case .create: packs.calls.create = { _, _ in -EROFS }
  case .sync: packs.calls.sync = { _ in -EIO }
  default: packs.calls.rename = { _, _ in -EACCES }
  }
  let prepared = try fixture.prepare(packs)
  #expect(prepared.warning?.contains("cannot \(step.rawValue)") == true)
  // Eleven of twelve are still good.
  #expect(prepared.pack?.count == PackFixture.count - 1)
  #expect(try fixture.batches(prepared.pack) == fixture.batches(nil))
  #expect(try fixture.prepare().kept == PackFixture.count - 1)
}

@Test func `short and interrupted writes make a whole pack`() throws {
  let fixture = try PackFixture()
  let turns = Atomic<Int>(0)
  var packs = fixture.packs
  let system = FileCalls.system
  packs.calls.write = { descriptor, bytes, offset in
    if turns.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 0 { return -Int(EINTR) }
    return system.write(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(50)), offset)
  }
  #expect(try fixture.prepare(packs).pack != nil)
  #expect(try fixture.batches(fixture.prepare().pack) == fixture.batches(nil))
}

@Test func `a cache folder that cannot be made is a warning`() throws {
  let fixture = try PackFixture()
  try fixture.folder.write([1], to: "file")
  let prepared = try fixture.prepare(PackFolder(path: fixture.folder.path + "/file/cache"))
  #expect(prepared.pack == nil)
  #expect(prepared.warning?.contains("file/cache") == true && prepared.warning?.contains("--no-cache") == true)
}

@Test(arguments: [Preprocessing.Resize.stretch, .crop])
func `a set too large for the limit is read from its files`(resize: Preprocessing.Resize) throws {
  let fixture = try PackFixture(resize)
  let needed = fixture.preprocessing.storedByteCount(
    files: try fixture.index().items.map { $0.absolutePath(root: "\(fixture.folder.path)/data") }, workers: 2)
  let pack = try #require(try fixture.prepare(limit: needed).pack)
  let pixels = pack.byteCount - (try #require(PackFile(path: pack.path))).table.bytes.count - PackHeader.byteCount
  #expect(needed == pixels)
  let refused = try fixture.prepare(limit: needed - 1)
  #expect(refused.pack == nil)
  #expect(refused.warning?.contains("--cache-limit") == true)
  #expect(fixture.packs.clear().removed.count == 1)
  #expect(try fixture.prepare(limit: needed - 1).pack == nil)
  #expect(fixture.packs.list().isEmpty)
}

@Test func `a set that turns out larger than it looked is given up`() throws {
  let fixture = try PackFixture()
  // The sampled headers cannot be read, so that nothing seems to be needed.
  let index = try fixture.index()
  let builder = PackBuilder(
    description: PackDescription(root: index.root, preprocessing: fixture.preprocessing),
    preprocessing: fixture.preprocessing, names: index.items.map(\.path),
    paths: index.items.map { $0.absolutePath(root: index.root) },
    stamps: index.items.map { FileStamp(path: $0.absolutePath(root: index.root)) },
    plans: index.items.map { _ in .make }, old: nil, target: fixture.folder.path + "/x.pack", limit: 1000,
    expectedBytes: 0, calls: .system)
  #expect(throws: PackFault.tooLarge(limit: 1000)) {
    try builder.build(workers: 2, progress: { _ in }, isCancelled: { false })
  }
  #expect(!fixture.names(in: "").contains { $0.hasPrefix("x.pack") })
}

@Test func `progress counts every image, and cancelling leaves nothing behind`() throws {
  let fixture = try PackFixture()
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
  #expect(fixture.packs.list().isEmpty)
  #expect(!fixture.names(in: "cache").contains { $0.hasSuffix(PackFolder.partialEnding) })
  seen.withLock { $0 = [] }
  let pack = try #require(try fixture.prepare(progress: { step in seen.withLock { $0.append(step) } }).pack)
  guard case .packing(let done, let total, let bytes)? = seen.withLock({ $0.last }) else {
    Issue.record("no progress")
    return
  }
  #expect(done == PackFixture.count && total == PackFixture.count && bytes > 0 && bytes < pack.byteCount)
}

/// Who holds a lock keeps others from building, for as long as he lives.
@Test(.timeLimit(.minutes(5))) func `the second of two builders waits, with progress, and finds the pack made`()
  throws
{
  let fixture = try PackFixture()
  let description = PackDescription(root: try fixture.index().root, preprocessing: fixture.preprocessing)
  try fixture.folder.makeFolder("cache")
  let target = "\(fixture.packs.path)/\(description.fileName)"
  var lock = try PackLock.attempt(path: target + PackFolder.lockEnding)
  #expect(lock != nil)
  #expect(try PackLock.attempt(path: target + PackFolder.lockEnding) == nil)

  let waiting = DispatchSemaphore(value: 0)
  let ended = DispatchSemaphore(value: 0)
  let results = Mutex<[PreparedPack]>([])
  for _ in 0..<2 {
    Thread {
      let prepared = try? fixture.prepare(progress: { _ in waiting.signal() })
      results.withLock { $0 += [prepared].compactMap { $0 } }
      ended.signal()
    }.start()
  }
  // Both have told that they wait.
  for _ in 0..<6 { waiting.wait() }
  #expect(fixture.packs.list().isEmpty && results.withLock { $0.isEmpty })
  #expect(fixture.packs.clear().removed.isEmpty)
  withExtendedLifetime(lock) {}
  lock = nil
  for _ in 0..<2 { ended.wait() }
  #expect(results.withLock { $0.map(\.decoded).sorted() } == [0, PackFixture.count])
  #expect(results.withLock { $0.allSatisfy { $0.pack?.count == PackFixture.count } })
}

@Test(.timeLimit(.minutes(5))) func `waiting for another builder can be cancelled`() throws {
  let fixture = try PackFixture()
  let description = PackDescription(root: try fixture.index().root, preprocessing: fixture.preprocessing)
  try fixture.folder.makeFolder("cache")
  let lock = try PackLock.attempt(path: "\(fixture.packs.path)/\(description.fileName)\(PackFolder.lockEnding)")
  let waited = Atomic<Bool>(false)
  #expect(throws: CancellationError.self) {
    try fixture.prepare(
      progress: { _ in waited.store(true, ordering: .relaxed) }, isCancelled: { waited.load(ordering: .relaxed) })
  }
  withExtendedLifetime(lock) {}
}

@Test(.timeLimit(.minutes(5))) func `a builder that is killed holds no lock, and what it left is swept`() throws {
  let fixture = try PackFixture()
  try fixture.folder.makeFolder("cache")
  let lock = fixture.packs.path + "/other.pack" + PackFolder.lockEnding
  try fixture.folder.write([1, 2, 3], to: "cache/other.pack.partial")
  let holder = Process()
  holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
  // -o: the lock belongs to flock itself, not to the command it waits for.
  holder.arguments = ["-o", lock, "sleep", "20"]
  try holder.run()
  while try PackLock.attempt(path: lock) != nil { usleep(1000) }
  fixture.packs.sweep()
  #expect(fixture.names(in: "cache").contains("other.pack.partial"), "its builder lives")
  kill(holder.processIdentifier, SIGKILL)
  // Not waitUntilExit(): that would wait for `sleep` too.
  while try PackLock.attempt(path: lock) == nil { usleep(1000) }
  _ = try fixture.prepare()
  #expect(!fixture.names(in: "cache").contains("other.pack.partial"))
}

@Test func `packs are listed, the last used first, cleared, and removed after a month`() throws {
  let fixture = try PackFixture()
  #expect(fixture.packs.list().isEmpty)
  let first = try #require(try fixture.prepare().pack)
  var other = fixture.preprocessing
  other.imageSize = 9
  let second = try #require(
    try fixture.packs.prepare(index: fixture.index(), preprocessing: other, workers: 1).pack)
  var times = [
    timespec(tv_sec: time(nil) - 86_400 * 20, tv_nsec: 0), timespec(tv_sec: time(nil) - 86_400 * 20, tv_nsec: 0),
  ]
  utimensat(AT_FDCWD, first.path, &times, 0)
  var list = fixture.packs.list()
  #expect(list.map(\.path) == [second.path, first.path])
  #expect(list.map(\.size) == [second.byteCount, first.byteCount])
  #expect(list[0].content?.imageSize == 9 && list[0].content?.images == PackFixture.count)
  #expect(list[0].content?.dataset == first.description.root && list[0].content?.background == .white)
  // Used again, it is young again.
  _ = try fixture.prepare()
  #expect(fixture.packs.list()[1].lastUsed > Date().addingTimeInterval(-3600))
  utimensat(AT_FDCWD, first.path, &times, 0)
  fixture.packs.sweep()
  #expect(fixture.packs.list().count == 2, "twenty days")
  fixture.packs.sweep(now: Date().addingTimeInterval(86_400 * 11))
  list = fixture.packs.list()
  #expect(list.map(\.path) == [second.path], "thirty-one days")
  let cleared = fixture.packs.clear()
  #expect(cleared.removed == list && cleared.busy.isEmpty)
  #expect(fixture.names(in: "cache").isEmpty)
  // Who has it open can go on.
  #expect(try second.storedForm(path: "odd/1.png") != nil)
}

@Test func `the cache folder follows the environment's rules`() throws {
  let path = try #require(PackFolder.user).path
  #expect(path.hasPrefix("/") && path.hasSuffix("/skipline/packs"))
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
