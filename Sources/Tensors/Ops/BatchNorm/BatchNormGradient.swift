// Batch norm's way back, with what it is joined with, in two trips through memory: one gathers two sums a channel, the
// other makes the gradient. Where the ReLU gave zero is decided on the fly: without an addend from the input; with one
// from a mask of bits, because the input does not tell, and because the addend's gradient is then made at the same time.
// Letters: g is dy where the ReLU let through, else 0; xhat = (x - mean) * inverseDeviation.

import CKernels

/// What the way back works out once a channel. Kept by the layer, so that nothing is allocated.
public struct GradientMap: Sendable {
  /// Over rows, of g and of g * (x - mean); [C].
  private var sumGradients: [Double]
  private var sumProducts: [Double]
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

  /// dx = gamma / deviation * (g - mean(g) - xhat * mean(g * xhat)).
  /// - Parameters:
  ///   - scale: gamma, [C].
  ///   - sumGradients, sumProducts: over rows, of g and of g * (x - mean); [C].
  fileprivate mutating func set(
    _ normalisation: Normalisation, scale: UnsafePointer<Float>, rows: Double, sumGradients: UnsafePointer<Double>,
    sumProducts: UnsafePointer<Double>
  ) {
    for c in a.indices {
      let inverse = Double(normalisation.inverseDeviation[c])
      let slope = Double(scale[c]) * inverse
      a[c] = Float(slope)
      b[c] = Float(-slope * inverse * inverse * sumProducts[c] / rows)
      d[c] = Float(-slope * sumGradients[c] / rows)
      (self.sumGradients[c], self.sumProducts[c]) = (sumGradients[c], sumProducts[c])
    }
  }

  /// dgamma = sum(g * xhat), dbeta = sum(g)
  /// - Parameters:
  ///   - scale, shift: the gradients by gamma and beta, [C]; overwritten.
  public func setGradients(scale: inout Tensor, shift: inout Tensor, _ normalisation: Normalisation) {
    let inverse = normalisation.inverseDeviation
    scale.write { for c in inverse.indices { $0[c] = Float(sumProducts[c] * Double(inverse[c])) } }
    shift.write { for c in inverse.indices { $0[c] = Float(sumGradients[c]) } }
  }
}

extension Ops {
  /// The first trip: the sums over rows of g and g * (x - mean), from which come the parameters' gradients and the map
  /// of the second trip. With a mask, dy becomes g.
  /// - Parameters:
  ///   - dy, x: [..., C].
  ///   - scale: gamma, [C].
  public func sumNormGradients(
    _ dy: inout Tensor, _ x: Tensor, _ normalisation: Normalisation, _ zeros: ReLUZeros, scale: Tensor,
    into map: inout GradientMap
  ) {
    let cut = RowGroups(count: x.count, channels: scale.count)
    Tensor.read(x, scale) { x, scale in
      if case .byMask = zeros {
        dy.write { takeSums(cut, $0, x, normalisation, zeros, scale: scale, into: &map) }
      } else {
        // Without a mask the sums only read.
        dy.read {
          takeSums(cut, UnsafeMutablePointer(mutating: $0), x, normalisation, zeros, scale: scale, into: &map)
        }
      }
    }
  }

  private func takeSums(
    _ cut: RowGroups, _ dy: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, _ normalisation: Normalisation,
    _ zeros: ReLUZeros, scale: UnsafePointer<Float>, into map: inout GradientMap
  ) {
    let channels = normalisation.mean.count
    StoragePool.withScratch(of: Double.self, cut.shards * 2 * channels) { sums in
      sums.update(repeating: 0, count: cut.shards * 2 * channels)
      workers.run(shards: cut.shards) { shard in
        let rows = cut.rows(shard)
        let start = rows.lowerBound * channels
        let (sum, product) = (sums + shard * 2 * channels, sums + (shard * 2 + 1) * channels)
        func take(
          _ factors: UnsafePointer<Float>?, _ offsets: UnsafePointer<Float>?, _ mask: UnsafePointer<UInt16>?
        ) {
          ck_norm_backward_sums(
            dy + start, x + start, rows.count, channels, normalisation.mean, factors, offsets, mask, sum, product)
        }
        switch zeros {
        case .nowhere: take(nil, nil, nil)
        case .byInput: take(normalisation.factors, normalisation.offsets, nil)
        case .byMask(let mask): mask.withValues { take(nil, nil, $0 + cut.firstMaskWord(shard)) }
        }
      }
      for shard in 1..<max(1, cut.shards) {
        for i in 0..<2 * channels { sums[i] += sums[shard * 2 * channels + i] }
      }
      map.set(
        normalisation, scale: scale, rows: Double(cut.total), sumGradients: sums, sumProducts: sums + channels)
    }
  }

  /// The second trip, in the place of dy: dx = a * g + b * (x - mean) + d + carried.
  /// - Parameters:
  ///   - dy, x: [..., C].
  ///   - zeros: not a mask's.
  ///   - carried: what reaches the input on another way, of its shape.
  public func normInputGradient(
    _ dy: inout Tensor, _ x: Tensor, _ normalisation: Normalisation, _ map: GradientMap, _ zeros: ReLUZeros,
    adding carried: Tensor?
  ) {
    let channels = normalisation.mean.count
    let cut = RowGroups(count: x.count, channels: channels)
    x.read { x in
      read(carried) { carried in
        dy.write { dy in
          workers.run(shards: cut.shards) { shard in
            let rows = cut.rows(shard)
            let start = rows.lowerBound * channels
            func apply(_ factors: UnsafePointer<Float>?, _ offsets: UnsafePointer<Float>?) {
              ck_norm_backward_apply(
                dy + start, dy + start, x + start, carried.map { $0 + start }, rows.count, channels,
                normalisation.mean, map.a, map.b, map.d, factors, offsets)
            }
            switch zeros {
            case .nowhere: apply(nil, nil)
            case .byInput: apply(normalisation.factors, normalisation.offsets)
            case .byMask: preconditionFailure("with an addend the gradient takes the place of the input")
            }
          }
        }
      }
    }
  }

  /// The same in the place of x, for g, which goes on to the addend: x = a * g + b * (x - mean) + d.
  public func normInputGradient(
    of g: Tensor, inPlaceOf x: inout Tensor, _ normalisation: Normalisation, _ map: GradientMap
  ) {
    let channels = normalisation.mean.count
    let cut = RowGroups(count: x.count, channels: channels)
    g.read { g in
      x.write { x in
        workers.run(shards: cut.shards) { shard in
          let rows = cut.rows(shard)
          let start = rows.lowerBound * channels
          ck_norm_backward_apply(
            x + start, g + start, x + start, nil, rows.count, channels, normalisation.mean, map.a, map.b, map.d,
            nil, nil)
        }
      }
    }
  }
}
