// The C loops over arrays, each against a naive Swift twin. Where a loop does one rounding an element the bits must
// agree; where it sums, or where the compiler may fuse a multiplication with an addition, the tolerance is the bound
// on the roundings (Higham 2002, section 3.1), computed beside the sum itself.

import Support
import CKernels
import Glibc
import Testing

@testable import Tensors

/// Half a unit in the last place of 1 in Float32: the relative error of one rounding.
let rounding = 0x1p-24

/// Whether `value` is the sum of the terms but for rounding.
func isSum(_ value: Double, of terms: [Double], roundingsATerm: Int = 0) -> Bool {
  let size = terms.reduce(0) { $0 + abs($1) }
  let bound = Double(terms.count + roundingsATerm) * rounding * size
  return abs(value - terms.reduce(0, +)) <= bound
}

@Suite struct VectorKernelTests {
  /// Empty, shorter than a vector, exactly some vectors, and with a remainder.
  static let counts = [0, 1, 3, 7, 8, 16, 17, 31, 64, 100, 259]
  /// Rows and channels.
  static let shapes = [(0, 4), (1, 1), (1, 17), (5, 1), (7, 3), (16, 16), (33, 31), (129, 64)]

  /// Random numbers with zeros of both signs among them.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { $0 % 11 == 5 ? 0 : $0 % 11 == 6 ? -0.0 : generator.uniform(in: -2...2) }
  }

  // MARK: Elementwise

  @Test(arguments: counts, [0, 1])
  func `add, scale and the two halves of ReLU are exact, wherever the array starts`(count: Int, start: Int) {
    let x = numbers(count, seed: 1)
    let y = numbers(count, seed: 2)
    func changed(_ change: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
      var whole = [Float](repeating: 99, count: start) + y + [99]
      whole.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { change(base + start) } }
      #expect(whole.last == 99, "nothing behind the end is touched")
      return Array(whole[start..<(start + count)])
    }
    #expect(changed { ck_add($0, x, count) } == zip(x, y).map(+))
    #expect(changed { ck_scale($0, -1.7, count) } == y.map { $0 * -1.7 })
    #expect(changed { ck_relu($0, count) } == y.map { max($0, 0) })
    #expect(changed { ck_relu_backward($0, x, count) } == zip(x, y).map { $0 > 0 ? $1 : 0 })
  }

  @Test(arguments: [1, 8, 33])
  func `a NaN passes through ReLU`(count: Int) {
    var values = [Float](repeating: -1, count: count)
    values[count - 1] = .nan
    ck_relu(&values, count)
    #expect(values.last?.isNaN == true)
    #expect(values.dropLast().allSatisfy { $0 == 0 })
  }

  @Test func `ReLU keeps plus infinity and drops minus infinity`() {
    var values: [Float] = [.infinity, -.infinity]
    ck_relu(&values, 2)
    #expect(values == [.infinity, 0])
  }

  @Test(arguments: counts)
  func `a sum of squares is in double precision`(count: Int) {
    // So different in size that a sum in Float32 would lose the small ones.
    let x = (0..<count).map { index -> Float in (index % 3 == 0 ? 4096 : 1) + Float(index) * 0x1p-10 }
    let naive: Double = x.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(ck_sum_of_squares(x, count) - naive) <= Double(count) * 0x1p-53 * naive)
  }

  // MARK: Biases

  @Test(arguments: shapes)
  func `column sums add to what is there, and a bias is added to each row`(rows: Int, channels: Int) {
    let x = numbers(rows * channels, seed: 16)
    let start = numbers(channels, seed: 17)
    var sums = start
    ck_column_sums(x, rows, channels, &sums)
    for c in 0..<channels {
      #expect(isSum(Double(sums[c]), of: [Double(start[c])] + (0..<rows).map { Double(x[$0 * channels + c]) }))
    }
    var biased = x
    ck_add_bias(&biased, rows, channels, start)
    #expect(biased == x.indices.map { x[$0] + start[$0 % channels] })
  }

  // MARK: Optimizer

  @Test(arguments: counts, [false, true])
  func `five steps of SGD with momentum and weight decay`(count: Int, nesterov: Bool) {
    let (rate, momentum, decay, scale) = (0.1, 0.9, 0.01, 0.5)
    var value = numbers(count, seed: 18)
    var velocity = [Float](repeating: 0, count: count)
    var naive = value.map(Double.init)
    var naiveVelocity = [Double](repeating: 0, count: count)
    for step in 0..<5 {
      let gradient = numbers(count, seed: 19 + UInt64(step))
      ck_sgd(
        &value, &velocity, gradient, count, Float(rate), Float(momentum), Float(decay), Float(scale),
        nesterov ? 1 : 0)
      for i in 0..<count {
        let g = Double(gradient[i]) * scale + decay * naive[i]
        naiveVelocity[i] = momentum * naiveVelocity[i] + g
        naive[i] -= rate * (nesterov ? g + momentum * naiveVelocity[i] : naiveVelocity[i])
      }
    }
    // Values and velocities stay below 8; each step rounds a handful of times. Measured: 7e-7.
    for i in 0..<count {
      #expect(abs(Double(value[i]) - naive[i]) <= 2e-6)
      #expect(abs(Double(velocity[i]) - naiveVelocity[i]) <= 2e-6)
    }
  }

  @Test(arguments: [1, 15, 16, 17, 1003])
  func `AdamW's steps are those of the formula in double precision`(count: Int) {
    var (value, mean, square) = (
      numbers(count, seed: 31), [Float](repeating: 0, count: count), [Float](repeating: 0, count: count)
    )
    var naive = value.map(Double.init)
    var (m, s) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for step in 1...4 {
      let gradient = numbers(count, seed: 40 + UInt64(step))
      let (first, second) = (1 - pow(0.9, Double(step)), 1 - pow(0.99, Double(step)))
      var numbers = ck_adamw_step(
        rate: Float(0.1 / first), mean_share: 0.1, square_kept: 0.99, square_share: 0.01,
        root_scale: Float(1 / second.squareRoot()), epsilon: 1e-3, value_kept: 0.95, gradient_scale: 0.5)
      ck_adamw(&value, &mean, &square, gradient, count, &numbers)
      for i in 0..<count {
        let g = 0.5 * Double(gradient[i])
        m[i] = 0.9 * m[i] + 0.1 * g
        s[i] = 0.99 * s[i] + 0.01 * g * g
        naive[i] = 0.95 * naive[i] - 0.1 * (m[i] / first) / ((s[i] / second).squareRoot() + 1e-3)
      }
    }
    for i in 0..<count {
      #expect(abs(Double(value[i]) - naive[i]) <= 2e-6)
      #expect(abs(Double(mean[i]) - m[i]) <= 1e-6 && abs(Double(square[i]) - s[i]) <= 1e-6)
    }
  }

  @Test(arguments: [1, 16, 1003])
  func `numbers approach others by a share of the way`(count: Int) {
    var y = numbers(count, seed: 51)
    let (before, x) = (y, numbers(count, seed: 52))
    ck_approach(&y, x, 0.25, count)
    for i in 0..<count {
      let wanted = Double(before[i]) + 0.25 * (Double(x[i]) - Double(before[i]))
      #expect(abs(Double(y[i]) - wanted) <= 1e-6)
    }
  }

  @Test func `one step of SGD by hand`() {
    // g = 2 * 0.5 + 0.5 * 4 = 3; v = 0.5 * 2 + 3 = 4.
    var (value, velocity): ([Float], [Float]) = ([4], [2])
    ck_sgd(&value, &velocity, [2], 1, 0.25, 0.5, 0.5, 0.5, 0)
    #expect(velocity == [4])
    #expect(value == [3])
    // Nesterov: 4 - 0.25 * (3 + 0.5 * 4).
    (value, velocity) = ([4], [2])
    ck_sgd(&value, &velocity, [2], 1, 0.25, 0.5, 0.5, 0.5, 1)
    #expect(velocity == [4])
    #expect(value == [2.75])
  }
}
