// What a run writes down while it goes on: metrics, results, its log and what TensorBoard reads, which grow and never
// hold it up.

import Files
import FoundationEssentials
import Glibc
import Logging
import Messages

/// The growing files of a run. They follow its folder, and are cut back where the run goes back.
final class RunRecords {
  /// nil on a rank that writes no files.
  private(set) var metrics: MetricsLog?
  private(set) var results: ResultsTable?
  private(set) var log: Logger
  /// nil where the run writes none.
  private var tensorBoard: TensorBoardLog?
  private let hasTensorBoard: Bool
  private let report: (TrainingEvent) -> Void

  /// - Parameters:
  ///   - tensorBoard: whether event files are written.
  ///   - report: told once of each kind of line that is lost.
  init(_ run: RunFolder, tensorBoard: Bool = false, report: @escaping (TrainingEvent) -> Void) {
    self.report = report
    hasTensorBoard = tensorBoard
    (metrics, results, log, self.tensorBoard) = Self.open(run, tensorBoard, report)
  }

  /// Of a rank that writes no files: what it is told is written by rank 0.
  init() {
    report = { _ in }
    hasTensorBoard = false
    log = Logger(label: "rank") { _ in SwiftLogNoOpLogHandler() }
  }

  func append(_ step: StepMetrics) {
    metrics?.append(step)
    tensorBoard?.append(step)
  }

  /// - Parameter values: what else TensorBoard is to show of it, made where there is one.
  func append(_ epoch: EpochMetrics, values: () -> [SummaryValue] = { [] }) {
    metrics?.append(epoch)
    results?.append(epoch)
    tensorBoard?.append(epoch, values())
  }

  func append(_ mark: RunMark) { metrics?.append(mark) }
  func append(_ recalls: ClassRecalls) { metrics?.append(recalls) }

  /// - Parameter interval: steps between two looks at the layers; of very many of them not all are written down.
  func append(_ layers: LayerStatistics, interval: Int) {
    guard layers.isWritten(interval: interval) else { return }
    metrics?.append(layers)
    tensorBoard?.append(layers)
  }

  /// Puts on disk what was written so far.
  func sync() {
    metrics?.sync()
    results?.sync()
    tensorBoard?.sync()
  }

  /// Drops what came after a state that the run goes on from.
  /// - Throws: `FileOperationError`.
  func rewind(to state: TrainingState) throws {
    try metrics?.rewind(toStep: state.step, epoch: state.epochsDone)
    try results?.rewind(toStep: state.step, epoch: state.epochsDone)
    try tensorBoard?.rewind(toStep: state.step, epoch: state.epochsDone)
  }

  /// The run's folder is another now: what is open was moved along, what is opened again must be found.
  func move(to run: RunFolder) { (metrics, results, log, tensorBoard) = Self.open(run, hasTensorBoard, report) }

  private static func open(
    _ run: RunFolder, _ tensorBoard: Bool, _ report: @escaping (TrainingEvent) -> Void
  ) -> (MetricsLog, ResultsTable, Logger, TensorBoardLog?) {
    (
      MetricsLog(path: run.metricsPath) { report(.warning($0)) },
      ResultsTable(path: run.resultsPath) { report(.warning($0)) },
      Logger(label: run.name) { [path = run.logPath] _ in FileLogHandler(path: path) },
      tensorBoard ? TensorBoardLog(folder: run.path) { report(.warning($0)) } : nil
    )
  }
}
