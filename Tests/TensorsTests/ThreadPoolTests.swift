// The parallel loop: each chunk once, whatever the number of threads, and no thread left behind.

import Resources
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Tensors

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 5], [0, 1, 2, 3, 7, 16, 100, 1000])
  func `each chunk is called exactly once`(threads: Int, chunks: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threads == threads)
    for _ in 0..<20 {
      var calls = [Int](repeating: 0, count: chunks)
      calls.withUnsafeMutableBufferPointer { calls in
        let calls = calls  // chunks capture the pointer
        pool.run(chunks: chunks) { calls[$0] += 1 }
      }
      #expect(calls == [Int](repeating: 1, count: chunks))
    }
  }

  @Test(arguments: [2, 3, 5], [0, 20, 200])
  func `loops follow one another, at once or after threads have gone to sleep`(threads: Int, pause: UInt32) {
    let pool = ThreadPool(threads: threads)
    var calls = [Int](repeating: 0, count: 64)
    let loops = pause == 0 ? 20_000 : 500
    var expected = [Int](repeating: 0, count: 64)
    for loop in 0..<loops {
      // Other numbers of chunks each time: a thread that comes late finds another loop than it was called for.
      let chunks = 2 + loop % 63
      calls.withUnsafeMutableBufferPointer { calls in
        let calls = calls  // chunks capture the pointer
        pool.run(chunks: chunks) { calls[$0] += loop }
      }
      for chunk in 0..<chunks { expected[chunk] += loop }
      if pause > 0 { usleep(pause) }
    }
    #expect(calls == expected)
  }

  @Test(arguments: [1, 2, 3, 5])
  func `a loop has ended when run returns`(threads: Int) {
    let pool = ThreadPool(threads: threads)
    for _ in 0..<20 {
      let done = Atomic(0)
      // The later the chunk, the longer: what the caller does itself ends first.
      pool.run(chunks: 7) { chunk in
        usleep(UInt32(chunk) * 100)
        done.add(1, ordering: .relaxed)
      }
      #expect(done.load(ordering: .relaxed) == 7)
    }
  }

  @Test func `several threads take part`() {
    let pool = ThreadPool(threads: 3)
    let names = Mutex(Set<UInt>())
    // Each chunk waits until three threads have come, or two seconds have passed.
    let limit = Date(timeIntervalSinceNow: 2)
    pool.run(chunks: 3) { _ in
      names.withLock { _ = $0.insert(UInt(pthread_self())) }
      while names.withLock({ $0.count }) < 3, Date() < limit { usleep(100) }
    }
    #expect(names.withLock { $0.count } == 3)
  }

  @Test(arguments: [0, 1, 2, 15, 16, 17, 1000], [1, 2, 3, 16, 40])
  func `ranges cover everything once, in order and nearly even`(count: Int, chunks: Int) {
    let ranges = (0..<chunks).map { ThreadPool.range($0, of: chunks, count: count) }
    #expect(ranges.flatMap(Array.init) == Array(0..<count))
    let lengths = ranges.map(\.count)
    #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
  }

  @Test(arguments: [1, 2, 5], [0, 1, 5, 16, 17, 333])
  func `running over a count visits each index once, in chunks that threads do not change`(threads: Int, count: Int)
  {
    let ranges = Mutex<[Range<Int>]>([])
    ThreadPool(threads: threads).run(over: count) { range in ranges.withLock { $0.append(range) } }
    let sorted = ranges.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
    let chunks = min(count, ThreadPool.standardChunks)
    #expect(sorted == (0..<chunks).map { ThreadPool.range($0, of: chunks, count: count) })
  }

  @Test func `a request for no threads gives one, none at all as many as there are processors`() {
    #expect(ThreadPool(threads: 0).threads == 1)
    #expect(ThreadPool().threads == SystemProcessors.available)
  }

  @Test func `a loop inside a loop is refused, in a process of its own`() async {
    await #expect(processExitsWith: .failure) {
      let pool = ThreadPool(threads: 2)
      pool.run(chunks: 4) { _ in pool.run(chunks: 4) { _ in } }
    }
  }

  @Test func `threads that have no work sleep, in a process of its own`() async {
    // In a process of its own, whose processor time is the threads' alone.
    await #expect(processExitsWith: .success) {
      func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
      }
      let pool = ThreadPool(threads: min(4, SystemProcessors.available))
      pool.run(chunks: 16) { _ in }
      let start = processorTime()
      usleep(1_000_000)
      #expect(processorTime() - start < 0.2)
      pool.run(chunks: 16) { _ in }
    }
  }

  #if os(Linux)
    @Test func `an abandoned pool ends its threads, in a process of its own`() async {
      await #expect(processExitsWith: .success) {
        func threads() -> Int {
          (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
        }
        let before = threads()
        do {
          let pool = ThreadPool(threads: 40)
          pool.run(chunks: 100) { _ in usleep(100) }
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
    let pool = refusing.during { ThreadPool(threads: 4) }
    #expect(pool.threads == min(4, number + 1))
    #expect((pool.shortage == nil) == (number == 3))
    let done = Mutex(Set<Int>())
    pool.run(chunks: 40) { chunk in done.withLock { _ = $0.insert(chunk) } }
    #expect(done.withLock { $0 } == Set(0..<40))
  }

  @Test func `memory for products is taken for every thread there is`() throws {
    let pool = try ThreadPool(reserving: 2)
    #expect(pool.threads == 2 && pool.shortage == nil)
  }

  @Test func `a log has every loop with its place and a time for each chunk`() {
    let log = LoopLog()
    let pool = ThreadPool(writing: log)
    #expect(pool.threads == 1)
    var calls = 0
    pool.run(chunks: 3) { _ in calls += 1 }
    pool.run(over: 100, chunks: 7) { calls += $0.count }
    pool.run(chunks: 0) { _ in calls += 1000 }
    #expect(calls == 103)
    let loops = log.taken()
    #expect(loops.map(\.seconds.count) == [3, 7, 0])
    #expect(
      loops.allSatisfy {
        $0.place.hasPrefix("TensorsTests/ThreadPoolTests.swift:") && $0.seconds.allSatisfy { $0 >= 0 }
      })
    #expect(loops[0].place != loops[1].place)
    #expect(log.taken().isEmpty)
  }

  @Test func `a loop on many threads takes as long as whoever has most`() {
    let loop = LoopLog.Loop(place: "", seconds: [3, 1, 1, 1, 2])
    #expect(loop.seconds(threads: 1) == 8)
    // 3 and 2 beside 1, 1 and 1.
    #expect(loop.seconds(threads: 2) == 5)
    #expect(loop.seconds(threads: 5) == 3)
    #expect(loop.seconds(threads: 64) == 3)
    #expect(LoopLog.Loop(place: "", seconds: []).seconds(threads: 4) == 0)
  }
}
