// The products that convolutions are made of, at every vector width that this processor runs, against sums in double
// precision. Each layout of the left-hand side that a convolution uses, and every remainder of rows and columns.

import Support
import CKernels
import Testing

@testable import Tensors

@Suite struct PackedGEMMTests {
  /// Sizes of one product.
  struct Shape: CustomTestStringConvertible {
    var lines = 1
    var rows = 1
    var segments = 1
    var steps = 1
    var columns = 1
    var testDescription: String { "\(lines) x \(rows) rows, \(segments) x \(steps) steps, \(columns) columns" }
  }

  /// Every number of rows that a tile can have and more than two tiles; columns of no, one and two vectors and parts of
  /// them, at each width; depths of one and several parts.
  static let shapes: [Shape] =
    (1...29).map { Shape(rows: $0, steps: 5, columns: 37) }
    + [1, 3, 4, 5, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65].map { Shape(rows: 7, steps: 3, columns: $0) }
    + [
      Shape(lines: 3, rows: 9, segments: 3, steps: 12, columns: 20),
      Shape(lines: 2, rows: 16, segments: 7, steps: 210, columns: 33),
      Shape(lines: 1, rows: 20, segments: 1, steps: 1300, columns: 16),
      Shape(lines: 1, rows: 3, segments: 2, steps: 700, columns: 8),
      Shape(lines: 1, rows: 8, segments: 1024, steps: 1, columns: 4),
      Shape(lines: 0, rows: 3, segments: 1, steps: 4, columns: 8),
      Shape(lines: 1, rows: 0, segments: 1, steps: 4, columns: 8),
    ]

  static let widths: [Int] = [4, 8, 16].filter { $0 <= ck_lanes() }

  /// Random numbers between -1 and 1.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var generator = RandomGenerator(seed: seed)
    return (0..<count).map { _ in generator.uniform(in: -1...1) }
  }

  /// Whether rows or steps of the left-hand side are neighbors, and whether B is packed from its transpose.
  @Test(arguments: widths, shapes)
  func `a product is the sum in double precision`(lanes: Int, shape: Shape) {
    for alongRows in [false, true] {
      for transposed in [false, true] {
        for accumulating in [false, true] { check(shape, lanes, alongRows, transposed, accumulating) }
      }
    }
  }

  /// Rows a multiple of 4 KB apart are taken fewer at a time.
  @Test(arguments: widths)
  func `rows at the distance of a page`(lanes: Int) {
    check(Shape(rows: 15, steps: 1024, columns: 33), lanes, false, false, false)
  }

  /// With and without each, to a result and on top of it, of one part and of two; tiles of whole vectors and of parts.
  @Test(arguments: widths, [8, 16, 20, 32, 70])
  func `what follows a product is a bias, an addition and a ReLU`(lanes: Int, columns: Int) {
    for steps in [5, 600] {
      let rows = 15
      let a = numbers(rows * steps, seed: 1)
      let b = numbers(steps * columns, seed: 2)
      let (bias, addend) = (numbers(columns, seed: 3), numbers(rows * columns, seed: 4))
      let before = numbers(rows * columns, seed: 5)
      let width = columns > lanes ? 2 * lanes : lanes
      var packed = [Float](repeating: 0, count: steps * ((columns + width - 1) / width) * width)
      ck_pack(b, steps, columns, columns, 1, 0, width, steps * width, &packed)
      func product(_ accumulating: Bool, _ finish: (bias: Bool, addend: Bool, relu: Bool)?) -> [Float] {
        var out = before
        a.withUnsafeBufferPointer { a in
          packed.withUnsafeBufferPointer { packed in
            bias.withUnsafeBufferPointer { bias in
              addend.withUnsafeBufferPointer { addend in
                out.withUnsafeMutableBufferPointer { out in
                  var operand = ck_operand(
                    base: a.baseAddress, lines: 1, line_stride: 0, rows: rows, row_stride: steps, segments: 1,
                    segment_stride: 0, steps: steps, step_stride: 1)
                  var panels = ck_panels(base: packed.baseAddress, panel_stride: steps * width, row: width)
                  var result = ck_result(base: out.baseAddress, line_stride: 0, row_stride: columns)
                  guard let finish else {
                    return ck_gemm(&operand, &panels, columns, lanes, &result, accumulating ? 1 : 0, nil)
                  }
                  var follows = ck_finish(
                    bias: finish.bias ? bias.baseAddress : nil, addend: finish.addend ? addend.baseAddress : nil,
                    relu: finish.relu ? 1 : 0)
                  ck_gemm(&operand, &panels, columns, lanes, &result, accumulating ? 1 : 0, &follows)
                }
              }
            }
          }
        }
        return out
      }
      for accumulating in [false, true] {
        let sums = product(accumulating, nil)
        for choice in 0..<8 {
          let finish = (bias: choice & 1 > 0, addend: choice & 2 > 0, relu: choice & 4 > 0)
          let worst = zip(product(accumulating, finish), sums.indices).map { own, index in
            let sum = sums[index] + (finish.bias ? bias[index % columns] : 0) + (finish.addend ? addend[index] : 0)
            return abs(own - (finish.relu ? max(0, sum) : sum))
          }.max()
          // Sums of some tens: it is added to one of their parts.
          #expect(worst ?? 0 < 2e-5, "\(steps) steps, \(finish), \(accumulating ? "on top" : "alone")")
        }
      }
    }
  }

  private func check(_ s: Shape, _ lanes: Int, _ alongRows: Bool, _ transposed: Bool, _ accumulating: Bool) {
    let depth = s.segments * s.steps
    // Gaps between segments and lines, so that a wrong stride meets other numbers.
    let (row, step) = alongRows ? (1, s.rows + 2) : (s.steps, 1)
    let segment = alongRows ? s.steps * step + 3 : s.rows * row + 3
    let line = s.segments * segment + 5
    let a = numbers(s.lines * line + s.rows * s.steps + 8, seed: 1)
    let b = numbers(depth * s.columns, seed: 2)
    let (outRow, outLine) = (s.columns + 3, s.rows * (s.columns + 3) + 7)
    let before = numbers(s.lines * outLine + 1, seed: 3)

    let width = s.columns > lanes ? 2 * lanes : lanes
    var packed = Tensor(uninitialized: [depth * ((s.columns + width - 1) / width) * width])
    // In two parts, as the places of a kernel are.
    let half = depth / 2
    let (rowStride, columnStride) = transposed ? (1, depth) : (s.columns, 1)
    packed.write { panels in
      b.withUnsafeBufferPointer { b in
        guard let b = b.baseAddress else { return }
        ck_pack(b, half, s.columns, rowStride, columnStride, 0, width, depth * width, panels)
        ck_pack(
          b + half * rowStride, depth - half, s.columns, rowStride, columnStride, half, width,
          depth * width, panels)
      }
    }
    var out = before
    a.withUnsafeBufferPointer { a in
      out.withUnsafeMutableBufferPointer { out in
        guard let a = a.baseAddress, let out = out.baseAddress else { return }
        var operand = ck_operand(
          base: a, lines: s.lines, line_stride: line, rows: s.rows, row_stride: row, segments: s.segments,
          segment_stride: segment, steps: s.steps, step_stride: step)
        var result = ck_result(base: out, line_stride: outLine, row_stride: outRow)
        packed.read {
          var panels = ck_panels(base: $0, panel_stride: depth * width, row: width)
          ck_gemm(&operand, &panels, s.columns, lanes, &result, accumulating ? 1 : 0, nil)
        }
      }
    }

    var expected = before
    var worst = 0.0
    for l in 0..<s.lines {
      for r in 0..<s.rows {
        for c in 0..<s.columns {
          let at = l * outLine + r * outRow + c
          var sum = accumulating ? Double(before[at]) : 0
          var size = abs(sum)
          for k in 0..<depth {
            let (part, offset) = k.quotientAndRemainder(dividingBy: s.steps)
            let left = Double(a[l * line + r * row + part * segment + offset * step])
            let right = Double(transposed ? b[c * depth + k] : b[k * s.columns + c])
            sum += left * right
            size += abs(left * right)
          }
          // Each product and each addition rounds once (Higham 2002, section 3.1).
          worst = max(worst, abs(Double(out[at]) - sum) / (size * Double(depth + 2) * rounding))
          expected[at] = out[at]
        }
      }
    }
    #expect(worst <= 1, "an error beyond the bound of the roundings")
    #expect(out == expected, "nothing between and behind the results is touched")
  }

  // MARK: Pairs of bfloat16

  static let pairWidths = Set([4, ck_pair_lanes()]).sorted()

  /// The nearest bfloat16, by the definition: of the two floats with 8 bits of precision around it.
  private func nearest(_ value: Float) -> Float {
    let below = Float(bitPattern: value.bitPattern & 0xffff_0000)
    let above = Float(bitPattern: below.bitPattern + 0x1_0000)
    let (down, up) = (abs(Double(value) - Double(below)), abs(Double(above) - Double(value)))
    if down == up { return below.bitPattern & 0x1_0000 == 0 ? below : above }
    return down < up ? below : above
  }

  private func unpaired(_ pairs: [Float]) -> [Float] {
    pairs.flatMap { [Float(bitPattern: $0.bitPattern << 16), Float(bitPattern: $0.bitPattern & 0xffff_0000)] }
  }

  @Test func `numbers are rounded to the nearest bfloat16, in place too`() {
    for count in [0, 1, 15, 16, 17, 64, 65] {
      var values = numbers(2 * count, seed: 5).map { $0 * 1e3 }
      if count > 20 {
        // Half way between two: to the even one, down and up.
        values[3] = Float(bitPattern: 0x3f80_8000)
        values[36] = Float(bitPattern: 0x3f81_8000)
        values[38] = -0.0
        values[40] = .infinity
      }
      var pairs = [Float](repeating: 7, count: count + 1)
      ck_round_pairs(values, count, &pairs)
      #expect(unpaired(Array(pairs.dropLast())) == values.map { $0.isFinite ? nearest($0) : $0 })
      #expect(pairs[count] == 7)
      values.withUnsafeMutableBufferPointer { all in
        guard let base = all.baseAddress else { return }
        ck_round_pairs(base, count, base)
      }
      #expect(Array(values.prefix(count)).map(\.bitPattern) == pairs.dropLast().map(\.bitPattern))
    }
    for nan in [Float.nan, -.nan, Float(bitPattern: 0x7f80_0001)] {
      for count in [1, 16] {
        var pairs = [Float](repeating: 0, count: count)
        ck_round_pairs([Float](repeating: nan, count: 2 * count), count, &pairs)
        #expect(unpaired(pairs).allSatisfy { $0.isNaN })
      }
    }
  }

  @Test(arguments: [(1, 1), (2, 3), (5, 16), (6, 17), (33, 40), (64, 35), (71, 70)])
  func `a matrix and its transpose are packed to the same pairs`(depth: Int, columns: Int) {
    let b = numbers(depth * columns, seed: 6)
    let transposed = (0..<columns).flatMap { c in (0..<depth).map { b[$0 * columns + c] } }
    for width in [4, 32] {
      let places = (depth + 1) / 2
      let size = places * ((columns + width - 1) / width) * width
      var packed = [Float](repeating: .nan, count: size)
      var other = packed
      ck_pack_pairs(b, depth, columns, columns, 1, 0, width, places * width, &packed)
      ck_pack_pairs(transposed, depth, columns, 1, depth, 0, width, places * width, &other)
      #expect(packed.map(\.bitPattern) == other.map(\.bitPattern))
      var expected = [Float](repeating: 0, count: 2 * size)
      for d in 0..<depth {
        for c in 0..<columns {
          let place = c / width * places * width + d / 2 * width + c % width
          expected[2 * place + d % 2] = nearest(b[d * columns + c])
        }
      }
      #expect(unpaired(packed) == expected)
    }
  }

  @Test(arguments: pairWidths, shapes)
  func `a product of pairs is the sum of the rounded factors in double precision`(lanes: Int, shape: Shape) {
    for alongRows in [false, true] {
      for accumulating in [false, true] { checkPairs(shape, lanes, alongRows, accumulating) }
    }
  }

  /// Steps are pairs here.
  private func checkPairs(_ s: Shape, _ lanes: Int, _ alongRows: Bool, _ accumulating: Bool) {
    let depth = s.segments * s.steps
    let (row, step) = alongRows ? (1, s.rows + 2) : (s.steps, 1)
    let segment = alongRows ? s.steps * step + 3 : s.rows * row + 3
    let line = s.segments * segment + 5
    let places = s.lines * line + s.rows * s.steps + 8
    var a = [Float](repeating: 0, count: places)
    ck_round_pairs(numbers(2 * places, seed: 1), places, &a)
    let left = unpaired(a)
    let b = numbers(2 * depth * s.columns, seed: 2)
    let (outRow, outLine) = (s.columns + 3, s.rows * (s.columns + 3) + 7)
    let before = numbers(s.lines * outLine + 1, seed: 3)
    let width = s.columns > lanes ? 2 * lanes : lanes
    var panels = [Float](repeating: 0, count: depth * ((s.columns + width - 1) / width) * width)
    ck_pack_pairs(b, 2 * depth, s.columns, s.columns, 1, 0, width, depth * width, &panels)

    var out = before
    a.withUnsafeBufferPointer { a in
      panels.withUnsafeBufferPointer { panels in
        out.withUnsafeMutableBufferPointer { out in
          guard let a = a.baseAddress, let panels = panels.baseAddress, let out = out.baseAddress else { return }
          var operand = ck_operand(
            base: a, lines: s.lines, line_stride: line, rows: s.rows, row_stride: row, segments: s.segments,
            segment_stride: segment, steps: s.steps, step_stride: step)
          var right = ck_panels(base: panels, panel_stride: depth * width, row: width)
          var result = ck_result(base: out, line_stride: outLine, row_stride: outRow)
          ck_gemm_pairs(&operand, &right, s.columns, lanes, &result, accumulating ? 1 : 0, nil)
        }
      }
    }
    var expected = before
    var worst = 0.0
    for l in 0..<s.lines {
      for r in 0..<s.rows {
        for c in 0..<s.columns {
          let at = l * outLine + r * outRow + c
          var sum = accumulating ? Double(before[at]) : 0
          var size = abs(sum)
          for k in 0..<2 * depth {
            let (part, offset) = (k / 2).quotientAndRemainder(dividingBy: s.steps)
            let place = l * line + r * row + part * segment + offset * step
            let product = Double(left[2 * place + k % 2]) * Double(nearest(b[k * s.columns + c]))
            sum += product
            size += abs(product)
          }
          worst = max(worst, abs(Double(out[at]) - sum) / (size * Double(2 * depth + 2) * rounding))
          expected[at] = out[at]
        }
      }
    }
    #expect(worst <= 1, "an error beyond the bound of the roundings")
    #expect(out == expected, "nothing between and behind the results is touched")
  }

  @Test func `lines are padded with zeros on all sides and may be skipped`() {
    // 3 lines of 2 pixels of 2 channels.
    let image: [Float] = (1...12).map(Float.init)
    var padded = [Float](repeating: 99, count: 4 * 10)
    ck_pad_lines(image, 3, 2, 2, -1, 1, 4, 1, 2, &padded)
    #expect(
      padded == [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 2, 3, 4, 0, 0, 0, 0,
        0, 0, 5, 6, 7, 8, 0, 0, 0, 0,
        0, 0, 9, 10, 11, 12, 0, 0, 0, 0,
      ])
    var stepped = [Float](repeating: 99, count: 3 * 4)
    ck_pad_lines(image, 3, 2, 2, 0, 2, 3, 0, 0, &stepped)
    #expect(stepped == [1, 2, 3, 4, 9, 10, 11, 12, 0, 0, 0, 0])
  }
}
