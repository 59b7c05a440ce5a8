// Batch norm's way back, with what it is joined with, in two trips through memory: one gathers two sums a channel, the
// other makes the gradient. Where the ReLU gave zero is decided on the fly: without an addend from the input; with one
// from a mask of bits, because the input does not tell, and because the addend's gradient is then made at the same
// time. Letters: g is dy where the ReLU let through, else 0; xhat = (x - mean) * rstd.

import CKernels

/// What the way back works out once a channel. Kept by the layer, so that nothing is allocated.
public struct GradientMap: Sendable {
  /// Over rows, of g and of g * (x - mean); [C].
  private var sumGradients: [Double]
  private var sumProducts: [Double]
  private var rows = 0.0
  /// The gradient by the input as a * g + b * (x - mean) + d, each [C].
  fileprivate private(set) var a: [Float]
  fileprivate private(set) var b: [Float]
  fileprivate private(set) var d: [Float]

  public init(channels: Int) {
    a = [Float](repeating: 0, count: channels)
    (b, d) = (a, a)
    sumGradients = [Double](repeating: 0, count: channels)
    sumProducts = sumGradients
  }

  /// dx = gamma / std * (g - mean(g) - xhat * mean(g * xhat)).
  /// - Parameters:
  ///   - weight: gamma, [C].
  ///   - sumGradients, sumProducts: over rows, of g and of g * (x - mean); [C].
  fileprivate mutating func set(
    _ normalization: FoldedBatchNorm, weight: UnsafePointer<Float>, rows: Double,
    sumGradients: UnsafePointer<Double>,
    sumProducts: UnsafePointer<Double>
  ) {
    self.rows = rows
    for c in a.indices { (self.sumGradients[c], self.sumProducts[c]) = (sumGradients[c], sumProducts[c]) }
    setSlopes(normalization, weight: weight, rows: rows, sumGradients, sumProducts)
  }

  private mutating func setSlopes(
    _ normalization: FoldedBatchNorm, weight: UnsafePointer<Float>, rows: Double,
    _ sumGradients: UnsafePointer<Double>, _ sumProducts: UnsafePointer<Double>
  ) {
    for c in a.indices {
      let inverse = Double(normalization.rstd[c])
      let slope = Double(weight[c]) * inverse
      a[c] = Float(slope)
      b[c] = Float(-slope * inverse * inverse * sumProducts[c] / rows)
      d[c] = Float(-slope * sumGradients[c] / rows)
    }
  }

  /// What was summed here.
  public var sum: NormGradientSum {
    NormGradientSum(rows: rows, gradients: sumGradients, products: sumProducts)
  }

  /// For a mean and a deviation that are those of more rows than were summed here. The gradients by gamma and beta stay
  /// those of the rows here.
  /// - Parameter weight: gamma, [C].
  public mutating func set(whole: NormGradientSum, _ normalization: FoldedBatchNorm, weight: Tensor) {
    weight.read { setSlopes(normalization, weight: $0, rows: max(1, whole.rows), whole.gradients, whole.products) }
  }

  /// For a mean and a deviation that do not depend on the batch: dx = gamma / std * g.
  public mutating func setForGivenStatistics() {
    for c in a.indices { (b[c], d[c]) = (0, 0) }
  }

  /// dgamma = sum(g * xhat), dbeta = sum(g)
  /// - Parameters:
  ///   - weight, bias: the gradients by gamma and beta, [C]; overwritten.
  public func setGradients(weight: inout Tensor, bias: inout Tensor, _ normalization: FoldedBatchNorm) {
    let inverse = normalization.rstd
    weight.write { for c in inverse.indices { $0[c] = Float(sumProducts[c] * Double(inverse[c])) } }
    bias.write { for c in inverse.indices { $0[c] = Float(sumGradients[c]) } }
  }
}

extension Ops {
  /// The first trip: the sums over rows of g and g * (x - mean), from which come the parameters' gradients and the map
  /// of the second trip. With a mask, dy becomes g.
  /// - Parameters:
  ///   - dy, x: [..., C].
  ///   - weight: gamma, [C].
  public func sumNormGradients(
    _ dy: inout Tensor, _ x: Tensor, _ normalization: FoldedBatchNorm, _ zeros: ReLUZeros, weight: Tensor,
    into map: inout GradientMap
  ) {
    let cut = RowGroups(count: x.count, channels: weight.count)
    Tensor.read(x, weight) { x, weight in
      if case .byMask = zeros {
        dy.write { takeSums(cut, $0, x, normalization, zeros, weight: weight, into: &map) }
      } else {
        // Without a mask the sums only read.
        dy.read {
          takeSums(cut, UnsafeMutablePointer(mutating: $0), x, normalization, zeros, weight: weight, into: &map)
        }
      }
    }
  }

  private func takeSums(
    _ cut: RowGroups, _ dy: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>,
    _ normalization: FoldedBatchNorm,
    _ zeros: ReLUZeros, weight: UnsafePointer<Float>, into map: inout GradientMap
  ) {
    let channels = normalization.mean.count
    StoragePool.withScratch(of: Double.self, cut.chunks * 2 * channels) { sums in
      sums.update(repeating: 0, count: cut.chunks * 2 * channels)
      pool.run(chunks: cut.chunks) { chunk in
        let rows = cut.rows(chunk)
        let start = rows.lowerBound * channels
        let (sum, product) = (sums + chunk * 2 * channels, sums + (chunk * 2 + 1) * channels)
        func take(
          _ foldedWeight: UnsafePointer<Float>?, _ foldedBias: UnsafePointer<Float>?, _ mask: UnsafePointer<UInt16>?
        ) {
          ck_batchnorm_backward_sums(
            dy + start, x + start, rows.count, channels, normalization.mean, foldedWeight, foldedBias, mask, sum,
            product)
        }
        switch zeros {
        case .nowhere: take(nil, nil, nil)
        case .byInput: take(normalization.foldedWeight, normalization.foldedBias, nil)
        case .byMask(let mask): mask.withValues { take(nil, nil, $0 + cut.firstMaskWord(chunk)) }
        }
      }
      for chunk in 1..<max(1, cut.chunks) {
        for i in 0..<2 * channels { sums[i] += sums[chunk * 2 * channels + i] }
      }
      map.set(
        normalization, weight: weight, rows: Double(cut.total), sumGradients: sums, sumProducts: sums + channels)
    }
  }

  /// The second trip, in the place of dy: dx = a * g + b * (x - mean) + d + carried.
  /// - Parameters:
  ///   - dy, x: [..., C].
  ///   - zeros: not a mask's.
  ///   - carried: what reaches the input on another way, of its shape.
  public func normInputGradient(
    _ dy: inout Tensor, _ x: Tensor, _ normalization: FoldedBatchNorm, _ map: GradientMap, _ zeros: ReLUZeros,
    adding skipGradient: Tensor?
  ) {
    let channels = normalization.mean.count
    let cut = RowGroups(count: x.count, channels: channels)
    x.read { x in
      read(skipGradient) { skipGradient in
        dy.write { dy in
          pool.run(chunks: cut.chunks) { chunk in
            let rows = cut.rows(chunk)
            let start = rows.lowerBound * channels
            func apply(_ foldedWeight: UnsafePointer<Float>?, _ foldedBias: UnsafePointer<Float>?) {
              ck_batchnorm_backward_apply(
                dy + start, dy + start, x + start, skipGradient.map { $0 + start }, rows.count, channels,
                normalization.mean, map.a, map.b, map.d, foldedWeight, foldedBias)
            }
            switch zeros {
            case .nowhere: apply(nil, nil)
            case .byInput: apply(normalization.foldedWeight, normalization.foldedBias)
            case .byMask: preconditionFailure("with an addend the gradient takes the place of the input")
            }
          }
        }
      }
    }
  }

  /// The same in the place of x, for g, which goes on to the addend: x = a * g + b * (x - mean) + d.
  public func normInputGradient(
    of g: Tensor, inPlaceOf x: inout Tensor, _ normalization: FoldedBatchNorm, _ map: GradientMap
  ) {
    let channels = normalization.mean.count
    let cut = RowGroups(count: x.count, channels: channels)
    g.read { g in
      x.write { x in
        pool.run(chunks: cut.chunks) { chunk in
          let rows = cut.rows(chunk)
          let start = rows.lowerBound * channels
          ck_batchnorm_backward_apply(
            x + start, g + start, x + start, nil, rows.count, channels, normalization.mean, map.a, map.b, map.d,
            nil, nil)
        }
      }
    }
  }
}
