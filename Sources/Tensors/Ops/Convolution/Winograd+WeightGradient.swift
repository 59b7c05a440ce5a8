// A convolution's gradient by its weights: the transposed algorithm, dw = G^T ((B^T d B) * (A dY A^T)) G summed over
// tiles, the sums being matrix products along the tiles.

import CKernels

extension Winograd {
  /// dw[ky, kx, c, o] = sum over n, y, x of in[n, y * stride + ky - 1, x * stride + kx - 1, c] * dy[n, y, x, o].
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - dy: [N, H', W', O].
  ///   - gradient: [3, 3, C, O]; overwritten.
  func weightGradient(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into gradient: inout Tensor, _ pool: ThreadPool
  ) {
    switch gradientCut {
    case .tiles: weightGradientByTiles(x, dy, into: &gradient, pool)
    case .points, .outputs: weightGradientByPoints(x, dy, into: &gradient, pool)
    }
  }

  // MARK: By tiles

  /// Each chunk has a gradient of its own; they are added in order.
  private func weightGradientByTiles(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into gradient: inout Tensor, _ pool: ThreadPool
  ) {
    let chunks = gradientChunks
    let count = 9 * geometry.channels * geometry.outputs
    StoragePool.withScratch(chunks * count) { dw in
      pool.run(chunks: chunks) { chunk in
        let runs = ThreadPool.range(chunk, of: chunks, count: runs)
        let all = 0..<geometry.outputs
        let (inputPlanes, outputPlanes) = gradientBlockPlanes
        StoragePool.withScratch(inputPlanes.floats) { v in
          StoragePool.withScratch(outputPlanes.floats) { d in
            StoragePool.withScratch(sumPlanes.floats) { sums in
              for block in Parts(of: runs, length: runsInGradientBlock) {
                let tiles = tiles(inRuns: block)
                transformInput(x, tiles: tiles, summedAlong: .tiles, into: v, inputPlanes)
                transformOutputGradient(dy, tiles: tiles, into: d, outputPlanes)
                multiply(
                  transforms.filterProducts, Operand(base: v, planes: inputPlanes, orientation: .transposed),
                  Operand(base: d, planes: outputPlanes), into: sums, sumPlanes, rows: geometry.channels,
                  columns: all.count, inner: tiles.count, accumulating: block.lowerBound > runs.lowerBound)
              }
              transformGradient(sums, sumPlanes, rows: 0..<geometry.channels, into: dw + chunk * count)
            }
          }
        }
      }
      sumChunks(dw, chunks: chunks, into: &gradient, pool)
    }
  }

  private var runsInGradientBlock: Int { runsInBlock(floatsOfTile: floatsOfTile) }

  /// Few, because each holds a whole gradient.
  private var gradientChunks: Int { min(8, max(1, runs / runsInGradientBlock)) }

  private var gradientBlockPlanes: (inputs: Planes, outputs: Planes) { gradientPlanes(runs: runsInGradientBlock) }

  // MARK: By points

  /// Each product by itself, over many tiles at once, so that few of them are read again.
  private func weightGradientByPoints(
    _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, into gradient: inout Tensor, _ pool: ThreadPool
  ) {
    let (inputPlanes, outputPlanes) = gradientBatchPlanes
    StoragePool.withScratch(sumPlanes.floats) { sums in
      StoragePool.withScratch(inputPlanes.floats) { v in
        StoragePool.withScratch(outputPlanes.floats) { d in
          for batch in Parts(of: 0..<runs, length: runsInGradientBatch) {
            let batchTiles = tiles(inRuns: batch)
            pool.run(over: batch.count) { part in
              let tiles = tiles(inRuns: (batch.lowerBound + part.lowerBound)..<(batch.lowerBound + part.upperBound))
              // Runs are of an even number of tiles, so that no pair is cut.
              let row = precision.places(tiles.lowerBound - batchTiles.lowerBound)
              transformInput(
                x, tiles: tiles, summedAlong: .tiles, into: v + row * inputPlanes.layout.row, inputPlanes)
              transformOutputGradient(dy, tiles: tiles, into: d + row * outputPlanes.layout.row, outputPlanes)
            }
            let products = transforms.filterProducts
            pool.run(chunks: products.count) { index in
              multiply(
                CollectionOfOne(products[index]), Operand(base: v, planes: inputPlanes, orientation: .transposed),
                Operand(base: d, planes: outputPlanes), into: sums, sumPlanes, rows: geometry.channels,
                columns: geometry.outputs, inner: batchTiles.count, accumulating: batch.lowerBound > 0)
            }
          }
        }
      }
      gradient.write { dw in
        pool.run(over: geometry.channels) { rows in transformGradient(sums, sumPlanes, rows: rows, into: dw) }
      }
    }
  }

  private var runsInGradientBatch: Int { runsInBatch(floatsOfTile: floatsOfTile) }

  private var gradientBatchPlanes: (inputs: Planes, outputs: Planes) { gradientPlanes(runs: runsInGradientBatch) }

  // MARK: Transforms

  private func gradientPlanes(runs: Int) -> (inputs: Planes, outputs: Planes) {
    let rows = runs * Self.tilesInRun
    return (
      inputPlanes(tiles: rows, summedAlong: .tiles),
      Planes.rightOperand(
        count: transforms.sumPlaneCount, rows: precision.places(rows), columns: geometry.outputs, precision)
    )
  }

  /// [C, O], each a product along the tiles.
  private var sumPlanes: Planes {
    Planes(count: transforms.filterPlaneCount, rows: geometry.channels, columns: geometry.outputs)
  }

  /// Some rows of planes [C, O] to dw [3, 3, C, O].
  private func transformGradient(
    _ sums: UnsafePointer<Float>, _ planes: Planes, rows: Range<Int>, into dw: UnsafeMutablePointer<Float>
  ) {
    let columns = geometry.outputs
    var (taps, layout) = (ck_winograd_taps(tap: geometry.channels * columns, row: columns), planes.layout)
    ck_winograd_filter_gradient(
      transforms.form, sums + rows.lowerBound * planes.layout.row, &layout, rows.count, columns,
      dw + rows.lowerBound * columns, &taps)
  }

  // MARK: Memory

  var weightGradientScratch: ConvolutionScratch {
    switch gradientCut {
    case .tiles:
      let (inputs, outputs) = gradientBlockPlanes
      return ConvolutionScratch(
        shared: gradientChunks * 9 * geometry.channels * geometry.outputs,
        each: inputs.floats + outputs.floats + sumPlanes.floats)
    case .points, .outputs:
      let (inputs, outputs) = gradientBatchPlanes
      return ConvolutionScratch(shared: inputs.floats + outputs.floats + sumPlanes.floats, each: 0)
    }
  }
}
