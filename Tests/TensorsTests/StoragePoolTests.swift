// The pool of memory: blocks come back aligned, are counted, and go back to the system on demand. The accounts are
// one for the whole process, so they are checked in a process of their own.

import Resources
import Testing

@testable import Tensors

@Suite struct StoragePoolTests {
  @Test(arguments: [0, 1, 15, 16, 17, 100, 1023, 1024, 1025, 16_383, 16_384, 65_537, 1_000_003])
  func `a block holds what was asked for, and at most an eighth more, a large one hardly more`(count: Int) {
    let capacity = StoragePool.capacity(for: count)
    #expect(capacity >= count)
    #expect(capacity % 16 == 0, "whole cache lines")
    #expect(capacity <= (count < StoragePool.largeCapacity ? max(32, count + count / 8 + 16) : count + 16))
    #expect(StoragePool.capacity(for: capacity) == capacity, "a capacity is its own")
  }

  @Test(arguments: [1, 3, 1000, 123_457])
  func `memory is aligned for the widest vectors`(count: Int) {
    #expect(Tensor(uninitialized: [count]).read { UInt(bitPattern: $0) } % 64 == 0)
  }

  @Test func `a freed block is given out again, in a process of its own`() async {
    await #expect(processExitsWith: .success) {
      let count = 3_141_593
      let first = Tensor(uninitialized: [count]).read { UInt(bitPattern: $0) }
      let again = Tensor(uninitialized: [count - 5])
      #expect(again.read { UInt(bitPattern: $0) } == first)
      let second = Tensor(uninitialized: [count])
      #expect(second.read { UInt(bitPattern: $0) } != first, "in use, so not to be given out")
    }
  }

  @Test func `memory of one size serves another, in a process of its own`() async {
    await #expect(processExitsWith: .success) {
      do { withExtendedLifetime(Tensor(uninitialized: [8_000_000])) {} }
      let taken = StoragePool.bytes
      // Several of its parts at the same time.
      let now = [300_000, 7_000_000, 500_000].map { Tensor(uninitialized: [$0]) }
      withExtendedLifetime(now) { #expect(StoragePool.bytes == taken) }
    }
  }

  /// - Parameter offset: some systems map huge blocks at multiples of huge pages, others anywhere.
  @Test(arguments: [0, 4096])
  func `what others map meanwhile does not come between the pool's pages, in a process of its own`(offset: Int)
    async
  {
    await #expect(processExitsWith: .success) { [offset] in
      var calls = ResourceCalls.system
      calls.mapMemory = { length, wish in
        if wish != 0 { return ResourceCalls.system.mapMemory(length, wish) }
        return ResourceCalls.system.mapMemory(length + offset, 0).map { $0 + UInt(offset) }
      }
      try ResourceCalls.$current.withValue(calls) {
        var tensors: [Tensor] = []
        for _ in 0..<4 {
          tensors.append(Tensor(uninitialized: [800_000]))
          let others = try #require(ResourceCalls.system.mapMemory(1 << 20, 0))
          #expect(others != 0)
        }
        tensors.removeAll()
        let taken = StoragePool.bytes
        let whole = Tensor(uninitialized: [3_200_000])
        withExtendedLifetime(whole) { #expect(StoragePool.bytes == taken) }
      }
    }
  }

  @Test func `bytes are counted while in use, while free, and not after a trim, in a process of its own`() async {
    await #expect(processExitsWith: .success) {
      StoragePool.trim()
      let start = StoragePool.bytes
      let size = 4 * StoragePool.capacity(for: 1_000_000)
      // Pages are taken two megabytes at a time.
      let pages = 4 << 20
      do {
        let a = Tensor(uninitialized: [1_000_000])
        let b = Tensor(uninitialized: [1_000_000])
        withExtendedLifetime((a, b)) {
          #expect((2 * size...2 * size + pages).contains(StoragePool.bytes - start))
          #expect(StoragePool.peakBytes >= 2 * size)
        }
      }
      let (bytes, peak) = (StoragePool.bytes, StoragePool.peakBytes)
      #expect(bytes - start >= 2 * size, "freed memory waits for use")
      do { withExtendedLifetime(Tensor(uninitialized: [1_000_000])) {} }
      #expect(StoragePool.bytes == bytes, "memory in waiting was used")
      #expect(StoragePool.peakBytes == peak)
      StoragePool.trim()
      #expect(StoragePool.bytes == start)
    }
  }

  @Test
  func `a trim leaves what is in use alone, and what it cannot return can be used again, in a process of its own`()
    async
  {
    await #expect(processExitsWith: .success) {
      let held = Tensor([30_000]) { Float($0) }
      do { withExtendedLifetime(Tensor(uninitialized: [3_000_000])) {} }
      let before = StoragePool.bytes
      StoragePool.trim()
      #expect(StoragePool.bytes < before)
      let tensors = (1...50).map { size in Tensor([20_000 * size]) { _ in Float(size) } }
      for (index, tensor) in tensors.enumerated() {
        #expect(tensor[0] == Float(index + 1) && tensor[tensor.count - 1] == Float(index + 1))
      }
      #expect((0..<30_000).allSatisfy { held[$0] == Float($0) })
    }
  }

  @Test func `an array of any element lies in memory of the pool`() {
    let places = PooledArray<UInt8>(uninitialized: 1001)
    places.withValues { places in
      places.update(repeating: 7, count: 1001)
      StoragePool.withScratch(of: Double.self, 333) { sums in
        sums.update(repeating: 0.5, count: 333)
        #expect((0..<1001).allSatisfy { places[$0] == 7 })
        #expect((0..<333).allSatisfy { sums[$0] == 0.5 })
      }
    }
  }

  @Test func `each small capacity has a place of its own`() {
    let capacities = (1..<StoragePool.largeCapacity).map(StoragePool.capacity(for:)).filter {
      $0 < StoragePool.largeCapacity
    }
    let classes = Dictionary(grouping: Set(capacities), by: StoragePool.sizeClass(of:))
    #expect(classes.values.allSatisfy { $0.count == 1 })
    #expect(classes.keys.allSatisfy { (0..<StoragePool.sizeClass(of: StoragePool.largeCapacity)).contains($0) })
  }

  @Test func `scratch is memory of its own, given back and given out again`() {
    StoragePool.withScratch(5000) { outer in
      outer.update(repeating: 1, count: 5000)
      StoragePool.withScratch(5000) { inner in
        inner.update(repeating: 2, count: 5000)
        #expect(UInt(bitPattern: inner) % 64 == 0)
      }
      #expect((0..<5000).allSatisfy { outer[$0] == 1 })
    }
    struct Failure: Error {}
    #expect(throws: Failure.self) { try StoragePool.withScratch(3) { _ in throw Failure() } }
  }

  @Test func `tensors made and freed on many threads never share a block`() {
    let pool = ThreadPool(threads: 5)
    let chunks = 200
    var intact = [Bool](repeating: false, count: chunks)
    intact.withUnsafeMutableBufferPointer { intact in
      let intact = intact  // chunks capture the pointer
      pool.run(chunks: chunks) { chunk in
        let tensors = (0..<5).map { index in Tensor([1500]) { _ in Float(chunk * 5 + index) } }
        intact[chunk] = tensors.enumerated().allSatisfy { index, tensor in
          tensor.values.allSatisfy { $0 == Float(chunk * 5 + index) }
        }
      }
    }
    #expect(!intact.contains(false))
  }
}
