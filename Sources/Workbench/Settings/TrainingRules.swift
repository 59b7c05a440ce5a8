// What the engine would train, as far as it can be said without a look at the data: which networks there are, and which
// settings it refuses, and what those come to that leave something open.

import Messages

/// What can be trained.
public struct TrainingRules: Sendable, Equatable {
  /// Every network that can be built, in the order to offer them.
  public let networks: [String]
  private let refusing: @Sendable (TrainingSettings) -> String?
  private let resolving: @Sendable (TrainingSettings, _ classes: Int) -> [String: String]

  /// - Parameters:
  ///   - refusing: why a run with these settings would be refused, in the engine's words; nil where it would not.
  ///   - resolving: what settings come to that leave something to the program, by option.
  public init(
    networks: [String], refusing: @escaping @Sendable (TrainingSettings) -> String? = { _ in nil },
    resolving: @escaping @Sendable (TrainingSettings, _ classes: Int) -> [String: String] = { _, _ in [:] }
  ) {
    self.networks = networks
    self.refusing = refusing
    self.resolving = resolving
  }

  func resolved(_ settings: TrainingSettings, classes: Int) -> [String: String] { resolving(settings, classes) }

  func refusal(of settings: TrainingSettings) -> String? { refusing(settings) }

  /// Rules are the program's, and the same while it runs.
  public static func == (one: TrainingRules, other: TrainingRules) -> Bool { one.networks == other.networks }
}
