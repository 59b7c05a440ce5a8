// `skipline check DATA --model RUN`: labels that are probably wrong, as findings among the others.

import ArgumentParser
import Canvas
import Files
import Glibc
import Inspection
import Messages
import Reports
import Support
import Tensors
import Training

extension CheckCommand {
  /// Adds what models say of the labels.
  func judgeLabels(_ report: inout DatasetReport, _ signals: SignalWatcher) throws {
    let opener = EvaluationOpener(signals: signals, threads: threads)
    let records = try judges().map { name in
      let own = try CheckpointLocation(name).run.flatMap { try? $0.record().settings.data }
      let isOwn = own.map { FilePath.real($0) == FilePath.real(data) } ?? false
      return try opener.record(
        EvaluationSource(checkpoint: name, data: isOwn ? nil : data, split: .all), withFeatures: true)
    }
    let search = try LabelErrorSearch(
      records, judgesInSample: inSample, pool: try ThreadPool(reserving: threads))
    let progress = ProgressLine()
    let found = try search.run { done, total in
      progress.show("comparing images: \(Format.count(done)) of \(Format.count(total))")
      return signals.received == nil
    }
    progress.clear()
    guard let found else { throw ExitCode(128 + (signals.received ?? SIGINT)) }
    for note in found.report.notes { Console.complain("! \(note)") }
    let left = found.report.without(report.confirmed)
    report.labelErrors = left
    report.findings = Self.merged(report.findings, left.findings)
    if let csvLabels { try write(found, confirmed: ConfirmedLabels(report.confirmed), to: csvLabels) }
  }

  /// The runs and checkpoints that were named; for a cross-validation, its folds.
  private func judges() throws -> [String] {
    try model.flatMap { name -> [String] in
      let path = foundRun(name)
      let isFolder = try FilePath.kind(of: path) == .folder
      // A dataset may well have the name that its cross-validation has.
      if try FilePath.kind(of: path) != nil, !isFolder || (try? RunFolder(existing: path)) != nil { return [path] }
      for stem in [path, "\(ProjectFolder.nearest)/\(name)"] {
        let folds = try (1...Limits.folds.range.upper).map { "\(stem)-fold\($0)" }.filter {
          try FilePath.kind(of: $0) == .folder
        }
        if !folds.isEmpty { return folds }
      }
      return [path]
    }
  }

  /// Findings of both, the most severe first; of one severity by kind.
  private static func merged(_ first: [DatasetFinding], _ second: [DatasetFinding]) -> [DatasetFinding] {
    DatasetFinding.Severity.allCases.flatMap { severity in (first + second).filter { $0.severity == severity } }
  }

  /// `path,split,label,suggested,score,label_probability,suggested_probability,neighbors,label_neighbors,
  /// suggested_neighbors,in_sample,confirmed`
  private func write(_ found: LabelErrorSearch.Result, confirmed: ConfirmedLabels, to path: String) throws {
    let file = try StreamedFile(path: path)
    let table = try CSVTable(
      header: [
        "path", "split", "label", "suggested", "score", "label_probability", "suggested_probability", "neighbors",
        "label_neighbors", "suggested_neighbors", "in_sample", "confirmed",
      ]
    ) { try file.append($0) }
    let classes = found.report.classes
    for suspect in found.ranking {
      try table.append([
        suspect.path, suspect.split.rawValue, classes[suspect.label], classes[suspect.suggested],
        "\(suspect.score)",
        "\(suspect.labelProbability)", "\(suspect.suggestedProbability)", "\(suspect.neighbors)",
        "\(suspect.labelNeighbors)", "\(suspect.suggestedNeighbors)", "\(suspect.isInSample)",
        "\(confirmed.contains(suspect.path, classes[suspect.label]))",
      ])
    }
    try file.finish()
  }
}

extension LabelErrorReport {
  /// One finding for each suspect, and one that says who judged.
  var findings: [DatasetFinding] {
    let judged = [
      heldOut > 0 ? "\(Format.counted(heldOut, "image")) judged by models that were not trained on them" : nil,
      inSample > 0 ? "\(Format.count(inSample)) by ones that were, which miss what they learned by heart" : nil,
      notJudged > 0 ? "\(Format.count(notJudged)) not judged, for every model was trained on them" : nil,
    ].compactMap { $0 }
    let summary = DatasetFinding(
      kind: .suspectedLabel, severity: .note,
      message:
        "labels: \(judged.joined(separator: "; ")); \(Format.counted(suspects.count, "label")) suspected"
        + (confirmed > 0 ? ", \(Format.count(confirmed)) more left out, which were confirmed" : "") + ", and "
        + "confident learning takes \(Format.count(estimatedErrors)) for wrong",
      advice: "")
    return suspects.map(finding) + [summary]
  }

  private func finding(_ suspect: SuspectedLabel) -> DatasetFinding {
    let (label, suggested) = (classes[suspect.label], classes[suspect.suggested])
    let neighbors =
      suspect.neighbors > 0
      ? "; \(suspect.suggestedNeighbors) of \(suspect.neighbors) most alike are \(suggested)" : ""
    return DatasetFinding(
      kind: .suspectedLabel, severity: .warning, subject: suspect.path, paths: [suspect.path],
      message:
        "\(suspect.path) is labeled \(label) and probably \(suggested) (score \(Format.fixed(suspect.score, 2)): "
        + "\(Format.percent(suspect.suggestedProbability, decimals: 0)) against "
        + "\(Format.percent(suspect.labelProbability, decimals: 0))\(neighbors)\(suspect.isInSample ? "; in sample" : ""))",
      advice: "look at it, then: skipline relabel \(shellQuoted(data)) \(shellQuoted(suspect.path)) --to "
        + shellQuoted(suggested) + ", or, if it is right: skipline confirm \(shellQuoted(data)) "
        + shellQuoted(suspect.path))
  }
}
