// What the engine was asked about the evaluation on show, and what it answered: each question is asked once.

import Messages

/// Questions with their answers, the newest few of them.
struct AnswerStore: Sendable, Equatable {
  enum Entry: Sendable, Equatable {
    /// How much of the answer is there.
    case waiting(TaskProgress?)
    case answer(InspectionAnswer)
  }

  private static let capacity = 64
  /// The newest last.
  private var entries: [(question: InspectionCommand, entry: Entry)] = []

  subscript(question: InspectionCommand) -> Entry? { entries.last { $0.question == question }?.entry }

  mutating func set(_ entry: Entry, for question: InspectionCommand) {
    entries.removeAll { $0.question == question }
    entries.append((question, entry))
    if entries.count > Self.capacity { entries.removeFirst() }
  }

  /// As if it had never been asked.
  mutating func forget(_ question: InspectionCommand) { entries.removeAll { $0.question == question } }

  /// Of what was not there, so that it is asked again.
  mutating func forgetMissing() {
    entries.removeAll { entry in
      if case .answer(.missingEvaluation) = entry.entry { true } else { false }
    }
  }

  /// Whether something was asked and is not answered.
  var isWaiting: Bool {
    entries.contains { if case .waiting = $0.entry { true } else { false } }
  }

  static func == (left: AnswerStore, right: AnswerStore) -> Bool {
    left.entries.elementsEqual(right.entries) { $0.question == $1.question && $0.entry == $1.entry }
  }
}
