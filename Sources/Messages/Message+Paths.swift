// Every path in a message, so that it can be written the way the reader needs it. Paths of images below a dataset's
// folder are no places of their own and stay.

import Support

extension TrainingSettings {
  /// The same run, started from any folder.
  /// - Parameter folder: the working folder that its paths are relative to.
  public func absolute(from folder: String) -> TrainingSettings { changingPaths { $0.path(from: folder) } }

  func changingPaths(_ path: (String) -> String) -> TrainingSettings {
    var settings = self
    settings.data = path(data)
    settings.split.lists = split.lists.map(path)
    settings.initialWeights = initialWeights.map(path)
    settings.project = path(project)
    return settings
  }
}

extension LabReport {
  func changingPaths(_ path: (String) -> String) -> LabReport {
    var report = self
    for place in rows.indices { report.rows[place].run = path(rows[place].run) }
    return report
  }
}

extension RunSummary {
  func changingPaths(_ path: (String) -> String) -> RunSummary {
    var summary = self
    summary.folder = path(folder)
    summary.data = data.map(path)
    return summary
  }
}

extension WorkCommand {
  /// The same command for an engine with any working folder.
  /// - Parameter folder: the working folder that its paths are relative to.
  public func absolute(from folder: String) -> WorkCommand {
    func path(_ path: String) -> String { path.path(from: folder) }
    switch self {
    case .start(let settings): return .start(settings.absolute(from: folder))
    case .resumeRun(let run, var changes):
      changes.data = changes.data.map(path)
      return .resumeRun(folder: path(run), changes: changes)
    case .evaluate(let checkpoint, let data, let split, let folders, let anew):
      return .evaluate(
        checkpoint: path(checkpoint), data: data.map(path), split: split, folders: folders, anew: anew)
    case .training: return self
    }
  }
}

extension Event {
  /// The same event as somebody in `folder` writes its paths. Datasets and pictures stay as they were asked for.
  public func shown(from folder: String) -> Event {
    func path(_ path: String) -> String { path.shownPath(from: folder) }
    switch self {
    case .state(.evaluating(let checkpoint)): return .state(.evaluating(checkpoint: path(checkpoint)))
    case .checkpoints(let list): return .checkpoints(list.map { $0.changingPath(path) })
    case .runHistory(let run, let history, let reason):
      let shown = history.map { history in
        var shown = history
        shown.run.folder = path(history.run.folder)
        shown.run.settings = history.run.settings.changingPaths(path)
        shown.outcome = history.outcome?.shown(from: folder)
        return shown
      }
      return .runHistory(folder: path(run), shown, reason: reason?.shownPaths(from: folder))
    case .runs(let project, let runs): return .runs(project: project, runs.map { $0.changingPaths(path) })
    case .runTable(let table, let reason):
      let shown = table.map { table in
        RunTable(runs: table.runs.map { $0.changingPaths(path) }, results: table.results, settings: table.settings)
      }
      return .runTable(shown, reason: reason?.shownPaths(from: folder))
    case .lab(.planned(let request, let report, let reason)):
      return .lab(.planned(request, report?.changingPaths(path), reason: reason?.shownPaths(from: folder)))
    case .lab(.report(let report)): return .lab(.report(report.changingPaths(path)))
    case .lab(.failed(let reason)): return .lab(.failed(reason.shownPaths(from: folder)))
    case .recipes(.saved(let name, let file)): return .recipes(.saved(name: name, file: path(file)))
    case .recipes(.failed(let reason)): return .recipes(.failed(reason.shownPaths(from: folder)))
    case .runChanged(let change, let run): return .runChanged(change, folder: path(run))
    case .training(let event): return .training(event.shown(from: folder))
    case .evaluation(var report):
      report.checkpoint = path(report.checkpoint)
      report.data = path(report.data)
      return .evaluation(report)
    case .dataChanged(var report):
      report.run = path(report.run)
      report.data = path(report.data)
      return .dataChanged(report)
    case .evaluationKept(var source):
      source.checkpoint = path(source.checkpoint)
      source.data = source.data.map(path)
      return .evaluationKept(source)
    // A question stays as it was asked, so that whoever asked knows it again.
    case .inspection(let question, .failure(let reason)):
      return .inspection(question, .failure(reason.shownPaths(from: folder)))
    case .warning(let text): return .warning(text.shownPaths(from: folder))
    case .failure(let text): return .failure(text.shownPaths(from: folder))
    case .state, .datasetProgress, .dataset, .readingCancelled, .network, .plan, .learningRates, .recipes, .preview,
      .thumbnail,
      .preparing,
      .evaluationProgress, .inspectionProgress, .inspection:
      return self
    }
  }
}

extension TrainingEvent {
  /// The same event as somebody in `folder` writes its paths.
  public func shown(from folder: String) -> TrainingEvent {
    func path(_ path: String) -> String { path.shownPath(from: folder) }
    switch self {
    case .started(var run):
      run.folder = path(run.folder)
      run.settings = run.settings.changingPaths(path)
      return .started(run)
    case .checkpointSaved(let info): return .checkpointSaved(info.changingPath(path))
    case .checkpointRemoved(let removed): return .checkpointRemoved(path: path(removed))
    case .saveFailed(var failure):
      failure.path = path(failure.path)
      failure.reason = failure.reason.shownPaths(from: folder)
      return .saveFailed(failure)
    case .folderMoved(let moved): return .folderMoved(to: path(moved))
    case .warning(let text): return .warning(text.shownPaths(from: folder))
    case .warningEased(let text): return .warningEased(text.shownPaths(from: folder))
    case .finished(let outcome): return .finished(outcome.shown(from: folder))
    case .diverged(var report):
      report.best = report.best?.changingPath(path)
      return .diverged(report)
    case .step, .computingFeatures, .validating, .epoch, .validated, .layers, .ranks, .paused, .resumed,
      .learningRateChanged,
      .lengthChanged,
      .recovered:
      return self
    }
  }
}

extension RunOutcome {
  /// The same as somebody in `folder` writes its path.
  public func shown(from folder: String) -> RunOutcome {
    var outcome = self
    outcome.folder = self.folder.shownPath(from: folder)
    outcome.advice = advice?.shownPaths(from: folder)
    return outcome
  }
}

extension CheckpointInfo {
  fileprivate func changingPath(_ path: (String) -> String) -> CheckpointInfo {
    var info = self
    info.path = path(self.path)
    info.data = data.map(path)
    return info
  }
}
