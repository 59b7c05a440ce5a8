// Winograd's convolution against the naive loops in double precision: every tile size, maps that tiles do and do not
// fit, odd channel counts, both cuts of the work, and how far rounding takes it from the exact result.

import Foundation
import Tensors
import Testing

@testable import Networks

/// A shape with a tile size.
struct WinogradCase: CustomTestStringConvertible, Sendable {
  var geometry: Winograd.Geometry
  var tile: Winograd.Tile

  init(_ tile: Winograd.Tile, _ images: Int, _ height: Int, _ width: Int, _ channels: Int, _ outputs: Int) {
    self.tile = tile
    geometry = Winograd.Geometry(
      images: images, height: height, width: width, channels: channels, outputs: outputs)
  }

  var winograd: Winograd { Winograd(geometry, tile) }
  var inputShape: [Int] { [geometry.images, geometry.height, geometry.width, geometry.channels] }
  var outputShape: [Int] { [geometry.images, geometry.height, geometry.width, geometry.outputs] }
  var weightShape: [Int] { [3, 3, geometry.channels, geometry.outputs] }

  var testDescription: String {
    "\(tile), \(geometry.images) images of \(geometry.height)x\(geometry.width), "
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
    Tensor.read(x, w) { x, w in y.write { winograd.convolve(x, w, into: $0, WorkerPool(threads: threads)) } }
    return y
  }

  func inputGradient(_ dy: Tensor, _ w: Tensor, threads: Int = 2) -> Tensor {
    var dx = unset(inputShape)
    Tensor.read(dy, w) { dy, w in
      dx.write { winograd.inputGradient(dy, w, into: $0, WorkerPool(threads: threads)) }
    }
    return dx
  }

  func weightGradient(_ x: Tensor, _ dy: Tensor, threads: Int = 2) -> Tensor {
    var dw = unset(weightShape)
    Tensor.read(x, dy) { x, dy in
      winograd.weightGradient(x, dy, into: &dw, WorkerPool(threads: threads))
    }
    return dw
  }
}

/// The three results of a 3x3 convolution by its formula, in double precision.
enum DirectConvolution {
  /// Calls `body` with every pair of pixels that a tap joins: tap, input pixel, output pixel, as indices.
  private static func forEachPair(_ shape: [Int], _ body: (_ tap: Int, _ input: Int, _ output: Int) -> Void) {
    let (height, width) = (shape[1], shape[2])
    for image in 0..<shape[0] {
      for row in 0..<height {
        for column in 0..<width {
          for tap in 0..<9 {
            let (y, x) = (row + tap / 3 - 1, column + tap % 3 - 1)
            guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
            body(tap, (image * height + y) * width + x, (image * height + row) * width + column)
          }
        }
      }
    }
  }

  static func output(_ x: Tensor, _ w: Tensor) -> NaiveTensor {
    let (channels, outputs) = (w.shape[2], w.shape[3])
    let (x, w, shape) = (x.values.map(Double.init), w.values.map(Double.init), x.shape)
    var y = NaiveTensor(zeros: [shape[0], shape[1], shape[2], outputs])
    forEachPair(shape) { tap, input, output in
      for c in 0..<channels {
        let value = x[input * channels + c]
        for o in 0..<outputs { y.values[output * outputs + o] += value * w[(tap * channels + c) * outputs + o] }
      }
    }
    return y
  }

  static func inputGradient(_ dy: Tensor, _ w: Tensor) -> NaiveTensor {
    let (channels, outputs) = (w.shape[2], w.shape[3])
    let (dy, w, shape) = (dy.values.map(Double.init), w.values.map(Double.init), dy.shape)
    var dx = NaiveTensor(zeros: [shape[0], shape[1], shape[2], channels])
    forEachPair(shape) { tap, input, output in
      for c in 0..<channels {
        var sum = 0.0
        for o in 0..<outputs { sum += dy[output * outputs + o] * w[(tap * channels + c) * outputs + o] }
        dx.values[input * channels + c] += sum
      }
    }
    return dx
  }

  static func weightGradient(_ x: Tensor, _ dy: Tensor) -> NaiveTensor {
    let (channels, outputs) = (x.shape[3], dy.shape[3])
    let (x, dy, shape) = (x.values.map(Double.init), dy.values.map(Double.init), x.shape)
    var dw = NaiveTensor(zeros: [3, 3, channels, outputs])
    forEachPair(shape) { tap, input, output in
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
      // Cut by tiles: several blocks a shard, and shards of unequal length.
      cases.append(WinogradCase(tile, 7, 28, 29, 6, 5))
      // Cut by outputs: groups of which the last is narrower; then the same for the gradient by the input.
      cases.append(WinogradCase(tile, 3, 5, 7, 9, 75))
      cases.append(WinogradCase(tile, 3, 5, 7, 75, 9))
      cases.append(WinogradCase(tile, 5, 7, 7, 64, 64))
    }
    return cases
  }()

  // Measured, relative to the largest: F(2x2) 2.5e-7, F(4x4) 1e-6.
  @Test(arguments: cases)
  func `the output and both gradients are the formula's`(_ c: WinogradCase) {
    let (x, w, dy) = (c.input(), c.weight(), c.outputGradient())
    let (channels, outputs, pixels) = (
      9 * c.geometry.channels, 9 * c.geometry.outputs, c.geometry.images * c.geometry.height * c.geometry.width
    )
    let output = Deviation.largest(c.output(x, w), from: DirectConvolution.output(x, w))
    #expect(output < Winograd.errorBound(c.tile, terms: channels))
    let input = Deviation.largest(c.inputGradient(dy, w), from: DirectConvolution.inputGradient(dy, w))
    #expect(input < Winograd.errorBound(c.tile, terms: outputs))
    let weight = Deviation.largest(c.weightGradient(x, dy), from: DirectConvolution.weightGradient(x, dy))
    #expect(weight < Winograd.errorBound(c.tile, terms: pixels))
  }
}
