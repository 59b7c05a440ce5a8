// Schedules as people type them: `--schedule cosine:0.05`. What a schedule does is in Training.

/// The textual form: a name and, after colons, its numbers.
///
///     constant
///     cosine:0.05        warm-up share; 0.05 if left out
///     step:30,60:0.1     after which epochs, by which factor; 0.1 if left out
///     plateau:0.1:5      by which factor, after how many epochs; 0.1 and 5 if left out
///     linear:0.2         warm-up share; 0.2 if left out
///     one-cycle:0.3:25   warm-up share, and what the peak is divided by at first; 0.3 and 25 if left out
///     restarts:10:2      epochs of the first period, and how many times as long each next one is; 1 if left out
extension Schedule: CustomStringConvertible {
  /// - Throws: `ScheduleTextError`, which says what was expected.
  public init(argument: String) throws(ScheduleTextError) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func refuse(_ expected: String) -> ScheduleTextError {
      ScheduleTextError(argument: argument, expected: expected)
    }
    func number<Number>(
      _ index: Int, _ noun: String, _ setting: NumericSetting<Number>, usually usual: Number
    ) throws(ScheduleTextError) -> Number {
      guard index < parts.count else { return usual }
      do { return try setting.parse(parts[index]) } catch {
        throw refuse("\(noun), \(error.requirement), in place of \"\(parts[index])\"")
      }
    }
    func factor(_ index: Int) throws(ScheduleTextError) -> Double {
      try number(index, "a factor", Limits.scheduleFactor, usually: 0.1)
    }
    func warmUp(usually usual: Double) throws(ScheduleTextError) -> Double {
      try number(1, "a warm-up share", Limits.warmUp, usually: usual)
    }

    switch (parts[0], parts.count) {
    case ("constant", 1):
      self = .constant
    case ("cosine", 1...2):
      self = .cosine(warmUp: try warmUp(usually: 0.05))
    case ("linear", 1...2):
      self = .linear(warmUp: try warmUp(usually: 0.2))
    case ("one-cycle", 1...3):
      self = .oneCycle(
        warmUp: try warmUp(usually: 0.3), divisor: try number(2, "a divisor", Limits.cycleDivisor, usually: 25))
    case ("restarts", 2...3):
      self = .restarts(
        epochs: try number(1, "a number of epochs", Limits.restartEpochs, usually: 1),
        factor: try number(2, "a factor", Limits.restartFactor, usually: 1))
    case ("step", 2...3):
      let words = parts[1].split(separator: ",", omittingEmptySubsequences: false)
      let epochs = words.compactMap { try? Limits.scheduleEpoch.parse(String($0)) }
      guard epochs.count == words.count, zip(epochs, epochs.dropFirst()).allSatisfy({ $0 < $1 }) else {
        throw refuse(
          "rising epochs, as in \"30,60\", each \(Limits.scheduleEpoch.range.requirement), in place of "
            + "\"\(parts[1])\"")
      }
      self = .step(epochs: epochs, factor: try factor(2))
    case ("plateau", 1...3):
      let patience = try number(2, "a number of epochs", Limits.schedulePatience, usually: 5)
      self = .plateau(factor: try factor(1), patience: patience)
    default:
      throw refuse(
        "constant, cosine:0.05, linear:0.2, one-cycle:0.3:25, restarts:10:2, step:30,60:0.1 or plateau:0.1:5")
    }
  }

  /// The textual form, from which `init(argument:)` makes the same schedule.
  public var description: String {
    switch self {
    case .constant: "constant"
    case .cosine(let warmUp): "cosine:\(warmUp)"
    case .linear(let warmUp): "linear:\(warmUp)"
    case .oneCycle(let warmUp, let divisor): "one-cycle:\(warmUp):\(divisor)"
    case .restarts(let epochs, let factor): "restarts:\(epochs):\(factor)"
    case .step(let epochs, let factor): "step:\(epochs.map(String.init).joined(separator: ",")):\(factor)"
    case .plateau(let factor, let patience): "plateau:\(factor):\(patience)"
    }
  }
}

/// A text that is no schedule.
public struct ScheduleTextError: Error, Equatable, Sendable, CustomStringConvertible {
  public var argument: String
  public var expected: String

  public init(argument: String, expected: String) {
    self.argument = argument
    self.expected = expected
  }

  public var description: String { "\"\(argument)\" is not a schedule: write \(expected)" }
}
