// What a loop does when its run's folder is not where it was: it follows one that was renamed, and ends when it was
// removed. A run without a folder saves nowhere else: nobody would look for it there.

import Glibc
import Logging
import Messages

extension TrainingLoop {
  /// Between two steps: ends a run whose folder is gone before more is computed for nothing.
  /// - Throws: `TrainingError.folderGone`.
  func endIfRemoved() throws {
    if place.isRemoved { throw folderGone }
  }

  /// Before something is written: makes sure that it gets into the run's own folder, wherever that is now.
  /// - Throws: `TrainingError.folderGone`.
  func keepToFolder() throws {
    switch place.look(for: run.path) {
    case .here: break
    case .moved(let path): follow(to: path)
    case .gone: throw folderGone
    }
    // Emptied, it is as good as removed. Where its checkpoints alone are missing, whoever moved them may put them back:
    // saving fails until then, and is tried again.
    if isMissing(run.recordPath), isMissing(run.checkpointsPath) { throw folderGone }
  }

  private var folderGone: TrainingError {
    let error = TrainingError.folderGone(run: run.path, step: state.step)
    log.error("\(error)")
    return error
  }

  private func follow(to path: String) {
    let before = run.path
    run = RunFolder(moved: path)
    // What is open was moved along; what is opened again must be found.
    (metrics, results, log) = Self.records(of: run, report: hooks.report)
    unsaved.move(to: run)
    hooks.report(.folderMoved(to: run.path))
    warn("\(before) is \(run.path) now: the run goes on there")
  }

  static func records(
    of run: RunFolder, report: @escaping (TrainingEvent) -> Void
  ) -> (MetricsLog, ResultsTable, Logger) {
    (
      MetricsLog(path: run.metricsPath) { report(.warning($0)) },
      ResultsTable(path: run.resultsPath) { report(.warning($0)) },
      Logger(label: run.name) { [path = run.logPath] _ in FileLogHandler(path: path) }
    )
  }

  private func isMissing(_ path: String) -> Bool {
    path.withPathCString { access($0, F_OK) } != 0 && errno == ENOENT
  }
}
