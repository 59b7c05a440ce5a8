// What a run writes down while it goes on: metrics, results and its log, which grow by a line and never hold it up.

import Files
import FoundationEssentials
import Glibc
import Logging
import Messages

/// The growing files of a run. They follow its folder, and are cut back where the run goes back.
final class RunRecords {
  private(set) var metrics: MetricsLog
  private(set) var results: ResultsTable
  private(set) var log: Logger
  private let report: (TrainingEvent) -> Void

  /// - Parameter report: told once of each kind of line that is lost.
  init(_ run: RunFolder, report: @escaping (TrainingEvent) -> Void) {
    self.report = report
    (metrics, results, log) = Self.open(run, report)
  }

  func append(_ epoch: EpochMetrics) {
    metrics.append(epoch)
    results.append(epoch)
  }

  /// Puts on disk what was written so far.
  func sync() {
    metrics.sync()
    results.sync()
  }

  /// Drops what came after a state that the run goes on from.
  /// - Throws: `FileOperationError`.
  func rewind(to state: TrainingState) throws {
    try metrics.rewind(toStep: state.step, epoch: state.epochsDone)
    try results.rewind(toStep: state.step, epoch: state.epochsDone)
  }

  /// The run's folder is another now: what is open was moved along, what is opened again must be found.
  func move(to run: RunFolder) { (metrics, results, log) = Self.open(run, report) }

  private static func open(
    _ run: RunFolder, _ report: @escaping (TrainingEvent) -> Void
  ) -> (MetricsLog, ResultsTable, Logger) {
    (
      MetricsLog(path: run.metricsPath) { report(.warning($0)) },
      ResultsTable(path: run.resultsPath) { report(.warning($0)) },
      Logger(label: run.name) { [path = run.logPath] _ in FileLogHandler(path: path) }
    )
  }
}
