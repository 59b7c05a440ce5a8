// Puts runs beside each other: what each reached, and in which settings they differ.

import Files
import Messages
import Networks

extension RunTable {
  /// - Throws: `RunFolderError` or `FileOperationError` for a run that cannot be read.
  public init(_ folders: [RunFolder]) throws {
    let records = try folders.map { try $0.record() }
    let readers = try zip(folders, records).map { folder, record in
      try MetricsReader.reading(folder.metricsPath, best: record.settings.best)
    }
    let runs = folders.map { $0.summary() }
    self.init(runs: runs, results: Self.results(runs, records, readers), settings: Self.differences(records))
  }

  private static func results(
    _ runs: [RunSummary], _ records: [RunRecord], _ readers: [MetricsReader]
  ) -> [Row] {
    let networks = records.map { record in
      try? NetworkPlan(
        record.settings.network, imageSize: record.settings.preprocessing.imageSize,
        classes: max(1, record.model.classes.count)
      ).summary(batchSize: 1)
    }
    let last = readers.map(\.allEpochs.last)
    let validated = readers.map { $0.allEpochs.last { $0.validation != nil }?.validation }
    let rows = [
      Row("state", runs.map { .text($0.state.rawValue) }),
      Row("dataset", records.map { .text($0.settings.data) }),
      Row("parameters", networks.map { $0.map { .count($0.parameters) } }),
      Row("multiply-adds", networks.map { $0.map { .count($0.multiplyAdds) } }),
      Row("epochs", runs.map { run in run.epochs.map { .progress(done: run.epoch, of: $0) } }),
      Row("time", readers.map { $0.seconds.map { .seconds($0) } }),
      Row("training loss", last.map { $0.map { .loss($0.trainLoss) } }),
      Row("validation loss", validated.map { $0?.loss.map { .loss($0) } }),
      Row("best validation", runs.map { $0.best.map { .score($0) } }),
      Row("test top-1", runs.map { $0.test.map { .share($0.top1) } }),
      Row("note", runs.map { $0.note.map { .text($0) } }),
    ]
    return rows.filter { row in row.values.contains { $0 != nil } }
  }

  /// What a run is called, and where it lies, is no setting of its training.
  private static let places: Set<String> = [Settings.name.option, Settings.project.option]

  private static func differences(_ records: [RunRecord]) -> [Row] {
    Settings.all.filter { !places.contains($0.option) }.compactMap { row in
      let texts = records.map { row.text(in: $0.settings) }
      return Set(texts.map { $0 ?? "" }).count > 1 ? Row(row.option, texts.map { $0.map { .text($0) } }) : nil
    }
  }
}
