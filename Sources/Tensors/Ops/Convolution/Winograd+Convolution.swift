// The output of a convolution and its gradient by the input: the same passes over another filter.

import CKernels

extension Winograd {
  /// y = x * w, without a bias.
  /// - Parameters:
  ///   - x: [N, H, W, C].
  ///   - w: [3, 3, C, O].
  ///   - y: [N, H', W', O]; all of it is set.
  ///   - finish: done to y.
  func convolve(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>,
    finish: ConvolutionFinish? = nil, _ pool: ThreadPool
  ) {
    convolve(x, Filter(w, .asStored), into: y, finish, pool)
  }

  /// dx = the transposed convolution of dy.
  /// - Parameters:
  ///   - dy: [N, H', W', O].
  ///   - w: [3, 3, C, O].
  ///   - dx: [N, H, W, C]; all of it is set.
  func inputGradient(
    _ dy: UnsafePointer<Float>, _ w: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>,
    _ pool: ThreadPool
  ) {
    exchanged.convolve(dy, Filter(w, .transposed), into: dx, nil, pool)
  }

  /// A filter as it is stored, or turned by half a circle with inputs and outputs exchanged.
  private struct Filter {
    let base: UnsafePointer<Float>
    let orientation: Transposition

    init(_ base: UnsafePointer<Float>, _ orientation: Transposition) {
      self.base = base
      self.orientation = orientation
    }
  }

  private func convolve(
    _ x: UnsafePointer<Float>, _ filter: Filter, into y: UnsafeMutablePointer<Float>, _ finish: ConvolutionFinish?,
    _ pool: ThreadPool
  ) {
    switch convolutionCut {
    case .tiles: convolveByTiles(x, filter, into: y, finish, pool)
    case .outputs, .points:
      convolveByOutputs(x, filter, into: y, pool)
      finish?.apply(to: y, pixels: geometry.images * outputMap.height * outputMap.width, pool)
    }
  }

  // MARK: By tiles

  private func convolveByTiles(
    _ x: UnsafePointer<Float>, _ filter: Filter, into y: UnsafeMutablePointer<Float>, _ finish: ConvolutionFinish?,
    _ pool: ThreadPool
  ) {
    let filterPlanes = filterPlanes(columns: geometry.outputs)
    let all = 0..<geometry.outputs
    StoragePool.withScratch(filterPlanes.floats) { u in
      pool.run(chunks: groups) { index in
        transform(filter, columns: group(index), into: u, filterPlanes)
      }
      pool.run(over: runs, chunks: tileChunks) { runs in
        let blocks = Parts(of: runs, length: runsInTileBlock)
        let (inputPlanes, productPlanes) = tileBlockPlanes
        StoragePool.withScratch(inputPlanes.floats) { v in
          StoragePool.withScratch(productPlanes.floats) { m in
            for block in blocks {
              let tiles = tiles(inRuns: block)
              transformInput(x, tiles: tiles, summedAlong: .channels, into: v, inputPlanes)
              multiply(
                transforms.products, Operand(base: v, planes: inputPlanes), Operand(base: u, planes: filterPlanes),
                into: m,
                productPlanes, rows: tiles.count, columns: all.count, inner: geometry.channels)
              transformOutput(m, productPlanes, tiles: tiles, columns: all, into: y)
              if let finish { forEachLine(of: tiles) { finish.apply(to: y, pixels: $0) } }
            }
          }
        }
      }
    }
  }

  /// The pixels of the map that belong to tiles, those of a line at a time.
  private func forEachLine(of tiles: Range<Int>, _ body: (_ pixels: Range<Int>) -> Void) {
    let (m, map) = (transforms.side, outputMap)
    let (tileRows, tileColumns) = (tileRows, tileColumns)
    var first = tiles.lowerBound
    while first < tiles.upperBound {
      let (row, column) = first.quotientAndRemainder(dividingBy: tileColumns)
      let count = min(tileColumns - column, tiles.upperBound - first)
      let (image, tileRow) = row.quotientAndRemainder(dividingBy: tileRows)
      let (left, right) = (column * m, min((column + count) * m, map.width))
      for y in (tileRow * m)..<min((tileRow + 1) * m, map.height) {
        let line = (image * map.height + y) * map.width
        body((line + left)..<(line + right))
      }
      first += count
    }
  }

  private var runsInTileBlock: Int { runsInBlock(floatsOfTile: floatsOfTile) }

  private var tileChunks: Int { min(ThreadPool.standardChunks, max(1, runs / runsInTileBlock)) }

  private var tileBlockPlanes: (inputs: Planes, products: Planes) {
    let rows = runsInTileBlock * Self.tilesInRun
    return (
      inputPlanes(tiles: rows, summedAlong: .channels),
      Planes(count: transforms.sumPlaneCount, rows: rows, columns: geometry.outputs)
    )
  }

  // MARK: By outputs

  private func convolveByOutputs(
    _ x: UnsafePointer<Float>, _ filter: Filter, into y: UnsafeMutablePointer<Float>, _ pool: ThreadPool
  ) {
    let inputPlanes = batchInputPlanes
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
          convolve(v, inputPlanes, first: first, runs: batch, filter, columns: group(index), into: y)
        }
      }
    }
  }

  /// Some output columns of a batch of tiles whose inputs are transformed.
  private func convolve(
    _ v: UnsafePointer<Float>, _ inputPlanes: Planes, first: Int, runs: Range<Int>, _ filter: Filter,
    columns: Range<Int>, into y: UnsafeMutablePointer<Float>
  ) {
    let (filterPlanes, productPlanes) = (groupFilterPlanes, groupProductPlanes(columns: columns.count))
    StoragePool.withScratch(filterPlanes.floats) { u in
      transform(filter, columns: columns, into: u, filterPlanes, from: columns.lowerBound)
      StoragePool.withScratch(productPlanes.floats) { m in
        for block in Parts(of: runs, length: runsInGroupBlock) {
          let tiles = tiles(inRuns: block)
          multiply(
            transforms.products,
            Operand(base: v + (tiles.lowerBound - first) * inputPlanes.layout.row, planes: inputPlanes),
            Operand(base: u, planes: filterPlanes), into: m, productPlanes, rows: tiles.count,
            columns: columns.count, inner: geometry.channels)
          transformOutput(m, productPlanes, tiles: tiles, columns: columns, into: y)
        }
      }
    }
  }

  var runsInGroupBlock: Int { runsInBlock(floatsOfTile: transforms.sumPlaneCount * Self.groupWidth) }

  private var groupFilterPlanes: Planes { filterPlanes(columns: Self.groupWidth) }

  func groupProductPlanes(columns: Int) -> Planes {
    Planes(count: transforms.sumPlaneCount, rows: runsInGroupBlock * Self.tilesInRun, columns: columns)
  }

  var batchInputPlanes: Planes {
    inputPlanes(
      tiles: runsInBatch(floatsOfTile: transforms.inputPlaneCount * geometry.channels) * Self.tilesInRun,
      summedAlong: .channels)
  }

  // MARK: Filters

  /// Some columns of the filter to planes [C, O] of which the first column is number `from`.
  private func transform(
    _ filter: Filter, columns: Range<Int>, into out: UnsafeMutablePointer<Float>, _ planes: Planes,
    from first: Int = 0
  ) {
    let rows = geometry.channels
    let target = out + planes.start(ofColumn: columns.lowerBound - first)
    switch filter.orientation {
    case .asStored:
      transformFilter(
        filter.base + columns.lowerBound, ck_winograd_taps(tap: rows * geometry.outputs, row: geometry.outputs),
        columns: columns.count, into: target, planes)
    case .transposed:
      StoragePool.withScratch(9 * rows * columns.count) { g in
        ck_winograd_flip(filter.base, geometry.outputs, rows, columns.lowerBound, columns.count, g)
        transformFilter(
          g, ck_winograd_taps(tap: rows * columns.count, row: columns.count), columns: columns.count, into: target,
          planes)
      }
    }
  }

  // MARK: Memory

  func convolutionScratch(_ orientation: Transposition) -> ConvolutionScratch {
    let turned = orientation == .transposed ? 9 * geometry.channels * min(Self.groupWidth, geometry.outputs) : 0
    switch convolutionCut {
    case .tiles:
      let (inputs, products) = tileBlockPlanes
      return ConvolutionScratch(
        shared: filterPlanes(columns: geometry.outputs).floats,
        each: max(turned + filterScratch, inputs.floats + products.floats))
    case .outputs, .points:
      let each =
        groupFilterPlanes.floats
        + max(turned + filterScratch, groupProductPlanes(columns: Self.groupWidth).floats)
      return ConvolutionScratch(shared: batchInputPlanes.floats, each: each)
    }
  }
}
