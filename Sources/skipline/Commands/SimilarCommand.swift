// `skipline similar`: the images of a folder that resemble an image, to a network.

import ArgumentParser
import Canvas
import Datasets
import Files
import Glibc
import Images
import Inspection
import Messages
import Tensors
import Training

struct SimilarCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "similar", abstract: "Finds the images of a folder that are most alike to an image.",
    discussion: """
      By the cosine between the features that the classifier reads, the most alike first. The features of a folder's images \
      are kept in the user's cache, so that only what was added or changed is computed again. In a terminal the \
      pictures are shown, in the colors that it has.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Argument(help: "An image file.", transform: given) var image: String
  @Argument(help: "The folder that is looked through, with all below it.", transform: given) var folder: String
  @Option(Limits.similar) var count = 12
  @Option(Settings.batchSize.number, instead: "default: 64, or as many as memory has room for") var batch: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "Compute although memory seems too little.") var ignoreMemory = false
  @Flag(inversion: .prefixedNo, help: "Keep features in the user's cache, and take them from there.") var cache =
    true
  @Flag(inversion: .prefixedNo, help: "Show the pictures in a terminal that can.") var pictures = true
  @OptionGroup var options: CheckpointOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard try FilePath.kind(of: image) != nil || image.contains("@") else { throw MissingImage(path: image) }
    guard try FilePath.kind(of: folder) == .folder else { throw DatasetError.notFound(path: folder) }
    let signals = try SignalWatcher()
    let files = try imageFiles([folder])
    let model = try options.load(checkpoint)
    let batchSize = try model.batch(
      upTo: batch ?? 64, isFixed: batch != nil, threads: threads, ignoringMemory: ignoreMemory)
    let extractor = try FeatureExtractor(model: model, pool: try ThreadPool(reserving: threads))
    let query = try extractor.features(of: image)
    let progress = ProgressLine()
    let store = cache ? FeatureCache.user : FeatureCache(folder: nil)
    let found = try store.features(
      of: files, below: folder, extractor, batchSize: batchSize, notice: { Console.complain("! \($0)") }
    ) { done, total in
      progress.show("features: \(Format.count(done)) of \(Format.count(total))")
      return signals.received == nil
    }
    progress.clear()
    guard let found else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    for failure in found.failures { Console.complain("! \(failure.path): \(failure.reason)") }
    let own = FilePath.real(image)
    let alike = try found.mostAlike(
      to: query, count: count,
      leavingOut: found.paths.first {
        FilePath.split($0).name == FilePath.split(image).name && FilePath.real($0) == own
      })
    if json {
      try Console.print(json: alike)
    } else {
      if pictures, let gallery = TerminalGallery() {
        gallery.print(alike.map { ($0.path, Format.fixed($0.similarity, 3)) })
      }
      for line in Console.table(
        [["image", "cosine"]] + alike.map { [$0.path, Format.fixed($0.similarity, 4)] }, hasPaths: true)
      {
        Console.print(line)
      }
    }
    if !found.failures.isEmpty { throw ExitCode(ExitStatus.badData.rawValue) }
  }
}
