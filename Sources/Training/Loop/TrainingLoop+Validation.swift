// What is measured between two epochs, and how it is told.

import Datasets
import Messages

extension TrainingLoop {
  /// Measures every validation image.
  /// - Returns: the means and all that was counted, nil where there is no image to measure, and the seconds it took,
  ///   pauses left out; nil when a command stopped it.
  /// - Throws: `RankFailure`.
  func validate() throws -> (metrics: ValidationMetrics?, measured: MeasuredValidation?, seconds: Double)? {
    let loader = setup.validation
    guard !loader.items.isEmpty else { return (nil, nil, 0) }
    var measured = MeasuredValidation(classes: setup.index.classes)
    var done = 0
    var seconds = 0.0
    var start = clock.now
    hooks.report(.validating(done: 0, total: loader.items.count))
    func take(_ batch: Batch, _ logits: [Float]) {
      measured.add(
        logits: logits, truths: batch.labels, items: batch.items, paths: batch.items.map { loader.items[$0].path })
      done += batch.labels.count + batch.skipped.count
      let elapsed = (clock.now - start).seconds
      seconds += elapsed
      estimate.validated(images: batch.labels.count, seconds: elapsed)
      hooks.report(.validating(done: done, total: loader.items.count))
      start = clock.now
    }
    let skipped = try learner.evaluate(loader, take) {
      try lead { _ in obeyCommands() }
      start = clock.now
      return !stopping
    }
    if stopping { return nil }
    estimate.validationEnded()
    let only = measured.tally.onlyPrediction
    if let text = oneClassWatch.notice(only: only, epoch: state.epochsDone + 1, of: plannedEpochs) { warn(text) }
    if let over = oneClassWatch.eased(only: only) { hooks.report(.warningEased(over)) }
    name(skipped)
    return (measured.tally.metrics, measured, seconds)
  }

  /// Tells of a validation in its details. Where epochs take milliseconds, on features, not of each: nobody could read
  /// them.
  func tell(_ measured: MeasuredValidation, epoch: Int, step: Int) {
    guard learner.features == nil || validationWatch.isDue else {
      return validationWatch.postpone(measured, epoch: epoch, step: step)
    }
    hooks.report(.validated(validationWatch.details(of: measured, epoch: epoch, step: step)))
  }
}
