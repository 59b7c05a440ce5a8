// The backward pass of batch norm and of what it is joined with, in two trips through memory: one gathers two sums a
// channel, the other makes the gradient. Where the ReLU gave zero is decided on the fly: without an addend from the
// input, by the same multiplication and addition as in the forward pass; with one from a mask of bits, because the
// input does not tell, and because the addend's gradient is then made at the same time.

import CKernels
import Tensors

extension BatchNorm {
  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    inputGradient(outputGradient, adding: nil, pass.workers)
  }

  public func backward(
    _ outputGradient: consuming Tensor, adding carried: consuming Tensor, _ pass: Pass
  ) -> Tensor {
    inputGradient(outputGradient, adding: carried, pass.workers)
  }

  /// The way back of a pass that added something.
  /// - Returns: the gradients by input and addend.
  func backwardOfSum(
    _ outputGradient: consuming Tensor, _ pass: Pass
  ) -> (input: Tensor, addend: Tensor) {
    var cache = used(&cache, by: name)
    let (channels, workers) = (channels, pass.workers)
    let cut = RowGroups(count: cache.input.count, channels: channels)
    var gradient = outputGradient
    switch cache.sum {
    case .none: preconditionFailure("\(name) has added nothing")
    case .added:
      Tensor.read(cache.input, gradient) { x, dy in
        // Without a mask the sums only read.
        takeSums(cut, UnsafeMutablePointer(mutating: dy), x, decidedBy: .nothing, workers)
      }
    case .activated(let mask):
      cache.input.read { x in
        gradient.write { takeSums(cut, $0, x, decidedBy: .mask(mask), workers) }
      }
    }
    // The gradient goes on to the addend; the input is not needed any more, so its own gradient takes its place.
    let (map, normalisation) = (slopes, normalisation)
    gradient.read { dy in
      cache.input.write { x in
        workers.run(shards: cut.shards) { shard in
          let rows = cut.rows(shard)
          let start = rows.lowerBound * channels
          ck_norm_backward_apply(
            x + start, dy + start, x + start, nil, rows.count, channels, normalisation.mean, map.a, map.b, map.d,
            nil, nil)
        }
      }
    }
    return (cache.input, gradient)
  }

  private func inputGradient(
    _ outputGradient: consuming Tensor, adding carried: Tensor?, _ workers: WorkerPool
  ) -> Tensor {
    let cache = used(&cache, by: name)
    guard case .none = cache.sum else { preconditionFailure("\(name) has added something") }
    let channels = channels
    let cut = RowGroups(count: cache.input.count, channels: channels)
    let activates = activation == .relu
    Tensor.read(cache.input, outputGradient) { x, dy in
      takeSums(cut, UnsafeMutablePointer(mutating: dy), x, decidedBy: activates ? .input : .nothing, workers)
    }
    let (map, normalisation) = (slopes, normalisation)
    var gradient = outputGradient
    cache.input.read { x in
      Self.read(carried) { carried in
        gradient.write { dy in
          workers.run(shards: cut.shards) { shard in
            let rows = cut.rows(shard)
            let start = rows.lowerBound * channels
            func apply(_ factors: UnsafePointer<Float>?, _ offsets: UnsafePointer<Float>?) {
              ck_norm_backward_apply(
                dy + start, dy + start, x + start, carried.map { $0 + start }, rows.count, channels,
                normalisation.mean, map.a, map.b, map.d, factors, offsets)
            }
            if activates { apply(normalisation.factors, normalisation.offsets) } else { apply(nil, nil) }
          }
        }
      }
    }
    return gradient
  }

  /// By what it is decided where the ReLU gave zero.
  private enum Decision {
    case nothing
    case input
    case mask(PooledArray<UInt16>)
  }

  /// The first trip: sums over rows of dy and of dy * (x - mean), from which come the parameters' gradients and the map
  /// of the second trip. With a mask, dy is set to zero where the output was.
  private func takeSums(
    _ cut: RowGroups, _ dy: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, decidedBy decision: Decision,
    _ workers: WorkerPool
  ) {
    let (channels, normalisation) = (channels, normalisation)
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
        switch decision {
        case .nothing: take(nil, nil, nil)
        case .input: take(normalisation.factors, normalisation.offsets, nil)
        case .mask(let mask): mask.withValues { take(nil, nil, $0 + cut.firstMaskWord(shard)) }
        }
      }
      for shard in 1..<max(1, cut.shards) {
        for i in 0..<2 * channels { sums[i] += sums[shard * 2 * channels + i] }
      }
      setGradients(rows: Double(cut.total), sumGradients: sums, sumProducts: sums + channels)
    }
  }

  private func setGradients(rows: Double, sumGradients: UnsafePointer<Double>, sumProducts: UnsafePointer<Double>) {
    scale.value.read {
      slopes.set(normalisation, scale: $0, rows: rows, sumGradients: sumGradients, sumProducts: sumProducts)
    }
    let inverse = normalisation.inverseDeviation
    scale.gradient.write {
      for c in inverse.indices { $0[c] = Float(sumProducts[c] * Double(inverse[c])) }
    }
    shift.gradient.write { for c in inverse.indices { $0[c] = Float(sumGradients[c]) } }
  }
}

/// The gradient by the input as a * dy + b * (x - mean) + d, each [C].
struct GradientMap {
  var a: [Float]
  var b: [Float]
  var d: [Float]

  init(channels: Int) {
    a = [Float](repeating: 0, count: channels)
    (b, d) = (a, a)
  }

  /// dx = gamma / deviation * (dy - mean(dy) - xhat * mean(dy * xhat)).
  /// - Parameters:
  ///   - scale: gamma, [C].
  ///   - sumGradients, sumProducts: over rows, of dy and of dy * (x - mean); [C].
  mutating func set(
    _ normalisation: Normalisation, scale: UnsafePointer<Float>, rows: Double, sumGradients: UnsafePointer<Double>,
    sumProducts: UnsafePointer<Double>
  ) {
    for c in a.indices {
      let inverse = Double(normalisation.inverseDeviation[c])
      let slope = Double(scale[c]) * inverse
      a[c] = Float(slope)
      b[c] = Float(-slope * inverse * inverse * sumProducts[c] / rows)
      d[c] = Float(-slope * sumGradients[c] / rows)
    }
  }
}
