// A small dataset with a folder for image caches beside it, for tests of image caches.

import Foundation
import Messages
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// Two classes of small noisy images of different sizes in `data`; caches go to `cache`.
final class ImageCacheFixture: Sendable {
  let folder: TemporaryFolder
  let preprocessing: Preprocessing
  static let count = 12

  init(_ resize: Preprocessing.Resize = .crop, broken: Set<Int> = []) throws {
    folder = try TemporaryFolder()
    preprocessing = Preprocessing(imageSize: 7, resize: resize, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2])
    for number in 0..<Self.count {
      try write(number, seed: number)
      if broken.contains(number) {
        try folder.write(Array(Self.file(number, seed: 0).prefix(60)), to: Self.name(number))
      }
    }
  }

  static func name(_ number: Int) -> String { "data/\(number % 2 == 0 ? "even" : "odd")/\(number).png" }

  /// Gives an image new content; the file's size depends on the number alone.
  func write(_ number: Int, seed: Int) throws {
    try folder.write(Self.file(number, seed: seed), to: Self.name(number))
  }

  private static func file(_ number: Int, seed: Int) -> [UInt8] {
    let (width, height) = (9 + number % 5, 8 + number % 3)
    return PNGFile.rgb(
      PixelImage(
        width: width, height: height,
        pixels: (0..<(width * height * 3)).map { UInt8(truncatingIfNeeded: $0 &* (2 * seed + 7) &+ 31 &* seed) }))
  }

  func path(_ number: Int) -> String { "\(folder.path)/\(Self.name(number))" }

  var caches: ImageCacheFolder { ImageCacheFolder(path: folder.path + "/cache") }

  func index() throws -> DatasetIndex {
    try DatasetIndex.scan(root: folder.path + "/data", split: SplitSettings(train: 100, validation: 0, test: 0))
  }

  func prepare(
    _ caches: ImageCacheFolder? = nil, limit: Int? = nil, workers: Int = 2,
    progress: @Sendable (PreparationProgress) -> Void = { _ in }, isCancelled: @Sendable () -> Bool = { false }
  ) throws -> PreparedImageCache {
    try (caches ?? self.caches).prepare(
      index: try index(), preprocessing: preprocessing, limit: limit, workers: workers, progress: progress,
      isCancelled: isCancelled)
  }

  /// Two epochs of augmented batches and one without changes.
  func batches(_ cache: ImageCache?, workers: Int = 1) throws -> [Batch] {
    let index = try index()
    func loader(_ mode: BatchLoader.Mode) -> BatchLoader {
      BatchLoader(
        items: index.items, root: index.root, cache: cache, preprocessing: preprocessing, batchSize: 5, mode: mode,
        workers: workers)
    }
    let augmentation = Augmentation(
      resolving: AugmentationSettings(crop: .randomResized, colorJitter: 0.2), resize: preprocessing.resize)
    let training = loader(.training(augmentation: augmentation, seed: 3))
    return Array(training.epoch(0)) + Array(training.epoch(1)) + Array(loader(.evaluation).epoch())
  }

  /// The image cache's only file.
  func packPath() throws -> String { try #require(caches.list().first).path }

  func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(self.folder.path)/\(folder)")) ?? []).sorted()
  }
}

/// Sets a file's times back to what they were.
func restoreTimes(_ path: String, like status: stat) {
  var times = [status.st_atim, status.st_mtim]
  utimensat(AT_FDCWD, path, &times, 0)
}

func status(_ path: String) -> stat {
  var status = stat()
  stat(path, &status)
  return status
}
