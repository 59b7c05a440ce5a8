// What this machine can do at best, measured in the same run as what is compared with it: another machine, another
// clock frequency or a busy neighbor then changes both.

import CMeasuring
import Tensors

/// The best of a few tries each, on one thread.
public struct Attainable: Codable, Sendable {
  /// Multiply-adds of registers, GFLOP/s.
  public private(set) var arithmetic = 0.0
  /// The BLAS library's product of two 1024 x 1024 matrices, GFLOP/s.
  public private(set) var matrixProduct = 0.0

  public init() { lookAgain() }

  /// Measures once more and keeps the best: worth doing now and then during a long run on a busy machine.
  public mutating func lookAgain() {
    let side = 1024
    let a = Aligned(count: side * side) { Float($0 % 7) }
    let b = Aligned(count: side * side) { Float($0 % 5) }
    let product = Aligned(count: side * side) { _ in 0 }
    for _ in 0..<4 {
      var operations = 0.0
      let seconds = Clock.cpu.time { operations = cm_multiply_adds(4_000_000) }
      arithmetic = max(arithmetic, operations / seconds * 1e-9)
      let productSeconds = Clock.cpu.time {
        GEMM.multiply(
          MatrixView(a.base, stride: side), MatrixView(b.base, stride: side), into: product.base, rows: side,
          columns: side, inner: side)
      }
      matrixProduct = max(matrixProduct, 2 * Double(side * side * side) / productSeconds * 1e-9)
    }
  }

  /// Copying `bytes` from one array to another, GB/s; each byte counts twice, once read and once written.
  public static func copy(bytes: Int) -> Double {
    let source = Aligned(count: max(1, bytes / MemoryLayout<Float>.stride)) { _ in 0 }
    let target = Aligned(count: source.count) { _ in 0 }
    var best = 0.0
    // Small arrays are copied several times over, so that the clock sees something.
    let turns = max(1, 16_000_000 / max(1, bytes))
    for _ in 0..<4 {
      let seconds = Clock.cpu.time {
        for _ in 0..<turns { target.base.update(from: source.base, count: source.count) }
      }
      best = max(best, 2 * Double(source.count * MemoryLayout<Float>.stride * turns) / seconds * 1e-9)
    }
    return best
  }
}

/// Numbers aligned like a tensor's.
private final class Aligned {
  let base: UnsafeMutablePointer<Float>
  let count: Int

  init(count: Int, _ value: (Int) -> Float) {
    self.count = count
    base = UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<Float>.stride, alignment: 64)
      .bindMemory(to: Float.self, capacity: count)
    for index in 0..<count { base[index] = value(index) }
  }

  deinit { UnsafeMutableRawPointer(base).deallocate() }
}
