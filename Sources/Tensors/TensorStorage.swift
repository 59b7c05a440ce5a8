// The memory behind tensors: aligned blocks that are handed back to a pool when the last tensor using one goes, and
// given out again. A training step asks for the same blocks each time, so after the first step it takes no memory
// from the system, and pages stay mapped.

import Resources
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A block of `count` floats, aligned for the widest vectors, its contents undefined at first.
///
/// It is `@unchecked Sendable` because only `Tensor` and `PooledArray` reach it; a tensor writes to a block only when
/// it is the only one that refers to it.
final class TensorStorage: @unchecked Sendable {
  let base: UnsafeMutablePointer<Float>
  let count: Int
  private let capacity: Int
  /// The block that this is a part of, which is never written to while the part is there.
  private let whole: TensorStorage?

  init(count: Int) {
    self.count = count
    capacity = StoragePool.capacity(for: count)
    base = StoragePool.take(capacity: capacity)
    whole = nil
  }

  /// A part of a block, to be read; it begins where it may, not at a multiple of 64 bytes.
  init(_ range: Range<Int>, of whole: TensorStorage) {
    precondition(range.lowerBound >= 0 && range.upperBound <= whole.count, "\(range) of a block of \(whole.count)")
    count = range.count
    capacity = 0
    base = whole.base + range.lowerBound
    self.whole = whole
  }

  var isPart: Bool { whole != nil }

  deinit { if whole == nil { StoragePool.giveBack(base, capacity: capacity) } }
}

/// Memory that no tensor uses at the moment.
///
/// Small blocks wait by size. Large ones are cut from ranges of pages and merged again, so that what a step needs at
/// one time is hardly more than what it has mapped, whatever the sizes are.
public enum StoragePool {
  /// It is `@unchecked Sendable` because a free block belongs to whoever takes it out of the locked table.
  private struct Block: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
  }

  private struct State {
    /// By `sizeClass`.
    var small = [[Block]](repeating: [], count: StoragePool.sizeClass(of: StoragePool.largeCapacity))
    var smallBytesFree = 0
    var large = FreeRanges()
    /// Where the lowest page lies, for the next ones to be mapped below.
    var bottom: UInt?
    var bytesInUse = 0
    var peakBytes = 0
  }

  private static let state = Mutex(State())
  private static let alignment = 64
  /// Blocks of so many floats are large: from here on a block is worth the search.
  static let largeCapacity = 1 << 14
  /// Pages are taken so many bytes at a time: a huge page, which spares the processor most of its address look-ups.
  private static let pageBytes = 2 << 20

  /// Bytes taken from the system: those in use and those waiting to be used again.
  public static var bytes: Int { state.withLock { $0.bytesInUse + $0.smallBytesFree + $0.large.length } }

  /// Calls `body` with memory for `count` plain values, aligned like a tensor's and undefined; the pointer is valid
  /// only inside. For what a pass or a chunk needs for itself: nothing is allocated once the pool has such a block.
  static func withScratch<Element: BitwiseCopyable, Result>(
    of element: Element.Type, _ count: Int, _ body: (UnsafeMutablePointer<Element>) throws -> Result
  ) rethrows -> Result {
    let capacity = capacity(for: floats(for: count, of: element))
    let base = take(capacity: capacity)
    defer { giveBack(base, capacity: capacity) }
    // The block was bound to floats, and is used as nothing but this element inside.
    return try body(UnsafeMutableRawPointer(base).bindMemory(to: element, capacity: count))
  }

  /// The same of floats.
  static func withScratch<Result>(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    try withScratch(of: Float.self, count, body)
  }

  /// Floats that have room for so many values.
  static func floats<Element>(for count: Int, of element: Element.Type) -> Int {
    precondition(MemoryLayout<Element>.alignment <= alignment, "the pool's blocks begin at multiples of 64 bytes")
    let float = MemoryLayout<Float>.stride
    return (count * MemoryLayout<Element>.stride + float - 1) / float
  }

  /// Those in use.
  public static var bytesInUse: Int { state.withLock { $0.bytesInUse } }

  /// The most bytes that were in use at one time.
  public static var peakBytes: Int { state.withLock { $0.peakBytes } }

  /// Returns unused memory to the system, between runs.
  public static func trim() {
    state.withLock { state in
      for index in state.small.indices {
        for block in state.small[index] { free(block.base) }
        state.small[index].removeAll()
      }
      state.smallBytesFree = 0
      for range in state.large.removeAll() {
        // Whole pages go; what is beside them waits on.
        let first = (range.start + UInt(pageBytes) - 1) / UInt(pageBytes) * UInt(pageBytes)
        let end = range.end / UInt(pageBytes) * UInt(pageBytes)
        guard first < end, munmap(UnsafeMutableRawPointer(bitPattern: first), Int(end - first)) == 0 else {
          state.large.add(range)
          continue
        }
        if first > range.start { state.large.add(.init(start: range.start, length: Int(first - range.start))) }
        if end < range.end { state.large.add(.init(start: end, length: Int(range.end - end))) }
      }
    }
  }

  /// Small sizes are rounded up to an eighth of their power of two, so that slightly different ones share blocks;
  /// large ones to whole cache lines.
  static func capacity(for count: Int) -> Int {
    let least = max(count, 16)
    let step = least < largeCapacity ? max(16, (1 << logarithm(of: least)) / 8) : 16
    return (least + step - 1) / step * step
  }

  /// The place of a small capacity in their order: eight for each power of two.
  static func sizeClass(of capacity: Int) -> Int {
    let power = logarithm(of: capacity)
    return 8 * power + ((capacity - (1 << power)) >> (power - 3))
  }

  /// Of two, rounded down.
  private static func logarithm(of count: Int) -> Int { Int.bitWidth - 1 - count.leadingZeroBitCount }

  static func take(capacity: Int) -> UnsafeMutablePointer<Float> {
    if let base = attempt(capacity: capacity) { return base }
    // What waits to be used again in pieces too small for this one may be what the system lacks.
    trim()
    if let base = attempt(capacity: capacity) { return base }
    let bytes = capacity * MemoryLayout<Float>.stride
    let message = "out of memory: the system has no \(bytes) bytes for a tensor; use a smaller batch or image size"
    onExhaustion.withLock { $0 }?(message)
    fatalError(message)
  }

  /// Called, from any thread, with what to tell when the system has no memory for a tensor, of which the network has no
  /// use for a part. It ends the process; where it returns, or there is none, a fatal error does.
  public static let onExhaustion = Mutex<(@Sendable (_ message: String) -> Void)?>(nil)

  /// - Returns: nil where the system has no more.
  private static func attempt(capacity: Int) -> UnsafeMutablePointer<Float>? {
    let bytes = capacity * MemoryLayout<Float>.stride
    let block = state.withLock { state -> Block? in
      if capacity < largeCapacity {
        let block = state.small[sizeClass(of: capacity)].popLast()
        if block != nil { state.smallBytesFree -= bytes }
        return block
      }
      return takeLarge(bytes, &state).map(Block.init)
    }
    var base = block?.base
    if base == nil, capacity < largeCapacity {
      var raw: UnsafeMutableRawPointer?
      if posix_memalign(&raw, alignment, bytes) == 0 { base = raw?.bindMemory(to: Float.self, capacity: capacity) }
    }
    guard let base else { return nil }
    state.withLock { state in
      state.bytesInUse += bytes
      state.peakBytes = max(state.peakBytes, state.bytesInUse)
    }
    return base
  }

  static func giveBack(_ base: UnsafeMutablePointer<Float>, capacity: Int) {
    let block = Block(base: base)
    let bytes = capacity * MemoryLayout<Float>.stride
    state.withLock { state in
      state.bytesInUse -= bytes
      if capacity < largeCapacity {
        state.small[sizeClass(of: capacity)].append(block)
        state.smallBytesFree += bytes
      } else {
        state.large.add(.init(start: UInt(bitPattern: block.base), length: bytes))
      }
    }
  }

  /// - Returns: nil where the system has no more.
  private static func takeLarge(_ bytes: Int, _ state: inout State) -> UnsafeMutablePointer<Float>? {
    if let start = state.large.take(bytes) { return floats(at: start, bytes) }
    // Only what is lacking beside the lowest range, if that is free; else, or if the place below is taken, all of it.
    let lowest = state.large.ranges.first.flatMap { $0.start == state.bottom ? $0.length : nil } ?? 0
    for length in [bytes - lowest, bytes] {
      guard let pages = mapPages(length, below: state.bottom ?? farBelow) else { return nil }
      state.bottom = min(pages.start, state.bottom ?? .max)
      state.large.add(pages)
      if let start = state.large.take(bytes) { return floats(at: start, bytes) }
    }
    return nil
  }

  private static func floats(at start: UInt, _ bytes: Int) -> UnsafeMutablePointer<Float>? {
    UnsafeMutableRawPointer(bitPattern: start)?
      .bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
  }

  /// An address with room below it that nobody else fills, found by mapping a page and letting it go: the system puts
  /// what it maps, threads' stacks and other memory, right below what it mapped before, and there the next pages of the
  /// pool would be refused their place.
  private static var farBelow: UInt? {
    guard let start = map(pageBytes, at: 0) else { return nil }
    munmap(UnsafeMutableRawPointer(bitPattern: start), pageBytes)
    let distance: UInt = 1 << 40
    return start > 2 * distance ? (start - distance) / UInt(pageBytes) * UInt(pageBytes) : nil
  }

  /// Maps at least `length` bytes, whole huge pages, right below an address if that place is free.
  private static func mapPages(_ length: Int, below address: UInt?) -> FreeRanges.Range? {
    let length = (length + pageBytes - 1) / pageBytes * pageBytes
    let wish = address.flatMap { $0 > UInt(length) ? $0 - UInt(length) : nil } ?? 0
    guard var start = map(length, at: wish) else { return nil }
    if start % UInt(pageBytes) != 0 {
      // Mapped anew with room to cut it to whole huge pages.
      munmap(UnsafeMutableRawPointer(bitPattern: start), length)
      guard let wider = map(length + pageBytes, at: 0) else { return nil }
      start = (wider + UInt(pageBytes) - 1) / UInt(pageBytes) * UInt(pageBytes)
      let before = Int(start - wider)
      if before > 0 { munmap(UnsafeMutableRawPointer(bitPattern: wider), before) }
      munmap(UnsafeMutableRawPointer(bitPattern: start + UInt(length)), pageBytes - before)
    }
    HugePages.advise(
      UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(bitPattern: start), count: length))
    return FreeRanges.Range(start: start, length: length)
  }

  private static func map(_ length: Int, at wish: UInt) -> UInt? {
    ResourceCalls.current.mapMemory(length, wish)
  }
}
