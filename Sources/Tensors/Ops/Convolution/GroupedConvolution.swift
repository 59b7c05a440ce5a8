// A convolution whose channels are in groups: the outputs of a group are made from the inputs of that group alone. It is
// as many small convolutions, and what is here is how they become products: of groups with sixteen outputs or more each
// is a matrix product, by the code that convolutions have anyway, on a copy of its channels; where groups are smaller
// that would leave most of a vector empty, and sixteen outputs of several groups are made at a time, a lane each
// (groups.h). A depthwise convolution is the case of one channel a group.

import CKernels

/// [N, H, W, C] and weights [KH, KW, C / G, O] to [N, H', W', O]; see `Ops.convolve`. In float32 always.
struct GroupedConvolution: Sendable {
  /// That of one group.
  let one: DirectConvolution
  let groups: Int

  /// - Parameters:
  ///   - input: [N, H, W, C].
  ///   - weight: [KH, KW, C / G, O].
  init(input: [Int], weight: [Int], stride: Int, padding: Extent, groups: Int) {
    precondition(
      groups > 0 && input[3] == weight[2] * groups && weight[3] % groups == 0,
      "a convolution of \(groups) groups with weights \(weight) got \(input)")
    one = DirectConvolution(
      input: [input[0], input[1], input[2], weight[2]],
      weight: [weight[0], weight[1], weight[2], weight[3] / groups], stride: stride, padding: padding)
    self.groups = groups
  }

  /// O.
  private var outputs: Int { one.outputs * groups }

  /// Sets y [N, H', W', O] from x [N, H, W, C] and w.
  func forward(
    x: UnsafePointer<Float>, w: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
    moments: ChannelMoments.Gathering? = nil, _ pool: ThreadPool
  ) {
    let (kernel, floats) = (one.kernel, one.channels * outputs)
    forwardProducts.run(
      x,
      GroupWeights(
        base: w, taps: (0..<kernel.count).map { $0 * floats }, stepStride: outputs, columnStride: 1,
        groupStride: one.outputs),
      into: y, moments: moments, pool)
  }

  private var forwardProducts: GroupedProducts {
    GroupedProducts(one.forwardGEMM, groups: groups, columns: one.outputs)
  }

  /// Sets dx [N, H, W, C] from dy [N, H', W', O] and w.
  func inputGradient(
    dy: UnsafePointer<Float>, w: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    if one.leavesPixelsOut {
      pool.run(over: one.images * one.height * one.width * one.channels * groups) {
        (dx + $0.lowerBound).update(repeating: 0, count: $0.count)
      }
    }
    let floats = one.channels * outputs
    one.forEachInputGradientPass { vertical, horizontal, gemm in
      var taps: [Int] = []
      for v in 0..<vertical.count {
        for h in 0..<horizontal.count {
          taps.append((vertical.place(v) * one.kernel.width + horizontal.place(h)) * floats)
        }
      }
      GroupedProducts(gemm, groups: groups, columns: one.channels).run(
        dy, GroupWeights(base: w, taps: taps, stepStride: 1, columnStride: outputs, groupStride: one.outputs),
        into: dx, pool)
    }
  }

  // MARK: Memory

  var forwardScratch: ConvolutionScratch { forwardProducts.scratch }

  var inputGradientScratch: ConvolutionScratch {
    var most = ConvolutionScratch(shared: 0, each: 0)
    one.forEachInputGradientPass { _, _, gemm in
      let scratch = GroupedProducts(gemm, groups: groups, columns: one.channels).scratch
      most.shared = max(most.shared, scratch.shared)
      most.each = max(most.each, scratch.each)
    }
    return most
  }
}

// MARK: - Products

/// Where weights lie: of tap t, step c and column j of group g at taps[t] + c * stepStride + j * columnStride +
/// g * groupStride. One of the first two strides is 1.
private struct GroupWeights {
  let base: UnsafePointer<Float>
  let taps: [Int]
  let stepStride: Int
  let columnStride: Int
  let groupStride: Int
}

/// A map slid over another, group by group: what the forward pass and the input gradient share.
private struct GroupedProducts: Sendable {
  /// One group's, whose results are apart by all groups' columns.
  private var group: ImplicitGEMM
  private let groups: Int
  /// Of a group's results.
  private let columns: Int

  init(_ group: ImplicitGEMM, groups: Int, columns: Int) {
    self.group = group
    self.groups = groups
    self.columns = columns
    let strides = group.resultStrides
    self.group.resultStrides = (strides.image * groups, strides.line * groups, strides.pixel * groups)
    self.group.resultOffset *= groups
  }

  static let lanes = 16

  /// Whether several groups are worked on at a time, a lane an output.
  var spreads: Bool { columns < Self.lanes }

  /// Channels of the source, and of the result.
  private var channels: Int { group.channels * groups }
  var allColumns: Int { columns * groups }

  /// Sixteen outputs each, the last perhaps fewer.
  var bundles: Int { (allColumns + Self.lanes - 1) / Self.lanes }

  /// - Parameter moments: what the results are added to, in standard chunks.
  func run(
    _ source: UnsafePointer<Float>, _ weights: GroupWeights, into result: UnsafeMutablePointer<Float>,
    moments: ChannelMoments.Gathering? = nil, _ pool: ThreadPool
  ) {
    if spreads {
      StoragePool.withScratch(bundles * group.depth * Self.lanes) { packed in
        pool.run(over: bundles) { for bundle in $0 { pack(weights, bundle, into: packed) } }
        forEachBlock(moments, result, pool) { block, buffer in
          for bundle in 0..<bundles {
            spread(source, bundle, block, into: buffer)
            for line in 0..<block.lines {
              withUnsafePointer(to: windows(of: line, in: buffer)) {
                ck_group_products(
                  $0, packed + bundle * group.depth * Self.lanes, group.pixels, present(bundle),
                  result + offset(block, line: line) + bundle * Self.lanes, group.resultStrides.pixel)
              }
            }
          }
        }
      }
    } else {
      PackedWeights.withScratch(count: groups, depth: group.depth, columns: columns) { packed in
        pool.run(over: groups) {
          for index in $0 {
            for (tap, place) in weights.taps.enumerated() {
              packed[index].pack(
                weights.base + place + index * weights.groupStride, first: tap * group.channels,
                count: group.channels, rowStride: weights.stepStride, columnStride: weights.columnStride)
            }
          }
        }
        forEachBlock(moments, result, pool) { block, buffer in
          for index in 0..<groups {
            copy(source, index, block, into: buffer)
            packed[index].multiply(
              ProductOperand(
                base: UnsafePointer(buffer) + (group.origin.x + group.before) * group.channels, lines: block.lines,
                line_stride: group.stride * rowFloats, rows: group.pixels,
                row_stride: group.stride * group.channels, segments: group.taps.vertical,
                segment_stride: rowFloats, steps: group.taps.horizontal * group.channels, step_stride: 1),
              into: ProductResult(
                base: result + offset(block, line: 0) + index * columns, line_stride: group.resultStrides.line,
                row_stride: group.resultStrides.pixel))
          }
        }
      }
    }
  }

  // MARK: Blocks

  /// Some lines of results of an image.
  struct Block {
    var image: Int
    var first: Int
    var lines: Int
  }

  /// Floats of the source, or of its spread part, that are walked over before the next weights are: 192 KB.
  private static let blockFloats = 49_152

  /// Floats of a line of the copy.
  private var rowFloats: Int { (group.before + group.width + group.after) * floatsInPixel }
  private var floatsInPixel: Int { group.channels * (spreads ? Self.lanes : 1) }

  var linesInBlock: Int {
    let row = (group.before + group.width + group.after) * (spreads ? floatsInPixel : channels)
    return min(max(1, Self.blockFloats / (group.stride * row)), group.lines)
  }

  /// Lines of the copy from which so many lines of results are made.
  private func copied(for lines: Int) -> Int { (lines - 1) * group.stride + group.taps.vertical }

  private func bufferFloats(lines: Int) -> Int { copied(for: lines) * rowFloats }

  private func offset(_ block: Block, line: Int) -> Int {
    group.resultOffset + block.image * group.resultStrides.image
      + (block.first + line) * group.resultStrides.line
  }

  private func forEachBlock(
    _ moments: ChannelMoments.Gathering?, _ result: UnsafeMutablePointer<Float>, _ pool: ThreadPool,
    _ body: (_ block: Block, _ buffer: UnsafeMutablePointer<Float>) -> Void
  ) {
    let count = group.images * group.lines
    let chunks = min(ThreadPool.standardChunks, count)
    let size = linesInBlock
    pool.run(chunks: chunks) { chunk in
      StoragePool.withScratch(bufferFloats(lines: size)) { buffer in
        Self.forEachBlock(ThreadPool.range(chunk, of: chunks, count: count), linesInImage: group.lines, size) {
          block in
          body(block, buffer)
          moments?.add(
            result + offset(block, line: 0), rows: block.lines * group.pixels, chunk: chunk)
        }
      }
    }
  }

  /// Lines of the batch in blocks that end with images.
  static func forEachBlock(
    _ lines: Range<Int>, linesInImage: Int, _ size: Int, _ body: (Block) -> Void
  ) {
    var line = lines.lowerBound
    while line < lines.upperBound {
      let (image, first) = line.quotientAndRemainder(dividingBy: linesInImage)
      let block = Block(image: image, first: first, lines: min(size, lines.upperBound - line, linesInImage - first))
      body(block)
      line += block.lines
    }
  }

  /// Calls `body` with each line of the copy, where it is to stand, and its source; nil for a line of zeros.
  private func forEachLine(
    _ source: UnsafePointer<Float>, _ block: Block, into buffer: UnsafeMutablePointer<Float>,
    _ body: (_ target: UnsafeMutablePointer<Float>, _ line: UnsafePointer<Float>) -> Void
  ) {
    let (before, after) = (group.before * floatsInPixel, group.after * floatsInPixel)
    let row = rowFloats
    for index in 0..<copied(for: block.lines) {
      let y = group.origin.y + block.first * group.stride + index
      let target = buffer + index * row
      guard (0..<group.height).contains(y) else {
        target.update(repeating: 0, count: row)
        continue
      }
      target.update(repeating: 0, count: before)
      (target + row - after).update(repeating: 0, count: after)
      body(target + before, source + (block.image * group.height + y) * group.width * channels)
    }
  }

  /// A group's channels with the zeros around them.
  func copy(
    _ source: UnsafePointer<Float>, _ index: Int, _ block: Block, into buffer: UnsafeMutablePointer<Float>
  ) {
    let (count, all, width) = (group.channels, channels, group.width)
    forEachLine(source, block, into: buffer) { target, line in
      for pixel in 0..<width {
        (target + pixel * count).update(from: line + pixel * all + index * count, count: count)
      }
    }
  }

  // MARK: Lanes

  /// Outputs of a bundle.
  func present(_ bundle: Int) -> Int { min(Self.lanes, allColumns - bundle * Self.lanes) }

  /// What the outputs of a bundle are made from, with the zeros around it.
  func spread(
    _ source: UnsafePointer<Float>, _ bundle: Int, _ block: Block, into buffer: UnsafeMutablePointer<Float>
  ) {
    let groups = ck_groups(
      pixel_stride: channels, first: bundle * Self.lanes, outputs: allColumns, inputs: group.channels,
      outputs_in_group: columns)
    withUnsafePointer(to: groups) { groups in
      forEachLine(source, block, into: buffer) { target, line in
        ck_spread_groups(groups, line, group.width, target)
      }
    }
  }

  /// The windows of a line of results.
  func windows(of line: Int, in buffer: UnsafeMutablePointer<Float>) -> ck_spread {
    ck_spread(
      base: UnsafePointer(buffer) + line * group.stride * rowFloats + (group.origin.x + group.before)
        * floatsInPixel,
      lines: group.taps.vertical, line_stride: rowFloats, steps: group.taps.horizontal * group.channels,
      pixel_stride: group.stride * floatsInPixel)
  }

  /// A bundle's weights, [taps, channels, 16].
  private func pack(_ weights: GroupWeights, _ bundle: Int, into packed: UnsafeMutablePointer<Float>) {
    let target = packed + bundle * group.depth * Self.lanes
    for lane in 0..<Self.lanes {
      let (index, column) = (bundle * Self.lanes + lane).quotientAndRemainder(dividingBy: columns)
      let isPresent = lane < present(bundle)
      for (tap, place) in weights.taps.enumerated() {
        let from = weights.base + place + index * weights.groupStride + column * weights.columnStride
        for step in 0..<group.channels {
          target[(tap * group.channels + step) * Self.lanes + lane] =
            isPresent ? from[step * weights.stepStride] : 0
        }
      }
    }
  }

  var scratch: ConvolutionScratch {
    ConvolutionScratch(
      shared: spreads
        ? bundles * group.depth * Self.lanes : groups * PackedWeights.floats(depth: group.depth, columns: columns),
      each: bufferFloats(lines: linesInBlock))
  }

  /// Floats of a copy from which so many lines are made.
  func bufferFloats(linesOfResults lines: Int) -> Int { bufferFloats(lines: lines) }

  /// Floats from line to line of a copy.
  var copyStride: Int { rowFloats }
}

// MARK: - Weight gradient

extension GroupedConvolution {
  /// Sets dw [KH, KW, C / G, O] from x [N, H, W, C] and dy [N, H', W', O].
  ///
  /// The work is cut over the lines of the batch, whose sums are then added in order; where there would be too many
  /// numbers to add, over the groups.
  func weightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ pool: ThreadPool
  ) {
    if forwardProducts.spreads {
      spreadWeightGradient(x: x, dy: dy, dw: &dw, pool)
    } else {
      copiedWeightGradient(x: x, dy: dy, dw: &dw, pool)
    }
  }

  /// Part of the numerical result, like `ThreadPool.standardChunks`.
  private static let fewestTasks = 16
  /// Numbers of all partial sums together: 4 MB.
  private static let mostSums = 1 << 20
  /// Output pixels whose gradients are packed at a time.
  private static let blockPixels = 224

  /// Into how many pieces the groups or bundles are cut, and into how many parts the lines of the batch.
  private func cuts(_ count: Int, weights: Int) -> (pieces: Int, parts: Int) {
    let pieces = Self.fewestTasks * weights <= Self.mostSums ? 1 : min(count, Self.fewestTasks)
    return (pieces, min(one.images * one.outputHeight, (Self.fewestTasks + pieces - 1) / pieces))
  }

  /// Calls `body` for each part of each piece.
  private func forEachTask(
    _ cuts: (pieces: Int, parts: Int), _ count: Int, _ pool: ThreadPool,
    _ body: (_ part: Int, _ lines: Range<Int>, _ range: Range<Int>) -> Void
  ) {
    pool.run(chunks: cuts.pieces * cuts.parts) { task in
      let (part, piece) = task.quotientAndRemainder(dividingBy: cuts.pieces)
      body(
        part, ThreadPool.range(part, of: cuts.parts, count: one.images * one.outputHeight),
        ThreadPool.range(piece, of: cuts.pieces, count: count))
    }
  }

  /// Rows of dw, [KH * KW * C / G, O].
  private var rows: Int { one.kernel.count * one.channels }

  private func spreadWeightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ pool: ThreadPool
  ) {
    let (products, lanes, rows, outputs) = (forwardProducts, GroupedProducts.lanes, rows, outputs)
    let bundles = products.bundles
    let floats = bundles * rows * lanes
    let cuts = cuts(bundles, weights: floats)
    let size = products.linesInBlock
    let line = one.outputWidth * outputs
    // [parts, bundles, rows, 16]
    StoragePool.withScratch(cuts.parts * floats) { sums in
      forEachTask(cuts, bundles, pool) { part, lines, range in
        let own = sums + part * floats
        (own + range.lowerBound * rows * lanes).update(repeating: 0, count: range.count * rows * lanes)
        StoragePool.withScratch(products.bufferFloats(linesOfResults: size)) { buffer in
          GroupedProducts.forEachBlock(lines, linesInImage: one.outputHeight, size) { block in
            for bundle in range {
              products.spread(x, bundle, block, into: buffer)
              for index in 0..<block.lines {
                withUnsafePointer(to: products.windows(of: index, in: buffer)) {
                  ck_group_weight_gradient(
                    $0, one.outputWidth, products.present(bundle),
                    dy + (block.image * one.outputHeight + block.first + index) * line + bundle * lanes, outputs,
                    own + bundle * rows * lanes)
                }
              }
            }
          }
        }
      }
      dw.write { dw in
        pool.run(over: bundles) { range in
          for bundle in range {
            for row in 0..<rows {
              let target = dw + row * outputs + bundle * lanes
              for lane in 0..<products.present(bundle) {
                var sum: Float = 0
                for part in 0..<cuts.parts { sum += sums[part * floats + (bundle * rows + row) * lanes + lane] }
                target[lane] = sum
              }
            }
          }
        }
      }
    }
  }

  private func copiedWeightGradient(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, dw: inout Tensor, _ pool: ThreadPool
  ) {
    let (products, outputs) = (forwardProducts, outputs)
    let weights = rows * outputs
    let cuts = cuts(groups, weights: weights)
    let size = linesInGradientBlock
    let (row, columns, width) = (products.copyStride, one.outputs, one.kernel.width * one.channels)
    StoragePool.withScratch(cuts.parts > 1 ? cuts.parts * weights : 0) { partial in
      dw.write { dw in
        forEachTask(cuts, groups, pool) { part, lines, range in
          let own = cuts.parts > 1 ? partial + part * weights : dw
          StoragePool.withScratch(products.bufferFloats(linesOfResults: size)) { buffer in
            PackedWeights.withScratch(depth: size * one.outputWidth, columns: columns) { gradients in
              GroupedProducts.forEachBlock(lines, linesInImage: one.outputHeight, size) { block in
                let line = block.image * one.outputHeight + block.first
                for index in range {
                  products.copy(x, index, block, into: buffer)
                  gradients.pack(
                    dy + line * one.outputWidth * outputs + index * columns, count: block.lines * one.outputWidth,
                    rowStride: outputs)
                  for kernelRow in 0..<one.kernel.height {
                    gradients.multiply(
                      ProductOperand(
                        base: UnsafePointer(buffer) + kernelRow * row, lines: 1, line_stride: 0, rows: width,
                        row_stride: 1, segments: block.lines, segment_stride: one.stride * row,
                        steps: one.outputWidth, step_stride: one.stride * one.channels),
                      into: ProductResult(
                        base: own + kernelRow * width * outputs + index * columns, line_stride: 0,
                        row_stride: outputs),
                      accumulating: line > lines.lowerBound)
                  }
                }
              }
            }
          }
        }
      }
      if cuts.parts > 1 { sumChunks(partial, chunks: cuts.parts, into: &dw, pool) }
    }
  }

  private var linesInGradientBlock: Int {
    min(forwardProducts.linesInBlock, max(1, Self.blockPixels / one.outputWidth))
  }

  var weightGradientScratch: ConvolutionScratch {
    let products = forwardProducts
    if products.spreads {
      let floats = products.bundles * rows * GroupedProducts.lanes
      return ConvolutionScratch(
        shared: cuts(products.bundles, weights: floats).parts * floats,
        each: products.bufferFloats(linesOfResults: products.linesInBlock))
    }
    let weights = rows * outputs
    let parts = cuts(groups, weights: weights).parts
    return ConvolutionScratch(
      shared: parts > 1 ? parts * weights : 0,
      each: products.bufferFloats(linesOfResults: linesInGradientBlock)
        + PackedWeights.floats(depth: linesInGradientBlock * one.outputWidth, columns: one.outputs))
  }
}
