// Scratch and caches that are no tensors: bits of a mask, places of maxima, sums in double precision. Their memory is
// the tensors' pool's, so that a warm training step takes none from the system. No arithmetic here.

/// `count` plain values in recycled memory, undefined until written. A reference: copies share the values.
public struct PooledArray<Element: BitwiseCopyable & Sendable>: Sendable {
  public let count: Int
  private let storage: TensorStorage

  public init(uninitialised count: Int) {
    precondition(MemoryLayout<Element>.alignment <= 64, "the pool's blocks begin at multiples of 64 bytes")
    self.count = count
    let floats =
      (count * MemoryLayout<Element>.stride + MemoryLayout<Float>.stride - 1) / MemoryLayout<Float>.stride
    storage = TensorStorage(count: floats)
  }

  /// All bits zero.
  public init(zeros count: Int) {
    self.init(uninitialised: count)
    // As bytes: of elements, where they are generic, each would be assigned by a call.
    UnsafeMutableRawPointer(storage.base)
      .initializeMemory(as: UInt8.self, repeating: 0, count: count * MemoryLayout<Element>.stride)
  }

  /// Calls `body` with the values; the pointer is valid only inside. Who writes must be the only one who uses them.
  public func withValues<Result>(_ body: (UnsafeMutablePointer<Element>) throws -> Result) rethrows -> Result {
    // The block was bound to floats, and is used as nothing but this element while this array lives.
    try withExtendedLifetime(storage) {
      try body(UnsafeMutableRawPointer(storage.base).bindMemory(to: Element.self, capacity: count))
    }
  }
}
