// `skipline evaluate`: a checkpoint measured on a split, and how a file of another program is described.

import ArgumentParser
import Canvas
import Datasets
import Files
import Glibc
import Inspection
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
  @Flag(
    help:
      "Of a run that is being trained: save its weights of this moment as a checkpoint, step-000123, and measure that."
  )
  var now = false
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
  @Option(
    help:
      "fp32; bf16: rounded factors, faster where the processor has AVX512-BF16; int8: of a quantized checkpoint. (default: what the checkpoint's weights are of)"
  )
  var precision: InferencePrecision?
  @Flag(
    inversion: .prefixedNo,
    help: "In bf16, and of a quantized checkpoint: measure the same images in fp32 too, and compare.")
  var compare = true
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
  @Option(
    help:
      "With --csv or --images: the order: loss, confidence, margin or disagreement, the most interesting first, or name. (default: as measured)"
  )
  var sort: EvaluationSort?
  @Option(
    help: "Write a list of the images to FILE.csv or .json, or a contact sheet of them to FILE.png or .svg.",
    transform: given)
  var images: String?
  @Option(
    help:
      "With --images: which of them, as the inspector has it: '\"cat\" > \"dog\"', wrong, right, train, val, test, 'conf<.5', a part of the path.",
    transform: given)
  var filter: String?
  @Option(help: "Write the confusion matrix to FILE.csv, .json, .png or .svg.", transform: given) var confusion:
    String?
  @Option(
    help: "Write the reliability diagram and the confidences' histogram to FILE.csv, .json, .png or .svg.",
    transform: given)
  var reliability: String?
  @Option(
    help: "Write the confused pairs of classes, the most frequent first, to FILE.csv or .json.", transform: given)
  var pairs: String?
  @Option(help: "Write precision, recall and F1 of each class to FILE.csv or .json.", transform: given)
  var metrics: String?
  @OptionGroup var existing: OverwriteOption
  @Option(
    help:
      "What the run's folder keeps of each image beside the report: all (probabilities and features), probabilities or none."
  )
  var record = RecordedParts.all
  @Flag(
    help:
      "Fit the temperature that makes probabilities mean what they say, on the validation images, and keep it beside the checkpoint for predict --calibrated."
  )
  var calibrate = false
  @Flag(help: "Print every class, the whole confusion matrix and every mistake.") var all = false
  @Flag(help: "Say which array of the file each of the network's is.") var verbose = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    let tables = ([csv, csvMistakes, csvConfusion] + exports.map(\.path)).compactMap { $0 }
    guard !tables.contains("-") else {
      throw ValidationError("the report goes to standard output: name a file for a table of an evaluation")
    }
    guard Set(tables).count == tables.count else { throw ValidationError("each table has a file of its own") }
    guard sort == nil || csv != nil || images != nil else {
      throw ValidationError("--sort is the order of a table: name it, with --csv or --images")
    }
    guard filter == nil || images != nil else {
      throw ValidationError("--filter says which images are written: name a file for them, with --images")
    }
    if calibrate, split == .train {
      throw ValidationError(
        "--calibrate on images that the network was trained on finds nothing: leave out --split train")
    }
  }

  func run() throws {
    let checkpoint = now ? try savedMoment() : foundRun(checkpoint)
    let description = try foreign.description(of: checkpoint, data: data, folders: folders)
    let job = try EvaluationJob(
      checkpoint: checkpoint, data: data, split: split, folders: folders.folders(in: data),
      batchSize: batch,
      description: description,
      acceptsErrors: acceptErrors, augmentation: augmentation, precision: precision, caches: cache ? .user : nil)
    let reference = compare ? try reference(of: job) : nil
    for note in job.notes { Console.complain("! \(note)") }
    for (option, path) in [("--csv", csv), ("--csv-mistakes", csvMistakes), ("--csv-confusion", csvConfusion)] {
      guard let path else { continue }
      try TableTarget.check(path, option: option, data: job.data)
      try tellOfReplaced(path)
    }
    let targets = try exports.map { option, path, formats in
      try path.map {
        try ExportTarget(
          $0, option: option, formats: formats, replaces: existing.overwrite, data: job.data)
      }
    }
    if verbose { printArrays(try Checkpoint.report(path: job.checkpoint, as: description)) }
    let signals = try SignalWatcher()
    let file = try csv.map { try StreamedFile(path: $0) }
    var table: MeasuredImagesTable?
    var answers = reference.map { _ in AnswerComparison() }
    let evaluation = RecordedEvaluation(job, checkpoint: job.checkpoint, parts: self.record)
    let measured = try evaluation.run(
      threads: threads, ignoringMemory: ignoreMemory, progress: { _, _ in signals.received == nil },
      preparation: { _ in signals.received == nil },
      notice: { Console.complain("! \($0.text)") },
      eachImage: { image, classes in
        answers?.keep(image)
        guard let file, sort == nil else { return }
        if table == nil { table = try MeasuredImagesTable(classes: classes) { try file.append($0) } }
        try table?.append(image)
      })
    guard let (own, record) = measured else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    var report = own
    if let file, let sort { try write(record, sortedBy: sort, to: file) }
    try file?.finish()
    // Shown before it is stored: whatever becomes of the file or of the comparison, nobody has waited for nothing.
    if !json { EvaluationPrinter(report: report, isWhole: all).print() }
    let comparison = Result {
      try answers.flatMap { try compared($0, job, report, reference, description, signals) }
    }
    report.comparison = (try? comparison.get()) ?? nil
    if json { try Console.print(report) }
    if let text = report.comparison?.text(of: report) { json ? Console.complain(text) : Console.print(text) }
    let status = keep(report, record, with: evaluation) ?? status(of: report)
    _ = try comparison.get()
    if calibrate { try calibrate(job, checkpoint, description, signals) }
    if let csvMistakes { try write(csvMistakes, report.writeMistakes) }
    if let csvConfusion { try write(csvConfusion, report.writeConfusion) }
    try export(report, record, to: targets)
    if let status { throw ExitCode(status.rawValue) }
  }

  /// The options that name files for other programs, in the order in which they are written.
  private var exports: [(option: String, path: String?, formats: [EvaluationExport.Format])] {
    let all = EvaluationExport.Format.allCases
    return [
      ("--images", images, all), ("--confusion", confusion, all), ("--reliability", reliability, all),
      ("--pairs", pairs, [.csv, .json]), ("--metrics", metrics, [.csv, .json]),
    ]
  }

  private func export(_ report: EvaluationReport, _ record: EvaluationRecord, to targets: [ExportTarget?]) throws {
    let table = record.table
    let contents: [() throws -> EvaluationExport.Content] = [
      { .images(table.selecting(try rows(of: table))) }, { .confusion(report) },
      { .reliability(table.reliability()) },
      { .pairs(report) }, { .metrics(report) },
    ]
    for (target, content) in zip(targets, contents) {
      try target?.write(content(), name: report.exportName, replaces: existing.overwrite)
    }
  }

  /// Those that pass the filter, in the order that was asked for.
  private func rows(of table: EvaluationTable) throws -> [Int32] {
    let chosen = ImageQuery.filter(filter ?? "", classes: table.classes)
    guard !ImageQuery.isOfUnknownClass(chosen) else {
      throw SettingsError(
        "--filter \(filter ?? ""): the checkpoint knows no class of this name; it knows "
          + table.classes.prefix(20).joined(separator: ", ") + (table.classes.count > 20 ? " and others" : ""))
    }
    let rows = table.rows(chosen, sortedBy: sort ?? .name)
    if rows.isEmpty { Console.complain("! no image passes --filter \(filter ?? "")") }
    return rows
  }

  /// Has the run that is being trained save its weights after the step under way.
  /// - Returns: the checkpoint.
  /// - Throws: as `RunControl`; `RunNotReached` where it cannot save them.
  private func savedMoment() throws -> String {
    let control = try RunControl(checkpoint, project: ProjectFolder.nearest)
    defer { control.close() }
    control.send(.saveMoment)
    var reason: String?
    let name: String? = control.wait { event in
      switch event {
      case .training(.checkpointSaved(let info)): return info.name.hasPrefix("step-") ? info.name : nil
      case .training(.saveFailed(let failure)):
        reason = failure.reason
        return failure.path.contains("/step-") ? "" : nil
      case .training(.diverged):
        reason = "it has diverged, and waits to be told how to go on: skipline watch"
        return ""
      case .failure(let text):
        reason = text
        return nil
      default: return nil
      }
    }
    guard let name, !name.isEmpty else {
      throw RunNotReached(folder: control.folder, reason: reason ?? "its engine ended before it answered")
    }
    return "\(control.folder)/checkpoints/\(name).safetensors"
  }

  /// The checkpoint to measure in fp32 besides: itself, or the one that a quantized one was made of, where that is still
  /// there; nil for none.
  private func reference(of job: EvaluationJob) throws -> String? {
    guard job.precision != .fp32 else { return nil }
    guard let record = try Checkpoint.quantization(path: job.checkpoint) else { return job.checkpoint }
    if let source = try record.sourcePath(besides: job.checkpoint) { return source }
    Console.complain(
      "! \(record.source), of which \(job.checkpoint) was made, is not there any more or has changed: no accuracy in fp32"
    )
    return nil
  }

  /// Measures the same images in fp32.
  /// - Parameter answers: those of the report.
  private func compared(
    _ answers: AnswerComparison, _ own: EvaluationJob, _ report: EvaluationReport, _ reference: String?,
    _ description: ModelDescription?, _ signals: SignalWatcher
  ) throws -> PrecisionComparison? {
    guard let reference else { return nil }
    var answers = answers
    let job = try EvaluationJob(
      checkpoint: reference, data: own.data, split: report.split, folders: folders.folders(in: data),
      batchSize: batch, description: reference == own.checkpoint ? description : nil,
      acceptsErrors: own.acceptsErrors, augmentation: augmentation, caches: cache ? .user : nil)
    let measured = try job.run(
      threads: threads, ignoringMemory: ignoreMemory, progress: { _, _ in signals.received == nil },
      preparation: { _ in signals.received == nil }, eachImage: { image, _ in answers.compare(image) })
    guard let measured else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    guard let result = answers.result(measured) else {
      throw SettingsError("the images of \(report.data) have changed meanwhile: none was measured in fp32 too")
    }
    return result
  }

  /// Fits a temperature on images that the network was not trained on, and keeps it.
  private func calibrate(
    _ own: EvaluationJob, _ checkpoint: String, _ description: ModelDescription?, _ signals: SignalWatcher
  ) throws {
    // The split that was named, else the validation images: the test images are for measuring what came of it.
    let job = try EvaluationJob(
      checkpoint: checkpoint, data: data, split: split ?? .validation, folders: folders.folders(in: data),
      batchSize: batch, description: description, acceptsErrors: acceptErrors, augmentation: augmentation,
      caches: cache ? .user : nil)
    var fitting = TemperatureFitting()
    let report = try job.run(
      threads: threads, ignoringMemory: ignoreMemory, progress: { _, _ in signals.received == nil },
      preparation: { _ in signals.received == nil }, eachImage: { image, _ in fitting.add(image) })
    guard let report else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    let fit = try fitting.fit(split: report.split, checkpoint: report.provenance?.checkpoint ?? "")
    let file = try Calibration.write(fit, besides: own.checkpoint)
    Console.progress(
      "temperature \(Format.general(fit.temperature)) from \(Format.counted(fit.images, "\(fit.split.rawValue) image")): loss "
        + "\(Format.fixed(fit.lossBefore, 4)) to \(Format.fixed(fit.lossAfter, 4)), calibration error "
        + "\(Format.percent(fit.errorBefore, decimals: 2)) to \(Format.percent(fit.errorAfter, decimals: 2)); kept in \(file)"
    )
  }

  /// The table of every image in another order than they were measured in.
  private func write(_ images: EvaluationRecord, sortedBy sort: EvaluationSort, to file: StreamedFile) throws {
    let table = try MeasuredImagesTable(classes: images.table.classes) { try file.append($0) }
    for row in images.table.rows(sortedBy: sort).map(Int.init) {
      try table.append(images.table, row, probabilities: try images.probabilities.values(row..<row + 1))
    }
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
  private func keep(
    _ report: EvaluationReport, _ images: EvaluationRecord, with evaluation: RecordedEvaluation
  ) -> ExitStatus? {
    var status: ExitStatus?
    do {
      if let (path, bytes) = try evaluation.keep(report, images) {
        Console.progress("kept of each image: \(Format.bytes(bytes)) in \(path)")
        for note in images.table.notes { Console.progress("! \(note)") }
      }
    } catch {
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

extension EvaluationReport {
  /// What a picture of it is headed by: run, checkpoint and split.
  var exportName: String {
    let file = FilePath.split(checkpoint).name
    let name = file.hasSuffix(".safetensors") ? String(file.dropLast(".safetensors".count)) : file
    let run = (try? CheckpointLocation(checkpoint).run?.name) ?? nil
    return (run.map { "\($0)/\(name)" } ?? name) + (split == .all ? "" : " on \(split.rawValue)")
  }
}
