// Which of the evaluations that a run has kept a picture or a report is about.

import Messages
import Support
import Training

/// An evaluation out of a run's folder.
public struct KeptEvaluation: Sendable {
  public let report: EvaluationReport
  /// Whether the checkpoint is the one that was measured, and was not replaced by a later one since.
  public let isCurrent: Bool

  /// Of the run's `best` checkpoint, or else of its `last`, on its own images.
  /// - Parameter split: nil for the test images or, where these were not evaluated, the validation images or all.
  /// - Throws: `NoKeptEvaluation` where there is none; `RunFolderError.unreadable`.
  public init(of run: RunFolder, split: EvaluationSplit?) throws {
    for split in split.map({ [$0] }) ?? [.test, .validation, .all] {
      for checkpoint in [CheckpointName.best, .last] {
        guard let report = try run.evaluation(of: checkpoint, on: split) else { continue }
        self.report = report
        let measured = report.provenance?.checkpoint
        isCurrent = measured != nil && measured == run.checksum(of: checkpoint)
        return
      }
    }
    throw NoKeptEvaluation(run: run.path, split: split)
  }
}

/// A run was not evaluated yet.
public struct NoKeptEvaluation: Error, Equatable, CustomStringConvertible {
  public var run: String
  public var split: EvaluationSplit?

  public var description: String {
    let words = split.map { " --split \($0.rawValue)" } ?? ""
    return
      "\(run) has no evaluation\(split.map { " of its \($0.rawValue) images" } ?? ""): first skipline evaluate "
      + "\(shellQuoted(run))\(words)"
  }
}
