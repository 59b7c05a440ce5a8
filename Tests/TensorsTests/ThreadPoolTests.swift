// The parallel loop: each shard once, whatever the number of threads, and no thread left behind.

import Resources
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Tensors

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 3, 5], [0, 1, 2, 3, 7, 16, 100, 1000])
  func `each shard is called exactly once`(threads: Int, shards: Int) {
    let workers = WorkerPool(threads: threads)
    #expect(workers.threads == threads)
    for _ in 0..<20 {
      var calls = [Int](repeating: 0, count: shards)
      calls.withUnsafeMutableBufferPointer { calls in
        let calls = calls  // shards capture the pointer
        workers.run(shards: shards) { calls[$0] += 1 }
      }
      #expect(calls == [Int](repeating: 1, count: shards))
    }
  }

  @Test(arguments: [2, 3, 5], [0, 20, 200])
  func `loops follow one another, at once or after threads have gone to sleep`(threads: Int, pause: UInt32) {
    let workers = WorkerPool(threads: threads)
    var calls = [Int](repeating: 0, count: 64)
    let loops = pause == 0 ? 20_000 : 500
    var expected = [Int](repeating: 0, count: 64)
    for loop in 0..<loops {
      // Other numbers of shards each time: a thread that comes late finds another loop than it was called for.
      let shards = 2 + loop % 63
      calls.withUnsafeMutableBufferPointer { calls in
        let calls = calls  // shards capture the pointer
        workers.run(shards: shards) { calls[$0] += loop }
      }
      for shard in 0..<shards { expected[shard] += loop }
      if pause > 0 { usleep(pause) }
    }
    #expect(calls == expected)
  }

  @Test(arguments: [1, 2, 3, 5])
  func `a loop has ended when run returns`(threads: Int) {
    let workers = WorkerPool(threads: threads)
    for _ in 0..<20 {
      let done = Atomic(0)
      // The later the shard, the longer: what the caller does itself ends first.
      workers.run(shards: 7) { shard in
        usleep(UInt32(shard) * 100)
        done.add(1, ordering: .relaxed)
      }
      #expect(done.load(ordering: .relaxed) == 7)
    }
  }

  @Test func `several threads take part`() {
    let workers = WorkerPool(threads: 3)
    let names = Mutex(Set<UInt>())
    // Each shard waits until three threads have come, or two seconds have passed.
    let limit = Date(timeIntervalSinceNow: 2)
    workers.run(shards: 3) { _ in
      names.withLock { _ = $0.insert(UInt(pthread_self())) }
      while names.withLock({ $0.count }) < 3, Date() < limit { usleep(100) }
    }
    #expect(names.withLock { $0.count } == 3)
  }

  @Test(arguments: [0, 1, 2, 15, 16, 17, 1000], [1, 2, 3, 16, 40])
  func `ranges cover everything once, in order and nearly even`(count: Int, shards: Int) {
    let ranges = (0..<shards).map { WorkerPool.range($0, of: shards, count: count) }
    #expect(ranges.flatMap(Array.init) == Array(0..<count))
    let lengths = ranges.map(\.count)
    #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
  }

  @Test(arguments: [1, 2, 5], [0, 1, 5, 16, 17, 333])
  func `running over a count visits each index once, in shards that threads do not change`(threads: Int, count: Int)
  {
    let ranges = Mutex<[Range<Int>]>([])
    WorkerPool(threads: threads).run(over: count) { range in ranges.withLock { $0.append(range) } }
    let sorted = ranges.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
    let shards = min(count, WorkerPool.standardShards)
    #expect(sorted == (0..<shards).map { WorkerPool.range($0, of: shards, count: count) })
  }

  @Test func `a request for no threads gives one, none at all as many as there are processors`() {
    #expect(WorkerPool(threads: 0).threads == 1)
    #expect(WorkerPool().threads == SystemProcessors.available)
  }

  @Test func `a loop inside a loop is refused`() async {
    await #expect(processExitsWith: .failure) {
      let workers = WorkerPool(threads: 2)
      workers.run(shards: 4) { _ in workers.run(shards: 4) { _ in } }
    }
  }

  @Test func `threads that have no work sleep`() async {
    // In a process of its own, whose processor time is the threads' alone.
    await #expect(processExitsWith: .success) {
      func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
      }
      let workers = WorkerPool(threads: min(4, SystemProcessors.available))
      workers.run(shards: 16) { _ in }
      let start = processorTime()
      usleep(1_000_000)
      #expect(processorTime() - start < 0.2)
      workers.run(shards: 16) { _ in }
    }
  }

  #if os(Linux)
    @Test func `an abandoned pool ends its threads`() async {
      await #expect(processExitsWith: .success) {
        func threads() -> Int {
          (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
        }
        let before = threads()
        do {
          let workers = WorkerPool(threads: 40)
          workers.run(shards: 100) { _ in usleep(100) }
          #expect(threads() >= before + 39)
        }
        let limit = Date(timeIntervalSinceNow: 5)
        // The test library may have started a few threads of its own meanwhile.
        while threads() >= before + 20, Date() < limit { usleep(1000) }
        #expect(threads() < before + 20)
      }
    }
  #endif

  @Test(arguments: 0..<4)
  func `where a thread is refused the others do its work`(number: Int) {
    let refusing = FaultyResources(.thread, failing: number..<Int.max)
    let workers = refusing.during { WorkerPool(threads: 4) }
    #expect(workers.threads == min(4, number + 1))
    #expect((workers.shortage == nil) == (number == 3))
    let done = Mutex(Set<Int>())
    workers.run(shards: 40) { shard in done.withLock { _ = $0.insert(shard) } }
    #expect(done.withLock { $0 } == Set(0..<40))
  }

  @Test func `memory for products is taken for every thread there is`() throws {
    let workers = try WorkerPool(reserving: 2)
    #expect(workers.threads == 2 && workers.shortage == nil)
  }
}
