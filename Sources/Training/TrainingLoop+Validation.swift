// The end of an epoch: the validation images are measured, the epoch recorded, and what is worth keeping saved.

import Datasets
import Messages

extension TrainingLoop {
  /// Validates, records the epoch and saves what is to be kept. An epoch after which the outputs for some validation
  /// image are no numbers is recorded as such, is never `best`, and says nothing to patience and schedule.
  /// - Returns: false when a command stopped the validation; the epoch is then validated anew when the run is resumed.
  /// - Throws: `Divergence` after such an epoch; `TrainingError`.
  func finishEpoch() throws -> Bool {
    guard let (validation, nonFinite, seconds) = validate() else { return false }
    let judged = validation.flatMap { $0.isFinite ? $0 : nil }
    let totals = state.epochTotals
    state.seconds += seconds
    state.epochsDone += 1
    state.batch = 0
    state.epochTotals = EpochTotals()
    state.validationAccuracy = judged?.top1
    state.validationDiverged = validation?.isFinite == false
    let rate = schedule.rate(step: max(0, state.step - 1))
    schedule.epochEnded(validationLoss: judged?.loss)
    let verdict = earlyStopping.epochEnded(validationAccuracy: judged?.top1)
    state.schedule = schedule.state
    state.earlyStopping = earlyStopping.state

    let figures = EpochMetrics(
      epoch: state.epochsDone, step: state.step, trainLoss: totals.loss / Double(max(1, totals.images)),
      trainAccuracy: Double(totals.correct) / Double(max(1, totals.images)), validation: validation,
      learningRate: rate, seconds: totals.seconds + seconds, skippedImages: totals.skipped,
      dataWait: totals.dataWait)
    metrics.append(figures)
    results.append(figures)
    if let wait = totals.dataWait {
      log.info(
        "epoch \(state.epochsDone): \((wait * 1000).rounded() / 10) % of the steps' time was waiting for images")
    }
    hooks.report(.epoch(figures))
    try saveEpoch(improved: verdict == .improved)
    if !nonFinite.isEmpty {
      throw Divergence(
        cause: .validation, loss: figures.trainLoss, gradientNorm: lastStep?.figures.gradientNorm ?? 0,
        batch: prepared.training.batchCount - 1, files: nonFinite)
    }
    return true
  }

  /// Measures every validation image.
  /// - Returns: the means, nil where there is no image to measure, the images whose outputs are no numbers, and the
  ///   seconds it took, pauses left out; nil when a command stopped it.
  private func validate() -> (metrics: ValidationMetrics?, nonFinite: [String], seconds: Double)? {
    let loader = prepared.validation
    guard !loader.items.isEmpty else { return (nil, [], 0) }
    var tally = EvaluationTally(classes: prepared.index.classes)
    var done = 0
    var seconds = 0.0
    var start = clock.now
    hooks.report(.validating(done: 0, total: loader.items.count))
    let skipped = BatchEvaluator(network: network, workers: workers).run(loader) { batch, logits in
      tally.add(logits: logits, truths: batch.labels, paths: batch.items.map { loader.items[$0].path })
      done += batch.labels.count + batch.skipped.count
      let elapsed = (clock.now - start).seconds
      seconds += elapsed
      estimate.validated(images: batch.labels.count, seconds: elapsed)
      hooks.report(.validating(done: done, total: loader.items.count))
      let goesOn = obeyCommands()
      start = clock.now
      return goesOn
    }
    if stopping { return nil }
    estimate.validationEnded()
    if let text = oneClassWatch.notice(
      only: tally.onlyPrediction, epoch: state.epochsDone + 1, of: prepared.settings.epochs)
    {
      warn(text)
    }
    if let over = oneClassWatch.eased(only: tally.onlyPrediction) { hooks.report(.warningEased(over)) }
    name(skipped)
    return (tally.metrics, tally.nonFinite, seconds)
  }
}
