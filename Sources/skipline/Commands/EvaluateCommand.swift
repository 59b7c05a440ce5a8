// `skipline evaluate`: a checkpoint measured on a split, and how a file of another program is described.

import ArgumentParser
import Canvas
import Datasets
import Files
import Glibc
import Messages
import Reports
import Training

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Measures a checkpoint on a split of a dataset.",
    discussion: """
      Data that are not the run's own are measured as their folders or shards divide them, and all of them where nothing \
      does. Exits with 1 where the network's outputs for some image are NaN or infinite, with 74 where the report could not be \
      kept in the run's folder, with 65 where some image does not decode or most are of classes that the checkpoint does not \
      know; the metrics are printed in any case.
      """)

  @Argument(help: "A run's folder (its best checkpoint), or a checkpoint file.", transform: given) var checkpoint:
    String
  @Option(help: "The dataset's folder; the run's own if not given.") var data: String?
  @Option(help: "train, val, test or all; test if not given, and all of other data that are not divided.")
  var split: EvaluationSplit?
  @OptionGroup var folders: SplitFolderOptions
  @Option(Settings.batchSize.number, instead: "default: the run's own") var batch: Int?
  @Option(Settings.threads.number, instead: "default: one a processor") var threads: Int?
  @Option(
    name: .customLong("tta"),
    help:
      "Average the probabilities over views of each image: flip (mirrored), shift (four shifts), or auto (flip for networks that were trained with mirroring, else shift)."
  )
  var augmentation = TestTimeAugmentationChoice.none
  @Flag(help: "Measure the rest where a part of the data cannot be read.") var acceptErrors = false
  @Flag(inversion: .prefixedNo, help: "Read images from an up-to-date cache where there is one.") var cache = true
  @Flag(help: "Evaluate although memory seems too little.") var ignoreMemory = false
  @OptionGroup(title: "For a file that does not say which network it is") var foreign: ForeignModelOptions
  @Option(
    help: "Write a table of every image with its class, its loss and the probability of each class, to FILE.csv.",
    transform: given)
  var csv: String?
  @Option(help: "Write a table of the mistakes, the worst first, to FILE.csv.", transform: given)
  var csvMistakes: String?
  @Option(help: "Write the confusion matrix as a table, to FILE.csv.", transform: given) var csvConfusion: String?
  @Flag(help: "Print every class, the whole confusion matrix and every mistake.") var all = false
  @Flag(help: "Say which array of the file each of the network's is.") var verbose = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    let tables = [csv, csvMistakes, csvConfusion].compactMap { $0 }
    guard !tables.contains("-") else {
      throw ValidationError("the report goes to standard output: name a file for a table of an evaluation")
    }
    guard Set(tables).count == tables.count else { throw ValidationError("each table has a file of its own") }
  }

  func run() throws {
    let description = try foreign.description(of: foundRun(checkpoint), data: data, folders: folders)
    let job = try EvaluationJob(
      checkpoint: foundRun(checkpoint), data: data, split: split, folders: folders.folders(in: data),
      batchSize: batch,
      description: description,
      acceptsErrors: acceptErrors, augmentation: augmentation, caches: cache ? .user : nil)
    for note in job.notes { Console.complain("! \(note)") }
    for (option, path) in [("--csv", csv), ("--csv-mistakes", csvMistakes), ("--csv-confusion", csvConfusion)] {
      if let path { try TableTarget.check(path, option: option, data: job.data) }
    }
    if verbose { printArrays(try Checkpoint.report(path: job.checkpoint, as: description)) }
    let signals = try SignalWatcher()
    let file = try csv.map { try StreamedFile(path: $0) }
    var images: MeasuredImagesTable?
    let report = try job.run(
      threads: threads, ignoringMemory: ignoreMemory, progress: { _, _ in signals.received == nil },
      preparation: { _ in signals.received == nil },
      notice: { Console.complain("! \($0.text)") },
      eachImage: file.map { file in
        { image, classes in
          if images == nil { images = try MeasuredImagesTable(classes: classes) { try file.append($0) } }
          try images?.append(image)
        }
      })
    try file?.finish()
    guard let report else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    // Shown before it is stored: whatever becomes of the file, nobody has waited for nothing.
    if json { try Console.print(report) } else { EvaluationPrinter(report: report, isWhole: all).print() }
    let status = keep(report, with: job) ?? status(of: report)
    if let csvMistakes { try write(csvMistakes, report.writeMistakes) }
    if let csvConfusion { try write(csvConfusion, report.writeConfusion) }
    if let status { throw ExitCode(status.rawValue) }
  }

  private func write(_ path: String, _ table: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws {
    let file = try StreamedFile(path: path)
    try table { try file.append($0) }
    try file.finish()
  }

  /// - Returns: nil where the metrics are of every image.
  private func status(of report: EvaluationReport) -> ExitStatus? {
    if report.unknownImages > report.images {
      Console.complain(
        "skipline: most images are of classes that the checkpoint does not know, so the metrics are of few images: name its "
          + "classes as the folders are named, or evaluate it on data of its own classes")
      return .badData
    }
    return report.skippedImages > 0 ? .badData : nil
  }

  /// - Returns: the status for what went wrong; nil for nothing.
  private func keep(_ report: EvaluationReport, with job: EvaluationJob) -> ExitStatus? {
    var status: ExitStatus?
    do { try job.keep(report) } catch {
      Console.complain("skipline: the report could not be kept in the run's folder, and is printed only: \(error)")
      status = .inputOutput
    }
    guard report.nonFiniteImages > 0 else { return status }
    Console.complain(
      "skipline: the network's outputs for \(Format.count(report.nonFiniteImages)) of "
        + "\(Format.counted(report.images, "image")) are NaN or infinite: they count as no hits, and there is no loss; use "
        + "another checkpoint, or train again with a lower rate")
    return .failure
  }
}

/// Describes a file of another program, which holds weights and nothing else.
struct ForeignModelOptions: ParsableArguments {
  @Option(help: "The network's name. (default: what its arrays are of)") var net: String?
  @OptionGroup var network: NetworkOptions
  @Option(Settings.imageSize.number, instead: "default: what is usual for the network") var imgsz: Int?
  @Option(help: "How images become square: stretch, crop, pad or auto. (default: auto)")
  var resize: PreprocessingSettings.Resize?
  @Option(Settings.padColor) var padColor: PadColor?
  @Option(Settings.background) var background: Background?
  @Option(
    Settings.mean,
    saying: "Means of red, green and blue, 0...1, that its images are normalized by. (default: ImageNet's)")
  var mean: Channels?
  @Option(Settings.std, saying: "Their standard deviations. (default: ImageNet's)") var std: Channels?
  @OptionGroup var labels: LabelOptions

  /// Whether anything is said of the file.
  var isGiven: Bool {
    net != nil || network.isGiven || imgsz != nil || resize != nil || padColor != nil || background != nil
      || mean != nil || std != nil || labels.classes != nil || labels.classOrder != nil
  }

  /// nil for a file that describes itself, of which nothing is said.
  /// - Parameters:
  ///   - checkpoint: the file, or a run.
  ///   - data: the dataset whose classes it knows.
  ///   - folders: of the dataset; nil where none can be named.
  /// - Throws: what `ForeignModel.description` throws.
  func description(
    of checkpoint: String, data: String?, folders: SplitFolderOptions? = nil
  ) throws -> ModelDescription? {
    let path = try CheckpointLocation(checkpoint).path
    if !isGiven {
      // What is wrong with the file itself is told when it is loaded.
      do { if try Checkpoint.model(path: path) != nil { return nil } } catch { return nil }
    }
    guard (mean == nil) == (std == nil) else { throw ValidationError("--mean and --std go together") }
    var normalization: PreprocessingSettings.Normalization?
    if let mean, let std {
      guard let mean = mean.values, let std = std.values else {
        throw ValidationError(
          "--mean measured is for training: name the numbers that the weights were trained with")
      }
      normalization = .given(mean: mean, std: std)
    }
    // An option that means nothing for this network is refused whatever the file is.
    if let net { _ = try network.settings(name: net) }
    let model = ForeignModel(
      network: network.request(name: net), imageSize: imgsz, resize: resize, padColor: padColor,
      background: background, normalization: normalization, naming: try labels.naming())
    return try model.description(
      of: path, data: data, folders: data.flatMap { folders?.folders(in: $0) },
      tell: { Console.progress($0) })
  }
}
