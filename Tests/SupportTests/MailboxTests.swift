// The mailbox between two threads: order, the bound, what is merged and what never is, and the end.

import Foundation
import Messages
@testable import Support
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct MailboxTests {
  private static func step(_ number: Int) -> Event {
    .training(
      .step(
        StepMetrics(
          step: number, epoch: 1, loss: 1, accuracy: 0, learningRate: 0.1, gradientNorm: 1, imagesPerSecond: 1,
          secondsLeft: nil)))
  }

  /// Runs `body` on a thread of its own; `wait` returns when it is done.
  private final class Worker: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ body: @escaping @Sendable () -> Void) {
      Thread.detachNewThread { [done] in
        body()
        done.signal()
      }
    }

    func wait() { done.wait() }
    func isDone(within seconds: Double) -> Bool { done.wait(timeout: .now() + seconds) == .success }
  }

  @Test func `messages come out in the order in which they went in`() {
    let box = Mailbox<Int>(capacity: 10)
    for number in 0..<10 { #expect(box.send(number)) }
    #expect((0..<10).map { _ in box.poll() } == Array(0..<10))
    #expect(box.poll() == nil)
  }

  @Test func `a thousand messages pass through a box of one, in order`() {
    let box = Mailbox<Int>(capacity: 1)
    let sender = Worker {
      for number in 0..<1000 { box.send(number) }
      box.close()
    }
    var received: [Int] = []
    while let number = box.receive() { received.append(number) }
    sender.wait()
    #expect(received == Array(0..<1000))
  }

  @Test func `a full box makes the sender wait until one is taken`() {
    let box = Mailbox<Int>(capacity: 2)
    box.send(1)
    box.send(2)
    let sender = Worker { box.send(3) }
    #expect(!sender.isDone(within: 0.05))
    #expect(box.poll() == 1)
    sender.wait()
    #expect(box.poll() == 2)
    #expect(box.poll() == 3)
  }

  @Test func `steps that were not read yet are replaced by the newest, and nothing else is dropped`() {
    let box = Mailbox<Event>.forEvents(capacity: 10)
    for number in 1...5 { box.send(Self.step(number)) }
    box.send(.warning("a"))
    box.send(.warning("a"))
    for number in 6...8 { box.send(Self.step(number)) }
    box.send(.training(.validating(done: 1, total: 2)))
    box.send(.training(.validating(done: 2, total: 2)))
    box.send(.datasetProgress(.scanning(files: 1, classes: [])))
    box.send(.datasetProgress(.scanning(files: 2, classes: [])))
    box.send(.evaluationProgress(done: 1, total: 9))
    box.send(.evaluationProgress(done: 2, total: 9))
    box.send(.training(.paused))
    box.close()
    var received: [Event] = []
    while let event = box.receive() { received.append(event) }
    #expect(
      received == [
        Self.step(5), .warning("a"), .warning("a"), Self.step(8), .training(.validating(done: 2, total: 2)),
        .datasetProgress(.scanning(files: 2, classes: [])), .evaluationProgress(done: 2, total: 9),
        .training(.paused),
      ])
  }

  @Test func `a step goes into a full box without waiting when it replaces another`() {
    let box = Mailbox<Event>.forEvents(capacity: 1)
    box.send(Self.step(1))
    let sender = Worker { for number in 2...100 { box.send(Self.step(number)) } }
    sender.wait()
    #expect(box.poll() == Self.step(100))
    #expect(box.poll() == nil)
  }

  @Test func `a closed box refuses messages and hands out those it has`() {
    let box = Mailbox<Int>(capacity: 2)
    #expect(box.send(1))
    box.close()
    #expect(!box.send(2))
    #expect(box.receive() == 1)
    #expect(box.receive() == nil)
    #expect(box.receive() == nil)
  }

  @Test func `closing wakes a waiting reader and a waiting sender`() {
    let empty = Mailbox<Int>(capacity: 1)
    let reader = Worker { _ = empty.receive() }
    #expect(!reader.isDone(within: 0.02))
    empty.close()
    reader.wait()

    let full = Mailbox<Int>(capacity: 1)
    full.send(1)
    let sender = Worker { full.send(2) }
    #expect(!sender.isDone(within: 0.02))
    full.close()
    sender.wait()
    #expect(full.receive() == 1)
    #expect(full.receive() == nil)
  }

  @Test func `the reader is woken for each message and for the end`() {
    let count = SharedCount()
    let box = Mailbox<Int>(capacity: 4, wake: { count.add() })
    box.send(1)
    box.send(2)
    box.close()
    box.send(3)
    #expect(count.value == 3)
  }

  @Test func `messages of several senders are all there, each sender's in its order`() {
    let box = Mailbox<Int>(capacity: 3)
    let senders = (0..<4).map { sender in Worker { for number in 0..<500 { box.send(sender * 1000 + number) } } }
    var received: [Int] = []
    while received.count < 2000, let number = box.receive() { received.append(number) }
    for sender in senders { sender.wait() }
    for sender in 0..<4 {
      #expect(received.filter { $0 / 1000 == sender } == (0..<500).map { sender * 1000 + $0 })
    }
    #expect(box.poll() == nil)
  }
}

/// A count that several threads share.
private final class SharedCount: Sendable {
  private let count = Atomic<Int>(0)
  func add() { count.wrappingAdd(1, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}
