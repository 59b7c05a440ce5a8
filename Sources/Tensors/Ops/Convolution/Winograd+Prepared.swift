// Winograd's convolution for inference: with a filter that is transformed once, and with what follows done to each tile
// while it is in registers.

import CKernels

extension Winograd {
  /// The whole filter, transformed.
  var preparedPlanes: Planes { filterPlanes(columns: geometry.outputs) }

  /// - Parameters:
  ///   - w: [3, 3, C, O].
  ///   - u: takes `preparedPlanes`.
  func prepare(_ w: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, _ pool: ThreadPool) {
    let planes = preparedPlanes
    pool.run(chunks: groups) { index in
      let columns = group(index)
      transformFilter(
        w + columns.lowerBound, ck_winograd_taps(tap: geometry.channels * geometry.outputs, row: geometry.outputs),
        columns: columns.count, into: u + planes.start(ofColumn: columns.lowerBound), planes)
    }
  }

  /// y = activation(x * w + bias + addend)
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - u: of the same tile and filter.
  ///   - y: [N, H', W', O]; all of it is set. It may be the addend.
  func convolve(
    _ x: UnsafePointer<Float>, prepared u: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    _ finish: ProductFinish, _ pool: ThreadPool
  ) {
    // No sum crosses a cut, so threads may decide it.
    if sharesOutputs(threads: pool.threads) {
      convolveByOutputs(x, u, into: y, finish, pool)
    } else {
      convolveByTiles(x, u, into: y, finish, pool)
    }
  }

  /// Whether there are too few tiles for the threads to share out.
  private func sharesOutputs(threads: Int) -> Bool { threads > 1 && runs < Self.runsForThread * threads }

  private static let runsForThread = 4

  /// Runs that are worked on together. Where the filter leaves the second cache, it should go by seldom: each product's
  /// part of it is used for all tiles of a block.
  private func preparedRuns(threads: Int) -> Int {
    let filter = transforms.filterPlaneCount * geometry.channels * geometry.outputs
    guard filter > Self.largestNearFilter else {
      let run = floatsOfTile * Self.tilesInRun
      return max(1, min(runs, max(2, Self.nearFloats / run)))
    }
    return max(1, min(Self.mostRuns, (runs + threads - 1) / threads))
  }

  /// 4 MB.
  private static let largestNearFilter = 1 << 20
  /// Floats of a block's planes: 768 KB.
  private static let nearFloats = 3 << 16
  private static let mostRuns = 16

  private func preparedBlockPlanes(_ runs: Int) -> (inputs: Planes, products: Planes) {
    let rows = runs * Self.tilesInRun
    return (
      inputPlanes(tiles: rows, summedAlong: .channels),
      Planes(count: transforms.sumPlaneCount, rows: rows, columns: geometry.outputs)
    )
  }

  private func convolveByTiles(
    _ x: UnsafePointer<Float>, _ u: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    _ finish: ProductFinish, _ pool: ThreadPool
  ) {
    let filterPlanes = preparedPlanes
    let length = preparedRuns(threads: pool.threads)
    let (inputPlanes, productPlanes) = preparedBlockPlanes(length)
    let chunks = min(Self.mostChunks, (runs + length - 1) / length)
    pool.run(over: runs, chunks: chunks) { runs in
      StoragePool.withScratch(inputPlanes.floats) { v in
        StoragePool.withScratch(productPlanes.floats) { m in
          for block in Parts(of: runs, length: length) {
            let tiles = tiles(inRuns: block)
            transformInput(x, tiles: tiles, summedAlong: .channels, into: v, inputPlanes)
            multiply(
              transforms.products, Operand(base: v, planes: inputPlanes), Operand(base: u, planes: filterPlanes),
              into: m,
              productPlanes,
              rows: tiles.count, columns: geometry.outputs, inner: geometry.channels)
            transformOutput(
              m, productPlanes, tiles: tiles, columns: 0..<geometry.outputs, into: y, finish: finish)
          }
        }
      }
    }
  }

  private static let mostChunks = 64

  private func convolveByOutputs(
    _ x: UnsafePointer<Float>, _ u: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    _ finish: ProductFinish, _ pool: ThreadPool
  ) {
    let (inputPlanes, filterPlanes) = (batchInputPlanes, preparedPlanes)
    StoragePool.withScratch(inputPlanes.floats) { v in
      for batch in Parts(
        of: 0..<runs, length: runsInBatch(floatsOfTile: transforms.inputPlaneCount * geometry.channels))
      {
        let first = tiles(inRuns: batch).lowerBound
        pool.run(over: batch.count) { part in
          let tiles = tiles(inRuns: (batch.lowerBound + part.lowerBound)..<(batch.lowerBound + part.upperBound))
          transformInput(
            x, tiles: tiles, summedAlong: .channels, into: v + (tiles.lowerBound - first) * inputPlanes.layout.row,
            inputPlanes)
        }
        pool.run(chunks: groups) { index in
          let columns = group(index)
          let productPlanes = groupProductPlanes(columns: columns.count)
          StoragePool.withScratch(productPlanes.floats) { m in
            for block in Parts(of: batch, length: runsInGroupBlock) {
              let tiles = tiles(inRuns: block)
              multiply(
                transforms.products,
                Operand(base: v + (tiles.lowerBound - first) * inputPlanes.layout.row, planes: inputPlanes),
                Operand(base: u, planes: filterPlanes, firstColumn: columns.lowerBound), into: m, productPlanes,
                rows: tiles.count, columns: columns.count, inner: geometry.channels)
              transformOutput(m, productPlanes, tiles: tiles, columns: columns, into: y, finish: finish)
            }
          }
        }
      }
    }
  }

  /// Memory that a pass needs for itself.
  func preparedScratch(threads: Int) -> ConvolutionScratch {
    if sharesOutputs(threads: threads) {
      return ConvolutionScratch(
        shared: batchInputPlanes.floats, each: groupProductPlanes(columns: Self.groupWidth).floats)
    }
    let (inputs, products) = preparedBlockPlanes(preparedRuns(threads: threads))
    return ConvolutionScratch(shared: 0, each: inputs.floats + products.floats)
  }
}
