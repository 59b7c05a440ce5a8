// Which of several commands that wait for a thread are still carried out.

import Messages
import TestSupport
import Testing

@testable import Engine

@Suite struct InboxTests {
  private func settings(batch: Int) -> TrainingSettings {
    var settings = Settings.usual
    settings.batchSize = batch
    return settings
  }

  @Test func `of plans that wait the newest is made, whatever was asked for before`() {
    let inbox = PlanningInbox()
    #expect(inbox.offer(.plan(settings(batch: 1))) && inbox.offer(.plan(settings(batch: 2))))
    #expect(inbox.offer(.findLearningRate(settings(batch: 3))) && inbox.offer(.plan(settings(batch: 4))))
    let next = inbox.next()
    #expect(next?.command == .plan(settings(batch: 4)) && next.map { inbox.isOver($0.number) } == false)
    // One that comes while it is made ends it.
    #expect(inbox.offer(.plan(settings(batch: 5))) && next.map { inbox.isOver($0.number) } == true)
    #expect(inbox.next()?.command == .plan(settings(batch: 5)))
    inbox.close()
    #expect(inbox.next() == nil)
  }

  @Test func `of pictures that wait the newest are shown, and no other command is lost`() {
    let inbox = BrowsingInbox()
    let lists = ["a", "b"].map { BrowsingCommand.listCheckpoints(project: $0) }
    let pictures = ["c", "d"].map { BrowsingCommand.preview(path: $0, maximumSide: 64) }
    for command in lists + pictures { #expect(inbox.offer(command)) }
    #expect(lists + [pictures[1]] == (0..<3).map { _ in inbox.next() })
  }
}
