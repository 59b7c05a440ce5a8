// `skipline layers`: what the layers of a checkpoint are like at work, which the layers pane shows of a run in training.

import ArgumentParser
import Canvas
import Datasets
import Files
import Glibc
import Images
import Inspection
import Messages
import Tensors
import Terminal
import Training

struct LayersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layers", abstract: "Shows what the layers of a checkpoint are like at work.",
    discussion: """
      Runs a batch of the run's validation images through the network, as it is used. Of each layer with parameters it \
      prints the Euclidean norm of its weights, and a histogram of them from the least to the greatest; of what comes out of \
      layers the mean, the std and the share of dead ReLUs, channels that are zero for every image; of each residual block \
      how large the two parts of its sum are. The last column names what is wrong: dead, exploding, NaN. What happens to the \
      layers in training, gradients and updates too, is measured by train --layer-stats. With --filters or --maps it draws a \
      picture instead: the filters of the first layer, or what comes out of a layer for an image, a tile a channel.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Option(help: "The dataset's folder; the run's own if not given.", transform: given) var data: String?
  @Option(help: "train, val, test or all. (default: val, and all of data that are not divided)")
  var split: EvaluationSplit?
  @OptionGroup var folders: SplitFolderOptions
  @Option(Settings.batchSize.number, instead: "default: 64, or as many as memory has room for") var batch: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Flag(help: "Measure the rest where a part of the data cannot be read.") var acceptErrors = false
  @Flag(help: "Compute although memory seems too little.") var ignoreMemory = false
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Option(help: "Draw the filters of the first layer into FILE.png.", transform: given) var filters: String?
  @Option(help: "Draw what comes out of a layer for --image into FILE.png.", transform: given) var maps: String?
  @Option(help: "With --maps: an image file.", transform: given) var image: String?
  @Option(
    help: "With --maps: a layer by its name in 'skipline summary', a block, or a stage. (default: the first layer)",
    transform: given)
  var layer: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    for (option, file) in [("--filters", filters), ("--maps", maps)] {
      guard let file else { continue }
      if !file.lowercased().hasSuffix(".png") || FilePath.split(file).name.utf8.count <= 4 {
        throw ValidationError("\(option) \(file): the picture is a PNG; name a file that ends in .png")
      }
      if json { throw ValidationError("\(option) draws a picture, of which there is no --json") }
    }
    if (maps == nil) != (image == nil) { throw ValidationError("--maps and --image go together: give both") }
    if layer != nil, maps == nil { throw ValidationError("--layer is for --maps FILE.png") }
    if filters != nil, filters == maps { throw ValidationError("each picture has a file of its own") }
  }

  func run() throws {
    if filters != nil || maps != nil { return try draw() }
    let checkpoint = foundRun(checkpoint)
    let description = try foreign.description(of: checkpoint, data: data, folders: folders)
    let job = try EvaluationJob(
      checkpoint: checkpoint, data: data, split: split, folders: folders.folders(in: data), batchSize: batch ?? 64,
      description: description, acceptsErrors: acceptErrors)
    for note in job.notes { Console.complain("! \(note)") }
    let signals = try SignalWatcher()
    let report = try job.layers(
      threads: threads, ignoringMemory: ignoreMemory, preparation: { _ in signals.received == nil },
      notice: { Console.complain("! \($0.text)") })
    guard let report else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    if json { return try Console.print(json: report) }
    for line in report.lines(TerminalText.ofStandardOutput()?.glyphs ?? .ascii) { Console.print(line) }
  }
}

extension LayersCommand {
  private func draw() throws {
    for file in [filters, maps].compactMap({ $0 }) where try FilePath.kind(of: file) == .folder {
      throw SettingsError("\(file) is a folder; name a file in it")
    }
    if let image, try FilePath.kind(of: image) == nil, !image.contains("@") { throw MissingImage(path: image) }
    let location = try CheckpointLocation(foundRun(checkpoint))
    let description = try foreign.description(of: location.path, data: data, folders: folders)
    let model =
      try description.map { try Checkpoint.load(path: location.path, as: $0) }
      ?? Checkpoint.load(path: location.path)
    for note in model.notes { Console.complain("\(model.path): \(note)") }
    if let filters { try write(NetworkPicture(filtersOf: model), to: filters) }
    if let maps, let image {
      let layer = try layer ?? model.network.plan.firstLayer
      try write(
        NetworkPicture(mapsOf: model, for: image, layer: layer, pool: ThreadPool(reserving: threads)), to: maps)
    }
  }

  private func write(_ picture: NetworkPicture, to path: String) throws {
    guard let file = picture.encodedAsPNG() else { throw SettingsError("there is no memory for the picture") }
    try AtomicFile.write(to: path) { try $0.append(file.bytes) }
    Console.print("\(path): \(picture.text)")
  }
}

extension LayerReport {
  /// A row for each layer of which anything is known, then all of them together.
  func lines(_ glyphs: Glyphs) -> [String] {
    let header = [
      "layer", "output", "|weights|", "histogram", "mean", "std", "dead", "skip : residual", "",
    ]
    var lines = Console.table([header] + layers.map { row($0, glyphs) }) + [""]
    lines.append("\(checkpoint): \(Format.counted(images, "image")) of \(data), \(split.rawValue)")
    lines.append(
      [
        layers.deadShare.map { "dead ReLU \(Format.percent($0))" },
        layers.nonFinite == 0 ? "no NaN" : Format.counted(layers.nonFinite, "value") + " NaN or infinite",
      ].compactMap { $0 }.joined(separator: ", "))
    return lines
  }

  private func row(_ layer: LayerMeasure, _ glyphs: Glyphs) -> [String] {
    let shape = network.layers[layer.row].output
    let (weights, activations) = (layer.weights, layer.activations)
    let histogram = (weights?.histogram ?? activations?.histogram).map {
      Sparkline.text(counts: $0.counts, width: LayerHistogram.bins, glyphs: glyphs)
    }
    let shares = layer.balance?.shortcutShare.map { "\(Format.fixed($0, 2)) : \(Format.fixed(1 - $0, 2))" }
    let dead = activations?.deadShare.map { Format.percent($0) }
    let numbers = [activations?.mean, activations?.std].map { number in number.map { Format.general($0) } ?? "" }
    return [
      layer.name, "\(shape.height)x\(shape.width)x\(shape.channels)",
      weights.map { Format.general($0.norm) } ?? "", histogram ?? "",
    ] + numbers + [dead ?? "", shares ?? "", layer.condition == .ok ? "" : layer.condition.rawValue]
  }
}
