// What a run that ended, or is given other epochs, has to say about going on: which options would let it, and what
// becomes of its learning rate. It decides nothing.

import Files
import Messages

extension TrainingLoop {
  /// What would let a run go on that ended; nil where it is plain.
  /// - Parameter trainedNothing: whether it had ended already when it was resumed.
  func advice(after reason: RunOutcome.Reason, trainedNothing: Bool) -> String? {
    switch reason {
    case .stopped: return nil
    case .completed where !trainedNothing: return nil
    case .completed, .timeBudget, .earlyStopping: break
    }
    let settings = prepared.settings
    var options: [String] = []
    var notes: [String] = []
    if state.epochsDone >= settings.epochs {
      options.append("--epochs \(min(2 * settings.epochs, Limits.epochs.range.upper))")
      notes.append("it has done \(state.epochsDone) of \(settings.epochs) epochs")
    }
    if let budget = settings.timeBudget, isOutOfTime {
      let enough = (2 * max(state.seconds, budget)).rounded(.up)
      options.append("--time \(Int(min(enough, Limits.time.range.upper)))")
      notes.append("--time counts all its sessions together, \(secondsText(state.seconds)) so far")
    }
    if earlyStopping.isExhausted, let patience = earlyStopping.patience {
      let bad = state.earlyStopping.badEpochs
      options.append("--patience \(min(bad + patience, Limits.patience.range.upper))")
      notes.append("\(worseText(bad)); --patience 0 goes on whatever they are")
    }
    guard !options.isEmpty else { return nil }
    return "to go on: skipline train --resume \(shellQuoted(run.path)) "
      + "\(options.joined(separator: " ")) (\(notes.joined(separator: "; ")))"
  }

  /// The rate of the last step that was taken, by the schedule of so many epochs; nil before the first.
  func lastRate(of epochs: Int) -> Double? {
    guard state.step > 0 else { return nil }
    return schedule(of: epochs).rate(step: state.step - 1)
  }

  /// Says, before the run goes on, what another number of epochs makes of the learning rate.
  func tellRate(after last: Double?, insteadOf epochsBefore: Int) {
    let (next, settings) = (schedule.rate(step: state.step), prepared.settings)
    let end = schedule.rate(step: max(state.step, settings.epochs * max(1, prepared.training.batchCount) - 1))
    let path = last.map { "from \(Self.text($0)) to \(Self.text(next))" } ?? "to \(Self.text(next))"
    let way = end == next ? "" : " at once, and then to \(Self.text(end)) at the end"
    noticesAtResume.append(
      "\(settings.epochs) epochs instead of \(epochsBefore): by the schedule \(settings.schedule) the "
        + (last == next && end == next
          ? "learning rate stays \(Self.text(next))" : "learning rate goes \(path)\(way)"))
  }

  private func schedule(of epochs: Int) -> LearningRateSchedule {
    var other = LearningRateSchedule(
      settings: prepared.settings.schedule, peak: state.schedule.peak,
      stepsPerEpoch: max(1, prepared.training.batchCount), epochs: epochs)
    other.state = state.schedule
    return other
  }

  private static func text(_ rate: Double) -> String { printed("%.3g", rate) }
}

extension RunFolder {
  /// Where training stood when `last` was saved; nil before that.
  /// - Throws: `CheckpointError`, also for a file that is damaged.
  func savedState() throws -> TrainingState? {
    let path = path(of: .last)
    guard FilePath.isFolder(path) != nil else { return nil }
    do {
      return try Checkpoint.trainingState(path: path)
    } catch let error as SafetensorsError {
      throw CheckpointError.lost(path: path, reason: "\(error)", alternative: newestWholeCheckpoint(except: .last))
    }
  }
}

extension ResumeChanges {
  /// - Throws: `SettingsError` for numbers that are out of range, or less than what the run has done already: it would
  ///   end at once, and its record say less than happened.
  func requireMore(than state: TrainingState?, of run: RunFolder) throws {
    do {
      try Limits.epochs.check(epochs)
      try Limits.time.check(timeBudget)
      try Limits.patience.check(patience)
      try Limits.learningRate.check(learningRate)
    } catch {
      throw SettingsError("\(error)")
    }
    guard let state else { return }
    let begun = state.epochsDone + (state.batch > 0 ? 1 : 0)
    if let epochs, epochs < begun {
      throw SettingsError(
        "--epochs \(epochs): \(run.path) has \(state.batch > 0 ? "begun" : "done") epoch \(begun) already; --epochs "
          + "counts all of them, so give \(begun) or more, or leave it out")
    }
    if let timeBudget, timeBudget <= state.seconds {
      throw SettingsError(
        "--time \(timeBudget.written): \(run.path) has trained for \(secondsText(state.seconds)) already; "
          + "--time counts all sessions of a run together, so give more, or leave it out")
    }
    let bad = state.earlyStopping.badEpochs
    if let patience, patience > 0, patience <= bad {
      throw SettingsError(
        "--patience \(patience): \(worseText(bad)) in \(run.path); give more than that, or 0 to go on whatever they "
          + "are, or leave it out")
    }
  }
}

private func secondsText(_ seconds: Double) -> String { printed("%.1f seconds", seconds) }

/// `the last epoch was not better`
private func worseText(_ epochs: Int) -> String {
  epochs == 1 ? "the last epoch was not better" : "the last \(epochs) epochs were not better"
}
