// What a run that ended, or is given other epochs, has to say about going on: which options would let it, and what
// becomes of its learning rate. It decides nothing.

import Files
import Messages
import Support
import WeightFiles

/// What to say of a run's end, and of a resumed run's beginning.
struct ResumeAdvice {
  let settings: TrainingSettings
  let state: TrainingState
  /// The run's folder.
  let run: String

  /// What would let a run go on that ended; nil where it is plain.
  /// - Parameter trainedNothing: whether it had ended already when it was resumed.
  func text(after reason: RunOutcome.Reason, trainedNothing: Bool) -> String? {
    switch reason {
    case .stopped: return nil
    case .completed where !trainedNothing: return nil
    case .completed, .timeBudget, .earlyStopping: break
    }
    var options: [String] = []
    var notes: [String] = []
    if state.epochsDone >= settings.epochs {
      options.append("--epochs \(min(2 * settings.epochs, Settings.epochs.range.upper))")
      notes.append("it has done \(state.epochsDone) of \(settings.epochs) epochs")
    }
    if let budget = settings.timeBudget, state.seconds >= budget {
      let enough = (2 * max(state.seconds, budget)).rounded(.up)
      options.append("--time \(Int(min(enough, Settings.time.range.upper)))")
      notes.append("--time counts all its sessions together, \(secondsText(state.seconds)) so far")
    }
    let earlyStopping = EarlyStopping(patience: settings.earlyStoppingPatience, metric: settings.best)
    if earlyStopping.isExhausted(state.earlyStopping), let patience = earlyStopping.patience {
      let bad = state.earlyStopping.badEpochs
      options.append("--patience \(min(bad + patience, Settings.patience.range.upper))")
      notes.append("\(worseText(bad)); --patience 0 goes on whatever they are")
    }
    guard !options.isEmpty else { return nil }
    return "to go on: skipline train --resume \(shellQuoted(run)) "
      + "\(options.joined(separator: " ")) (\(notes.joined(separator: "; ")))"
  }

  /// What another number of epochs makes of the learning rate.
  /// - Parameters:
  ///   - peak: the peak rate that the run had; nil for the one that it has.
  ///   - stepsPerEpoch: at least 1.
  func rateText(epochsBefore: Int, peakBefore: Double?, stepsPerEpoch: Int) -> String {
    func schedule(_ epochs: Int) -> LearningRateSchedule {
      LearningRateSchedule(
        settings: settings.schedule, stepsPerEpoch: stepsPerEpoch, epochs: epochs,
        frozenEpochs: settings.freeze.epochs)
    }
    var before = state.schedule
    if let peakBefore { before.peak = peakBefore }
    let last = state.step > 0 ? schedule(epochsBefore).rate(step: state.step - 1, before) : nil
    let now = schedule(settings.epochs)
    let next = now.rate(state)
    let end = now.rate(step: max(state.step, settings.epochs * stepsPerEpoch - 1), state.schedule)
    let path = last.map { "from \(text($0)) to \(text(next))" } ?? "to \(text(next))"
    let way = end == next ? "" : " at once, and then to \(text(end)) at the end"
    return "\(settings.epochs) epochs instead of \(epochsBefore): by the schedule \(settings.schedule) the "
      + (last == next && end == next
        ? "learning rate stays \(text(next))" : "learning rate goes \(path)\(way)")
  }

  private func text(_ rate: Double) -> String { printed("%.3g", rate) }
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
    do { try checkNumbers() } catch { throw SettingsError("\(error)") }
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
