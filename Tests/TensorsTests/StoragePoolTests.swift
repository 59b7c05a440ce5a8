// The pool of memory: blocks come back aligned, are counted, and go back to the system on demand. The accounts are
// one for the whole process, so they are checked in a process of their own.

import Testing

@testable import Tensors

@Suite struct StoragePoolTests {
  @Test(arguments: [0, 1, 15, 16, 17, 100, 1023, 1024, 1025, 65_537, 1_000_003])
  func `a block holds what was asked for, and at most an eighth more`(count: Int) {
    let capacity = StoragePool.capacity(for: count)
    #expect(capacity >= count)
    #expect(capacity % 16 == 0, "whole cache lines")
    #expect(capacity <= max(32, count + count / 8 + 16))
    #expect(StoragePool.capacity(for: capacity) == capacity, "a capacity is its own")
  }

  @Test(arguments: [1, 3, 1000, 123_457])
  func `memory is aligned for the widest vectors`(count: Int) {
    #expect(Tensor(uninitialised: [count]).read { UInt(bitPattern: $0) } % 64 == 0)
  }

  @Test func `a freed block is given out again`() async {
    await #expect(processExitsWith: .success) {
      let count = 3_141_593
      let first = Tensor(uninitialised: [count]).read { UInt(bitPattern: $0) }
      let again = Tensor(uninitialised: [count - 5])
      #expect(again.read { UInt(bitPattern: $0) } == first)
      let second = Tensor(uninitialised: [count])
      #expect(second.read { UInt(bitPattern: $0) } != first, "in use, so not to be given out")
    }
  }

  @Test func `idle blocks of a size that is not asked for any more make room for others`() async {
    await #expect(processExitsWith: .success) {
      do {
        let once = (0..<8).map { _ in Tensor(uninitialised: [1_000_000]) }
        withExtendedLifetime(once) {}
      }
      let peak = StoragePool.peakBytes
      // As much again in another size: without giving back, twice the peak would be held.
      let now = (0..<8).map { _ in Tensor(uninitialised: [900_000]) }
      withExtendedLifetime(now) { #expect(StoragePool.bytes <= peak + peak / 4) }
    }
  }

  @Test func `bytes are counted while in use, while free, and not after a trim`() async {
    await #expect(processExitsWith: .success) {
      StoragePool.trim()
      let start = StoragePool.bytes
      let size = 4 * StoragePool.capacity(for: 1_000_000)
      do {
        let a = Tensor(uninitialised: [1_000_000])
        let b = Tensor(uninitialised: [1_000_000])
        withExtendedLifetime((a, b)) {
          #expect(StoragePool.bytes == start + 2 * size)
          #expect(StoragePool.peakBytes >= 2 * size)
        }
      }
      let peak = StoragePool.peakBytes
      #expect(StoragePool.bytes == start + 2 * size, "freed blocks wait for use")
      do { withExtendedLifetime(Tensor(uninitialised: [1_000_000])) {} }
      #expect(StoragePool.bytes == start + 2 * size, "a block in waiting was used")
      #expect(StoragePool.peakBytes == peak)
      StoragePool.trim()
      #expect(StoragePool.bytes == start)
    }
  }

  @Test func `tensors made and freed on many threads never share a block`() {
    let workers = WorkerPool(threads: 5)
    let shards = 200
    var intact = [Bool](repeating: false, count: shards)
    intact.withUnsafeMutableBufferPointer { intact in
      let intact = intact  // shards capture the pointer
      workers.run(shards: shards) { shard in
        let tensors = (0..<5).map { index in Tensor([1500]) { _ in Float(shard * 5 + index) } }
        intact[shard] = tensors.enumerated().allSatisfy { index, tensor in
          tensor.values.allSatisfy { $0 == Float(shard * 5 + index) }
        }
      }
    }
    #expect(!intact.contains(false))
  }
}
