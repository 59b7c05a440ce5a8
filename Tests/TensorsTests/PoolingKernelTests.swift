// The C loops of pooling, against naive twins that look up every pixel by its coordinates.

import Support
import CKernels
import Testing

@testable import Tensors

/// A window's geometry, with names for the test's report.
struct WindowCase: Sendable, CustomTestStringConvertible {
  var height: Int
  var width: Int
  var channels: Int
  var kernel: Int
  var stride: Int
  var padding: Int

  var outHeight: Int { (height + 2 * padding - kernel) / stride + 1 }
  var outWidth: Int { (width + 2 * padding - kernel) / stride + 1 }
  var testDescription: String {
    "\(kernel)x\(kernel)/\(stride) padding \(padding) of [\(height), \(width), \(channels)]"
  }

  var window: ck_window {
    ck_window(
      height: Int32(height), width: Int32(width), channels: Int32(channels), out_height: Int32(outHeight),
      out_width: Int32(outWidth), kernel: Int32(kernel), stride: Int32(stride), padding: Int32(padding))
  }

  static let all: [WindowCase] = [
    WindowCase(height: 1, width: 1, channels: 1, kernel: 1, stride: 1, padding: 0),
    WindowCase(height: 5, width: 4, channels: 3, kernel: 1, stride: 2, padding: 0),
    WindowCase(height: 5, width: 7, channels: 3, kernel: 3, stride: 1, padding: 1),
    WindowCase(height: 6, width: 5, channels: 17, kernel: 3, stride: 2, padding: 1),
    WindowCase(height: 5, width: 6, channels: 2, kernel: 3, stride: 1, padding: 0),
    WindowCase(height: 4, width: 4, channels: 16, kernel: 2, stride: 2, padding: 0),
    WindowCase(height: 9, width: 8, channels: 3, kernel: 7, stride: 2, padding: 3),
    // A map smaller than the kernel: every window reaches outside on both sides.
    WindowCase(height: 2, width: 1, channels: 5, kernel: 7, stride: 2, padding: 3),
    WindowCase(height: 4, width: 5, channels: 1, kernel: 5, stride: 3, padding: 2),
    // A stride beyond the kernel: pixels between the windows belong to none.
    WindowCase(height: 7, width: 7, channels: 2, kernel: 2, stride: 3, padding: 0),
  ]

  /// The image's offset that place `k` of an output pixel's window looks at; nil outside.
  func offset(_ y: Int, _ x: Int, place k: Int) -> Int? {
    let row = y * stride - padding + k / kernel
    let column = x * stride - padding + k % kernel
    guard (0..<height).contains(row), (0..<width).contains(column) else { return nil }
    return (row * width + column) * channels
  }
}

@Suite struct PoolingKernelTests {
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { _ in generator.uniform(in: -1...1) }
  }

  @Test(arguments: WindowCase.all)
  func `max pooling and its way back`(_ c: WindowCase) {
    // Padding never reaches beyond the kernel in a max pool.
    var window = c.window
    // Few different numbers, so that there are ties: the first place has it.
    let image = numbers(c.height * c.width * c.channels, seed: 4).map { ($0 * 3).rounded() }
    let count = c.outHeight * c.outWidth * c.channels
    var (output, places) = ([Float](repeating: .nan, count: count), [UInt8](repeating: 77, count: count))
    ck_max_pool(&window, image, &output, &places)

    let gradient = numbers(count, seed: 5)
    var back = [Float](repeating: .nan, count: image.count + 1)
    var naiveBack = [Float](repeating: 0, count: image.count)
    ck_max_pool_backward(&window, gradient, places, &back)
    for y in 0..<c.outHeight {
      for x in 0..<c.outWidth {
        for channel in 0..<c.channels {
          let inside = (0..<c.kernel * c.kernel).compactMap { k in
            c.offset(y, x, place: k).map { (place: k, pixel: $0 + channel) }
          }
          let largest = inside.map { image[$0.pixel] }.max() ?? .nan
          guard let first = inside.first(where: { image[$0.pixel] == largest }) else {
            Issue.record("a window without pixels")
            continue
          }
          let index = (y * c.outWidth + x) * c.channels + channel
          #expect(output[index] == largest)
          #expect(places[index] == UInt8(first.place))
          naiveBack[first.pixel] += gradient[index]
        }
      }
    }
    // The same additions in the same order: the bits agree.
    #expect(Array(back.dropLast()) == naiveBack)
    #expect(back[image.count].isNaN, "nothing behind the end is touched")
  }

  @Test func `a window of minus infinities has minus infinity at its first place, even beside padding`() {
    var window = WindowCase(height: 2, width: 2, channels: 1, kernel: 3, stride: 2, padding: 1).window
    var (output, places): ([Float], [UInt8]) = ([0], [0])
    ck_max_pool(&window, [-.infinity, -.infinity, -.infinity, -.infinity], &output, &places)
    #expect(output == [-.infinity])
    #expect(places == [4], "the center is the first place inside")
    var gradient: [Float] = [9, 9, 9, 9]
    ck_max_pool_backward(&window, [5], places, &gradient)
    #expect(gradient == [5, 0, 0, 0])
  }

  @Test(arguments: 0..<4)
  func `a NaN wins over every number, before or behind it`(position: Int) {
    var window = WindowCase(height: 2, width: 2, channels: 1, kernel: 2, stride: 2, padding: 0).window
    var image: [Float] = [1, .infinity, -.infinity, 3]
    image[position] = .nan
    var (output, places): ([Float], [UInt8]) = ([0], [0])
    ck_max_pool(&window, image, &output, &places)
    #expect(output[0].isNaN)
    #expect(places == [UInt8(position)])
  }
}
