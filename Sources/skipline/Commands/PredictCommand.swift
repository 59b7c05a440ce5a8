// `skipline predict`: classes for images that need not belong to any dataset.

import ArgumentParser
import Canvas
import Datasets
import Files
import Inspection
import Messages
import Reports
import Resources
import Tensors
import Training

struct PredictCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Says which classes a checkpoint sees in images.",
    discussion: """
      Prints a line an image as it goes, or with --json an object a line. Goes on after an image that does not decode, and \
      then exits with 65.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Argument(
    help: """
      Image files, or folders whose images are taken, of files or of TFRecord shards; - for a list of them on standard \
      input, a path a line.
      """, transform: given)
  var images: [String]
  @Flag(name: [.customShort("0"), .customLong("null")], help: "Paths on standard input end in a zero byte.")
  var endsInZero = false
  @Option(Limits.top, usual: Self.usualTop) var top: Int?
  @Flag(help: "Give the probability of every class.") var all = false
  @Option(
    help: "Write a table, a row an image as it goes, to FILE.csv or to standard output (-).", transform: given)
  var csv: String?
  @Option(Settings.batchSize.number, instead: "default: 64, or as many as memory has room for") var batch: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Option(
    name: .customLong("tta"),
    help:
      "Average the probabilities over views of each image: flip (mirrored), shift (four shifts), or auto (flip for networks that were trained with mirroring, else shift)."
  )
  var augmentation = TestTimeAugmentationChoice.none
  @Option(
    help:
      "fp32; bf16: rounded factors, faster where the processor has AVX512-BF16; int8: of a quantized checkpoint. (default: what the checkpoint's weights are of)"
  )
  var precision: InferencePrecision?
  @Flag(help: "Divide the outputs by the temperature that 'evaluate --calibrate' kept.") var calibrated = false
  @Option(
    Limits.rejectBelow, note: "Less confident answers are rejected: said to be none, and counted.")
  var rejectBelow: Double?
  @Flag(help: "Predict although memory seems too little.") var ignoreMemory = false
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Option(help: "The dataset whose classes the file knows, where it does not say so itself.") var data: String?
  @Flag(help: "Say which array of the file each of the network's is.") var verbose = false
  @Flag(help: "Print JSON, an object a line.") var json = false

  private static let usualTop = 3
  private static let usualBatch = 64
  /// Threads that put weights in order; more would wait for memory.
  private static let mostLoaders = 4
  private static let standardStream = "-"

  func validate() throws {
    if images.isEmpty { throw ValidationError("name at least one image or folder") }
    let lists = images.count { $0 == Self.standardStream }
    if lists > 1 { throw ValidationError("- stands for standard input, which can be read once") }
    if endsInZero, lists == 0 { throw ValidationError("--null is about a list on standard input: name it, with -") }
    if all, top != nil { throw ValidationError("--all gives every class: leave out --top") }
    if csv == Self.standardStream, json {
      throw ValidationError("--csv - and --json both go to standard output: choose one, or name a file")
    }
  }

  func run() throws {
    for path in images where path != Self.standardStream {
      // An image in a shard has a name, but no file of that name.
      guard try FilePath.kind(of: path) != nil || path.contains("@") else {
        throw DatasetError.noImagesThere(path: path)
      }
    }
    if let csv, csv != Self.standardStream {
      try TableTarget.check(csv, option: "--csv")
      try tellOfReplaced(csv)
    }
    let location = try CheckpointLocation(foundRun(checkpoint))
    let description = try foreign.description(of: location.path, data: data)
    if description == nil, data != nil, try Checkpoint.model(path: location.path) != nil {
      throw SettingsError("\(location.path) says which classes it knows: leave --data out")
    }
    let views = try augmentation.resolved(mirrors: location.mirrors(description), checkpoint: location.path)
    // Not those that compute: they take memory for products, which the check of memory behind this counts by itself.
    let loaders = ThreadPool(threads: min(threads ?? SystemProcessors.available, Self.mostLoaders))
    let model =
      try description.map { try Checkpoint.load(path: location.path, as: $0, loaders) }
      ?? Checkpoint.load(path: location.path, loaders)
    let precision = try InferencePrecision.resolved(precision, checkpoint: location.path, model.record)
    if verbose { printArrays(try Checkpoint.report(path: location.path, as: description)) }
    let batchSize = try model.batch(
      upTo: batch ?? Self.usualBatch, isFixed: batch != nil, threads: threads, precision: precision,
      ignoringMemory: ignoreMemory)
    for note in model.notes { Console.complain("\(model.path): \(note)") }
    if let weights = model.weights { Console.complain("\(model.path): \(weights.text)") }
    let fit = calibrated ? try Calibration.read(besides: location.path, checksum: model.checksum) : nil
    if let fit { Console.progress("probabilities calibrated, temperature \(Format.general(fit.temperature))") }
    let isForOneBatch =
      try views == nil && images.count <= batchSize && !images.contains(Self.standardStream)
      && images.allSatisfy { try FilePath.kind(of: $0) == .file }
    let predictor = Predictor(
      model: model, pool: try ThreadPool(reserving: threads), augmentation: views,
      temperature: fit?.temperature ?? 1, precision: precision, isForOneBatch: isForOneBatch)
    if self.precision != nil { Console.progress("computed in \(precision.rawValue)") }
    if let views { Console.progress("probabilities \(views.text)") }
    var predictions = try PredictionPrinter(
      predictor: predictor, batchSize: batchSize, top: all ? model.description.classes.count : top ?? Self.usualTop,
      isWhole: all, rejectsBelow: rejectBelow, csv: csv, json: json)
    try predictAll(&predictions)
    try predictions.finish()
    if predictions.failed > 0 {
      Console.complain(
        "\(Format.count(predictions.failed)) of \(Format.counted(predictions.count, "image")) could not be predicted"
      )
    }
    if let rejectBelow, predictions.count > 0 {
      Console.progress(
        "\(Format.count(predictions.rejected)) of \(Format.counted(predictions.count, "image")) rejected, below "
          + Format.percent(rejectBelow))
    }
    if predictions.failed > 0 || predictions.hasFaults { throw ExitCode(ExitStatus.badData.rawValue) }
    if predictions.count == 0 { throw SettingsError("there are no images in \(images.joined(separator: ", "))") }
  }

  /// In the order in which they were named.
  private func predictAll(_ predictions: inout PredictionPrinter) throws {
    var files: [String] = []
    for path in images {
      guard path == Self.standardStream else {
        files += try predictions.imageFiles(path)
        continue
      }
      try predictions.predict(files)
      files = []
      var list = PathStream(endsInZero ? .zero : .line)
      while let named = try list.next(Self.mostListed) {
        var found: [String] = []
        for path in named {
          // One of many is no reason to leave the others.
          do { found += try predictions.imageFiles(path) } catch {
            try predictions.predict(found)
            found = []
            try predictions.fail(path, "\(error)")
          }
        }
        try predictions.predict(found)
      }
    }
    try predictions.predict(files)
  }

  /// So many paths of a list are taken at once, at the most.
  private static let mostListed = 4096
}

/// Says what was predicted, and counts what could not be.
private struct PredictionPrinter {
  private let predictor: Predictor
  private let batchSize: Int
  private let top: Int
  private let json: Bool
  private let table: PredictionTable?
  private let file: StreamedFile?
  /// Whether the table is what goes to standard output.
  private let printsTable: Bool
  /// Images so far, and those of them that were given no class.
  private(set) var count = 0
  private(set) var failed = 0
  /// Images whose answer was not confident enough.
  private(set) var rejected = 0
  private let rejectsBelow: Double?
  /// Whether a folder or a shard could not be read.
  private(set) var hasFaults = false

  init(
    predictor: Predictor, batchSize: Int, top: Int, isWhole: Bool, rejectsBelow: Double?, csv: String?, json: Bool
  ) throws {
    self.rejectsBelow = rejectsBelow
    self.predictor = predictor
    self.batchSize = batchSize
    self.top = top
    self.json = json
    printsTable = csv == "-"
    let file = printsTable ? nil : try csv.map { try StreamedFile(path: $0) }
    self.file = file
    table = try csv.map { _ in
      try PredictionTable(
        classes: predictor.model.description.classes, top: isWhole ? nil : top, rejectsBelow: rejectsBelow
      ) { bytes in
        if let file { try file.append(bytes) } else { Console.print(bytes: bytes) }
      }
    }
  }

  /// The file itself, or the images anywhere below a folder, sorted; tells what is wrong with the folder's shards.
  mutating func imageFiles(_ path: String) throws -> [String] {
    guard try FilePath.kind(of: path) == .folder else { return [path] }
    let found = try DatasetIndex.imageFiles(below: path)
    for fault in found.findings { Console.complain("! \(fault.text)") }
    hasFaults = hasFaults || found.findings.contains { $0.severity == .error }
    return found.paths
  }

  mutating func predict(_ files: [String]) throws {
    guard !files.isEmpty else { return }
    let predictor = predictor
    try predictor.predict(files, batchSize: batchSize) { path, outcome in try tell(path, outcome) }
  }

  /// Counts a path that led to no image.
  mutating func fail(_ path: String, _ reason: String) throws { try tell(path, .failure(reason)) }

  /// - Throws: `FileOperationError` where the table cannot be written.
  func finish() throws { try file?.finish() }

  private mutating func tell(_ path: String, _ outcome: Predictor.Outcome) throws {
    count += 1
    var prediction = predictor.prediction(path, outcome, top: top)
    if let rejectsBelow, let best = prediction.top.first {
      prediction.rejected = best.probability < rejectsBelow
      if best.probability < rejectsBelow { rejected += 1 }
    }
    if let error = prediction.error {
      failed += 1
      Console.complain("! \(path): \(error)")
    }
    try table?.append(path, outcome)
    if printsTable { return }
    if json { return try Console.print(json: prediction, indented: false) }
    guard prediction.error == nil else { return }
    let classes = prediction.top.map { "\($0.name) \(Format.percent($0.probability, decimals: 2))" }
    Console.print("\(path)  \(prediction.rejected == true ? "rejected  " : "")\(classes.joined(separator: "  "))")
  }
}
