// A convolution of bytes by bytes for inference (Jacob et al. 2018, arXiv:1712.05877, section 2): sums of products of
// integers, and what follows in float while they are in registers. The sums are exact, so the result is the same for any
// cut, any number of threads and any processor.

import CKernels

/// y = activation(x * w + bias + addend) of quantized x and w, where a batch norm's factors are those of the outputs'
/// steps.
public final class QuantizedConvolution: Sendable {
  /// What it adds, or gives.
  public enum Map {
    case floats(Tensor)
    case bytes(ByteMap)
  }

  private let weights: QuantizedWeights
  private let stride: Int
  private let padding: Extent
  /// What the input's bytes stand for.
  public let input: ByteFormat
  /// [panel][quad][column][4], bytes in the place of floats.
  private let panels: PooledArray<Int8>
  /// Of each output: the value of a sum's unit, and what is added to it, the input's zero made up for.
  private let factors: [Double]
  private let shifts: [Double]
  /// No output is of a larger magnitude, before what is added, whatever the input's bytes are.
  private let greatest: Double

  /// More steps than this, and a sum of 32 bits could overflow.
  public static let mostSteps = 65_000

  /// - Parameters:
  ///   - weights: of at most `mostSteps` for each output.
  ///   - norm: what follows; nil for nothing.
  ///   - bias: [O], without a norm; nil for zeros.
  public init(
    _ weights: QuantizedWeights, norm: FoldedBatchNorm? = nil, bias: Tensor? = nil, stride: Int = 1,
    padding: Extent = 0, input: ByteFormat
  ) {
    let shape = weights.shape
    precondition(norm == nil || bias == nil, "a norm after a bias")
    precondition(shape[0] * shape[1] * shape[2] <= Self.mostSteps, "sums of too many steps")
    (self.weights, self.stride, self.padding, self.input) = (weights, stride, padding, input)
    panels = Self.panels(weights)
    let outputs = shape[3]
    var factors: [Double] = []
    var shifts: [Double] = []
    var totals = [Int](repeating: 0, count: outputs)
    var magnitudes = totals
    for (index, value) in weights.values.enumerated() {
      totals[index % outputs] += Int(value)
      magnitudes[index % outputs] += abs(Int(value))
    }
    var greatest = 0.0
    for output in 0..<outputs {
      let factor = Double(input.scale) * Double(weights.scales[output]) * Double(norm?.foldedWeight[output] ?? 1)
      factors.append(factor)
      shifts.append(
        Double(norm?.foldedBias[output] ?? bias?[output] ?? 0) - factor * Double(input.zero * totals[output]))
      let most = abs(factor) * Double(255 * magnitudes[output]) + abs(shifts[output])
      // What is no number is no bound.
      greatest = most <= greatest ? greatest : most.isNaN ? .infinity : most
    }
    (self.factors, self.shifts, self.greatest) = (factors, shifts, greatest)
  }

  /// - Parameters:
  ///   - x: [N, H, W, C] in the format `input`.
  ///   - addend: [N, H', W', O].
  ///   - format: of the result; nil for floats.
  /// - Returns: [N, H', W', O].
  public func callAsFunction(
    _ x: ByteMap, adding addend: Map? = nil, _ activation: Activation, to format: ByteFormat?, _ ops: Ops
  ) -> Map {
    precondition(x.format == input, "bytes of another format")
    let gemm = DirectConvolution(input: x.shape, weight: weights.shape, stride: stride, padding: padding)
    let outputs = weights.shape[3]
    // In steps of the result, each rounded once.
    let step = Double(format?.scale ?? 1)
    var added = (scale: 0.0, zero: 0.0)
    switch addend {
    case .bytes(let map)?:
      precondition(map.shape == gemm.outputShape, "an addend of another shape")
      added = (Double(map.format.scale), Double(map.format.zero))
    case .floats(let tensor)?:
      precondition(tensor.shape == gemm.outputShape, "an addend of another shape")
      added = (1, 0)
    case nil: break
    }
    let scale = factors.map { Float($0 / step) }
    let bias = shifts.map { Float(($0 - added.scale * added.zero) / step) }
    var finish = ck_byte_finish()
    finish.addend_scale = Float(added.scale / step)
    finish.relu = activation == .relu ? 1 : 0
    finish.zero = Int32(format?.zero ?? 0)
    // Half of what integers hold, for roundings. Of floats that are added nothing is known.
    let addsFloats = if case .floats? = addend { true } else { false }
    finish.is_bounded = !addsFloats && (greatest + added.scale * (255 + added.zero)) / step < 0x1p30 ? 1 : 0
    (finish.line_stride, finish.row_stride) = (gemm.outputWidth * outputs, outputs)
    func run(_ finish: ck_byte_finish) {
      x.bytes.withValues { x in
        panels.withValues { panels in
          scale.withUnsafeBufferPointer { scale in
            bias.withUnsafeBufferPointer { bias in
              var finish = finish
              (finish.scale, finish.bias) = (scale.baseAddress, bias.baseAddress)
              ByteProducts(gemm.forwardGEMM, outputs: outputs, zero: UInt8(input.zero), x, panels, finish)
                .run(ops.pool)
            }
          }
        }
      }
    }
    func runAdding(_ finish: ck_byte_finish) {
      var finish = finish
      switch addend {
      case .bytes(let map)?:
        map.bytes.withValues {
          finish.byte_addend = UnsafePointer($0)
          run(finish)
        }
      case .floats(let tensor)?:
        tensor.read {
          finish.float_addend = $0
          run(finish)
        }
      case nil: run(finish)
      }
    }
    guard let format else {
      var output = Tensor(uninitialized: gemm.outputShape)
      output.write {
        finish.floats = $0
        runAdding(finish)
      }
      return .floats(output)
    }
    let output = ByteMap(uninitialized: gemm.outputShape, format)
    output.bytes.withValues {
      finish.bytes = $0
      runAdding(finish)
    }
    return .bytes(output)
  }

  /// For each kernel row the values (kx, c) of a window are neighbors; their number is filled up to fours with zeros.
  private static func panels(_ weights: QuantizedWeights) -> PooledArray<Int8> {
    let (rows, steps, outputs) = (weights.shape[0], weights.shape[1] * weights.shape[2], weights.shape[3])
    let quads = (steps + 3) / 4
    let width = ck_byte_panel()
    let panels = (outputs + width - 1) / width
    let packed = PooledArray<Int8>(uninitialized: panels * rows * quads * width * 4)
    packed.withValues { packed in
      packed.update(repeating: 0, count: panels * rows * quads * width * 4)
      weights.values.withUnsafeBufferPointer { values in
        for row in 0..<rows {
          for step in 0..<steps {
            let from = (row * steps + step) * outputs
            let place = (row * quads + step / 4) * width * 4 + step % 4
            for output in 0..<outputs {
              let (panel, column) = output.quotientAndRemainder(dividingBy: width)
              packed[panel * rows * quads * width * 4 + place + column * 4] = values[from + output]
            }
          }
        }
      }
    }
    return packed
  }
}

/// The products of one pass: which bytes of the map are rows, and how the work is cut.
private struct ByteProducts {
  let gemm: ImplicitGEMM
  let outputs: Int
  /// What stands in the padding.
  let zero: UInt8
  let source: UnsafePointer<UInt8>
  let panels: UnsafePointer<Int8>
  let finish: ck_byte_finish

  init(
    _ gemm: ImplicitGEMM, outputs: Int, zero: UInt8, _ source: UnsafeMutablePointer<UInt8>,
    _ panels: UnsafeMutablePointer<Int8>, _ finish: ck_byte_finish
  ) {
    (self.gemm, self.outputs, self.zero, self.finish) = (gemm, outputs, zero, finish)
    (self.source, self.panels) = (UnsafePointer(source), UnsafePointer(panels))
  }

  private static let fewestRows = 192
  private static let mostRowChunks = 64
  private static let chunksForThread = 4
  /// Bytes of a map that stay in the second cache while the panels go by.
  private static let keptBytes = 393_216

  /// Some lines of results, and where the first of their windows begins.
  private struct Piece {
    let base: UnsafePointer<UInt8>
    let lines: Int
    let rows: Int
    /// The first of the results.
    let pixel: Int
  }

  func run(_ pool: ThreadPool) {
    let rows = gemm.images * gemm.lines * gemm.pixels
    let units = isFlat ? rows : gemm.images * gemm.lines
    let rowChunks = max(1, min(Self.mostRowChunks, rows / Self.fewestRows, units))
    let panelCount = (outputs + ck_byte_panel() - 1) / ck_byte_panel()
    let wanted = pool.threads == 1 ? 1 : Self.chunksForThread * pool.threads
    let columnChunks = max(1, min(panelCount, (wanted + rowChunks - 1) / rowChunks))
    pool.run(chunks: rowChunks * columnChunks) { chunk in
      let (row, column) = chunk.quotientAndRemainder(dividingBy: columnChunks)
      let columns = ThreadPool.range(column, of: columnChunks, count: panelCount)
      let range = ThreadPool.range(row, of: rowChunks, count: units)
      if isFlat { multiplyPixels(range, columns) } else { multiplyLines(range, columns) }
    }
  }

  /// Whether the pixels of all images follow each other as rows.
  private var isFlat: Bool {
    gemm.readsPixels && gemm.stride == 1 && gemm.lines == gemm.height && gemm.pixels == gemm.width
  }

  private func multiplyPixels(_ range: Range<Int>, _ columns: Range<Int>) {
    let block = max(Self.fewestRows, Self.keptBytes / gemm.channels)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: block) {
      let piece = Piece(
        base: source + start * gemm.channels, lines: 1, rows: min(block, range.upperBound - start), pixel: start)
      multiply([piece], columns, rowBytes: 0)
    }
  }

  private func multiplyLines(_ range: Range<Int>, _ columns: Range<Int>) {
    let copies = !gemm.readsPixels
    let row = (copies ? gemm.before + gemm.width + gemm.after : gemm.width) * gemm.channels
    let room = max(gemm.taps.vertical, min(Self.keptBytes / max(1, row), gemm.images * gemm.height + 64))
    // Three bytes more may be read behind the last window.
    StoragePool.withScratch(of: UInt8.self, copies ? room * row + 4 : 0) { buffer in
      var line = range.lowerBound
      while line < range.upperBound {
        var pieces: [Piece] = []
        var used = 0
        while line < range.upperBound {
          let fitting = (room - used - gemm.taps.vertical) / gemm.stride + 1
          guard room - used >= gemm.taps.vertical, fitting > 0 else { break }
          let (image, first) = line.quotientAndRemainder(dividingBy: gemm.lines)
          let count = min(fitting, range.upperBound - line, gemm.lines - first)
          let imageStart = source + image * gemm.height * gemm.width * gemm.channels
          let top = gemm.origin.y + first * gemm.stride
          let read = (count - 1) * gemm.stride + gemm.taps.vertical
          var base = imageStart + top * row + gemm.origin.x * gemm.channels
          if copies {
            let target = buffer + used * row
            ck_pad_byte_lines(
              imageStart, gemm.height, gemm.width, gemm.channels, top, 1, read, gemm.before, gemm.after, zero,
              target)
            base = UnsafePointer(target) + (gemm.origin.x + gemm.before) * gemm.channels
          }
          used += read
          pieces.append(Piece(base: base, lines: count, rows: gemm.pixels, pixel: line * gemm.pixels))
          line += count
        }
        multiply(pieces, columns, rowBytes: row)
      }
    }
  }

  /// - Parameter rowBytes: bytes from line to line of the source.
  private func multiply(_ pieces: [Piece], _ columns: Range<Int>, rowBytes row: Int) {
    let width = ck_byte_panel()
    for panel in columns {
      let end = min(outputs, (panel + 1) * width)
      for piece in pieces {
        var operand = ck_byte_operand(
          base: piece.base, lines: piece.lines, line_stride: gemm.stride * row, rows: piece.rows,
          row_stride: gemm.stride * gemm.channels, segments: gemm.taps.vertical, segment_stride: row,
          quads: (gemm.taps.horizontal * gemm.channels + 3) / 4)
        var finish = finish
        let start = piece.pixel * outputs
        if let addend = finish.byte_addend { finish.byte_addend = addend + start }
        if let addend = finish.float_addend { finish.float_addend = addend + start }
        if let bytes = finish.bytes { finish.bytes = bytes + start }
        if let floats = finish.floats { finish.floats = floats + start }
        ck_byte_product(&operand, panels, panel * width, end, &finish)
      }
    }
  }
}
