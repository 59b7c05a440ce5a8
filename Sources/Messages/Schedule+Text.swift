// Schedules as people type them: `--schedule cosine:0.05`. What a schedule does is in Training.

/// The textual form: a name and, after colons, its numbers.
///
///     constant
///     cosine:0.05        warm-up share; 0.05 if left out
///     step:30,60:0.1     after which epochs, by which factor; 0.1 if left out
///     plateau:0.1:5      by which factor, after how many epochs; 0.1 and 5 if left out
extension Schedule: CustomStringConvertible {
  /// - Throws: `ScheduleTextError`, which says what was expected.
  public init(argument: String) throws(ScheduleTextError) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    func refuse(_ expected: String) -> ScheduleTextError {
      ScheduleTextError(argument: argument, expected: expected)
    }
    func factor(_ index: Int) throws(ScheduleTextError) -> Double {
      guard index < parts.count else { return 0.1 }
      guard let factor = Double(parts[index]), factor > 0, factor < 1 else {
        throw refuse("a factor between 0 and 1 in place of \"\(parts[index])\"")
      }
      return factor
    }

    switch (parts[0], parts.count) {
    case ("constant", 1):
      self = .constant
    case ("cosine", 1...2):
      guard let share = parts.count > 1 ? Double(parts[1]) : 0.05, share >= 0, share < 1 else {
        throw refuse("a warm-up share from 0 to below 1 in place of \"\(parts[1])\"")
      }
      self = .cosine(warmUp: share)
    case ("step", 2...3):
      let words = parts[1].split(separator: ",", omittingEmptySubsequences: false)
      let epochs = words.compactMap { Int($0) }
      guard epochs.count == words.count, epochs[0] > 0, zip(epochs, epochs.dropFirst()).allSatisfy({ $0 < $1 })
      else {
        throw refuse("rising epochs from 1, as in \"30,60\", in place of \"\(parts[1])\"")
      }
      self = .step(epochs: epochs, factor: try factor(2))
    case ("plateau", 1...3):
      guard let patience = parts.count > 2 ? Int(parts[2]) : 5, patience > 0 else {
        throw refuse("a number of epochs, at least 1, in place of \"\(parts[2])\"")
      }
      self = .plateau(factor: try factor(1), patience: patience)
    default:
      throw refuse("constant, cosine:0.05, step:30,60:0.1 or plateau:0.1:5")
    }
  }

  /// The textual form, from which `init(argument:)` makes the same schedule.
  public var description: String {
    switch self {
    case .constant: "constant"
    case .cosine(let warmUp): "cosine:\(warmUp)"
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
