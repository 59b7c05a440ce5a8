// Every number of a run's settings against the table of limits. Whatever is added to the settings as a number is added
// here; a test walks the numbers of a record and fails for one that takes anything.

extension TrainingSettings {
  /// - Parameter place: where they stand in a file, as `settings`; nil where they came by options.
  /// - Throws: `OutOfRange` for the first number that is outside of its range.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    func at(_ key: String) -> String? { place.map { "\($0).\(key)" } }

    try split.checkNumbers(at: at("split"))
    try network.checkNumbers(at: at("network"))
    try Limits.imageSize.check(preprocessing.imageSize, at: at("preprocessing.imageSize"))
    if case .given(let mean, let deviation) = preprocessing.normalisation {
      for value in mean { try Limits.mean.check(value, at: at("preprocessing.normalisation.given.mean")) }
      for value in deviation {
        try Limits.deviation.check(value, at: at("preprocessing.normalisation.given.deviation"))
      }
    }
    try Limits.jitter.check(augmentation.colourJitter, at: at("augmentation.colourJitter"))
    try Limits.momentum.check(optimiser.momentum, at: at("optimiser.momentum"))
    try Limits.weightDecay.check(optimiser.weightDecay, at: at("optimiser.weightDecay"))
    try Limits.clip.check(optimiser.gradientClip, at: at("optimiser.gradientClip"))
    try Limits.learningRate.check(learningRate, at: at("learningRate"))
    try schedule.checkNumbers(at: at("schedule"))
    try Limits.labelSmoothing.check(labelSmoothing, at: at("labelSmoothing"))
    try Limits.batchSize.check(batchSize, at: at("batchSize"))
    try Limits.epochs.check(epochs, at: at("epochs"))
    try Limits.time.check(timeBudget, at: at("timeBudget"))
    try Limits.patience.check(earlyStoppingPatience, at: at("earlyStoppingPatience"))
    try Limits.threads.check(threads, at: at("threads"))
    try Limits.workers.check(workers, at: at("workers"))
    try Limits.cacheLimit.check(cache.limit, at: at("cache.limit"))
    try Limits.saveEvery.check(keep.everyEpochs, at: at("keep.everyEpochs"))
    try Limits.keep.check(keep.newest, at: at("keep.newest"))
    try Limits.saveMinutes.check(safety.saveMinutes, at: at("safety.saveMinutes"))
    try Limits.logEvery.check(logEvery, at: at("logEvery"))
  }
}

extension NetworkSettings {
  /// - Throws: `OutOfRange`.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    try Limits.width.check(widthMultiplier, at: place.map { "\($0).widthMultiplier" })
  }
}

extension SplitSettings {
  /// - Throws: `OutOfRange` for a share that is no percentage. Whether they add up is not looked at.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    try Limits.percent.check(train, at: place.map { "\($0).train" })
    try Limits.percent.check(validation, at: place.map { "\($0).validation" })
    try Limits.percent.check(test, at: place.map { "\($0).test" })
  }
}

extension Schedule {
  /// - Throws: `OutOfRange`.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    switch self {
    case .constant: break
    case .step(let epochs, let factor):
      for epoch in epochs { try Limits.scheduleEpoch.check(epoch, at: place.map { "\($0).step.epochs" }) }
      try Limits.scheduleFactor.check(factor, at: place.map { "\($0).step.factor" })
    case .cosine(let warmUp): try Limits.warmUp.check(warmUp, at: place.map { "\($0).cosine.warmUp" })
    case .plateau(let factor, let patience):
      try Limits.scheduleFactor.check(factor, at: place.map { "\($0).plateau.factor" })
      try Limits.schedulePatience.check(patience, at: place.map { "\($0).plateau.patience" })
    }
  }
}
