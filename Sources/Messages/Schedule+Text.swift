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
      do { return try Limits.scheduleFactor.parse(parts[index]) } catch {
        throw refuse("a factor, \(error.requirement), in place of \"\(parts[index])\"")
      }
    }

    switch (parts[0], parts.count) {
    case ("constant", 1):
      self = .constant
    case ("cosine", 1...2):
      do { self = .cosine(warmUp: try parts.count > 1 ? Limits.warmUp.parse(parts[1]) : 0.05) } catch {
        throw refuse("a warm-up share, \(error.requirement), in place of \"\(parts[1])\"")
      }
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
      let patience: Int
      do { patience = try parts.count > 2 ? Limits.schedulePatience.parse(parts[2]) : 5 } catch {
        throw refuse("a number of epochs, \(error.requirement), in place of \"\(parts[2])\"")
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
