// A dense array of Float32 with a shape. A value: assigning copies on the first write. It knows memory and shape;
// what the numbers mean is the layers' business.

/// An n-dimensional array of 32-bit floats in row-major order.
///
/// Activations are [batch, height, width, channels].
///
///     var x = Tensor([2, 3], [1, 2, 3, 4, 5, 6])
///     let saved = x          // no copy yet
///     x[0] = 10              // now there are two
///     let rows = x.reshaped([3, 2]).values
public struct Tensor: Sendable {
  public private(set) var shape: [Int]
  private var storage: TensorStorage

  /// A tensor whose contents are undefined until written.
  public init(uninitialized shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "a shape has no negative extent")
    self.shape = shape
    storage = TensorStorage(count: shape.reduce(1, *))
  }

  public init(zeros shape: [Int]) {
    self.init(uninitialized: shape)
    storage.base.initialize(repeating: 0, count: storage.count)
  }

  public init(_ shape: [Int], _ values: [Float]) {
    precondition(shape.reduce(1, *) == values.count, "the shape \(shape) does not hold \(values.count) values")
    self.init(uninitialized: shape)
    values.withUnsafeBufferPointer { values in
      guard let source = values.baseAddress else { return }
      storage.base.initialize(from: source, count: values.count)
    }
  }

  /// A matrix of columns, values [O, C, P] as [P, C, O]: files have weights the one way, products the other.
  /// - Parameters:
  ///   - shape: of the tensor, P by C by O elements.
  ///   - pool: whose threads share the work, which is for the most part the system's, clearing pages; nil for the
  ///     caller's alone.
  public init(
    _ shape: [Int], reversing values: [Float], outputs: Int, channels: Int, places: Int, _ pool: ThreadPool? = nil
  ) {
    precondition(
      shape.reduce(1, *) == values.count && values.count == outputs * channels * places,
      "\(values.count) values of \(outputs) x \(channels) x \(places) as \(shape)")
    self.init(uninitialized: shape)
    write { target in
      values.withUnsafeBufferPointer { source in
        func reverse(_ rows: Range<Int>) {
          // A cache line of outputs at a time, whose rows of the source stay near until all places are done.
          for first in stride(from: 0, to: outputs, by: 16) {
            let end = min(first + 16, outputs)
            for row in rows {
              let outer = row % channels * places + row / channels
              let inner = row * outputs
              for output in first..<end { target[inner + output] = source[output * channels * places + outer] }
            }
          }
        }
        guard let pool else { return reverse(0..<places * channels) }
        pool.run(over: places * channels, chunks: ThreadPool.chunks(of: values.count), reverse)
      }
    }
  }

  /// Each element from a function of its index.
  public init(_ shape: [Int], _ value: (Int) -> Float) {
    self.init(uninitialized: shape)
    for index in 0..<storage.count { storage.base[index] = value(index) }
  }

  public var count: Int { storage.count }

  /// A copy of the elements.
  public var values: [Float] { Array(UnsafeBufferPointer(start: storage.base, count: storage.count)) }

  /// The same elements under another shape of the same count.
  public consuming func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "\(self.shape) cannot become \(shape)")
    self.shape = shape
    return self
  }

  /// Some of the first dimension, images of a batch, in the memory of all: nothing is copied until one of both changes.
  public func images(_ range: Range<Int>) -> Tensor {
    precondition(
      !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0], "images \(range) of \(shape)")
    let each = shape.dropFirst().reduce(1, *)
    return Tensor(
      [range.count] + shape.dropFirst(),
      TensorStorage((range.lowerBound * each)..<(range.upperBound * each), of: storage))
  }

  private init(_ shape: [Int], _ storage: TensorStorage) {
    self.shape = shape
    self.storage = storage
  }

  public subscript(index: Int) -> Float {
    get {
      precondition((0..<count).contains(index), "index \(index) of a tensor of \(count)")
      return storage.base[index]
    }
    set {
      precondition((0..<count).contains(index), "index \(index) of a tensor of \(count)")
      makeUnique()
      storage.base[index] = newValue
    }
  }

  /// Calls `body` with the elements; the pointer is valid only inside.
  func read<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(UnsafePointer(storage.base)) }
  }

  /// Calls `body` with the elements to change; the pointer is valid only inside.
  mutating func write<Result>(_ body: (UnsafeMutablePointer<Float>) throws -> Result) rethrows -> Result {
    makeUnique()
    return try withExtendedLifetime(storage) { try body(storage.base) }
  }

  /// Calls `body` with the elements of two tensors.
  static func read<Result>(
    _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) throws -> Result
  ) rethrows -> Result {
    try a.read { a in try b.read { b in try body(a, b) } }
  }

  /// Whether a write would change the elements where they are, rather than in a copy.
  mutating func isUnique() -> Bool { !storage.isPart && isKnownUniquelyReferenced(&storage) }

  private mutating func makeUnique() {
    guard !isUnique() else { return }
    let copy = TensorStorage(count: storage.count)
    copy.base.initialize(from: storage.base, count: storage.count)
    storage = copy
  }
}

extension Tensor: Equatable {
  /// Same shape and bit-equal elements, except that zeros of both signs are equal and a NaN equals nothing.
  public static func == (left: Tensor, right: Tensor) -> Bool {
    left.shape == right.shape && (0..<left.count).allSatisfy { left.storage.base[$0] == right.storage.base[$0] }
  }
}
