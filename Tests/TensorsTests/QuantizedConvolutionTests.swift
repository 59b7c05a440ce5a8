// Convolutions in bytes beside their naive twin: the same integers and, as what follows is defined to the bit, the same
// results, for every way in which windows lie.

import CKernels
import Support
import Testing

@testable import Tensors

@Suite struct QuantizedConvolutionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var input: [Int]
    var outputs: Int
    var kernel = 3
    var stride = 1
    /// The input's zero.
    var zero = 0
    /// Of the norm: with a large one, values are beyond all integers.
    var gain: Float = 1
    var testDescription: String { "\(input) to \(outputs), \(kernel)/\(stride), zero \(zero), gain \(gain)" }
  }

  /// Channels that are no fours, outputs of parts of a panel; pixels as rows and as lines; padding of zeros and of others;
  /// many steps; values that no integer holds.
  static let cases =
    [
      Case(input: [2, 9, 7, 24], outputs: 40, kernel: 1), Case(input: [1, 5, 5, 7], outputs: 3, kernel: 1),
      Case(input: [2, 9, 8, 17], outputs: 33, kernel: 1, stride: 2), Case(input: [2, 9, 8, 16], outputs: 70),
      Case(input: [1, 30, 31, 3], outputs: 16, kernel: 7, stride: 2, zero: 128),
      Case(input: [3, 15, 14, 6], outputs: 48, stride: 2), Case(input: [2, 6, 5, 64], outputs: 65, zero: 128),
      Case(input: [1, 2, 2, 1100], outputs: 5), Case(input: [1, 40, 60, 4], outputs: 9),
      Case(input: [2, 9, 7, 24], outputs: 40, kernel: 1, gain: 1e12),
    ]
    // Tiles of any number of rows, which become bytes two by two.
    + (1...14).map { Case(input: [1, 3, $0, 8], outputs: 40) }

  private func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { index in
      // The ends too, where 16 bits would overflow.
      index % 5 == 0 ? 255 : UInt8(generator.integer(below: 256))
    }
  }

  private func map(_ shape: [Int], _ format: ByteFormat, seed: UInt64) -> ByteMap {
    let map = ByteMap(uninitialized: shape, format)
    map.bytes.withValues { target in
      for (index, byte) in bytes(map.count, seed: seed).enumerated() { target[index] = byte }
    }
    return map
  }

  @Test(arguments: cases)
  func `a quantized convolution is its naive twin to the bit`(_ c: Case) {
    var generator = RandomGenerator(seed: 5)
    let shape = [c.kernel, c.kernel, c.input[3], c.outputs]
    let weights = QuantizedWeights(
      shape: shape,
      values: (0..<shape.reduce(1, *)).map { $0 % 7 == 0 ? 127 : Int8(generator.integer(below: 255) - 127) },
      scales: (0..<c.outputs).map { _ in generator.uniform(in: 0.5...1) / 1000 })
    var norm = FoldedBatchNorm(channels: c.outputs)
    norm.set(
      mean: (0..<c.outputs).map { Double($0 % 5) / 10 }, variance: (0..<c.outputs).map { Double($0 % 7) + 0.5 },
      epsilon: 1e-5, weight: Tensor([c.outputs]) { c.gain * (Float($0 % 3) - 0.7) },
      bias: Tensor([c.outputs]) { Float($0 % 4) })
    let input = ByteFormat(magnitude: 2, isSigned: c.zero == 128)
    let x = map(c.input, input, seed: 9)
    let convolution = QuantizedConvolution(
      weights, norm: norm, stride: c.stride, padding: Extent(c.kernel / 2), input: input)
    let sums = sums(x, weights, c)
    let outputShape = [
      c.input[0], (c.input[1] + 2 * (c.kernel / 2) - c.kernel) / c.stride + 1,
      (c.input[2] + 2 * (c.kernel / 2) - c.kernel) / c.stride + 1, c.outputs,
    ]
    let byteAddend = map(outputShape, ByteFormat(magnitude: 90, isSigned: true), seed: 11)
    let floatAddend = Tensor(outputShape) { Float($0 % 17) * 3.3 - 20 }
    let addends: [QuantizedConvolution.Map?] = [nil, .bytes(byteAddend), .floats(floatAddend)]
    for (index, addend) in addends.enumerated() {
      for activation in [Activation.none, .relu] {
        for format in [nil, ByteFormat(magnitude: 60, isSigned: false), ByteFormat(magnitude: 60, isSigned: true)] {
          let expected = finished(sums, weights, norm, input, addend, activation, format)
          for threads in [1, 3] {
            let ops = Ops(ThreadPool(threads: threads))
            let what = "addend \(index), \(activation), \(String(describing: format)), \(threads) threads"
            switch convolution(x, adding: addend, activation, to: format, ops) {
            case .bytes(let map):
              #expect(map.shape == outputShape && map.format == format)
              let isSame = map.values == expected.map { UInt8($0) }
              #expect(isSame, "\(what)")
              #expect(
                Set(map.values).count > (c.gain > 1 ? 1 : 3) || map.count < 30,
                "the results are of some variety: \(what)")
            case .floats(let tensor):
              #expect(format == nil && tensor.shape == outputShape)
              let isSame = tensor.values.map(\.bitPattern) == expected.map(\.bitPattern)
              #expect(isSame, "\(what)")
            }
          }
        }
      }
    }
  }

  /// By the definition; in the padding stands the input's zero.
  private func sums(_ x: ByteMap, _ w: QuantizedWeights, _ c: Case) -> [Int32] {
    let (values, padding) = (x.values, c.kernel / 2)
    let (height, width) = (c.input[1], c.input[2])
    var sums: [Int32] = []
    for n in 0..<c.input[0] {
      for y in 0..<((height + 2 * padding - c.kernel) / c.stride + 1) {
        for x in 0..<((width + 2 * padding - c.kernel) / c.stride + 1) {
          for o in 0..<c.outputs {
            var sum: Int32 = 0
            for ky in 0..<c.kernel {
              for kx in 0..<c.kernel {
                let (row, column) = (y * c.stride + ky - padding, x * c.stride + kx - padding)
                let isInside = (0..<height).contains(row) && (0..<width).contains(column)
                for channel in 0..<c.input[3] {
                  let value =
                    isInside
                    ? Int32(values[((n * height + row) * width + column) * c.input[3] + channel]) : Int32(c.zero)
                  sum += value * Int32(w.values[((ky * c.kernel + kx) * c.input[3] + channel) * c.outputs + o])
                }
              }
            }
            sums.append(sum)
          }
        }
      }
    }
    return sums
  }

  /// What follows, operation by operation.
  private func finished(
    _ sums: [Int32], _ w: QuantizedWeights, _ norm: FoldedBatchNorm, _ input: ByteFormat,
    _ addend: QuantizedConvolution.Map?, _ activation: Activation, _ format: ByteFormat?
  ) -> [Float] {
    let outputs = w.scales.count
    let step = Double(format?.scale ?? 1)
    var totals = [Int](repeating: 0, count: outputs)
    for (index, value) in w.values.enumerated() { totals[index % outputs] += Int(value) }
    var (added, addedScale, addedZero): ([Float]?, Double, Double) = (nil, 0, 0)
    switch addend {
    case .bytes(let map)?:
      (added, addedScale, addedZero) = (
        map.values.map(Float.init), Double(map.format.scale), Double(map.format.zero)
      )
    case .floats(let tensor)?: (added, addedScale) = (tensor.values, 1)
    case nil: break
    }
    return sums.enumerated().map { index, sum in
      let o = index % outputs
      let factor = Double(input.scale) * Double(w.scales[o]) * Double(norm.foldedWeight[o])
      let shift = Double(norm.foldedBias[o]) - factor * Double(input.zero * totals[o]) - addedScale * addedZero
      var value = Float(sum) * Float(factor / step)
      value = value + Float(shift / step)
      if let added {
        let product = added[index] * Float(addedScale / step)
        value = value + product
      }
      if activation == .relu, value < 0 { value = 0 }
      guard let format else { return value }
      let zero = Float(format.zero)
      return min(max(value, -zero), 255 - zero).rounded(.toNearestOrEven) + zero
    }
  }

  @Test func `weights are rounded to the nearest step of their output, and come back`() {
    let weight = Tensor([1, 1, 2, 3], [0.5, -1, 0, 0.25, 3, 0])
    let quantized = QuantizedWeights(weight)
    #expect(quantized.scales == [0.5 / 127, 3.0 / 127, 1])
    #expect(quantized.values == [127, -42, 0, 64, 127, 0])
    #expect(QuantizedWeights(quantized.floats, scales: quantized.scales) == quantized)
  }

  @Test func `maps are rounded to the nearest byte, cut at the ends, and zero stays zero`() {
    let ops = Ops(ThreadPool(threads: 2))
    let x = Tensor([1, 1, 7, 3]) { ($0 == 20 ? 1e9 : Float($0) - 5) / 4 }
    let unsigned = ops.rounded(x, to: ByteFormat(magnitude: 255 / 8, isSigned: false))
    #expect(unsigned.values[..<20] == [0, 0, 0, 0, 0, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28])
    #expect(unsigned.values[20] == 255)
    let signed = ops.rounded(x, to: ByteFormat(magnitude: 127, isSigned: true))
    // Steps of 1: a half goes to the even one.
    #expect(signed.values[..<8] == [127, 127, 127, 128, 128, 128, 128, 128])
    #expect(ops.floats(signed).values[5] == 0 && ops.floats(unsigned).values[6] == 0.25)
  }

  @Test func `the maximum of bytes is that of what they stand for`() {
    let ops = Ops(ThreadPool(threads: 2))
    let format = ByteFormat(magnitude: 3, isSigned: true)
    for channels in [35, 64, 150] {
      let x = map([2, 9, 8, channels], format, seed: 3)
      for window in [
        MaxPoolWindow(kernel: 3, stride: 2, padding: 1), MaxPoolWindow(kernel: 2, stride: 2, padding: 0),
      ] {
        let expected = ops.maxPool(ops.floats(x), window).y
        #expect(ops.floats(ops.maxima(x, window)).values == expected.values)
        #expect(ops.maxima(ops.floats(x), window).values == expected.values)
      }
    }
  }
}
