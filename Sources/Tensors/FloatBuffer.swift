// Numbers in one piece of memory, for what goes to another process: the parts of several tensors one behind the other.

import CKernels

/// A block of floats with an address, for those who send and receive. Its contents are undefined at first.
///
/// It is `@unchecked Sendable` because whoever has it decides who writes where: a transport, while it moves, and this
/// process before and after.
public final class FloatBuffer: @unchecked Sendable {
  private let storage: TensorStorage

  public init(count: Int) { storage = TensorStorage(count: count) }

  public var count: Int { storage.count }

  /// Valid for as long as the buffer is.
  public var memory: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: storage.base, count: storage.count)
  }

  /// Puts a part of a tensor's elements behind a place.
  public func put(_ part: Range<Int>, of tensor: Tensor, at place: Int) {
    precondition(part.lowerBound >= 0 && part.upperBound <= tensor.count && place + part.count <= count, "no room")
    tensor.read { (storage.base + place).update(from: $0 + part.lowerBound, count: part.count) }
  }

  /// Puts what is behind a place into a part of a tensor's elements.
  public func take(_ part: Range<Int>, of tensor: inout Tensor, from place: Int) {
    precondition(
      part.lowerBound >= 0 && part.upperBound <= tensor.count && place + part.count <= count, "no such part")
    tensor.write { ($0 + part.lowerBound).update(from: storage.base + place, count: part.count) }
  }
}

extension Ops {
  /// buffer[to + i] += buffer[from + i], for `count` numbers of parts that do not overlap.
  public func add(in buffer: FloatBuffer, from: Int, to: Int, count: Int) {
    precondition(
      max(from, to) + count <= buffer.count && abs(from - to) >= count, "parts that overlap, or lie outside")
    let base = buffer.memory.baseAddress
    pool.run(over: count, chunks: ThreadPool.chunks(of: count)) { part in
      guard let base else { return }
      ck_add(base + to + part.lowerBound, base + from + part.lowerBound, part.count)
    }
  }
}

extension Tensor {
  /// The elements as they lie in memory.
  public var bytes: [UInt8] { read { Array(UnsafeRawBufferPointer(start: $0, count: count * 4)) } }

  /// Takes elements of another tensor of this shape, as they lie in memory.
  /// - Returns: false where they are not as many.
  public mutating func take(bytes: [UInt8]) -> Bool {
    guard bytes.count == count * 4 else { return false }
    bytes.withUnsafeBytes { source in
      write { target in
        UnsafeMutableRawPointer(target).copyMemory(
          from: source.baseAddress ?? UnsafeRawPointer(target), byteCount: bytes.count)
      }
    }
    return true
  }
}
