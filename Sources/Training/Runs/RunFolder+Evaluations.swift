// The evaluations that are kept in a run's folder: a file for each, named for what was measured on what. One of other
// data, of a checkpoint that was replaced since or of images that changed never takes another's place.

import Files
import Glibc
import Messages
import Support
import WeightFiles

extension RunFolder {
  /// Keeps an evaluation in `evaluations/`:
  ///
  ///     best-test.json                      of the run's own images
  ///     best-test-flip.json             with test-time augmentation
  ///     best-test-bf16.json             in another precision than the checkpoint's own
  ///     best-all-holdout-5f3a0c11.json      of others: the folder's name, and a hash of its place
  ///
  /// An evaluation of that name that was made of something else, of an older `best` for instance, is renamed first: its
  /// name then ends in parts of the checkpoint's checksum and of the images' fingerprint.
  /// - Returns: the file's path.
  /// - Throws: `FileOperationError`.
  @discardableResult
  public func save(_ report: EvaluationReport) throws -> String {
    // Removed with what was in it, or never there in a run that was copied. The run's own folder is not made again.
    if evaluationsPath.withPathCString({ mkdir($0, 0o777) }) != 0, errno != EEXIST {
      throw FileOperationError(path: evaluationsPath, step: .makeFolder, code: errno)
    }
    var stored = report
    // It is read from other folders than the one it was made in.
    stored.data = FilePath.absolute(report.data)
    stored.checkpoint = FilePath.absolute(report.checkpoint)
    if let other = stored.comparison?.checkpoint { stored.comparison?.checkpoint = FilePath.absolute(other) }
    let name = Self.evaluationName(
      of: report.checkpoint, on: report.split, data: report.provenance?.isRunsOwn == false ? report.data : nil,
      augmentation: report.augmentation, precision: report.precision)
    let target = "\(evaluationsPath)/\(name).json"
    try setAsideOther(than: report, at: target, name: name)
    try AtomicFile.write(to: target) { output in
      try EvaluationDocument.write(stored) { try output.append($0) }
    }
    return target
  }

  /// The name of an evaluation's files, without an ending.
  /// - Parameters:
  ///   - checkpoint: its file.
  ///   - data: the dataset's folder; nil for the run's own images.
  ///   - precision: nil for what the checkpoint's weights are of.
  package static func evaluationName(
    of checkpoint: String, on split: EvaluationSplit, data: String?, augmentation: TestTimeAugmentation?,
    precision: InferencePrecision? = nil
  ) -> String {
    var name = "\(CheckpointName(path: checkpoint).stem)-\(split.rawValue)"
    if let data { name += "-" + Self.name(ofData: data) }
    if let augmentation { name += "-\(augmentation.rawValue)" }
    // A quantized checkpoint is a file of its own, with a name of its own.
    if precision == .bf16 { name += "-bf16" }
    return name
  }

  /// The evaluation of a checkpoint on the run's own images that was saved last; nil where there is none.
  /// - Throws: `RunFolderError.unreadable`.
  public func evaluation(of checkpoint: CheckpointName, on split: EvaluationSplit) throws -> EvaluationReport? {
    let source = "\(evaluationsPath)/\(checkpoint.stem)-\(split.rawValue).json"
    guard try FilePath.kind(of: source) != nil else { return nil }
    return try Self.readEvaluation(source)
  }

  /// The report in a file.
  /// - Throws: `RunFolderError.unreadable`.
  package static func readEvaluation(_ path: String) throws -> EvaluationReport {
    try RunJSON.read(EvaluationReport.self, path: path, bound: SizeBound.evaluation)
  }

  /// What an evaluation of a checkpoint as it is now has in its provenance; nil where it cannot be told.
  public func checksum(of checkpoint: CheckpointName) -> String? {
    (try? Safetensors.readMetadata(path: path(of: checkpoint)))?[Safetensors.checksumKey]
  }

  private func setAsideOther(than report: EvaluationReport, at target: String, name: String) throws {
    guard try FilePath.kind(of: target) == .file else { return }
    struct Older: Decodable { var provenance: EvaluationProvenance? }
    let older = (try? RunJSON.read(Older.self, path: target, bound: SizeBound.evaluation))?.provenance
    if let older, older == report.provenance { return }
    if older == nil && report.provenance == nil { return }
    let identity =
      older.map { "\($0.checkpoint.suffix(8))-\($0.imagesFingerprint.prefix(8))" } ?? "of-unknown-origin"
    try FileCalls.system.move(target, to: "\(evaluationsPath)/\(name)-\(identity).json")
  }

  /// A dataset's folder in a file's name: its own name, for people, and a hash of its place.
  private static func name(ofData data: String) -> String {
    let place = FilePath.real(data)
    let plain = FilePath.split(place).name.unicodeScalars.map { scalar in
      scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-_.".unicodeScalars.contains(scalar)
        ? Character(scalar) : "_"
    }
    let digits = String(stableHash(place), radix: 16)
    // File systems allow 255 bytes; forty scalars of any script stay below.
    return String(plain.prefix(40)) + "-"
      + String((String(repeating: "0", count: 16 - digits.count) + digits).prefix(8))
  }
}
