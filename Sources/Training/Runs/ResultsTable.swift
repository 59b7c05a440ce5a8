// results.csv: a row an epoch, for spreadsheets and plotting scripts. The full metrics are in metrics.jsonl.

import Files
import Messages

/// The epochs of a run as comma-separated values. A cell without a value is empty, and so is one
/// whose value is not finite: spreadsheets and scripts read these as text.
public final class ResultsTable {
  static let header =
    "epoch,step,train_loss,train_accuracy,val_loss,val_top1,val_top5,val_balanced_accuracy,val_macro_f1,"
    + "learning_rate,seconds,skipped,data_wait"

  private static let columns = header.count { $0 == "," } + 1

  private let file: AppendOnlyFile
  private let onFailure: (String) -> Void

  /// - Parameters:
  ///   - path: made, with its header, with the first row if it does not exist.
  ///   - onFailure: called once, with what happened, when a row is lost for the first time.
  public init(path: String, calls: FileCalls = .system, onFailure: @escaping (String) -> Void) {
    file = AppendOnlyFile(path: path, header: Self.header, calls: calls)
    self.onFailure = onFailure
  }

  /// Appends a row. Never fails: a row that cannot be written is lost and `onFailure` told.
  public func append(_ epoch: EpochMetrics) {
    let cells = [
      "\(epoch.epoch)", "\(epoch.step)", cell(epoch.trainLoss), cell(epoch.trainAccuracy),
      cell(epoch.validation?.loss), cell(epoch.validation?.top1), cell(epoch.validation?.top5),
      cell(epoch.validation?.balancedAccuracy), cell(epoch.validation?.macroF1),
      cell(epoch.learningRate), cell(epoch.seconds), "\(epoch.skippedImages)",
      cell(epoch.dataWait),
    ]
    if let error = file.append(cells.joined(separator: ",")) {
      onFailure("rows of the results table are being lost, training goes on: \(error)")
    }
  }

  /// Puts the rows so far on disk.
  func sync() { file.sync() }

  /// Drops the rows after a checkpoint's step (see `MetricsLog.rewind`), and torn ones at the end.
  /// - Throws: `FileOperationError`; the table then stays as it was.
  public func rewind(toStep step: Int, epoch: Int? = nil) throws {
    file.close()
    try LineTail.cut(file.path) { line in
      let text = String(decoding: line, as: UTF8.self)
      if text == Self.header { return true }
      let cells = text.split(separator: ",", omittingEmptySubsequences: false)
      guard cells.count == Self.columns, let rowEpoch = Int(cells[0]), let rowStep = Int(cells[1]),
        Int(cells[11]) != nil
      else {
        return false
      }
      return rowStep <= step && rowEpoch <= epoch ?? .max
    }
  }

  private func cell(_ value: Double?) -> String { value.flatMap { $0.isFinite ? "\($0)" : nil } ?? "" }
}
