// Ranks that are processes started by mpirun or srun: the communicator on top of MPI. Nothing here waits inside MPI:
// every operation is begun and asked about until it is done, so that a rank that is lost is noticed.
//
// Beside the work, a thread of each rank keeps in touch: rank 0 hears of all others twice a second, and they of it. It
// also lets MPI move on what is under way while the other threads compute.

import CMPI
import Glibc
import Ranks
import Resources

/// One of several processes that MPI connects.
///
/// How a lost rank is noticed, and when (`Limits`):
/// - A process that ended, was killed or stopped, or whose machine is gone is not heard of any more: after
///   `limits.silence` rank 0 ends the run for all; where it is rank 0 that is lost, others do so after half as long
///   again. Mostly mpirun is faster, which ends all when one of its processes dies.
/// - A process that lives but never comes to a meeting is given up after `limits.patience`.
///
/// From then on every call throws the same failure, and whoever has not left by `abandon` after `limits.grace` is
/// ended.
///
/// It is `@unchecked Sendable` because `condition` guards every variable and every call of MPI, which allows one at a
/// time.
public final class MPICommunicator: Communicator, @unchecked Sendable {
  /// How long is waited for what.
  public struct Limits: Sendable {
    /// For a sign of life.
    public var silence = Duration.seconds(30)
    /// At a meeting, while all are alive: longer than ranks differ in what they do between two.
    public var patience = Duration.seconds(3600)
    /// For the program to end by itself once the ranks cannot go on.
    public var grace = Duration.seconds(10)

    public init() {}
  }

  public let rank: Int
  public let size: Int
  public let machine: String
  /// The MPI's name and version.
  public let library: String

  private let calls: MPILibrary
  private let limits: Limits
  private let condition = Condition()
  /// Whom this rank keeps in touch with.
  private let peers: [Int]
  private var attendance: Attendance
  /// What the machines of all ranks are called; empty until all have said so.
  private var machines: [String] = []
  /// Operations that are not done.
  private var underWay = 0
  private var failure: RankFailure?
  /// Whether rank 0 cannot tell why the run ended.
  private var isRankZeroLost = false
  private var state = State.working

  private enum State: Equatable {
    case working, leaving
    /// Nobody needs this rank any more: MPI itself is left, and then the process with this status.
    case parting(status: Int32)
    case ended
  }

  /// What ranks say to each other beside the work.
  private enum Word: Int32 { case alive, farewell, givingUp }

  /// Joins the others. To be called once, by the thread that will leave.
  /// - Throws: `RankFailure`.
  public init(_ calls: MPILibrary, limits: Limits = Limits()) throws(RankFailure) {
    var (rank, size, isSerialized) = (Int32(0), Int32(0), Int32(0))
    try calls.check(calls.functions.start(&rank, &size, &isSerialized), "MPI's start")
    self.calls = calls
    self.limits = limits
    self.rank = Int(rank)
    self.size = Int(size)
    machine = calls.host
    library = calls.name
    // A second one speaks up before the others, so that there is one message.
    let silence =
      switch rank {
      case 0: limits.silence
      case 1: limits.silence * 5 / 4
      default: limits.silence * 3 / 2
      }
    peers = rank == 0 ? Array(1..<max(1, self.size)) : [0]
    attendance = Attendance(peers, limit: silence)
    guard isSerialized != 0 else {
      throw RankFailure(
        "\(library) allows calls from one thread only (it lacks MPI_THREAD_SERIALIZED); use an MPI built with threads"
      )
    }
    do {
      try SystemThread.start(
        "ranks", stackSize: SystemThread.smallStack, attempts: SystemThread.patientAttempts
      ) { self.keepInTouch() }
    } catch { throw RankFailure("\(error)") }
    let machines = try allGather(Array(machine.utf8)).map { String(decoding: $0, as: UTF8.self) }
    condition.lock()
    self.machines = machines
    condition.unlock()
  }

  // MARK: Meetings

  public func allGather(_ bytes: [UInt8]) throws(RankFailure) -> [[UInt8]] {
    let counts = try gather(Self.bytes(of: try Self.count(bytes.count)), counts: Array(repeating: 4, count: size))
      .map { Self.count(of: $0) }
    return try gather(bytes, counts: counts)
  }

  public func broadcast(_ bytes: [UInt8]) throws(RankFailure) -> [UInt8] {
    var count = Self.bytes(of: rank == 0 ? try Self.count(bytes.count) : 0)
    try broadcast(&count)
    var bytes = rank == 0 ? bytes : Array(repeating: 0, count: Int(Self.count(of: count)))
    if !bytes.isEmpty { try broadcast(&bytes) }
    return bytes
  }

  /// - Parameter counts: how many bytes each rank has.
  private func gather(_ bytes: [UInt8], counts: [Int32]) throws(RankFailure) -> [[UInt8]] {
    var offsets: [Int32] = []
    var total = 0
    for count in counts {
      offsets.append(try Self.count(total))
      total += Int(count)
    }
    let received = UnsafeMutableRawBufferPointer.allocate(byteCount: try Int(Self.count(total)) + 1, alignment: 8)
    // After a failure MPI may still write into it; the process ends soon.
    var isDone = false
    defer { if isDone { received.deallocate() } }
    let sent = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 8)
    defer { if isDone { sent.deallocate() } }
    sent.copyBytes(from: bytes)
    let pending = try begin("gathering") { request in
      calls.functions.gather(
        sent.baseAddress, Int32(bytes.count), received.baseAddress, counts, offsets, request)
    }
    try pending.wait()
    isDone = true
    return zip(offsets, counts).map { Array(received[Int($0)..<Int($0 + $1)]) }
  }

  private func broadcast(_ bytes: inout [UInt8]) throws(RankFailure) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    var isDone = false
    defer { if isDone { buffer.deallocate() } }
    buffer.copyBytes(from: bytes)
    let pending = try begin("a broadcast") { request in
      calls.functions.broadcast(buffer.baseAddress, Int32(buffer.count), request)
    }
    try pending.wait()
    isDone = true
    bytes = Array(buffer)
  }

  public func start(_ exchange: FloatExchange) throws(RankFailure) -> any PendingExchange {
    let (sentCounts, sentOffsets) = try lists(exchange.sentParts)
    let (receivedCounts, receivedOffsets) = try lists(exchange.receivedParts)
    return try begin("an exchange") { request in
      calls.functions.exchange(
        exchange.sent.baseAddress, sentCounts, sentOffsets, exchange.received.baseAddress, receivedCounts,
        receivedOffsets, request)
    }
  }

  /// MPI's two lists of numbers, as MPI-3.1 has them: 32 bits.
  private func lists(_ parts: [Range<Int>]) throws(RankFailure) -> (counts: [Int32], offsets: [Int32]) {
    precondition(parts.count == size, "\(parts.count) parts for \(size) ranks")
    var (counts, offsets): ([Int32], [Int32]) = ([], [])
    for part in parts {
      counts.append(try Self.count(part.count))
      offsets.append(try Self.count(part.lowerBound))
    }
    return (counts, offsets)
  }

  private static func count(_ number: Int) throws(RankFailure) -> Int32 {
    guard let count = Int32(exactly: number) else {
      throw RankFailure("\(number) are more bytes or numbers than MPI moves at a time (\(Int32.max))")
    }
    return count
  }

  /// In the same order of bytes on any machine.
  private static func bytes(of count: Int32) -> [UInt8] { withUnsafeBytes(of: count.littleEndian) { Array($0) } }

  private static func count(of bytes: [UInt8]) -> Int32 {
    bytes.reversed().reduce(0) { $0 << 8 | Int32($1) }
  }

  // MARK: Operations

  private func begin(
    _ what: String, _ call: (UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32
  ) throws(RankFailure) -> Operation {
    condition.lock()
    defer { condition.unlock() }
    if let failure { throw failure }
    var request: UnsafeMutableRawPointer?
    try noting { () throws(RankFailure) in try calls.check(call(&request), what) }
    underWay += 1
    // The other thread now looks more often.
    condition.broadcast()
    return Operation(request, what, self)
  }

  /// Remembers a failure for all calls to come.
  private func noting<Value>(_ body: () throws(RankFailure) -> Value) throws(RankFailure) -> Value {
    do { return try body() } catch {
      failure = failure ?? error
      throw error
    }
  }

  /// Something that MPI was asked to do.
  ///
  /// One that nobody waited for to its end is MPI's for ever: the program is about to end.
  private final class Operation: PendingExchange {
    private var request: UnsafeMutableRawPointer?
    private let what: String
    private let ranks: MPICommunicator

    init(_ request: UnsafeMutableRawPointer?, _ what: String, _ ranks: MPICommunicator) {
      (self.request, self.what, self.ranks) = (request, what, ranks)
    }

    func isDone() throws(RankFailure) -> Bool {
      guard let request else { return true }
      guard try ranks.isDone(request, what) else { return false }
      self.request = nil
      return true
    }

    func wait() throws(RankFailure) {
      let deadline = ContinuousClock.now + ranks.limits.patience
      var looks = 0
      while try !isDone() {
        looks += 1
        // Others may need this very processor. At first what is waited for is mostly a few microseconds away.
        if looks < 100 { sched_yield() } else { usleep(min(20 + UInt32(looks - 100), 500)) }
        if looks % 1000 == 0, ContinuousClock.now > deadline { throw ranks.impatience(what) }
      }
    }
  }

  private func isDone(_ request: UnsafeMutableRawPointer, _ what: String) throws(RankFailure) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    if let failure { throw failure }
    var done: Int32 = 0
    try noting { () throws(RankFailure) in try calls.check(calls.functions.test(request, &done), what) }
    if done != 0 { underWay -= 1 }
    return done != 0
  }

  private func impatience(_ what: String) -> RankFailure {
    condition.lock()
    defer { condition.unlock() }
    let seconds = limits.patience.components.seconds
    let failure = RankFailure(
      "\(what) was not done after \(seconds) s, although every rank is alive: one of them hangs")
    self.failure = self.failure ?? failure
    return self.failure ?? failure
  }

  // MARK: Keeping in touch

  /// Seconds between two signs of life.
  private static let interval = Duration.milliseconds(500)
  /// Microseconds in which a launcher takes a message from its pipe: one that ends the ranks may forget what is in there.
  private static let hearing: UInt32 = 300_000
  /// How long MPI may take to end.
  private static let parting = Duration.seconds(5)
  /// How often to look while nothing is under way, and while something is.
  private static let (idle, busy) = (Duration.milliseconds(100), Duration.milliseconds(1))

  private func keepInTouch() {
    let clock = ContinuousClock()
    var (last, next) = (clock.now, clock.now)
    condition.lock()
    while state == .working, failure == nil {
      let now = clock.now
      attendance.pass(now - last)
      last = now
      do throws(RankFailure) {
        try listen()
        if now >= next {
          for rank in attendance.expected { try say(.alive, to: rank) }
          next = now + Self.interval
        }
      } catch { failure = failure ?? error }
      if let missing = attendance.missing { giveUp(missing) }
      _ = condition.wait(until: now + (underWay > 0 ? Self.busy : Self.idle))
    }
    // A rank that takes its leave waits for all.
    var deadline = clock.now + (failure == nil ? limits.silence * 2 : limits.grace)
    var seen = state
    while state != .ended {
      if state != seen {
        seen = state
        deadline = clock.now + Self.parting
      }
      if !condition.wait(until: deadline) { break }
    }
    let (end, reason) = (state, failure)
    condition.unlock()
    switch end {
    case .ended: break
    // Some MPIs now and then wait for each other for ever here (MPICH 4.0.2 on UCX 1.13 over TCP does).
    case .parting(let status): _exit(status)
    case .working, .leaving: endProcess(because: reason?.description ?? "not all ranks took their leave")
    }
  }

  /// Takes what others have said.
  private func listen() throws(RankFailure) {
    while true {
      var (from, kind) = (Int32(-1), Int32(0))
      var text = [CChar](repeating: 0, count: Int(CMPI_LONGEST_TEXT) + 1)
      try calls.check(calls.functions.hear(&from, &kind, &text, Int32(text.count)), "listening")
      guard from >= 0 else { return }
      switch Word(rawValue: kind) {
      case .alive: attendance.hear(of: Int(from))
      case .farewell: attendance.takeLeave(of: Int(from))
      case .givingUp, nil: failure = failure ?? RankFailure("\(name(of: Int(from))): \(MPILibrary.text(text))")
      }
    }
  }

  /// - Returns: whether it is on its way: a rank may not have taken the last word.
  @discardableResult
  private func say(_ word: Word, to rank: Int, _ text: String = "") throws(RankFailure) -> Bool {
    var begun: Int32 = 0
    var text = text
    let code = text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        calls.functions.say(Int32(rank), word.rawValue, $0.baseAddress, Int32($0.count), &begun)
      }
    }
    try calls.check(code, "a word to rank \(rank)")
    return begun != 0
  }

  private func name(of rank: Int) -> String {
    machines.indices.contains(rank) ? "rank \(rank) on \(machines[rank])" : "rank \(rank)"
  }

  private func giveUp(_ rank: Int) {
    let seconds = attendance.limit.components.seconds
    isRankZeroLost = rank == 0
    failure =
      failure
      ?? RankFailure(
        "\(name(of: rank)) has not been heard of for \(seconds) s: its process was killed or stopped, or its machine "
          + "or the network is gone; the run ends on all ranks")
  }

  // MARK: The end

  /// Why the ranks cannot go on; nil as long as they can.
  public var lost: RankFailure? {
    condition.lock()
    defer { condition.unlock() }
    return failure
  }

  /// Whether it is for this rank to tell why the run ended: for rank 0, or for another where that is lost.
  public var speaks: Bool {
    condition.lock()
    defer { condition.unlock() }
    return rank == 0 || isRankZeroLost
  }

  /// Every later call of any rank fails. It returns, so that a program can end in its own way, and then by `abandon`.
  public func abort(_ message: String) {
    condition.lock()
    defer { condition.unlock() }
    let isFirst = failure == nil
    failure = failure ?? RankFailure(message)
    condition.broadcast()
    guard isFirst, rank != 0 else { return }
    // It is rank 0 that tells. A word that it does not take now it will not take later.
    var tries = 0
    while tries < 1000, (try? say(.givingUp, to: 0, message)) == false {
      usleep(1000)
      tries += 1
    }
    // Some MPIs send only while they are asked for something.
    for _ in 0..<20 {
      try? listen()
      usleep(1000)
    }
  }

  /// Takes leave of the others, who have to do the same, and of MPI: the last thing that a program does, which may end
  /// here.
  /// - Parameter status: its exit status.
  /// - Throws: `RankFailure`; then `abandon` is what is left.
  public func leave(status: Int32 = 0) throws(RankFailure) {
    // As long as not all are here, signs of life are needed.
    _ = try allGather([])
    try sayFarewell()
    // Nobody leaves before all have heard it.
    _ = try allGather([])
    // Some MPIs have a last word of their own to say, for which both sides have to ask them for something.
    for _ in 0..<20 {
      condition.lock()
      defer { condition.unlock() }
      try listen()
      usleep(1000)
    }
    condition.lock()
    state = .parting(status: status)
    condition.broadcast()
    condition.unlock()
    // Without the lock: the other thread watches over it.
    try calls.check(calls.functions.finish(), "MPI's end")
    condition.lock()
    state = .ended
    condition.broadcast()
    condition.unlock()
  }

  /// Tells everyone that this rank will not be heard of any more, and waits until they have told so too.
  private func sayFarewell() throws(RankFailure) {
    condition.lock()
    defer { condition.unlock() }
    state = .leaving
    condition.broadcast()
    let deadline = ContinuousClock.now + limits.silence
    // Also those whose farewell has come already: they wait for this one's.
    var untold = peers
    var isSaid = false
    // The last word that a rank says: when it has come, nothing of that rank is on its way any more.
    while !isSaid || !attendance.expected.isEmpty {
      try noting { () throws(RankFailure) in
        var left: [Int] = []
        for rank in untold where try !say(.farewell, to: rank) { left.append(rank) }
        untold = left
        try listen()
        var done: Int32 = 0
        try calls.check(calls.functions.said(&done), "words to ranks")
        isSaid = untold.isEmpty && done != 0
        if let failure { throw failure }
        if ContinuousClock.now > deadline { throw RankFailure("not all ranks took their leave") }
      }
      _ = condition.wait(until: ContinuousClock.now + Self.busy)
    }
  }

  /// Ends the processes of all ranks. A rank that is not the one to tell why waits until it is ended, so that there is
  /// one message.
  public func abandon(status: Int32) -> Never {
    if !speaks { sleep(UInt32(limits.grace.components.seconds)) }
    usleep(Self.hearing)
    condition.lock()
    state = .ended
    condition.broadcast()
    calls.functions.abandon(status)
    _exit(status)
  }

  /// For a program that does not do so itself: it may hang.
  private func endProcess(because reason: String) -> Never {
    var text = "skipline: \(reason)\n"
    text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    usleep(Self.hearing)
    calls.functions.abandon(1)
    _exit(1)
  }
}
