// The memory behind tensors: aligned blocks that are handed back to a pool when the last tensor using one goes, and
// given out again. A training step asks for the same sizes each time, so after the first step it takes no memory
// from the system, and pages stay mapped.

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A block of `count` floats, aligned for the widest vectors, its contents undefined at first.
///
/// It is `@unchecked Sendable` because only `Tensor` reaches it, and a tensor writes to a block only when it is the
/// only one that refers to it.
final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let capacity: Int

  init(count: Int) {
    self.count = count
    capacity = StoragePool.capacity(for: count)
    base = StoragePool.take(capacity: capacity)
  }

  deinit { StoragePool.giveBack(base, capacity: capacity) }
}

/// Blocks that no tensor uses at the moment, by size.
public enum StoragePool {
  private struct Block: @unchecked Sendable {
    // Sendable: a free block belongs to whoever takes it out of the locked table.
    let base: UnsafeMutablePointer<Float>
  }

  private struct State {
    var free: [Int: [Block]] = [:]
    var bytesInUse = 0
    var bytesFree = 0
    var peakBytes = 0

    /// Takes out idle blocks, the largest first, until no more than a quarter of the peak is held beyond it. Sizes
    /// that are not asked for any more, such as those of another batch size, would else stay for ever.
    mutating func takeSurplus() -> [Block] {
      var surplus: [Block] = []
      let allowed = peakBytes + peakBytes / 4
      while bytesInUse + bytesFree > allowed, let largest = free.keys.max() {
        if let block = free[largest]?.popLast() {
          surplus.append(block)
          bytesFree -= largest * MemoryLayout<Float>.stride
        } else {
          free[largest] = nil
        }
      }
      return surplus
    }
  }

  private static let state = Mutex(State())
  private static let alignment = 64

  /// Bytes taken from the system: those in use and those waiting to be used again.
  public static var bytes: Int { state.withLock { $0.bytesInUse + $0.bytesFree } }

  /// The most bytes that were in use at one time.
  public static var peakBytes: Int { state.withLock { $0.peakBytes } }

  /// Returns unused blocks to the system, between runs.
  public static func trim() {
    state.withLock { state in
      for block in state.free.values.joined() { free(block.base) }
      state.free.removeAll()
      state.bytesFree = 0
    }
  }

  /// Sizes are rounded up to an eighth of their power of two, so that slightly different sizes share blocks.
  static func capacity(for count: Int) -> Int {
    let least = max(count, 16)
    let step = max(16, (1 << (Int.bitWidth - 1 - least.leadingZeroBitCount)) / 8)
    return (least + step - 1) / step * step
  }

  static func take(capacity: Int) -> UnsafeMutablePointer<Float> {
    let bytes = capacity * MemoryLayout<Float>.stride
    let (reused, surplus) = state.withLock { state in
      state.bytesInUse += bytes
      if let block = state.free[capacity]?.popLast() {
        state.bytesFree -= bytes
        state.peakBytes = max(state.peakBytes, state.bytesInUse)
        return (block as Block?, [Block]())
      }
      state.peakBytes = max(state.peakBytes, state.bytesInUse)
      return (nil, state.takeSurplus())
    }
    for block in surplus { free(block.base) }
    if let reused { return reused.base }
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, alignment, bytes) == 0, let raw else {
      fatalError("out of memory: \(bytes) bytes for a tensor; use a smaller batch or image size")
    }
    return raw.bindMemory(to: Float.self, capacity: capacity)
  }

  static func giveBack(_ base: UnsafeMutablePointer<Float>, capacity: Int) {
    let block = Block(base: base)
    let bytes = capacity * MemoryLayout<Float>.stride
    state.withLock { state in
      state.free[capacity, default: []].append(block)
      state.bytesInUse -= bytes
      state.bytesFree += bytes
    }
  }
}
