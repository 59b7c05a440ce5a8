// `skipline features`: what a network makes of images, as numbers for other programs.

import ArgumentParser
import Canvas
import Datasets
import Files
import Glibc
import Inspection
import Messages
import Tensors
import Training

struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features", abstract: "Writes the features that a network makes of images.",
    discussion: """
      A row an image: what the classifier reads, or with --layer the output of another layer, where a map is averaged over \
      its pixels. FILE.npy is an array for NumPy with the names of the files in FILE.txt, FILE.csv a table, and \
      FILE.safetensors has the array "features" and the names in its metadata. Images that do not decode are left out; it \
      then exits with 65.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Argument(
    help: "Image files, or folders whose images are taken, of files or of TFRecord shards.", transform: given)
  var images: [String]
  @Option(help: "The file to write: .npy, .csv or .safetensors.", transform: given) var out: String
  @Option(help: "A layer by its name in 'skipline summary', a block, or a stage.", transform: given) var layer:
    String?
  @Option(Settings.batchSize.number, instead: "default: 64, or as many as memory has room for") var batch: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "Compute although memory seems too little.") var ignoreMemory = false
  @OptionGroup var options: CheckpointOptions

  func run() throws {
    _ = try FeatureFormat(path: out)
    guard try FilePath.kind(of: out) != .folder else {
      throw SettingsError("--out \(out) is a folder; name a file in it")
    }
    let signals = try SignalWatcher()
    let files = try imageFiles(images)
    if let folder = images.first(where: {
      FilePath.isFolder($0) == true && FilePath.lies(FilePath.split(out).folder, within: $0)
    }) {
      throw SettingsError("--out \(out) lies in \(folder), whose images are read; name a file elsewhere")
    }
    let model = try options.load(checkpoint)
    let batchSize = try model.batch(
      upTo: batch ?? 64, isFixed: batch != nil, threads: threads, ignoringMemory: ignoreMemory)
    let extractor = try FeatureExtractor(model: model, layer: layer, pool: try ThreadPool(reserving: threads))
    let progress = ProgressLine()
    var (written, failed) = (0, 0)
    let metadata = ["checkpoint": model.checksum, "layer": layer ?? model.network.plan.classifier + ", input"]
    let names = try FeatureFile.write(to: out, width: extractor.width, metadata: metadata) { file in
      for begin in stride(from: 0, to: files.count, by: Self.block) {
        let block = Array(files[begin..<min(begin + Self.block, files.count)])
        try extractor.extract(block, batchSize: batchSize) { path, features in
          switch features {
          case .success(let values): try file.append(path, values)
          case .failure(let failure):
            failed += 1
            Console.complain("! \(path): \(failure.reason)")
          }
        }
        progress.show("features: \(Format.count(file.count + failed)) of \(Format.count(files.count))")
        if let signal = signals.received { throw ExitCode(128 + signal) }
      }
      progress.clear()
      guard file.count > 0 else { throw SettingsError("none of the \(Format.counted(failed, "image")) decodes") }
      written = file.count
    }
    Console.print(
      "\(Format.counted(written, "image")), \(Format.count(extractor.width)) features each: \(out)"
        + (names.map { ", names in \($0)" } ?? ""))
    if failed > 0 {
      Console.complain("\(Format.count(failed)) of \(Format.counted(files.count, "image")) left out, do not decode")
      throw ExitCode(ExitStatus.badData.rawValue)
    }
  }

  private static let block = 1024
}

/// Files, and the images anywhere below folders.
/// - Throws: `DatasetError` for what is not there, `SettingsError` where there is no image.
func imageFiles(_ named: [String]) throws -> [String] {
  var files: [String] = []
  for path in named {
    guard let kind = try FilePath.kind(of: path) else {
      // An image in a shard has a name, but no file of that name.
      guard path.contains("@") else { throw DatasetError.noImagesThere(path: path) }
      files.append(path)
      continue
    }
    guard kind == .folder else {
      files.append(path)
      continue
    }
    let found = try DatasetIndex.imageFiles(below: path)
    for fault in found.findings { Console.complain("! \(fault.text)") }
    files += found.paths
  }
  guard !files.isEmpty else { throw SettingsError("there are no images in \(named.joined(separator: ", "))") }
  return files
}
