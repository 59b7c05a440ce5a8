// The C loops over spread maps and scaled channels, each against a naive Swift twin.

import CKernels
import Support
import Testing

@testable import Tensors

@Suite struct GroupKernelTests {
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { _ in generator.uniform(in: -2...2) }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    /// Of a group, and outputs of a group.
    var inputs: Int
    var outputs: Int
    var groups: Int
    var first = 0
    var pixels = 9
    var stride = 1
    var lines = 3
    var testDescription: String {
      "\(groups) groups of \(inputs) to \(outputs) from output \(first), \(pixels) pixels, stride \(stride)"
    }
  }

  @Test(arguments: [
    Case(inputs: 1, outputs: 1, groups: 40, first: 16), Case(inputs: 1, outputs: 1, groups: 40, first: 32),
    Case(inputs: 2, outputs: 2, groups: 8, stride: 2),
    Case(inputs: 4, outputs: 4, groups: 8, first: 16, pixels: 130),
    Case(inputs: 8, outputs: 8, groups: 3, first: 16, pixels: 100),
    Case(inputs: 8, outputs: 8, groups: 2, pixels: 1),
    Case(inputs: 3, outputs: 3, groups: 7, first: 16), Case(inputs: 20, outputs: 2, groups: 8, lines: 1),
    Case(inputs: 1, outputs: 5, groups: 5, first: 16, pixels: 31, stride: 3),
  ])
  func `spread pixels, their products and weight gradients`(_ c: Case) {
    let (channels, all, lanes) = (c.groups * c.inputs, c.groups * c.outputs, 16)
    let columns = min(lanes, all - c.first)
    let (places, steps) = ((c.pixels - 1) * c.stride + 2, 2 * c.inputs)
    let row = places * c.inputs * lanes
    let map = numbers(c.lines * places * channels, seed: 1)
    var spread = [Float](repeating: .nan, count: c.lines * row)
    var groups = ck_groups(
      pixel_stride: channels, first: c.first, outputs: all, inputs: c.inputs, outputs_in_group: c.outputs)
    for line in 0..<c.lines {
      map.withUnsafeBufferPointer { map in
        spread.withUnsafeMutableBufferPointer { spread in
          guard let map = map.baseAddress, let spread = spread.baseAddress else { return }
          ck_spread_groups(&groups, map + line * places * channels, places, spread + line * row)
        }
      }
    }
    func value(_ line: Int, _ place: Int, _ input: Int, _ lane: Int) -> Float {
      lane < columns
        ? map[(line * places + place) * channels + (c.first + lane) / c.outputs * c.inputs + input] : 0
    }
    for line in 0..<c.lines {
      for place in 0..<places {
        for input in 0..<c.inputs {
          for lane in 0..<lanes {
            let found = spread[line * row + (place * c.inputs + input) * lanes + lane]
            #expect(found == value(line, place, input, lane))
          }
        }
      }
    }

    let weights = numbers(c.lines * steps * lanes, seed: 2)
    let dy = numbers(c.pixels * all, seed: 3)
    var y = [Float](repeating: 99, count: c.pixels * all)
    let before = numbers(c.lines * steps * lanes, seed: 4)
    var sums = before
    spread.withUnsafeBufferPointer { spread in
      var window = ck_spread(
        base: spread.baseAddress, lines: c.lines, line_stride: row, steps: steps,
        pixel_stride: c.stride * c.inputs * lanes)
      y.withUnsafeMutableBufferPointer { y in
        guard let y = y.baseAddress else { return }
        ck_group_products(&window, weights, c.pixels, columns, y + c.first, all)
      }
      dy.withUnsafeBufferPointer { dy in
        guard let dy = dy.baseAddress else { return }
        ck_group_weight_gradient(&window, c.pixels, columns, dy + c.first, all, &sums)
      }
    }
    for pixel in 0..<c.pixels {
      for output in 0..<all {
        let lane = output - c.first
        guard (0..<columns).contains(lane) else {
          #expect(y[pixel * all + output] == 99, "other outputs are left alone")
          continue
        }
        var terms: [Double] = []
        for line in 0..<c.lines {
          for step in 0..<steps {
            let (tap, input) = step.quotientAndRemainder(dividingBy: c.inputs)
            terms.append(
              Double(value(line, pixel * c.stride + tap, input, lane))
                * Double(weights[(line * steps + step) * lanes + lane]))
          }
        }
        #expect(isSum(Double(y[pixel * all + output]), of: terms, roundingsATerm: 1))
      }
    }
    for line in 0..<c.lines {
      for step in 0..<steps {
        let (tap, input) = step.quotientAndRemainder(dividingBy: c.inputs)
        for lane in 0..<lanes {
          let place = (line * steps + step) * lanes + lane
          let terms = (0..<c.pixels).map { pixel in
            lane < columns
              ? Double(value(line, pixel * c.stride + tap, input, lane)) * Double(dy[pixel * all + c.first + lane])
              : 0
          }
          #expect(isSum(Double(sums[place]), of: terms + [Double(before[place])], roundingsATerm: 1))
        }
      }
    }
  }

  @Test(arguments: [(0, 4), (1, 1), (5, 17), (33, 16), (64, 31)])
  func `channels are scaled and shifted, also in place, and products of columns add to what is there`(
    rows: Int, channels: Int
  ) {
    let (x, y) = (numbers(rows * channels, seed: 1), numbers(rows * channels, seed: 2))
    let (factors, shifts) = (numbers(channels, seed: 3), numbers(channels, seed: 4))
    var scaled = [Float](repeating: .nan, count: rows * channels)
    ck_scale_channels(&scaled, x, rows, channels, factors, nil)
    #expect(scaled == x.enumerated().map { $1 * factors[$0 % channels] })
    ck_scale_channels(&scaled, x, rows, channels, factors, shifts)
    for (index, value) in scaled.enumerated() {
      let channel = index % channels
      #expect(
        isSum(
          Double(value), of: [Double(x[index]) * Double(factors[channel]), Double(shifts[channel])],
          roundingsATerm: 1))
    }
    var sums = shifts
    ck_column_products(x, y, rows, channels, &sums)
    for channel in 0..<channels {
      let terms = (0..<rows).map { Double(x[$0 * channels + channel]) * Double(y[$0 * channels + channel]) }
      #expect(isSum(Double(sums[channel]), of: terms + [Double(shifts[channel])], roundingsATerm: 1))
    }
    var values = x
    values.withUnsafeMutableBufferPointer {
      if let base = $0.baseAddress { ck_scale_channels(base, base, rows, channels, factors, nil) }
    }
    #expect(values == x.enumerated().map { $1 * factors[$0 % channels] })
  }
}
