// Which events may take the place of one that nobody has read yet.

import Support

extension Mailbox where Message == Event {
  /// A box for events in which a step that was not read yet is replaced by the next one; nothing else is dropped.
  public static func forEvents(capacity: Int = 256, wake: @escaping @Sendable () -> Void = {}) -> Mailbox<Event> {
    Mailbox(capacity: capacity, coalescing: { $0.isReplaced(by: $1) ? $1 : nil }, wake: wake)
  }
}

extension Event {
  /// Whether nobody who has not read it yet needs it any more, because the next tells the same of a later moment.
  public func isReplaced(by next: Event) -> Bool {
    switch (self, next) {
    case (.training(.step), .training(.step)), (.training(.validating), .training(.validating)),
      (.training(.layers), .training(.layers)), (.training(.ranks), .training(.ranks)),
      (.evaluationProgress, .evaluationProgress),
      (.datasetProgress, .datasetProgress), (.preparing, .preparing):
      true
    case (.inspectionProgress(let first, _, _), .inspectionProgress(let second, _, _)): first == second
    default: false
    }
  }
}
