// Times the loader alone: images of class folders as augmented, normalized batches, from the files or from an image
// cache. Prints a JSON line with images/s by wall time and by CPU time of the whole process.

import ArgumentParser
import Datasets
import Foundation
import Messages

@main
struct Loader: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loader", abstract: "Times training batches of a folder of class folders.")

  @Argument(help: "The folder that holds one folder of images for each class.") var data: String
  @Option(help: "The images' side, pixels.") var size = 224
  @Option(help: "Images a batch.") var batch = 64
  @Option(help: "Threads that prepare batches.") var workers = 2
  @Option(help: "Epochs that are timed, after one that is not.") var epochs = 3
  @Option(help: "Random crops: none, pad, resized, or auto.") var crop = "resized"
  @Option(help: "A folder to make an image cache in, and to read it from.") var caches: String?

  func run() throws {
    let settings = PreprocessingSettings(
      imageSize: size, normalization: .given(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]))
    let preprocessing = try Preprocessing(resolving: settings, items: [], root: data)
    let index = try DatasetIndex.scan(root: data, split: SplitSettings(train: 100, validation: 0, test: 0))
    var cache: ImageCache?
    var caching = 0.0
    if let caches {
      let start = seconds(CLOCK_MONOTONIC)
      let prepared = try ImageCacheFolder(path: caches).prepare(
        index: index, preprocessing: preprocessing, limit: .max, workers: workers)
      if let warning = prepared.warning { throw ValidationError(warning) }
      cache = prepared.cache
      caching = seconds(CLOCK_MONOTONIC) - start
    }
    guard let crop = AugmentationSettings.Crop(rawValue: crop) else { throw ValidationError("--crop \(crop)") }
    let loader = BatchLoader(
      items: index.items(in: .train), root: index.root, cache: cache, preprocessing: preprocessing,
      batchSize: batch,
      mode: .training(
        augmentation: Augmentation(resolving: AugmentationSettings(crop: crop), resize: preprocessing.resize),
        seed: 0), workers: workers)

    var images = 0
    var (wallStart, cpuStart) = (0.0, 0.0)
    for epoch in 0...epochs {
      if epoch == 1 {
        images = 0
        (wallStart, cpuStart) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
      }
      for batch in loader.epoch(epoch) { images += batch.labels.count }
    }
    let wall = seconds(CLOCK_MONOTONIC) - wallStart
    let cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpuStart
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let figures = Figures(
      loader: cache == nil ? "skipline, files" : "skipline, cache", size: size, images: images, workers: workers,
      imagesPerSecond: Double(images) / wall, imagesPerCPUSecond: Double(images) / cpu, cachingSeconds: caching)
    print(String(decoding: try encoder.encode(figures), as: UTF8.self))
  }

  private struct Figures: Encodable {
    var loader: String
    var size: Int
    var images: Int
    var workers: Int
    var imagesPerSecond: Double
    var imagesPerCPUSecond: Double
    var cachingSeconds: Double

    enum CodingKeys: String, CodingKey {
      case loader, size, images, workers
      case imagesPerSecond = "img_per_s"
      case imagesPerCPUSecond = "img_per_cpu_s"
      case cachingSeconds = "caching_s"
    }
  }

  private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
