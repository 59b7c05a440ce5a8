// A convolution's gradient by its weights: the transposed algorithm, dw = G^T ((B^T d B) * (A dY A^T)) G summed over
// tiles, the sums being matrix products along the tiles.

import CKernels
import Tensors

extension Winograd {
  /// dw[ky, kx, c, o] = sum over n, y, x of in[n, y + ky - 1, x + kx - 1, c] * dy[n, y, x, o].
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - dy: [N, H, W, O].
  ///   - gradient: [3, 3, C, O]; overwritten.
  func weightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into gradient: inout Tensor, _ workers: WorkerPool
  ) {
    switch cut {
    case .tiles: weightGradientByTiles(x, dy, into: &gradient, workers)
    case .outputs: gradient.write { weightGradientByOutputs(x, dy, into: $0, workers) }
    }
  }

  // MARK: By tiles

  /// Each shard has a gradient of its own; they are added in order.
  private func weightGradientByTiles(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into gradient: inout Tensor, _ workers: WorkerPool
  ) {
    let shards = gradientShards
    let count = 9 * geometry.channels * geometry.outputs
    var partials = Tensor(uninitialised: [shards, count])
    partials.write { dw in
      workers.run(shards: shards) { shard in
        let runs = WorkerPool.range(shard, of: shards, count: runs)
        let all = 0..<geometry.outputs
        let (inputPlanes, outputPlanes) = gradientBlockPlanes
        let sumPlanes = Planes(tile, rows: geometry.channels, columns: geometry.outputs)
        var inputs = Tensor(uninitialised: [inputPlanes.floats])
        var outputs = Tensor(uninitialised: [outputPlanes.floats])
        var sums = Tensor(uninitialised: [sumPlanes.floats])
        inputs.write { v in
          outputs.write { d in
            sums.write { sums in
              for block in Self.parts(of: runs, length: runsInGradientBlock) {
                let tiles = tiles(inRuns: block)
                transformInput(x, tiles: tiles, into: v, inputPlanes)
                transformOutputGradient(dy, tiles: tiles, into: d, outputPlanes)
                multiply(
                  Operand(base: v, planes: inputPlanes, orientation: .transposed),
                  Operand(base: d, planes: outputPlanes), into: sums, sumPlanes, rows: geometry.channels,
                  columns: all.count, inner: tiles.count, accumulating: block.lowerBound > runs.lowerBound)
              }
              transformGradient(
                sums, sumPlanes, columns: geometry.outputs, into: dw + shard * count, stride: geometry.outputs)
            }
          }
        }
      }
    }
    sumShards(partials, shards: shards, into: &gradient, workers)
  }

  /// Each block of tiles reads and writes the sums once. Where they are larger than the nearest caches, only a long
  /// block makes up for it.
  private var runsInGradientBlock: Int {
    let sums = tile.points * geometry.channels * geometry.outputs
    return runsInBlock(columns: geometry.channels + geometry.outputs, atLeast: sums > Self.nearFloats ? 10 : 2)
  }

  private static let nearFloats = 1 << 20

  /// Few, because each holds a whole gradient.
  private var gradientShards: Int { min(8, max(1, (runs + runsInGradientBlock / 2) / runsInGradientBlock)) }

  private var gradientBlockPlanes: (inputs: Planes, outputs: Planes) {
    let rows = runsInGradientBlock * Self.tilesInRun
    return (
      Planes(tile, rows: rows, columns: geometry.channels),
      Planes.rightOperand(tile, rows: rows, columns: geometry.outputs)
    )
  }

  // MARK: By outputs

  private func weightGradientByOutputs(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into dw: UnsafeMutablePointer<Float>,
    _ workers: WorkerPool
  ) {
    let (inputPlanes, outputPlanes) = gradientBatchPlanes
    var inputs = Tensor(uninitialised: [inputPlanes.floats])
    var outputs = Tensor(uninitialised: [outputPlanes.floats])
    for batch in Self.parts(of: 0..<runs, length: runsInBatch) {
      let batchTiles = tiles(inRuns: batch)
      inputs.write { v in
        outputs.write { d in
          workers.run(over: batch.count) { part in
            let tiles = tiles(inRuns: (batch.lowerBound + part.lowerBound)..<(batch.lowerBound + part.upperBound))
            let row = tiles.lowerBound - batchTiles.lowerBound
            transformInput(x, tiles: tiles, into: v + row * inputPlanes.layout.row, inputPlanes)
            transformOutputGradient(dy, tiles: tiles, into: d + row * outputPlanes.layout.row, outputPlanes)
          }
        }
      }
      Tensor.read(inputs, outputs) { v, d in
        workers.run(shards: groups) { index in
          addProducts(
            Operand(base: v, planes: inputPlanes, orientation: .transposed),
            Operand(base: d, planes: outputPlanes, firstColumn: group(index).lowerBound), tiles: batchTiles.count,
            columns: group(index), into: dw, isFirst: batch.lowerBound == 0)
        }
      }
    }
  }

  /// Some output columns of the gradient: sets them or adds to them.
  private func addProducts(
    _ inputs: Operand, _ outputs: Operand, tiles: Int, columns: Range<Int>, into dw: UnsafeMutablePointer<Float>,
    isFirst: Bool
  ) {
    let rows = geometry.channels
    let sumPlanes = Planes(tile, rows: rows, columns: columns.count)
    var sums = Tensor(uninitialised: [sumPlanes.floats])
    sums.write { sums in
      multiply(inputs, outputs, into: sums, sumPlanes, rows: rows, columns: columns.count, inner: tiles)
      if isFirst {
        transformGradient(
          sums, sumPlanes, columns: columns.count, into: dw + columns.lowerBound, stride: geometry.outputs)
        return
      }
      var addend = Tensor(uninitialised: [9 * rows * columns.count])
      addend.write { addend in
        transformGradient(sums, sumPlanes, columns: columns.count, into: addend, stride: columns.count)
        for row in 0..<(9 * rows) {
          ck_add(dw + row * geometry.outputs + columns.lowerBound, addend + row * columns.count, columns.count)
        }
      }
    }
  }

  private var gradientBatchPlanes: (inputs: Planes, outputs: Planes) {
    let rows = runsInBatch * Self.tilesInRun
    return (
      Planes(tile, rows: rows, columns: geometry.channels),
      Planes.rightOperand(tile, rows: rows, columns: geometry.outputs)
    )
  }

  // MARK: Filters

  /// Planes [C, columns] to columns of dw [3, 3, C, stride].
  private func transformGradient(
    _ sums: UnsafePointer<Float>, _ planes: Planes, columns: Int, into dw: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var (taps, layout) = (ck_winograd_taps(tap: geometry.channels * stride, row: stride), planes.layout)
    ck_winograd_filter_gradient(Int32(tile.rawValue), sums, &layout, geometry.channels, columns, dw, &taps)
  }

  // MARK: Memory

  var weightGradientScratch: ConvolutionScratch {
    switch cut {
    case .tiles:
      let (inputs, outputs) = gradientBlockPlanes
      let sums = Planes(tile, rows: geometry.channels, columns: geometry.outputs)
      return ConvolutionScratch(
        shared: gradientShards * 9 * geometry.channels * geometry.outputs,
        each: inputs.floats + outputs.floats + sums.floats)
    case .outputs:
      let (inputs, outputs) = gradientBatchPlanes
      let sums = Planes(tile, rows: geometry.channels, columns: Self.groupWidth)
      let addend = runsInBatch < runs ? 9 * geometry.channels * Self.groupWidth : 0
      return ConvolutionScratch(shared: inputs.floats + outputs.floats, each: sums.floats + addend)
    }
  }
}
