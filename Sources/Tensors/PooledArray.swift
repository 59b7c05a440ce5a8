// What layers keep that is no tensor: bits of a mask, places of maxima. Its memory is the tensors' pool's, so that a
// warm training step takes none from the system. No arithmetic here.

/// `count` plain values in recycled memory, undefined until written. A reference: copies share the values.
public struct PooledArray<Element: BitwiseCopyable & Sendable>: Sendable {
  public let count: Int
  private let storage: TensorStorage

  public init(uninitialized count: Int) {
    self.count = count
    storage = TensorStorage(count: StoragePool.floats(for: count, of: Element.self))
  }

  /// Calls `body` with the values; the pointer is valid only inside. Who writes must be the only one who uses them.
  func withValues<Result>(_ body: (UnsafeMutablePointer<Element>) throws -> Result) rethrows -> Result {
    // The block was bound to floats, and is used as nothing but this element while this array lives.
    try withExtendedLifetime(storage) {
      try body(UnsafeMutableRawPointer(storage.base).bindMemory(to: Element.self, capacity: count))
    }
  }
}
