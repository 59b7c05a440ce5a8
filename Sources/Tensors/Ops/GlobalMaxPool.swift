// The maximum of each channel over a whole map, of any size, and its gradient.

extension Ops {
  /// y[n, 0, 0, c] = max over h, w of x[n, h, w, c]; a NaN is larger than any number.
  /// - Parameter x: [N, H, W, C].
  /// - Returns: y [N, 1, 1, C], and of each of its values the pixel, h * W + w, that had it, the first of equals.
  public func globalMaxPool(_ x: Tensor) -> (y: Tensor, argmax: PooledArray<Int32>) {
    let shape = x.shape
    let (pixels, channels) = (shape[1] * shape[2], shape[3])
    precondition(pixels > 0, "a global max pool of \(shape) has nothing to choose from")
    var output = Tensor(uninitialized: [shape[0], 1, 1, channels])
    let argmax = PooledArray<Int32>(uninitialized: output.count)
    x.read { x in
      output.write { y in
        argmax.withValues { argmax in
          pool.run(chunks: shape[0]) { image in
            let (best, places) = (y + image * channels, argmax + image * channels)
            for channel in 0..<channels {
              best[channel] = x[image * pixels * channels + channel]
              places[channel] = 0
            }
            for pixel in 1..<max(1, pixels) {
              let line = x + (image * pixels + pixel) * channels
              for channel in 0..<channels {
                // False for a NaN that is already there, true for one that is met.
                let isLarger = !(line[channel] <= best[channel]) && !best[channel].isNaN
                best[channel] = isLarger ? line[channel] : best[channel]
                places[channel] = isLarger ? Int32(truncatingIfNeeded: pixel) : places[channel]
              }
            }
          }
        }
      }
    }
    return (output, argmax)
  }

  /// dx: dy at the pixel that had the maximum, zero elsewhere.
  /// - Parameters:
  ///   - dy: [N, 1, 1, C].
  ///   - argmax: as `globalMaxPool` found it.
  ///   - shape: the input's, [N, H, W, C].
  public func globalMaxPoolGradient(
    _ dy: Tensor, argmax: PooledArray<Int32>, inputShape shape: [Int]
  ) -> Tensor {
    let channels = shape[3]
    let image = shape[1] * shape[2] * channels
    var gradient = Tensor(uninitialized: shape)
    dy.read { dy in
      gradient.write { dx in
        argmax.withValues { argmax in
          pool.run(chunks: shape[0]) { index in
            let map = dx + index * image
            map.update(repeating: 0, count: image)
            for channel in 0..<channels {
              let place = index * channels + channel
              map[Int(argmax[place]) * channels + channel] = dy[place]
            }
          }
        }
      }
    }
    return gradient
  }

  /// y[n, ...] *= factors[n]
  /// - Parameter factors: one an image of y [N, ...]; an image with the factor 0 becomes zero whatever it holds.
  public func scale(images y: inout Tensor, by factors: [Float]) {
    precondition(factors.count == y.shape[0], "\(factors.count) factors for \(y.shape)")
    let image = y.count / max(1, factors.count)
    y.write { y in
      pool.run(chunks: factors.count) { index in
        let (values, factor) = (y + index * image, factors[index])
        if factor == 0 {
          values.update(repeating: 0, count: image)
        } else {
          for i in 0..<image { values[i] *= factor }
        }
      }
    }
  }
}
