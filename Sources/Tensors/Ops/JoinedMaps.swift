// The maps of a batch that was computed some images at a time.

/// Maps [n, ...] of some images each, put together in their order.
public struct JoinedMaps {
  private let images: Int
  private let ops: Ops
  private var filled = 0
  private var floats: Tensor?
  private var bytes: ByteMap?

  /// - Parameter images: of all of them.
  public init(images: Int, _ ops: Ops) {
    (self.images, self.ops) = (images, ops)
  }

  /// The map of all images, when the last of them was appended.
  public consuming func joined() -> QuantizedConvolution.Map {
    precondition(filled == images, "\(filled) of \(images) images")
    if let floats { return .floats(floats) }
    guard let bytes else { preconditionFailure("a batch of no images") }
    return .bytes(bytes)
  }

  /// - Parameter map: of the same shape but for the images, and of the same kind as those before.
  public mutating func append(_ map: QuantizedConvolution.Map) {
    switch map {
    case .floats(let part):
      let shape = whole(part.shape)
      if floats == nil { floats = Tensor(uninitialized: shape) }
      precondition(floats?.shape == shape, "a map \(part.shape) among \(floats?.shape ?? [])")
      let start = filled * (part.count / part.shape[0])
      let ops = ops
      part.read { from in floats?.write { ops.copy(from, part.count, to: $0 + start) } }
      filled += part.shape[0]
    case .bytes(let part):
      let shape = whole(part.shape)
      if bytes == nil { bytes = ByteMap(uninitialized: shape, part.format) }
      precondition(bytes?.shape == shape && bytes?.format == part.format, "a map of another shape or format")
      let start = filled * (part.count / part.shape[0])
      part.bytes.withValues { from in bytes?.bytes.withValues { ops.copy(from, part.count, to: $0 + start) } }
      filled += part.shape[0]
    }
  }

  private func whole(_ shape: [Int]) -> [Int] { [images] + shape.dropFirst() }
}

extension Ops {
  fileprivate func copy<Element: Sendable>(
    _ part: UnsafePointer<Element>, _ count: Int, to whole: UnsafeMutablePointer<Element>
  ) {
    pool.run(over: count, chunks: ThreadPool.chunks(of: count)) {
      (whole + $0.lowerBound).update(from: part + $0.lowerBound, count: $0.count)
    }
  }
}
