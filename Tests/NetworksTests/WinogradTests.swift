// Winograd's convolution against the naive loops in double precision: every tile size, maps that tiles do and do not
// fit, odd channel counts, both cuts of the work, and how far rounding takes it from the exact result.

import Foundation
import Testing

@testable import NaiveNetworks
@testable import Networks
@testable import Tensors

/// A shape with a tile size.
struct WinogradCase: CustomTestStringConvertible, Sendable {
  var geometry: Winograd.Geometry
  var tile: Winograd.Tile
  var precision: OperandPrecision

  init(
    _ tile: Winograd.Tile, _ images: Int, _ height: Int, _ width: Int, _ channels: Int, _ outputs: Int,
    _ precision: OperandPrecision = .float32
  ) {
    (self.tile, self.precision) = (tile, precision)
    geometry = Winograd.Geometry(
      images: images, height: height, width: width, channels: channels, outputs: outputs)
  }

  init(_ c: WinogradCase, _ precision: OperandPrecision) {
    self = c
    self.precision = precision
  }

  var winograd: Winograd { Winograd(geometry, tile, precision) }
  var inputShape: [Int] { [geometry.images, geometry.height, geometry.width, geometry.channels] }
  var outputShape: [Int] {
    let map = geometry.map(stride: tile.stride)
    return [geometry.images, map.height, map.width, geometry.outputs]
  }
  var weightShape: [Int] { [3, 3, geometry.channels, geometry.outputs] }

  var testDescription: String {
    "\(tile) in \(precision), \(geometry.images) images of \(geometry.height)x\(geometry.width), "
      + "\(geometry.channels) to \(geometry.outputs) channels"
  }

  /// Numbers in -1 ..< 1 by default.
  func input(_ formula: (Double) -> Double = { 2 * $0 - 1 }) -> Tensor {
    ReferenceNumbers.tensor("winograd input", inputShape, formula)
  }
  func weight(_ formula: (Double) -> Double = { 2 * $0 - 1 }) -> Tensor {
    ReferenceNumbers.tensor("winograd weight", weightShape, formula)
  }
  func outputGradient(_ formula: (Double) -> Double = { 2 * $0 - 1 }) -> Tensor {
    ReferenceNumbers.tensor("winograd output gradient", outputShape, formula)
  }

  /// What `tensor` is before a pass sets all of it.
  private func unset(_ shape: [Int]) -> Tensor { Tensor(shape) { _ in .nan } }

  func output(_ x: Tensor, _ w: Tensor, threads: Int = 2) -> Tensor {
    var y = unset(outputShape)
    Tensor.read(x, w) { x, w in y.write { winograd.convolve(x, w, into: $0, ThreadPool(threads: threads)) } }
    return y
  }

  func inputGradient(_ dy: Tensor, _ w: Tensor, threads: Int = 2) -> Tensor {
    var dx = unset(inputShape)
    Tensor.read(dy, w) { dy, w in
      dx.write { winograd.inputGradient(dy, w, into: $0, ThreadPool(threads: threads)) }
    }
    return dx
  }

  func weightGradient(_ x: Tensor, _ dy: Tensor, threads: Int = 2) -> Tensor {
    var dw = unset(weightShape)
    Tensor.read(x, dy) { x, dy in
      winograd.weightGradient(x, dy, into: &dw, ThreadPool(threads: threads))
    }
    return dw
  }
}

/// The three results of a 3x3 convolution by its formula, in double precision.
struct DirectConvolution64 {
  /// [N, H, W, C] and [N, H', W', O].
  let inputShape: [Int]
  let outputShape: [Int]
  let stride: Int

  init(_ c: WinogradCase) {
    (inputShape, outputShape, stride) = (c.inputShape, c.outputShape, c.tile.stride)
  }

  private var channels: Int { inputShape[3] }
  private var outputs: Int { outputShape[3] }

  /// Calls `body` with every pair of pixels that a tap joins: tap, input pixel, output pixel, as indices.
  private func forEachPair(_ body: (_ tap: Int, _ input: Int, _ output: Int) -> Void) {
    let (height, width) = (inputShape[1], inputShape[2])
    for image in 0..<inputShape[0] {
      for row in 0..<outputShape[1] {
        for column in 0..<outputShape[2] {
          for tap in 0..<9 {
            let (y, x) = (row * stride + tap / 3 - 1, column * stride + tap % 3 - 1)
            guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
            body(
              tap, (image * height + y) * width + x,
              (image * outputShape[1] + row) * outputShape[2] + column)
          }
        }
      }
    }
  }

  func output(_ x: Tensor, _ w: Tensor) -> NaiveTensor {
    let (x, w) = (x.values.map(Double.init), w.values.map(Double.init))
    var y = NaiveTensor(zeros: outputShape)
    forEachPair { tap, input, output in
      for c in 0..<channels {
        let value = x[input * channels + c]
        for o in 0..<outputs { y.values[output * outputs + o] += value * w[(tap * channels + c) * outputs + o] }
      }
    }
    return y
  }

  func inputGradient(_ dy: Tensor, _ w: Tensor) -> NaiveTensor {
    let (dy, w) = (dy.values.map(Double.init), w.values.map(Double.init))
    var dx = NaiveTensor(zeros: inputShape)
    forEachPair { tap, input, output in
      for c in 0..<channels {
        var sum = 0.0
        for o in 0..<outputs { sum += dy[output * outputs + o] * w[(tap * channels + c) * outputs + o] }
        dx.values[input * channels + c] += sum
      }
    }
    return dx
  }

  func weightGradient(_ x: Tensor, _ dy: Tensor) -> NaiveTensor {
    let (x, dy) = (x.values.map(Double.init), dy.values.map(Double.init))
    var dw = NaiveTensor(zeros: [3, 3, channels, outputs])
    forEachPair { tap, input, output in
      for c in 0..<channels {
        let value = x[input * channels + c]
        for o in 0..<outputs {
          dw.values[(tap * channels + c) * outputs + o] += value * dy[output * outputs + o]
        }
      }
    }
    return dw
  }
}

@Suite struct WinogradTests {
  static let cases: [WinogradCase] = {
    var cases: [WinogradCase] = []
    for tile in Winograd.Tile.allCases {
      // Every remainder of a map by a tile, in both directions, and maps smaller than a tile.
      for side in 1...8 { cases.append(WinogradCase(tile, 2, side, 9 - side, 5, 3)) }
      for side in [2, 4, 7, 8, 14, 16] { cases.append(WinogradCase(tile, 2, side, side, 16, 16)) }
      // Channels: fewer than the lanes of a vector, a few more, and none left over.
      for (channels, outputs) in [(1, 1), (3, 17), (16, 33), (33, 16), (20, 12), (48, 40)] {
        cases.append(WinogradCase(tile, 3, 6, 5, channels, outputs))
      }
      // Several blocks, and then several blocks a chunk and chunks of unequal length, of either gradient too.
      cases.append(WinogradCase(tile, 7, 28, 29, 6, 5))
      cases.append(WinogradCase(tile, tile == .f2 ? 3 : tile == .f4 ? 5 : 10, 61, 62, 16, 18))
      cases.append(WinogradCase(tile, 5, 7, 7, 64, 64))
      // Cut by outputs, the last group narrower, and by points: one batch of tiles, then more than one.
      cases.append(WinogradCase(tile, 2, 3, 2, 437, 453))
      cases.append(WinogradCase(tile, 1, 1, tile == .f2 ? 180 : 250, tile == .f2 ? 6000 : 3000, 35))
    }
    return cases + cases.compactMap(inBFloat16)
  }()

  /// Those that pairs are multiplied by too.
  private static let unstrided: [Winograd.Tile] = [.f2, .f4]

  /// Pairs are of an even number of channels; two more than an odd one have as many of them left over.
  private static func inBFloat16(_ c: WinogradCase) -> WinogradCase? {
    guard c.tile != .strided else { return nil }
    var c = c
    c.precision = .bfloat16
    c.geometry.channels += c.geometry.channels % 2
    c.geometry.outputs += c.geometry.outputs % 2
    return c
  }

  // Measured: a quarter of the bound in most cases, half in a few; in bfloat16 half at most.
  @Test(arguments: cases)
  func `the output and both gradients are the formula's`(_ c: WinogradCase) {
    expectAgreement(c, c.input(), c.weight(), c.outputGradient())
  }

  /// Small integers, which bfloat16 holds exactly before and after the transforms of 2x2 tiles: nothing is rounded, so
  /// that a number which is left out or taken twice shows.
  @Test(arguments: cases.filter { $0.tile == .f2 && $0.precision == .bfloat16 })
  func `of numbers that are not rounded, the results in bfloat16 are as exact as in float32`(_ c: WinogradCase) {
    func integers(_ tensor: Tensor) -> Tensor { Tensor(tensor.shape, tensor.values.map { $0.rounded(.down) }) }
    let float = WinogradCase(c, .float32).winograd
    let x = integers(c.input { 5 * $0 - 2 })
    let w = integers(c.weight { 7 * $0 - 3 })
    let dy = integers(c.outputGradient { 5 * $0 - 2 })
    let output = Deviation.largest(c.output(x, w), from: DirectConvolution64(c).output(x, w))
    #expect(output < float.errorBound(terms: 1))
    let input = Deviation.largest(c.inputGradient(dy, w), from: DirectConvolution64(c).inputGradient(dy, w))
    #expect(input < float.errorBound(terms: 1))
    let weight = Deviation.largest(c.weightGradient(x, dy), from: DirectConvolution64(c).weightGradient(x, dy))
    #expect(weight < float.errorBound(terms: 1))
  }

  private func expectAgreement(_ c: WinogradCase, _ x: Tensor, _ w: Tensor, _ dy: Tensor) {
    let (channels, outputs, pixels) = (
      9 * c.geometry.channels, 9 * c.geometry.outputs, c.outputShape[..<3].reduce(1, *)
    )
    let output = Deviation.largest(c.output(x, w), from: DirectConvolution64(c).output(x, w))
    #expect(output < c.winograd.errorBound(terms: channels))
    let input = Deviation.largest(c.inputGradient(dy, w), from: DirectConvolution64(c).inputGradient(dy, w))
    #expect(input < c.winograd.errorBound(terms: outputs))
    let weight = Deviation.largest(c.weightGradient(x, dy), from: DirectConvolution64(c).weightGradient(x, dy))
    #expect(weight < c.winograd.errorBound(terms: pixels))
    print("\(c.testDescription): output \(brief(output)), gradients \(brief(input)) and \(brief(weight))")
  }

  /// The cuts that the cases above are there for.
  @Test(arguments: Winograd.Tile.allCases)
  func `wide filters are cut by outputs and points, others by tiles`(tile: Winograd.Tile) {
    let narrow = WinogradCase(tile, 32, 56, 56, 64, 64).winograd
    #expect(narrow.convolutionCut == .tiles && narrow.gradientCut == .tiles)
    let middle = WinogradCase(tile, 32, 14, 14, 256, 256).winograd
    #expect(middle.convolutionCut == .tiles && middle.gradientCut == .points)
    let cases = Self.cases.filter { $0.tile == tile && $0.precision == .float32 }
    for wide in cases.filter({ $0.geometry.channels > 100 }) {
      #expect(wide.winograd.convolutionCut == .outputs && wide.winograd.gradientCut == .points)
    }
    let byTiles = cases.filter { $0.winograd.convolutionCut == .tiles && $0.winograd.gradientCut == .tiles }
    #expect(byTiles.map(\.geometry.outputs) == [18])
  }

  /// Sums of C products, C growing: relative to the largest magnitude, the error grows with the square root at most.
  /// Measured with 16, 64, 256 and 1024 channels: 1.6e-7, 2.4e-7, 3.6e-7, 6.2e-7 in tiles of 2x2, and 6.5e-7, 7.9e-7,
  /// 1.7e-6, 2.9e-6 in tiles of 4x4; with a stride 2.1e-7, 4.0e-7, 1.2e-6, 6.8e-7.
  @Test(arguments: Winograd.Tile.allCases, [16, 64, 256, 1024])
  func `rounding errors grow no faster than the square root of the channels`(tile: Winograd.Tile, channels: Int) {
    let c = WinogradCase(tile, 1, 8, 8, channels, 8)
    let (x, w) = (c.input(), c.weight())
    let (output, exact) = (c.output(x, w), DirectConvolution64(c).output(x, w))
    let bound = c.winograd.errorBound(terms: 9 * channels)
    let (largest, norm) = (Deviation.largest(output, from: exact), Deviation.norm(output, from: exact))
    #expect(largest < bound)
    #expect(norm < bound)
    print("\(tile), \(channels) channels: \(brief(largest)) of the largest, \(brief(norm)) of the norm")
  }

  /// What batch norm and ReLU leave: nothing negative, so that the sums inside of a tile cancel; then channels
  /// whose scales are six orders apart; then a single number that dwarfs all others.
  @Test(
    arguments: Winograd.Tile.allCases.map { ($0, OperandPrecision.float32) } + unstrided.map { ($0, .bfloat16) })
  func `badly scaled data is as exact, relative to the largest`(tile: Winograd.Tile, precision: OperandPrecision) {
    let c = WinogradCase(tile, 3, 9, 10, 32, 24, precision)
    let (x, w, dy) = (c.input(), c.weight(), c.outputGradient())
    expectAgreement(c, c.input { max(0, 2 * $0 - 1) }, w, c.outputGradient { 0.25 + $0 })
    func scaled(_ tensor: Tensor) -> Tensor {
      let channels = tensor.shape[3]
      return Tensor(tensor.shape) { tensor[$0] * pow(10, Float($0 % channels % 7) - 3) }
    }
    expectAgreement(c, scaled(x), scaled(w), scaled(dy))
    func spiked(_ tensor: Tensor) -> Tensor {
      var tensor = tensor
      tensor[tensor.count / 2] = 1e6
      return tensor
    }
    expectAgreement(c, spiked(x), w, spiked(dy))
  }

  /// A convolution is linear in either operand, so that dy . (x * w) = dx . x = dw . w: no formula but the output's.
  @Test(arguments: Winograd.Tile.allCases)
  func `the gradients are slopes of the output`(tile: Winograd.Tile) {
    let c = WinogradCase(tile, 2, 7, 6, 20, 33)
    let (x, w, dy) = (c.input(), c.weight(), c.outputGradient())
    func dot(_ a: Tensor, _ b: Tensor) -> Double { NaiveTensor(a).dot(b.values.map(Double.init)) }
    let y = c.output(x, w)
    let slope = dot(dy, y)
    let size = NaiveTensor(dy).norm * NaiveTensor(y).norm
    // Measured: 2e-8.
    #expect(abs(dot(c.inputGradient(dy, w), x) - slope) < 1e-7 * size)
    #expect(abs(dot(c.weightGradient(x, dy), w) - slope) < 1e-7 * size)
  }

  @Test(arguments: cases.filter { $0.geometry.channels >= 48 || $0.geometry.height > 20 })
  func `one, two and three threads give the same bits`(_ c: WinogradCase) {
    let (x, w, dy) = (c.input(), c.weight(), c.outputGradient())
    let alone = [
      c.output(x, w, threads: 1), c.inputGradient(dy, w, threads: 1), c.weightGradient(x, dy, threads: 1),
    ]
    for threads in [2, 3] {
      #expect((c.output(x, w, threads: threads) == alone[0]) as Bool)
      #expect((c.inputGradient(dy, w, threads: threads) == alone[1]) as Bool)
      #expect((c.weightGradient(x, dy, threads: threads) == alone[2]) as Bool)
    }
  }

  /// NaN around the input would spread if it were read; NaN around the output would be gone if it were written.
  @Test(
    arguments: Winograd.Tile.allCases.map { ($0, 19, OperandPrecision.float32) }
      + unstrided.map { ($0, 20, .bfloat16) },
    [1, 2, 3, 5, 7])
  func `nothing outside of a map is read or written`(
    _ way: (tile: Winograd.Tile, channels: Int, precision: OperandPrecision), side: Int
  ) {
    let c = WinogradCase(way.tile, 2, side, side, way.channels, 18, way.precision)
    let guardBand = 3 * side * way.channels + way.channels
    func surrounded(_ tensor: Tensor) -> Tensor {
      Tensor([tensor.count + 2 * guardBand]) {
        (0..<tensor.count).contains($0 - guardBand) ? tensor[$0 - guardBand] : .nan
      }
    }
    let (x, w, dy, pool) = (c.input(), c.weight(), c.outputGradient(), ThreadPool(threads: 1))
    func expect(
      _ expected: Tensor, of map: Tensor,
      by pass: (_ map: UnsafePointer<Float>, _ w: UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) {
      var result = surrounded(Tensor(zeros: expected.shape))
      Tensor.read(surrounded(map), w) { map, w in result.write { pass(map + guardBand, w, $0 + guardBand) } }
      #expect(result.values.prefix(guardBand).allSatisfy { $0.isNaN })
      #expect(result.values.suffix(guardBand).allSatisfy { $0.isNaN })
      #expect(Array(result.values.dropFirst(guardBand).dropLast(guardBand)) == expected.values)
    }
    expect(c.output(x, w), of: x) { c.winograd.convolve($0, $1, into: $2, pool) }
    expect(c.inputGradient(dy, w), of: dy) { c.winograd.inputGradient($0, $1, into: $2, pool) }
  }

  /// Processors with narrow vectors have panels narrower than the transforms' vectors.
  @Test(arguments: Winograd.Tile.allCases, [4, 8, 16, 32])
  func `planes in panels hold what row-major planes hold`(tile: Winograd.Tile, width: Int) {
    let c = WinogradCase(tile, 1, 6, 7, 5, 41)
    let (rows, columns) = (c.winograd.tiles, 41)
    let flat = Winograd.Planes(count: c.winograd.transforms.sumPlaneCount, rows: rows, columns: columns)
    var panels = Winograd.Planes(
      count: c.winograd.transforms.sumPlaneCount, rows: rows, columns: (columns + width - 1) / width * width)
    panels.layout.panel = width
    panels.layout.panel_stride = rows * width
    panels.layout.row = width
    var (inFlat, inPanels) = (Tensor(zeros: [flat.floats]), Tensor(zeros: [panels.floats]))
    c.outputGradient().read { dy in
      inFlat.write { c.winograd.transformOutputGradient(dy, tiles: 0..<rows, into: $0, flat) }
      inPanels.write { c.winograd.transformOutputGradient(dy, tiles: 0..<rows, into: $0, panels) }
    }
    var differences = 0
    for point in 0..<c.winograd.transforms.sumPlaneCount {
      for row in 0..<rows {
        for column in 0..<columns {
          let place = point * panels.layout.plane + panels.start(ofColumn: column) + row * width
          if inPanels[place] != inFlat[point * flat.layout.plane + row * columns + column] { differences += 1 }
        }
      }
    }
    #expect(differences == 0)
    #expect(inFlat.values.contains { $0 != 0 })
  }

  /// The nearest bfloat16, the even one of two equally near.
  private func upperHalf(_ value: Float) -> UInt32 {
    (value.bitPattern + 0x7fff + (value.bitPattern >> 16 & 1)) >> 16
  }

  /// Tiles in even and odd numbers, whole vectors of channels and parts of one.
  @Test(arguments: unstrided, [(1, 16), (3, 6), (4, 34), (5, 48)])
  func `pairs are of neighboring channels or tiles of what is transformed in float32`(
    tile: Winograd.Tile, shape: (side: Int, channels: Int)
  ) {
    let channels = shape.channels
    let c = WinogradCase(tile, 3, shape.side, tile == .f4 ? 9 : 5, channels, channels, .bfloat16)
    let (paired, float, tiles) = (c.winograd, Winograd(c.geometry, tile), c.winograd.tiles)
    func planes(_ size: Int, _ transform: (UnsafeMutablePointer<Float>) -> Void) -> [UInt32] {
      var out = Tensor([size]) { _ in .nan }
      out.write { transform($0) }
      return out.values.map(\.bitPattern)
    }
    func expectPairs(
      _ pairs: [UInt32], _ planes: Winograd.Planes, of floats: [UInt32], _ floatPlanes: Winograd.Planes,
      _ axis: Winograd.SummedAxis
    ) {
      var (pairCount, differences) = (0, 0)
      let (rows, columns) = axis == .tiles ? ((tiles + 1) / 2, channels) : (tiles, channels / 2)
      for point in 0..<paired.transforms.inputPlaneCount {
        func rounded(_ tile: Int, _ channel: Int) -> UInt32 {
          guard tile < tiles else { return 0 }
          return upperHalf(
            Float(bitPattern: floats[point * floatPlanes.layout.plane + tile * channels + channel]))
        }
        for row in 0..<rows {
          for column in 0..<columns {
            let (earlier, later) =
              axis == .tiles
              ? (rounded(2 * row, column), rounded(2 * row + 1, column))
              : (rounded(row, 2 * column), rounded(row, 2 * column + 1))
            let place = point * planes.layout.plane + row * planes.layout.row + planes.start(ofColumn: column)
            let (lower, upper) = (pairs[place] & 0xffff, pairs[place] >> 16)
            pairCount += 1
            if (lower, upper) != (earlier, later) { differences += 1 }
            #expect(abs(Int(lower) - Int(earlier)) <= 1 && abs(Int(upper) - Int(later)) <= 1)
          }
        }
      }
      // Where pairs are made without fused multiply-adds, one in ten thousand is rounded to the other neighbor.
      #expect(differences <= pairCount / 1000, "summed along \(axis)")
    }
    c.input().read { x in
      let exactPlanes = float.inputPlanes(tiles: tiles, summedAlong: .channels)
      let exact = planes(exactPlanes.floats) {
        float.transformInput(x, tiles: 0..<tiles, summedAlong: .channels, into: $0, exactPlanes)
      }
      for axis in [Winograd.SummedAxis.channels, .tiles] {
        let layout = paired.inputPlanes(tiles: tiles, summedAlong: axis)
        let made = planes(layout.floats) {
          paired.transformInput(x, tiles: 0..<tiles, summedAlong: axis, into: $0, layout)
        }
        expectPairs(made, layout, of: exact, exactPlanes, axis)
      }
    }
    c.outputGradient().read { dy in
      let exactPlanes = Winograd.Planes(count: paired.transforms.sumPlaneCount, rows: tiles, columns: channels)
      let exact = planes(exactPlanes.floats) {
        float.transformOutputGradient(dy, tiles: 0..<tiles, into: $0, exactPlanes)
      }
      let layout = Winograd.Planes.rightOperand(
        count: paired.transforms.sumPlaneCount, rows: (tiles + 1) / 2, columns: channels, .bfloat16)
      let made = planes(layout.floats) {
        paired.transformOutputGradient(dy, tiles: 0..<tiles, into: $0, layout)
      }
      expectPairs(made, layout, of: exact, exactPlanes, .tiles)
    }
  }

  /// More rows than are rounded at a time, with a part of a block; more columns than a panel, with a part of one.
  @Test(arguments: unstrided, [(34, 34), (66, 6)])
  func `a filter in pairs is what float32 has of neighboring channels, rounded`(
    tile: Winograd.Tile, shape: (channels: Int, outputs: Int)
  ) {
    let c = WinogradCase(tile, 1, 4, 4, shape.channels, shape.outputs, .bfloat16)
    let (paired, float) = (c.winograd, Winograd(c.geometry, tile))
    let (planes, floatPlanes) = (paired.preparedPlanes, float.preparedPlanes)
    var (made, exact) = (Tensor(zeros: [planes.floats]), Tensor(zeros: [floatPlanes.floats]))
    c.weight().read { w in
      made.write { paired.prepare(w, into: $0, ThreadPool(threads: 2)) }
      exact.write { float.prepare(w, into: $0, ThreadPool(threads: 2)) }
    }
    for point in 0..<paired.transforms.filterPlaneCount {
      for channel in 0..<shape.channels {
        for output in 0..<shape.outputs {
          let place =
            point * planes.layout.plane + planes.start(ofColumn: output) + channel / 2 * planes.layout.row
          let half = made[place].bitPattern >> (channel % 2 * 16) & 0xffff
          let value = exact[
            point * floatPlanes.layout.plane + floatPlanes.start(ofColumn: output) + channel
              * floatPlanes.layout.row
          ]
          #expect(half == upperHalf(value), "point \(point), \(channel) to \(output)")
        }
      }
    }
  }

  @Test func `the choice of tiles`() {
    func choice(
      _ images: Int, _ side: Int, _ channels: Int, _ outputs: Int, stride: Int = 1,
      _ precision: OperandPrecision = .float32
    ) -> Winograd.Tile? {
      Winograd.choice(
        for: .init(images: images, height: side, width: side, channels: channels, outputs: outputs),
        stride: stride, precision)
    }
    // Networks for small and for large images.
    for (images, side, channels) in [
      (128, 32, 16), (128, 16, 32), (128, 8, 64), (32, 56, 64), (32, 28, 128), (32, 14, 256), (32, 7, 512),
      (1, 56, 64), (128, 4, 512),
    ] {
      #expect(choice(images, side, channels, channels) == .f4, "\(side)x\(side), \(channels) channels")
    }
    // Half of each larger tile would lie outside.
    #expect(choice(32, 6, 64, 64) == .f2)
    // Of a few pixels, most taps see padding, which the definition leaves out.
    #expect(choice(128, 2, 512, 512) == nil)
    #expect(choice(128, 3, 512, 512) == nil)
    // Mostly outside; a wide filter for a few pixels; few channels.
    #expect(choice(128, 1, 512, 512) == nil)
    #expect(choice(1, 7, 512, 512) == nil)
    #expect(choice(128, 32, 3, 64) == nil)
    #expect(choice(128, 32, 64, 8) == nil)
    // In bfloat16 as well, but for what is mostly transforms.
    #expect(choice(128, 32, 16, 16, .bfloat16) == .f4)
    #expect(choice(32, 7, 512, 512, .bfloat16) == .f4)
    #expect(choice(1, 32, 16, 16, .bfloat16) == nil)
    // With a stride of 2, unless a quarter of the tiles lies outside, transforms are most of it, of few channels or of the
    // filter for one image, or factors are pairs.
    for (images, side, channels, outputs) in [
      (32, 56, 64, 128), (16, 56, 128, 128), (32, 28, 128, 256), (16, 28, 256, 256), (64, 16, 64, 128),
    ] {
      #expect(
        choice(images, side, channels, outputs, stride: 2) == .strided, "\(side)x\(side), \(channels) channels")
    }
    #expect(choice(32, 14, 512, 512, stride: 2) == nil)
    #expect(choice(128, 32, 16, 32, stride: 2) == nil)
    #expect(choice(1, 28, 256, 256, stride: 2) == nil)
    #expect(choice(16, 56, 128, 128, stride: 2, .bfloat16) == nil)
  }

  /// The pool's account is one for the whole process. A shape is the tile's place in `allCases`, images, side, channels,
  /// outputs, and whether in pairs.
  @Test(
    arguments: [
      [1, 16, 32, 64, 32, 0], [1, 2, 14, 320, 300, 0], [0, 4, 7, 256, 256, 0], [1, 16, 32, 64, 32, 1],
      [1, 2, 14, 320, 300, 1], [0, 4, 7, 256, 256, 1], [2, 16, 32, 64, 32, 0], [2, 2, 14, 320, 400, 0],
      [2, 4, 15, 256, 256, 0],
    ],
    [0, 1, 2])
  func `scratch memory is what is announced, in a process of its own`(shape: [Int], quantity: Int) async {
    await #expect(processExitsWith: .success) { [shape, quantity] in
      let c = WinogradCase(
        Winograd.Tile.allCases[shape[0]], shape[1], shape[2], shape[2], shape[3], shape[4],
        shape[5] == 1 ? .bfloat16 : .float32)
      let quantity = Winograd.Quantity.allCases[quantity]
      let (x, w, dy) = (c.input(), c.weight(), c.outputGradient())
      let result =
        switch quantity {
        case .output: c.output(x, w, threads: 1)
        case .inputGradient: c.inputGradient(dy, w, threads: 1)
        case .weightGradient: c.weightGradient(x, dy, threads: 1)
        }
      let scratch = c.winograd.scratch(for: quantity)
      let announced = x.count + w.count + dy.count + result.count + scratch.shared + scratch.each
      let ratio = Double(StoragePool.peakBytes) / Double(4 * announced)
      // Sizes are rounded up by an eighth at most.
      #expect((1.0...1.125).contains(ratio), "\(quantity): \(brief(ratio)) of what was announced")
    }
  }
}
