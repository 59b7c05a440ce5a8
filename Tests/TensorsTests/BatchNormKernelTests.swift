// Batch norm's loops in C, each against a naive twin in double precision: every kind of width (in groups of rows, in
// rows with a remainder, in panels), every combination of what is joined, whole and in parts, in place or not.

import Support
import CKernels
import Testing

@testable import Tensors

/// A matrix's shape.
struct MatrixShape: Sendable, CustomTestStringConvertible {
  var rows: Int
  var channels: Int

  var testDescription: String { "[\(rows), \(channels)]" }
  var count: Int { rows * channels }

  static let all: [MatrixShape] = [
    (0, 4), (1, 1), (1, 17), (5, 1), (7, 3), (16, 16), (33, 31), (129, 64), (150, 100), (9, 255), (40, 257),
    (37, 1024), (7, 1100), (33, 1040), (5, 2048), (4300, 5), (1025, 16),
  ].map { MatrixShape(rows: $0.0, channels: $0.1) }
}

@Suite struct BatchNormKernelTests {
  /// Random numbers with zeros of both signs among them.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { $0 % 11 == 5 ? 0 : $0 % 11 == 6 ? -0.0 : generator.uniform(in: -2...2) }
  }

  private func column(_ x: [Float], _ c: Int, _ shape: MatrixShape) -> [Double] {
    stride(from: c, to: x.count, by: shape.channels).map { Double(x[$0]) }
  }

  private func words(_ shape: MatrixShape) -> Int {
    let group = ck_batchnorm_group(shape.channels)
    return (shape.rows + group - 1) / group * ck_batchnorm_mask_words(shape.channels)
  }

  /// The bits of a mask in the order of the elements.
  private func positives(_ mask: [UInt16], _ shape: MatrixShape) -> [Bool] {
    let width = ck_batchnorm_group(shape.channels) * shape.channels
    return (0..<shape.count).map { i in
      let (group, lane) = (i / width, i % width)
      return mask[group * ck_batchnorm_mask_words(shape.channels) + lane / 16] >> UInt16(lane % 16) & 1 == 1
    }
  }

  @Test(arguments: 1...300)
  func `a group fills whole vectors, or is a row`(channels: Int) {
    let width = ck_batchnorm_group(channels) * channels
    #expect(width % 16 == 0 && width >= 64 && width <= 1024 || width == channels)
    #expect(ck_batchnorm_mask_words(channels) * 16 >= width)
  }

  @Test(arguments: MatrixShape.all)
  func `moments are mean and sum of squared deviations, at once and in portions`(shape: MatrixShape) {
    let x = numbers(shape.count, seed: 3).enumerated().map { $1 + Float($0 % shape.channels % 7) }
    for portion in [max(1, shape.rows), 1 + shape.rows / 3] {
      var mean = [Double](repeating: 0, count: shape.channels)
      var squares = mean
      for row in stride(from: 0, to: shape.rows, by: portion) {
        let rows = min(portion, shape.rows - row)
        let part = Array(x[(row * shape.channels)..<((row + rows) * shape.channels)])
        ck_batchnorm_moments(part, rows, shape.channels, row, &mean, &squares)
      }
      for c in 0..<shape.channels where shape.rows > 0 {
        let column = column(x, c, shape)
        let naive = column.reduce(0, +) / Double(shape.rows)
        let size = column.reduce(0) { $0 + abs($1) } / Double(shape.rows)
        #expect(abs(mean[c] - naive) <= Double(shape.rows + 2) * rounding * size)
        let naiveSquares = column.reduce(0) { $0 + ($1 - naive) * ($1 - naive) }
        // The mean's error enters squared, and where portions are merged times their distance from it.
        let meanError = Double(shape.rows + 2) * rounding * size
        #expect(
          abs(squares[c] - naiveSquares) <= Double(shape.rows + 4) * rounding * naiveSquares * 2
            + Double(shape.rows) * meanError * (meanError + 4 * rounding)
            + 2 * meanError * (Double(shape.rows) * naiveSquares).squareRoot())
      }
    }
  }

  @Test(arguments: MatrixShape.all)
  func `the forward map with and without addend, ReLU and mask`(shape: MatrixShape) {
    let (x, addend) = (numbers(shape.count, seed: 4), numbers(shape.count, seed: 5))
    let (scale, shift) = (numbers(shape.channels, seed: 6), numbers(shape.channels, seed: 7))
    for (adds, relu) in [(false, false), (false, true), (true, false), (true, true)] {
      var y = [Float](repeating: .nan, count: shape.count + 1)
      ck_batchnorm_apply(&y, x, adds ? addend : nil, shape.rows, shape.channels, scale, shift, relu ? 1 : 0, nil, 0)
      #expect(y.removeLast().isNaN, "nothing behind the end is touched")
      let isRight = x.indices.allSatisfy { i in
        let c = i % shape.channels
        let (product, added) = (Double(x[i]) * Double(scale[c]), adds ? Double(addend[i]) : 0)
        let sum = product + Double(shift[c]) + added
        let bound = 3 * rounding * (abs(product) + abs(Double(shift[c])) + abs(added))
        return abs(Double(y[i]) - (relu ? max(0, sum) : sum)) <= bound
      }
      #expect(isRight)
      // The same bits in place, past the caches, and with a mask.
      var inPlace = x
      inPlace.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return }
        ck_batchnorm_apply(
          base, base, adds ? addend : nil, shape.rows, shape.channels, scale, shift, relu ? 1 : 0, nil, 0)
      }
      #expect(inPlace == y)
      var streamed = Tensor(uninitialized: [shape.count])
      streamed.write {
        ck_batchnorm_apply(
          $0, x, adds ? addend : nil, shape.rows, shape.channels, scale, shift, relu ? 1 : 0, nil, 1)
      }
      #expect(streamed.values == y)
      guard adds && relu else { continue }
      var mask = [UInt16](repeating: 0xAAAA, count: words(shape))
      var onAddend = addend
      onAddend.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return }
        ck_batchnorm_apply(base, x, base, shape.rows, shape.channels, scale, shift, 1, &mask, 0)
      }
      #expect(onAddend == y)
      #expect(positives(mask, shape) == y.map { $0 > 0 })
    }
  }

  /// Whether forward and backward pass agree to the bit where the ReLU lets through: the map of a channel has its zero
  /// where many inputs are, so that a rounding more or less would show.
  @Test(arguments: MatrixShape.all)
  func `the backward pass decides by the bits of the forward pass`(shape: MatrixShape) {
    var generator = RandomGenerator(seed: 8)
    let scale = (0..<shape.channels).map { _ in generator.uniform(in: 0.1...3) }
    let zero = (0..<shape.channels).map { _ in generator.uniform(in: -3...3) }
    let shift = zip(scale, zero).map { -$0 * $1 }
    // The zero itself and its neighbors, some units in the last place away.
    let x = (0..<shape.count).map { i in
      let c = i % shape.channels
      return zero[c] + zero[c].ulp * Float(i / shape.channels % 5 - 2)
    }
    var y = [Float](repeating: .nan, count: shape.count)
    ck_batchnorm_apply(&y, x, nil, shape.rows, shape.channels, scale, shift, 1, nil, 0)
    let ones = [Float](repeating: 1, count: shape.count)
    let (one, none) = ([Float](repeating: 1, count: shape.channels), [Float](repeating: 0, count: shape.channels))
    var dx = [Float](repeating: .nan, count: shape.count)
    ck_batchnorm_backward_apply(&dx, ones, x, nil, shape.rows, shape.channels, none, one, none, none, scale, shift)
    #expect(dx == y.map { $0 > 0 ? 1 : 0 })
    var dy = ones
    var sums = [Double](repeating: 0, count: shape.channels)
    var products = sums
    ck_batchnorm_backward_sums(&dy, x, shape.rows, shape.channels, none, scale, shift, nil, &sums, &products)
    for c in 0..<shape.channels { #expect(sums[c] == column(y, c, shape).reduce(0) { $0 + ($1 > 0 ? 1 : 0) }) }
    #expect(dy == ones, "without a mask the gradient is only read")
  }

  @Test(arguments: MatrixShape.all)
  func `the sums of the backward pass add to what is there, however the ReLU is decided`(shape: MatrixShape) {
    let (dy, x) = (numbers(shape.count, seed: 9), numbers(shape.count, seed: 10))
    let mean = numbers(shape.channels, seed: 11)
    let (scale, shift) = (numbers(shape.channels, seed: 12), numbers(shape.channels, seed: 13))
    let addend = numbers(shape.count, seed: 14)
    var (y, sum) = (x, x)
    var mask = [UInt16](repeating: 0, count: words(shape))
    ck_batchnorm_apply(&y, x, nil, shape.rows, shape.channels, scale, shift, 1, nil, 0)
    ck_batchnorm_apply(&sum, x, addend, shape.rows, shape.channels, scale, shift, 1, &mask, 0)
    let start = (0..<shape.channels).map { Double($0) / 8 }

    for kind in ["plain", "recomputed", "masked"] {
      var (sums, products, gradient) = (start, start, dy)
      let recomputes = kind == "recomputed"
      ck_batchnorm_backward_sums(
        &gradient, x, shape.rows, shape.channels, mean, recomputes ? scale : nil, recomputes ? shift : nil,
        kind == "masked" ? mask : nil, &sums, &products)
      let held = dy.indices.map { i in
        switch kind {
        case "recomputed": y[i] > 0 ? dy[i] : 0
        case "masked": sum[i] > 0 ? dy[i] : 0
        default: dy[i]
        }
      }
      #expect(gradient == (kind == "masked" ? held : dy))
      for c in 0..<shape.channels {
        let terms = column(held, c, shape)
        let inputs = column(x, c, shape)
        #expect(isSum(sums[c], of: [start[c]] + terms))
        let naive = terms.indices.map { terms[$0] * (inputs[$0] - Double(mean[c])) }
        #expect(isSum(products[c], of: [start[c]] + naive, roundingsATerm: 2))
      }
    }
  }

  @Test(arguments: MatrixShape.all)
  func `the gradient is a * g + b * (x - mean) + d and what is added, in any array's place`(shape: MatrixShape) {
    let (dy, x) = (numbers(shape.count, seed: 15), numbers(shape.count, seed: 16))
    let addend = numbers(shape.count, seed: 17)
    let (a, b, d) = (
      numbers(shape.channels, seed: 18), numbers(shape.channels, seed: 19), numbers(shape.channels, seed: 20)
    )
    let mean = numbers(shape.channels, seed: 23)
    let (scale, shift) = (numbers(shape.channels, seed: 21), numbers(shape.channels, seed: 22))
    var y = x
    ck_batchnorm_apply(&y, x, nil, shape.rows, shape.channels, scale, shift, 1, nil, 0)

    for (adds, decides) in [(false, false), (true, false), (false, true), (true, true)] {
      var dx = [Float](repeating: .nan, count: shape.count)
      ck_batchnorm_backward_apply(
        &dx, dy, x, adds ? addend : nil, shape.rows, shape.channels, mean, a, b, d, decides ? scale : nil,
        decides ? shift : nil)
      let isRight = dy.indices.allSatisfy { i in
        let c = i % shape.channels
        let g = decides && y[i] <= 0 ? 0 : Double(dy[i])
        return isSum(
          Double(dx[i]),
          of: [Double(a[c]) * g, Double(b[c]) * Double(x[i]), -Double(b[c]) * Double(mean[c]), Double(d[c])]
            + (adds ? [Double(addend[i])] : []),
          roundingsATerm: 1)
      }
      #expect(isRight)
      func inPlace(of array: [Float], _ run: (UnsafeMutablePointer<Float>) -> Void) -> [Float] {
        var array = array
        array.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { run(base) } }
        return array
      }
      let added = adds ? addend : nil
      let (s, t) = (decides ? scale : nil, decides ? shift : nil)
      let (rows, channels) = (shape.rows, shape.channels)
      #expect(
        inPlace(of: dy) { ck_batchnorm_backward_apply($0, $0, x, added, rows, channels, mean, a, b, d, s, t) } == dx
      )
      #expect(
        inPlace(of: x) { ck_batchnorm_backward_apply($0, dy, $0, added, rows, channels, mean, a, b, d, s, t) } == dx
      )
    }
  }

  @Test func `a NaN passes the ReLU in its own element and counts as not positive`() {
    var x: [Float] = [-1, .nan, 2, 3]
    var mask: [UInt16] = [0, 0, 0, 0]
    ck_batchnorm_apply(&x, x, [0, 0, -9, 0], 4, 1, [1], [0], 1, &mask, 0)
    #expect(x[0] == 0 && x[1].isNaN && x[2] == 0 && x[3] == 3)
    #expect(mask[0] & 0b1111 == 0b1000)
  }
}
