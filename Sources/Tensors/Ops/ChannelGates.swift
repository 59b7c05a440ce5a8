// Channels multiplied by numbers of an image's own, and the function that makes such numbers.

import CKernels
import Glibc

extension Ops {
  /// y = 1 / (1 + exp(-y))
  public func sigmoid(_ y: inout Tensor) {
    let count = y.count
    y.write { y in
      pool.run(over: count, chunks: ThreadPool.chunks(of: count)) { for i in $0 { y[i] = 1 / (1 + expf(-y[i])) } }
    }
  }

  /// dy, the gradient by the output y of `sigmoid`, becomes the one by its input: dy * y * (1 - y).
  public func sigmoidGradient(_ dy: inout Tensor, output y: Tensor) {
    let count = y.count
    y.read { y in
      dy.write { dy in
        pool.run(over: count, chunks: ThreadPool.chunks(of: count)) { for i in $0 { dy[i] *= y[i] * (1 - y[i]) } }
      }
    }
  }

  /// y[n, ..., c] = y[n, ..., c] * factors[n, c] + shifts[n, c]
  /// - Parameters:
  ///   - y: [N, ..., C].
  ///   - shifts: [N, C]; nil for none.
  public func scale(channels y: inout Tensor, by factors: Tensor, adding shifts: Tensor? = nil) {
    let shape = y.shape
    y.write { y in scale(channels: UnsafePointer(y), shape, by: factors, adding: shifts, into: y) }
  }

  /// x[n, ..., c] * factors[n, c]
  public func scaled(channels x: Tensor, by factors: Tensor) -> Tensor {
    var output = Tensor(uninitialized: x.shape)
    x.read { x in output.write { [shape = output.shape] y in scale(channels: x, shape, by: factors, into: y) } }
    return output
  }

  private func scale(
    channels x: UnsafePointer<Float>, _ shape: [Int], by factors: Tensor, adding shifts: Tensor? = nil,
    into y: UnsafeMutablePointer<Float>
  ) {
    let (images, channels) = (factors.shape[0], factors.count / max(1, factors.shape[0]))
    precondition(shape[0] == images && shape.last == channels, "\(shape) by \(factors.shape)")
    let rows = shape.dropFirst().dropLast().reduce(1, *)
    // Where there are few images, each is cut.
    let cuts = min(max(1, rows), max(1, ThreadPool.standardChunks / max(1, images)))
    factors.read { factors in
      func run(_ shifts: UnsafePointer<Float>?) {
        pool.run(chunks: images * cuts) { task in
          let (image, cut) = task.quotientAndRemainder(dividingBy: cuts)
          let part = ThreadPool.range(cut, of: cuts, count: rows)
          let first = (image * rows + part.lowerBound) * channels
          ck_scale_channels(
            y + first, x + first, part.count, channels, factors + image * channels,
            shifts.map { $0 + image * channels })
        }
      }
      if let shifts { shifts.read { run($0) } } else { run(nil) }
    }
  }

  /// The sums over the map: [N, C] from x and y, [N, ..., C], of x * y.
  public func channelProducts(_ x: Tensor, _ y: Tensor) -> Tensor {
    precondition(x.shape == y.shape, "products of \(x.shape) and \(y.shape)")
    let (images, channels) = (x.shape[0], x.shape[x.shape.count - 1])
    let rows = x.count / max(1, images * channels)
    var sums = Tensor(zeros: [images, channels])
    Tensor.read(x, y) { x, y in
      sums.write { sums in
        pool.run(chunks: images) { image in
          ck_column_products(
            x + image * rows * channels, y + image * rows * channels, rows, channels, sums + image * channels)
        }
      }
    }
    return sums
  }
}
