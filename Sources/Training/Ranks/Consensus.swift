// What is decided once for all ranks. Rank 0 alone takes commands, looks at clocks and writes files; whatever follows
// from these is decided there and told. All else every rank computes for itself, from the same bits.

import FoundationEssentials
import Messages
import Ranks
import Resources

/// Decisions of rank 0, known to all ranks at the same place of the program.
///
///     let turn = try consensus.decide { try obeyCommands() }    // the body runs on rank 0, everyone has its result
///
/// It may take as long as a person who has paused the run: meanwhile the other ranks hear every second that rank 0 is
/// there. A program that runs alone decides without a word.
final class Consensus {
  let communicator: any Communicator
  /// Whether the others know why this rank ends, or need not.
  private(set) var hasToldFailure = false
  private let pulse: Pulse?

  /// - Throws: `ResourceShortage` where there is no thread that could say that rank 0 is there.
  init(_ communicator: any Communicator) throws(ResourceShortage) {
    self.communicator = communicator
    pulse = communicator.size > 1 && communicator.rank == 0 ? try Pulse(communicator) : nil
  }

  deinit { pulse?.stop() }

  var isAlone: Bool { communicator.size == 1 }
  /// Whether this rank decides, and writes the run's files.
  var leads: Bool { communicator.rank == 0 }

  /// What rank 0's body gives, on all ranks.
  /// - Throws: what the body throws, on rank 0; a `TrainingError` that training may go on after is the same on all ranks,
  ///   any other a `RankFailure` there. `RankFailure` where a rank was lost.
  func decide<Value: Codable>(_ body: () throws -> Value) throws -> Value {
    guard !isAlone else { return try body() }
    guard leads else {
      while true {
        switch try Message<Value>(try communicator.broadcast([])) {
        case .wait: continue
        case .value(let value): return value
        case .failure(let failure):
          hasToldFailure = true
          throw failure.error
        }
      }
    }
    let outcome: Result<Value, any Error>
    pulse?.begin()
    outcome = Result { try body() }
    try pulse?.end()
    switch outcome {
    case .success(let value): _ = try communicator.broadcast(Message.value(value).bytes())
    case .failure(let error):
      _ = try communicator.broadcast(Message<Value>.failure(SharedFailure(error)).bytes())
      hasToldFailure = true
    }
    return try outcome.get()
  }

  /// Has each rank do what takes a time of its own, and waits until all have.
  /// - Throws: what this rank's body throws; where that of another rank does, a `RankFailure` that says so.
  func together<Value>(_ body: () throws -> Value) throws -> Value {
    guard !isAlone else { return try body() }
    let waiting = try Waiting(communicator)
    let outcome = Result { try body() }
    var failed: String?
    if case .failure(let error) = outcome { failed = "\(error)" }
    let others = try waiting.end(failed)
    let value = try outcome.get()
    if let (rank, reason) = others {
      hasToldFailure = true
      throw RankFailure("rank \(rank): \(reason)")
    }
    return value
  }

  /// Ends the run for the other ranks, unless they know.
  func abandon(_ error: any Error) {
    guard !isAlone, !hasToldFailure, !(error is RankFailure) else { return }
    communicator.abort("\(error)")
  }

  /// A failure went to all that training goes on after.
  func failureIsOver() { hasToldFailure = false }
}

/// What rank 0 says: that it is there, what it decided, or why it failed.
private enum Message<Value: Codable> {
  case wait
  case value(Value)
  case failure(SharedFailure)

  private static var waiting: UInt8 { 0 }

  init(_ bytes: [UInt8]) throws {
    let data = Data(bytes.dropFirst())
    switch bytes.first {
    case 0: self = .wait
    case 1: self = .value(try RunJSON.decode(Value.self, from: data))
    default: self = .failure(try RunJSON.decode(SharedFailure.self, from: data))
    }
  }

  func bytes() throws -> [UInt8] {
    switch self {
    case .wait: [0]
    case .value(let value): [1] + Array(try RunJSON.line(value).utf8)
    case .failure(let failure): [2] + Array(try RunJSON.line(failure).utf8)
    }
  }
}

/// An error of rank 0, for the others.
private enum SharedFailure: Codable {
  case overflow(step: Int, array: String)
  case other(String)

  init(_ error: any Error) {
    self =
      if case TrainingError.weightsOverflowed(let step, let array) = error {
        .overflow(step: step, array: array)
      } else {
        .other("\(error)")
      }
  }

  var error: any Error {
    switch self {
    case .overflow(let step, let array): TrainingError.weightsOverflowed(step: step, array: array)
    case .other(let text): RankFailure("rank 0: \(text)")
    }
  }
}

/// Says every second that rank 0 is there, while it is busy with something of its own.
///
/// It is `@unchecked Sendable` because `condition` guards every variable.
private final class Pulse: @unchecked Sendable {
  private static let interval = Duration.seconds(1)
  private let condition = Condition()
  private let communicator: any Communicator
  private var since: ContinuousClock.Instant?
  private var isSpeaking = false
  private var isOver = false
  private var failure: RankFailure?

  init(_ communicator: any Communicator) throws(ResourceShortage) {
    self.communicator = communicator
    try SystemThread.start(
      "ranks", stackSize: SystemThread.smallStack, attempts: SystemThread.patientAttempts
    ) { self.run() }
  }

  func begin() {
    condition.lock()
    since = .now
    condition.unlock()
  }

  /// - Throws: what went wrong meanwhile.
  func end() throws(RankFailure) {
    condition.lock()
    defer { condition.unlock() }
    since = nil
    while isSpeaking { condition.wait() }
    if let failure { throw failure }
  }

  func stop() {
    condition.lock()
    isOver = true
    condition.broadcast()
    condition.unlock()
  }

  /// Looks now and then rather than being woken: a step takes less time than waking a thread is worth.
  private func run() {
    condition.lock()
    defer { condition.unlock() }
    while !isOver {
      _ = condition.wait(until: .now + Self.interval / 2)
      guard let began = since, !isOver, failure == nil, .now - began > Self.interval else { continue }
      isSpeaking = true
      condition.unlock()
      let result = Result { () throws(RankFailure) in try communicator.broadcast([0]) }
      condition.lock()
      isSpeaking = false
      if since != nil { since = .now }
      if case .failure(let error) = result { failure = error }
      condition.broadcast()
    }
  }
}

/// Meets the other ranks every second until each has done what it does, on a thread of its own.
///
/// It is `@unchecked Sendable` because `condition` guards every variable.
private final class Waiting: @unchecked Sendable {
  private static let interval = Duration.milliseconds(500)
  private let condition = Condition()
  private let communicator: any Communicator
  private var word: [UInt8] = [0]
  private var outcome: Result<[[UInt8]], RankFailure>?

  init(_ communicator: any Communicator) throws(ResourceShortage) {
    self.communicator = communicator
    try SystemThread.start(
      "ranks", stackSize: SystemThread.smallStack, attempts: SystemThread.patientAttempts
    ) { self.run() }
  }

  /// - Parameter failed: why this rank's part failed; nil where it did not.
  /// - Returns: the first of the other ranks whose part failed, and why.
  func end(_ failed: String?) throws(RankFailure) -> (rank: Int, reason: String)? {
    condition.lock()
    defer { condition.unlock() }
    word = failed.map { [2] + Array($0.utf8) } ?? [1]
    condition.broadcast()
    while outcome == nil { condition.wait() }
    guard let words = try outcome?.get() else { return nil }
    return words.enumerated().first { $0.element.first == 2 }
      .map { ($0.offset, String(decoding: $0.element.dropFirst(), as: UTF8.self)) }
  }

  private func run() {
    condition.lock()
    defer { condition.unlock() }
    while outcome == nil {
      let said = word
      condition.unlock()
      let result = Result { () throws(RankFailure) in try communicator.allGather(said) }
      condition.lock()
      switch result {
      case .failure: outcome = result
      // Over when nobody works any more.
      case .success(let words) where words.allSatisfy({ $0 != [0] }): outcome = result
      case .success: if word == [0] { _ = condition.wait(until: .now + Self.interval) }
      }
    }
    condition.broadcast()
  }
}
