// An evaluation that keeps what it found of each image, and the way back to it. Records lie beside their reports in the
// run's folder; there is one for each checkpoint and split, and a newer one takes its place.

import Datasets
import Files
import FoundationEssentials
import Glibc
import Messages
import Support
import Training
import WeightFiles

/// An evaluation with its record.
public struct RecordedEvaluation {
  public let job: EvaluationJob
  private let checkpoint: String
  private let parts: RecordedParts
  private let mostBytes: Int

  /// - Parameters:
  ///   - checkpoint: as the person named it.
  ///   - parts: what is kept.
  ///   - mostBytes: what a record may take.
  public init(
    _ job: EvaluationJob, checkpoint: String, parts: RecordedParts = .all,
    mostBytes: Int = EvaluationRecorder.usualBytes
  ) {
    self.job = job
    self.checkpoint = checkpoint
    self.parts = parts
    self.mostBytes = mostBytes
  }

  /// Evaluates and gathers the record in the same pass.
  /// - Returns: nil where it was ended.
  /// - Throws: as `EvaluationJob.run`.
  public func run(
    threads: Int?, ignoringMemory: Bool = false, decisions: DecisionStore = .standard,
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true },
    preparation: (PreparationProgress) -> Bool = { _ in true }, notice: (DatasetFinding) -> Void = { _ in },
    eachImage: ((_ image: MeasuredImage, _ classes: [String]) throws -> Void)? = nil
  ) throws -> (report: EvaluationReport, record: EvaluationRecord)? {
    var recorder: EvaluationRecorder?
    let report = try job.run(
      threads: threads, ignoringMemory: ignoringMemory, decisions: decisions, progress: progress,
      preparation: preparation, notice: notice, keepsFeatures: parts == .all
    ) { image, classes in
      if recorder == nil { recorder = EvaluationRecorder(classes: classes, parts: parts, mostBytes: mostBytes) }
      recorder?.add(image)
      try eachImage?(image, classes)
    }
    // A report is of one image at least.
    guard let report, let recorder else { return nil }
    return (report, recorder.record(report, checkpoint: checkpoint, layer: job.classifier))
  }

  /// Keeps the report and, as far as it was asked for, the record.
  /// - Returns: where the record is and how many bytes it has; nil where none is kept.
  /// - Throws: `FileOperationError`.
  @discardableResult
  public func keep(_ report: EvaluationReport, _ record: EvaluationRecord) throws -> (path: String, bytes: Int)? {
    guard let file = try job.keep(report) else { return nil }
    let path = Self.recordPath(besides: file)
    guard parts != .none else {
      // One of an earlier evaluation would be taken for this one's.
      path.withPathCString { _ = unlink($0) }
      return nil
    }
    return (path, try record.write(to: path))
  }

  private static func recordPath(besides report: String) -> String {
    (report.hasSuffix(".json") ? String(report.dropLast(".json".count)) : report) + recordEnding
  }

  static let recordEnding = ".images.safetensors"
}

/// The records that are kept in runs.
public enum KeptRecords {
  /// What came of looking for a record.
  public enum Found: Sendable {
    case record(EvaluationRecord)
    /// None was kept.
    case missing
    /// There is one that is of no use, and why.
    case unusable(String)
  }

  /// The record of an evaluation, where one is kept and is of the checkpoint as it is now. Whether the images are still
  /// the same takes reading the dataset: `EvaluationJob.currentProvenance` says what they are now.
  /// - Throws: as `CheckpointLocation`; `FileOperationError`.
  public static func find(_ source: EvaluationSource, augmentation: TestTimeAugmentation? = nil) throws -> Found {
    guard let (location, stem) = try place(of: source, augmentation) else { return .missing }
    let path = stem + RecordedEvaluation.recordEnding
    guard try FilePath.kind(of: path) == .file else { return .missing }
    var record: EvaluationRecord
    do { record = try EvaluationRecord(path: path) } catch let error as EvaluationRecordError {
      return .unusable("\(error)")
    }
    // The run's own images are kept under its own name, wherever they were moved to.
    if let data = source.data, FilePath.real(record.table.root) != FilePath.real(data) { return .missing }
    guard let made = record.table.provenance?.checkpoint, made == (try checksum(location)) else {
      return .unusable("\(path) is of an earlier \(FilePath.split(location.path).name)")
    }
    record.table.source = source
    return .record(record)
  }

  /// The report of an evaluation of which the images are kept too, where it is of the checkpoint as it is now. Whether its
  /// images are still the same is not asked.
  /// - Parameters:
  ///   - checkpoint: a checkpoint's file, or a run's folder.
  ///   - data: the dataset's folder; nil for the run's own.
  ///   - split: nil for the test images of the run's own data; of others it is not known before they are read.
  /// - Throws: as `CheckpointLocation`; `FileOperationError`.
  public static func report(
    of checkpoint: String, on data: String?, _ split: EvaluationSplit?
  ) throws -> EvaluationReport? {
    var source = EvaluationSource(checkpoint: checkpoint, data: data, split: split ?? .test)
    let location = try CheckpointLocation(checkpoint)
    let isOwn = location.run.map { Self.isOwn(data, of: $0) } ?? false
    if isOwn { source.data = nil }
    guard isOwn || split != nil, let (_, stem) = try place(of: source, nil),
      try FilePath.kind(of: stem + RecordedEvaluation.recordEnding) == .file,
      try FilePath.kind(of: stem + ".json") == .file,
      var report = try? ReportOutline.report(stem + ".json"), report.data == data || isOwn
    else { return nil }
    guard let made = report.provenance?.checkpoint, made == (try checksum(location)) else { return nil }
    // As it was asked for, so that whoever asked knows it.
    report.checkpoint = location.path
    if let data { report.data = data }
    return report
  }

  private static func isOwn(_ data: String?, of run: RunFolder) -> Bool {
    data.map { data in
      (try? run.record()).map { FilePath.real($0.settings.data) == FilePath.real(data) } ?? false
    } ?? true
  }

  private static func checksum(_ location: CheckpointLocation) throws -> String? {
    try Safetensors.readMetadata(path: location.path)[Safetensors.checksumKey]
  }

  /// Where the files of an evaluation lie, without their endings; nil outside of runs.
  private static func place(
    of source: EvaluationSource, _ augmentation: TestTimeAugmentation?
  ) throws -> (location: CheckpointLocation, stem: String)? {
    let location = try CheckpointLocation(source.checkpoint)
    guard let run = location.run else { return nil }
    func stem(_ data: String?) -> String {
      let name = RunFolder.evaluationName(
        of: location.path, on: source.split, data: data, augmentation: augmentation)
      return "\(run.evaluationsPath)/\(name)"
    }
    if isOwn(source.data, of: run) { return (location, stem(nil)) }
    let other = stem(source.data)
    // The run's own images are kept under its own name, wherever they were moved to.
    let isThere = try FilePath.kind(of: other + RecordedEvaluation.recordEnding) != nil
    return (location, isThere ? other : stem(nil))
  }
}

/// A report without its list of mistakes, which takes seconds to read where there are very many, and which the record has
/// too.
private struct ReportOutline: Decodable {
  var checkpoint: String
  var data: String
  var split: EvaluationSplit
  var images: Int
  var loss: Double?
  var top1: Double
  var top5: Double
  var classes: [ClassMetrics]
  var confusionCells: [ConfusionMatrix.Cell]
  var mistakes: Int
  var nonFinite: [String]?
  var nonFiniteImages: Int?
  var skipped: [String]
  var skippedImages: Int?
  var unknownImages: Int?
  var unknownClasses: [String]
  var imagesPerSecond: Double
  var provenance: EvaluationProvenance?
  var augmentation: TestTimeAugmentation?
  var calibrationError: Double?
  var precision: InferencePrecision?
  var comparison: PrecisionComparison?

  /// Bytes from which on the mistakes are left out.
  private static let large = 2 << 20

  /// The report in a file.
  /// - Throws: `FileOperationError`, `RunFolderError.unreadable`, or what decoding throws.
  static func report(_ path: String) throws -> EvaluationReport {
    let bytes = try InputFile.contents(of: path, bound: SizeBound.evaluation)
    guard bytes.count >= large else { return try RunFolder.readEvaluation(path) }
    let outline = try JSONDecoder().decode(Self.self, from: Data(bytes))
    var report = EvaluationReport(
      checkpoint: outline.checkpoint, data: outline.data, split: outline.split, images: outline.images,
      loss: outline.loss, top1: outline.top1, top5: outline.top5, classes: outline.classes,
      confusion: ConfusionMatrix(classes: outline.classes.count, cells: outline.confusionCells), misclassified: [],
      nonFinite: outline.nonFinite ?? [], skipped: outline.skipped, unknownImages: outline.unknownImages ?? 0,
      unknownClasses: outline.unknownClasses, imagesPerSecond: outline.imagesPerSecond,
      provenance: outline.provenance, augmentation: outline.augmentation,
      calibrationError: outline.calibrationError, precision: outline.precision, comparison: outline.comparison)
    report.mistakes = outline.mistakes
    report.nonFiniteImages = outline.nonFiniteImages ?? report.nonFiniteImages
    report.skippedImages = outline.skippedImages ?? report.skippedImages
    return report
  }
}

extension EvaluationRecord {
  /// Why it is not of the images as they are now, for people; nil where it is.
  /// - Parameter now: what an evaluation would be made of now.
  public func staleness(_ now: EvaluationProvenance) -> String? {
    guard let before = table.provenance else { return "it does not say what it was made of" }
    if before.checkpoint != now.checkpoint { return "the checkpoint has changed since" }
    if before.edits != now.edits || before.excluded != now.excluded || before.relabeled != now.relabeled {
      return "images were excluded, taken back or given another class since"
    }
    if before.imagesFingerprint != now.imagesFingerprint || before.splitFingerprint != now.splitFingerprint {
      return "the images have changed since"
    }
    return nil
  }
}
