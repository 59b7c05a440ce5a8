// An image cache changes nothing: whatever happens to it or to the images, batches are those that the files give.

import Support
import Foundation
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

@Test(arguments: [Preprocessing.Resize.stretch, .crop])
func `batches are the same with an image cache and without, for any number of workers`(resize: Preprocessing.Resize)
  throws
{
  let fixture = try ImageCacheFixture(resize, broken: [3, 8])
  let expected = try fixture.batches(nil)
  let prepared = try fixture.prepare()
  let cache = try #require(prepared.cache)
  #expect(prepared.warning == nil)
  #expect(
    prepared.decoded == ImageCacheFixture.count - 2 && prepared.kept == 0 && cache.count == ImageCacheFixture.count)
  #expect(cache.statistics.images == ImageCacheFixture.count - 2 && cache.statistics.undecodable == 2)
  #expect(try fixture.batches(cache) == expected)
  #expect(try fixture.batches(cache, workers: 3) == expected)
  #expect(expected.contains { !$0.skipped.isEmpty })
  #expect(
    try fixture.batches(
      fixture.caches.existing(index: fixture.index(), preprocessing: fixture.preprocessing, workers: 1)) == expected
  )
  #expect(fixture.names(in: "cache").count == 2, "the image cache and its lock")
}

@Test func `an image cache that is up to date is taken as it is`() throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  let before = status(try fixture.packPath())
  let again = try fixture.prepare()
  #expect(again.cache != nil && again.decoded == 0 && again.kept == 0)
  #expect(status(try fixture.packPath()).st_ino == before.st_ino)
}

@Test func `the mean and std are the same through an image cache`() throws {
  let fixture = try ImageCacheFixture(broken: [2])
  let index = try fixture.index()
  let cache = try fixture.prepare().cache
  let direct = try fixture.preprocessing.measure(items: index.items, source: ImageSource(root: index.root))
  let cached = try fixture.preprocessing.measure(
    items: index.items, source: ImageSource(root: index.root, cache: cache), workers: 3)
  #expect(direct.mean == cached.mean && direct.std == cached.std)
}

// An image changes after the image cache was made.

private struct Change: Sendable, CustomTestStringConvertible {
  var testDescription: String
  /// Files decoded anew, and entries kept.
  var decoded: Int
  var kept: Int
  var make: @Sendable (ImageCacheFixture) throws -> Void
}

private let changes = [
  Change(testDescription: "touched", decoded: 0, kept: 12) { utimensat(AT_FDCWD, $0.path(4), nil, 0) },
  Change(testDescription: "replaced by another of the same size", decoded: 1, kept: 11) {
    try $0.write(4, seed: 77)
  },
  Change(testDescription: "replaced, and its times set back", decoded: 1, kept: 11) { fixture in
    let before = status(fixture.path(4))
    try fixture.write(4, seed: 77)
    restoreTimes(fixture.path(4), like: before)
    #expect(status(fixture.path(4)).st_mtim.tv_nsec == before.st_mtim.tv_nsec)
  },
  Change(testDescription: "cut short", decoded: 0, kept: 11) { truncate($0.path(4), 70) },
  Change(testDescription: "added", decoded: 1, kept: 12) {
    try $0.folder.write(PNGFile.any, to: "data/odd/new.png")
  },
  Change(testDescription: "deleted and another added", decoded: 1, kept: 11) { fixture in
    unlink(fixture.path(4))
    try fixture.folder.write(PNGFile.any, to: "data/odd/new.png")
  },
  Change(testDescription: "three of twelve deleted", decoded: 0, kept: 9) { fixture in
    for number in [2, 4, 7] { unlink(fixture.path(number)) }
  },
  Change(testDescription: "two changed places", decoded: 0, kept: 12) { fixture in
    // Each has the other's bytes now, and its entry the other's hash: decoded, both.
    utimensat(AT_FDCWD, fixture.path(1), nil, 0)
    utimensat(AT_FDCWD, fixture.path(2), nil, 0)
  },
]

@Test(arguments: changes) private func `images that change are cached anew, one by one`(change: Change) throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  try change.make(fixture)
  let expected = try fixture.batches(nil)
  // What still holds is used as it is, by those who make no image cache.
  let stale = fixture.caches.existing(index: try fixture.index(), preprocessing: fixture.preprocessing, workers: 1)
  #expect(try fixture.batches(stale) == expected)
  let prepared = try fixture.prepare()
  #expect(prepared.decoded == change.decoded && prepared.kept == change.kept)
  #expect(try fixture.batches(prepared.cache) == expected)
  let again = try fixture.prepare()
  #expect(again.decoded == 0 && again.kept == 0 && again.cache != nil)
}

@Test func `one image gone of many is no reason to write the image cache anew`() throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  unlink(fixture.path(5))
  let prepared = try fixture.prepare()
  #expect(prepared.kept == 0 && prepared.decoded == 0)
  #expect(try fixture.batches(prepared.cache) == fixture.batches(nil))
}

@Test func `an image cache of other settings is another cache`() throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  var other = fixture.preprocessing
  other.imageSize = 8
  let index = try fixture.index()
  #expect(fixture.caches.existing(index: index, preprocessing: other, workers: 1) == nil)
  let prepared = try fixture.caches.prepare(index: index, preprocessing: other, workers: 1)
  #expect(prepared.decoded == ImageCacheFixture.count)
  #expect(fixture.caches.list().count == 2)
}

// The image cache's own file is harmed.

@Test func `an image cache cut short anywhere, before it is opened or after, gives the same batches`() throws {
  let fixture = try ImageCacheFixture()
  let expected = try fixture.batches(nil)
  _ = try fixture.prepare()
  let path = try fixture.packPath()
  let whole = try Data(contentsOf: URL(fileURLWithPath: path))
  for length in stride(from: 0, to: whole.count, by: 97) {
    try whole.write(to: URL(fileURLWithPath: path))
    let open = try #require(try fixture.prepare().cache)
    truncate(path, off_t(length))
    #expect(try fixture.batches(open) == expected)
    if length < 600 { #expect(open.takeWarning()?.contains(path) == true && open.takeWarning() == nil) }
    #expect(ImageCacheFile(path: path) == nil)
    #expect(try fixture.batches(fixture.prepare().cache) == expected)
  }
}

@Test func `a byte changed anywhere gives the same batches`() throws {
  let fixture = try ImageCacheFixture()
  let expected = try fixture.batches(nil)
  _ = try fixture.prepare()
  let path = try fixture.packPath()
  let whole = try Data(contentsOf: URL(fileURLWithPath: path))
  // Every byte of the header, some of the pixels and of the table.
  for place in Array(0..<64) + stride(from: 64, to: whole.count, by: 41) {
    var changed = whole
    changed[place] ^= 0x10
    try changed.write(to: URL(fileURLWithPath: path))
    let cache = fixture.caches.existing(
      index: try fixture.index(), preprocessing: fixture.preprocessing, workers: 1)
    #expect(try fixture.batches(cache) == expected, "byte \(place)")
  }
}

@Test func `a table that lies is refused, though its checksum is right`() throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  let file = try #require(ImageCacheFile(path: try fixture.packPath()))
  let end = file.byteCount - file.table.bytes.count
  #expect(ImageCacheTable(file.table.bytes, pixelEnd: end) == file.table)
  func isRefused(_ change: (inout ImageCacheEntry) -> Void) -> Bool {
    var table = file.table
    change(&table.entries[3])
    return ImageCacheTable(table.bytes, pixelEnd: end) == nil
  }
  func image(_ change: @escaping (inout ImageCacheEntry.CachedImage) -> Void) -> (inout ImageCacheEntry) -> Void {
    { entry in
      guard var image = entry.image else { return }
      change(&image)
      entry.content = .image(image)
    }
  }
  #expect(isRefused(image { $0.offset = 0 }))
  #expect(isRefused(image { $0.offset = end - 5 }))
  #expect(isRefused(image { $0.offset = .max }))
  #expect(isRefused(image { $0.width = 0 }))
  #expect(isRefused(image { ($0.width, $0.height) = (Int(UInt32.max), 8) }))
  #expect(isRefused(image { ($0.width, $0.height) = (9, 9) }), "more than 256/224 of the image size")
  // Any single byte of the table may be anything, without a crash.
  let bytes = file.table.bytes
  for place in bytes.indices {
    for value in [UInt8(0), 0x7f, 0x80, 0xff] {
      var changed = bytes
      changed[place] = value
      _ = ImageCacheTable(changed, pixelEnd: end)
      _ = ImageCacheTable(Array(changed.prefix(place)), pixelEnd: end)
    }
  }
}

@Test(arguments: [
  "", "SKIPPACK", "no image cache at all, but long enough to hold a header, if only it were one of these",
])
func `what is no image cache is replaced by one`(content: String) throws {
  let fixture = try ImageCacheFixture()
  let expected = try fixture.batches(nil)
  _ = try fixture.prepare()
  try Data(content.utf8).write(to: URL(fileURLWithPath: try fixture.packPath()))
  #expect(fixture.caches.list().first?.content == nil)
  let prepared = try fixture.prepare()
  #expect(prepared.decoded == ImageCacheFixture.count)
  #expect(try fixture.batches(prepared.cache) == expected)
}

@Test func `an entry that was damaged on disk is decoded again when the image cache is written anew`() throws {
  let fixture = try ImageCacheFixture()
  _ = try fixture.prepare()
  let path = try fixture.packPath()
  var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
  bytes[70] ^= 1
  try bytes.write(to: URL(fileURLWithPath: path))
  try fixture.write(4, seed: 5)
  let prepared = try fixture.prepare()
  #expect(prepared.decoded == 2 && prepared.kept == 10)
  #expect(try fixture.batches(prepared.cache) == fixture.batches(nil))
  #expect(prepared.cache?.takeWarning() == nil)
}

@Test func `names of any bytes are cached`() throws {
  let fixture = try ImageCacheFixture()
  let name = String(pathBytes: Array("odd/new\nline".utf8) + [0xff, 0xe9] + Array(".png".utf8))
  let path = "\(fixture.folder.path)/data/\(name)"
  let descriptor = path.withPathCString { open($0, O_CREAT | O_WRONLY, 0o600) }
  #expect(descriptor >= 0)
  let bytes = PNGFile.any
  #expect(write(descriptor, bytes, bytes.count) == bytes.count)
  close(descriptor)
  let index = try fixture.index()
  let item = DatasetItem(path: name, label: 1, split: .train)
  let more = DatasetIndex(
    root: index.root, classes: index.classes, items: [item] + index.items.filter { !$0.path.hasPrefix("odd/new") },
    splitSource: .hash, findings: [])
  let cache = try #require(
    try fixture.caches.prepare(index: more, preprocessing: fixture.preprocessing, workers: 1).cache)
  #expect(cache.count == ImageCacheFixture.count + 1)
  #expect(try cache.cachedForm(path: name)?.pixels.prefix(3) == [10, 20, 30])
}
