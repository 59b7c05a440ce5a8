// Every number of a run's settings against its range in the table of settings. A test walks the numbers of a record and
// fails for one that takes anything.

extension TrainingSettings {
  /// - Parameter place: where they stand in a file, as `settings`; nil where they came by options.
  /// - Throws: `OutOfRange` for the first number that is outside of its range.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    for row in Settings.all { try row.check(self, at: place) }
  }
}

extension NetworkSettings {
  /// - Throws: `OutOfRange`.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    try Settings.width.check(widthMultiplier, at: place.map { "\($0).widthMultiplier" })
    try Settings.stemWidth.check(stemWidth, at: place.map { "\($0).stemWidth" })
    try Settings.dropPath.check(dropPath, at: place.map { "\($0).dropPath" })
    if let dropout { try Settings.dropout.check(dropout, at: place.map { "\($0).dropout" }) }
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
  /// By how much one-cycle moves the momentum of sgd, and the first beta of adamw, up and down: PyTorch's 0.95 to 0.85
  /// for a momentum of 0.9.
  public static let momentumShift = 0.05

  /// - Throws: `OutOfRange`.
  public func checkNumbers(at place: String? = nil) throws(OutOfRange) {
    switch self {
    case .constant: break
    case .step(let epochs, let factor):
      for epoch in epochs { try Limits.scheduleEpoch.check(epoch, at: place.map { "\($0).step.epochs" }) }
      try Limits.scheduleFactor.check(factor, at: place.map { "\($0).step.factor" })
    case .cosine(let warmUp): try Limits.warmUp.check(warmUp, at: place.map { "\($0).cosine.warmUp" })
    case .linear(let warmUp): try Limits.warmUp.check(warmUp, at: place.map { "\($0).linear.warmUp" })
    case .oneCycle(let warmUp, let divisor):
      try Limits.warmUp.check(warmUp, at: place.map { "\($0).oneCycle.warmUp" })
      try Limits.cycleDivisor.check(divisor, at: place.map { "\($0).oneCycle.divisor" })
    case .restarts(let epochs, let factor):
      try Limits.restartEpochs.check(epochs, at: place.map { "\($0).restarts.epochs" })
      try Limits.restartFactor.check(factor, at: place.map { "\($0).restarts.factor" })
    case .plateau(let factor, let patience):
      try Limits.scheduleFactor.check(factor, at: place.map { "\($0).plateau.factor" })
      try Limits.schedulePatience.check(patience, at: place.map { "\($0).plateau.patience" })
    }
  }
}
