// The engine, the thread that plans: what the next run would do and take. It tries steps for some seconds, for which
// nothing that a person browses should wait; of several requests only the newest is still wanted.

import Datasets
import Messages
import Support
import Synchronization
import Training

/// What is to be planned: the newest request alone.
final class PlanningInbox: Sendable {
  private let inbox = Inbox<PlanningCommand>(coalescing: { _, next in next })
  private let asked = Atomic(0)

  var isClosed: Bool { inbox.isClosed }
  func close() { inbox.close() }

  func offer(_ command: PlanningCommand) -> Bool {
    asked.wrappingAdd(1, ordering: .acquiringAndReleasing)
    return inbox.offer(command)
  }

  /// The newest request and how many there were so far.
  func next() -> (command: PlanningCommand, number: Int)? {
    inbox.next(waiting: true).map { ($0, asked.load(ordering: .acquiring)) }
  }

  /// Whether a newer request has come, or none matters any more.
  func isOver(_ number: Int) -> Bool { isClosed || asked.load(ordering: .acquiring) != number }
}

/// The thread that plans runs.
struct PlanningThread {
  let requests: PlanningInbox
  let events: Mailbox<Event>
  let decisions: DecisionStore
  private let planner = RunPlanner()

  init(requests: PlanningInbox, events: Mailbox<Event>, decisions: DecisionStore) {
    self.requests = requests
    self.events = events
    self.decisions = decisions
  }

  func run() {
    while let (command, number) = requests.next() {
      let isCancelled: @Sendable () -> Bool = { [requests] in requests.isOver(number) }
      var reason: String?
      do {
        try answer(command, isCancelled: isCancelled)
        continue
      } catch is CancellationError {
        continue
      } catch {
        reason = "\(error)"
      }
      guard !isCancelled() else { continue }
      switch command {
      case .plan(let settings): events.send(.plan(settings, nil, reason: reason))
      case .planLab(let request): events.send(.lab(.planned(request, nil, reason: reason)))
      case .findLearningRate(let settings): events.send(.learningRates(settings, nil, reason: reason))
      }
    }
  }

  private func answer(_ command: PlanningCommand, isCancelled: @escaping @Sendable () -> Bool) throws {
    switch command {
    case .plan(let settings):
      let plan = try planner.plan(settings, decisions: decisions, isCancelled: isCancelled)
      events.send(.plan(settings, plan, reason: nil))
    case .planLab(let request):
      let lab =
        try DegradationLab.find(request)
        ?? DegradationLab.planned(request, decisions: decisions, isCancelled: isCancelled)
      events.send(.lab(.planned(request, try lab.report(), reason: nil)))
    case .findLearningRate(let settings):
      let setup = try RunSetup(settings, decisions: decisions, isCancelled: isCancelled)
      let curve = try LearningRateFinder(setup).curve(isCancelled: isCancelled)
      if isCancelled() { throw CancellationError() }
      events.send(.learningRates(settings, curve, reason: nil))
    }
  }
}
