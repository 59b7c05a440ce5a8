// What an image cache keeps of a refusal: what the file is, never what the moment was. Whatever is mended later, the
// next run finds mended.

import Foundation
import Images
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

extension ImageCacheFixture {
  /// The folder of image caches under a cap on pixels.
  fileprivate func caches(cap: Int) -> ImageCacheFolder {
    var caches = caches
    caches.maximumPixels = cap
    return caches
  }

  fileprivate func source(_ prepared: PreparedImageCache) throws -> ImageSource {
    ImageSource(root: try index().root, cache: prepared.cache)
  }

  /// Which images a run gets, under a cap.
  fileprivate func decodable(_ prepared: PreparedImageCache, cap: Int) throws -> [String] {
    let source = try source(prepared)
    let decoder = ImageDecoder(maximumPixels: cap)
    return try index().items.filter {
      (try? source.cachedForm(of: $0, preprocessing: preprocessing, decoder: decoder)) != nil
    }.map(\.path)
  }
}

/// Images have 72 to 120 pixels.
@Test func `images that a cap refused are cached once it is gone`() throws {
  let fixture = try ImageCacheFixture(broken: [3])
  let capped = try fixture.prepare(fixture.caches(cap: 100))
  let statistics = try #require(capped.cache?.statistics)
  #expect(
    statistics.images > 2 && statistics.tooLarge > 2
      && statistics.images + statistics.tooLarge == ImageCacheFixture.count - 1)
  #expect(statistics.undecodable == 1 && statistics.unread == 0)
  #expect(capped.decoded == statistics.images && capped.kept == 0)
  #expect(try fixture.decodable(capped, cap: 100).count == statistics.images)
  // The same cap, or a lower one: nothing to do.
  let inode = status(try fixture.packPath()).st_ino
  #expect(try fixture.prepare(fixture.caches(cap: 100)).isUpToDate)
  #expect(try fixture.prepare(fixture.caches(cap: 10)).isUpToDate)
  #expect(status(try fixture.packPath()).st_ino == inode)

  let healed = try fixture.prepare()
  #expect(healed.decoded == statistics.tooLarge && healed.kept == statistics.images)
  #expect(
    healed.cache?.statistics.images == ImageCacheFixture.count - 1 && healed.cache?.statistics.undecodable == 1)
  #expect(try fixture.decodable(healed, cap: .max >> 8).count == ImageCacheFixture.count - 1)
  #expect(try fixture.batches(healed.cache) == fixture.batches(nil))
  #expect(try fixture.prepare().isUpToDate)
}

@Test func `an image cache gives nothing that the files would not under the cap in force`() throws {
  let fixture = try ImageCacheFixture()
  let prepared = try fixture.prepare()
  for cap in [100, 10] {
    let expected = try fixture.decodable(PreparedImageCache(), cap: cap)
    #expect(try fixture.decodable(fixture.prepare(fixture.caches(cap: cap)), cap: cap) == expected)
    #expect(try fixture.decodable(prepared, cap: cap) == expected)
  }
}

@Test func `a cap that is raised by steps lets in what it allows`() throws {
  let fixture = try ImageCacheFixture()
  var images: [Int] = []
  for cap in [71, 80, 100, 119, 120] {
    let prepared = try fixture.prepare(fixture.caches(cap: cap))
    images.append(prepared.cache?.statistics.images ?? 0)
    #expect(try fixture.decodable(prepared, cap: cap).count == images.last)
  }
  #expect(images == images.sorted() && Set(images).count == 5 && images.last == ImageCacheFixture.count)
}

/// In a process of its own, whose limits are only this: descriptors, and memory, run out while the image cache is made.
@Test(arguments: [RLIMIT_NOFILE.rawValue, RLIMIT_AS.rawValue])
func `images for which there was no descriptor, or no memory, are cached once there is, in a process of its own`(
  resource: UInt32
) async {
  await #expect(processExitsWith: .success) { [resource = resource as UInt32] in
    let fixture = try ImageCacheFixture()
    // Needs 243 MB to decode, and the file is small.
    let canvas = GIFFile(
      width: 9000, height: 9000, palette: GIFFile.colors,
      pictures: [GIFFile.Picture(width: 1, height: 1, pixels: [1])])
    try fixture.folder.write(canvas.bytes, to: "data/odd/canvas.gif")
    let isMemory = resource == RLIMIT_AS.rawValue
    let kind = __rlimit_resource_t(resource)
    var unlimited = rlimit()
    getrlimit(kind, &unlimited)
    let restored = unlimited
    let turn = Atomic<Int>(0)
    let starved = try fixture.prepare(
      workers: 1,
      isCancelled: {
        // Some calls are made before the first image; from the third image on, nothing more is there.
        guard turn.wrappingAdd(1, ordering: .relaxed).oldValue == 4 else { return false }
        var scarce = restored
        if isMemory {
          scarce.rlim_cur = rlim_t(ScarceMemory.mapped + 60 << 20)
        } else {
          scarce.rlim_cur = 3
        }
        setrlimit(kind, &scarce)
        return false
      })
    setrlimit(kind, &unlimited)
    let statistics = starved.cache?.statistics
    precondition(statistics?.undecodable == 0 && statistics?.tooLarge == 0, "\(starved)")
    precondition(isMemory ? statistics?.unread == 1 : statistics?.unread ?? 0 > 5, "\(starved)")
    let healed = try fixture.prepare()
    precondition(
      healed.decoded == statistics?.unread && healed.cache?.statistics.images == ImageCacheFixture.count + 1)
    let again = try fixture.prepare()
    precondition(again.isUpToDate && again.cache?.statistics.unread == 0)
  }
}

@Test func `a file that stays unreadable is tried again, and no reason to write the image cache anew`() throws {
  let fixture = try ImageCacheFixture()
  // Too large to be read at all: more than a gibibyte, all of it a hole.
  try fixture.folder.write([], to: "data/odd/huge.png")
  truncate("\(fixture.folder.path)/data/odd/huge.png", 1 << 30 + 1)
  let prepared = try fixture.prepare()
  #expect(prepared.cache?.statistics.unread == 1 && prepared.decoded == ImageCacheFixture.count)
  let inode = status(try fixture.packPath()).st_ino
  let again = try fixture.prepare()
  #expect(again.isUpToDate && again.cache?.statistics.unread == 1 && again.cache?.count == ImageCacheFixture.count)
  #expect(status(try fixture.packPath()).st_ino == inode)
  // Mended.
  try fixture.folder.write(PNGFile.any, to: "data/odd/huge.png")
  #expect(try fixture.prepare().cache?.statistics.images == ImageCacheFixture.count + 1)
}

@Test(.enabled(if: getuid() != 0, "root may read everything"))
func `a file that may not be read is cached once it may`() throws {
  let fixture = try ImageCacheFixture()
  chmod(fixture.path(4), 0)
  #expect(try fixture.prepare().cache?.statistics.unread == 1)
  #expect(try fixture.prepare().isUpToDate)
  chmod(fixture.path(4), 0o600)
  #expect(try fixture.prepare().cache?.statistics.images == ImageCacheFixture.count)
}

@Test func `a file whose bytes do not decode is remembered, and read again only when it changes`() throws {
  let fixture = try ImageCacheFixture(broken: [3, 8])
  #expect(try fixture.prepare().cache?.statistics.undecodable == 2)
  #expect(try fixture.prepare().isUpToDate)
  try fixture.write(3, seed: 5)
  let mended = try fixture.prepare()
  #expect(mended.decoded == 1 && mended.cache?.statistics.undecodable == 1)
}

@Test func `transparent images are cached on their background, another for each`() throws {
  let fixture = try ImageCacheFixture()
  let pixels: [UInt8] = [0] + (0..<8).flatMap { _ in [10, 200, 30, 0] }
  try fixture.folder.write(
    PNGFile(width: 8, height: 8, color: .rgba, rows: Array(repeating: pixels, count: 8)).bytes,
    to: "data/odd/cut-out.png")
  let index = try fixture.index()
  let item = try #require(index.items.first { $0.path == "odd/cut-out.png" })
  for (background, expected) in [
    (Background.white, [255, 255, 255] as [UInt8]), (.black, [0, 0, 0]), (.none, [10, 200, 30]),
    (.color(red: 1, green: 2, blue: 3), [1, 2, 3]),
  ] {
    var preprocessing = fixture.preprocessing
    preprocessing.background = background
    let cache = try #require(
      try fixture.caches.prepare(index: index, preprocessing: preprocessing, workers: 2).cache)
    for source in [ImageSource(root: index.root), ImageSource(root: index.root, cache: cache)] {
      let stored = try source.cachedForm(of: item, preprocessing: preprocessing, decoder: ImageDecoder())
      #expect(Array(stored.pixels.prefix(3)) == expected, "\(background)")
    }
  }
  #expect(fixture.caches.list().count == 4)
}

@Test func `preprocessing says which background, and nothing but one`() throws {
  let text = #"{"imageSize":8,"resize":"crop","background":"none","mean":[0,0,0],"std":[1,1,1]}"#
  let preprocessing = try JSONDecoder().decode(Preprocessing.self, from: Data(text.utf8))
  #expect(preprocessing.background == .none)
  var other = preprocessing
  other.background = .color(red: 1, green: 2, blue: 3)
  for written in [preprocessing, other] {
    #expect(try JSONDecoder().decode(Preprocessing.self, from: JSONEncoder().encode(written)) == written)
  }
  let bad = text.replacing("\"none\"", with: "\"pink\"")
  #expect(throws: DecodingError.self) {
    try JSONDecoder().decode(Preprocessing.self, from: Data(bad.utf8))
  }
}

@Test func `what a crop cuts away follows from the sizes`() throws {
  #expect(abs(CropLoss.share(width: 256, height: 256) - 0.234375) < 1e-12)
  #expect(abs(CropLoss.share(width: 600, height: 150) - 0.80859375) < 1e-9)
  #expect(CropLoss.share(width: 150, height: 600) == CropLoss.share(width: 600, height: 150))
  let none: [(path: String, width: Int, height: Int)] = []
  #expect(CropLoss(none) == nil)
  func loss(_ sizes: [(Int, Int)]) -> CropLoss? {
    CropLoss(sizes.enumerated().map { (path: "\($0).png", width: $1.0, height: $1.1) })
  }
  #expect(loss([(64, 64), (70, 66)])?.isWorthSaying == false)
  #expect(loss([(64, 64), (64, 64), (400, 100)])?.isWorthSaying == true)
  #expect(loss([(64, 64), (64, 64), (400, 100)])?.isGrave == false)
  #expect(loss([(640, 360), (640, 360), (64, 64)])?.isGrave == true)
  #expect(
    loss([(600, 150), (150, 600)])?.text == "cuts away 81% of the area of each image")
  #expect(
    loss([(64, 64), (64, 64), (400, 100)])?.text
      == "cuts away 23% of the area of the median image, and 81% of 2.png")

  // From an image cache, or from the files' headers: as shown, so a picture that is turned counts as it stands.
  let fixture = try ImageCacheFixture()
  for number in 0..<ImageCacheFixture.count { unlink(fixture.path(number)) }
  for number in 0..<4 {
    try fixture.folder.write(
      PNGFile.plain(width: 40, height: 10, red: 1, green: 2, blue: 3),
      to: "data/\(number < 2 ? "even" : "odd")/\(number).png")
  }
  let index = try fixture.index()
  let cache = try fixture.prepare().cache
  let direct = try #require(fixture.preprocessing.cropLoss(index: index, cache: nil, workers: 2))
  #expect(fixture.preprocessing.cropLoss(index: index, cache: cache, workers: 2) == direct)
  #expect(abs(direct.median - 0.80859375) < 1e-9 && direct.path == "even/0.png")
  var stretched = fixture.preprocessing
  stretched.resize = .stretch
  #expect(stretched.cropLoss(index: index, cache: nil, workers: 1) == nil)
}
