// The engine behind the screen: four threads that are reached only through messages. One trains and evaluates; one
// answers what a person browses, so that a picture or a list never waits for a step; one plans the next run, and one
// answers questions about a model's answers.

import Datasets
import Messages
import Resources
import Support
import Synchronization
import Training

/// Takes commands and reports events.
///
/// `send` and `shutDown` may be called from any thread. The engine ends after `shutDown`, having stopped and saved what
/// was under way. `waitUntilEnded` waits for that; meanwhile somebody must go on reading the events, or close their
/// mailbox.
///
///     let events = Mailbox<Event>(capacity: 256)
///     let engine = try LocalEngine(events: events, commandLine: [])
///     engine.send(.start(settings))
///     while let event = events.receive() { ... }    // until it is shut down
public final class LocalEngine: Sendable {
  private let work = WorkInbox()
  private let browsing = BrowsingInbox()
  private let planning = PlanningInbox()
  private let inspection = InspectionInbox()
  private let ended = ThreadGroup()
  private let failed = Mutex<(any Error)?>(nil)

  /// - Parameters:
  ///   - events: where everything is reported; closed when the engine has ended.
  ///   - commandLine: recorded in the runs that it starts.
  ///   - decisions: where the user's decisions about images are kept.
  ///   - isAttended: whether somebody is there who can be asked about a run that has its own policy for when nobody
  ///     is; called from any thread.
  /// - Throws: `ResourceShortage` where the system has no threads for it.
  public init(
    events: Mailbox<Event>, commandLine: [String], decisions: DecisionStore = .standard,
    isAttended: @escaping @Sendable () -> Bool = { true }
  ) throws(ResourceShortage) {
    let shelf = RecordShelf()
    try start("training", events) { [self] in
      WorkThread(
        commands: work, events: events, commandLine: commandLine, decisions: decisions, isAttended: isAttended,
        shelf: shelf,
        failed: { [self] error in failed.withLock { $0 = error } }
      ).run()
    }
    do throws(ResourceShortage) {
      try start("browsing", events) { [browsing] in
        var thread = BrowsingThread(commands: browsing, events: events, decisions: decisions)
        thread.run()
      }
      try start("planning", events) { [planning] in
        PlanningThread(requests: planning, events: events, decisions: decisions).run()
      }
      try start("inspecting", events) { [inspection] in
        var thread = InspectionThread(questions: inspection, events: events, shelf: shelf, decisions: decisions)
        thread.run()
      }
    } catch {
      work.close()
      browsing.close()
      planning.close()
      throw error
    }
  }

  /// Hands over a command; never waits.
  /// - Returns: false when it was not taken: too many are waiting already, or the engine is ending.
  @discardableResult
  public func send(_ command: BrowsingCommand) -> Bool { browsing.offer(command) }

  /// The same for what is asked before a run.
  @discardableResult
  public func send(_ command: PlanningCommand) -> Bool { planning.offer(command) }

  /// The same for a question about a model's answers.
  @discardableResult
  public func send(_ command: InspectionCommand) -> Bool { inspection.offer(command) }

  /// The same for work.
  @discardableResult
  public func send(_ command: WorkCommand) -> Bool { work.offer(command) }

  /// Stops and saves what is under way, then ends the engine. It is not one command in a line of others: it neither
  /// waits for them nor for room among them, and those that still wait are dropped.
  public func shutDown() {
    browsing.close()
    planning.close()
    inspection.close()
    work.close()
  }

  /// Why the last run could not be started or could not go on, for the exit status; nil where none failed.
  public var failure: (any Error)? { failed.withLock { $0 } }

  public func waitUntilEnded() { ended.wait() }

  /// Deep networks are built by recursion over blocks, for which small stacks have no room in debug builds.
  private func start(
    _ name: String, _ events: Mailbox<Event>, _ body: @escaping @Sendable () -> Void
  ) throws(ResourceShortage) {
    ended.enter()
    do throws(ResourceShortage) {
      try SystemThread.start(name, attempts: SystemThread.patientAttempts) { [ended, events] in
        body()
        if ended.leave() { events.close() }
      }
    } catch {
      ended.leave()
      throw error
    }
  }
}
