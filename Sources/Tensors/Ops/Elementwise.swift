// Operations number by number, and channel by channel. Any cut of the work gives the same bits.

import CKernels

extension Ops {
  /// y += x
  public func add(_ x: Tensor, to y: inout Tensor) {
    precondition(x.count == y.count, "adding \(x.shape) to \(y.shape)")
    let count = x.count
    x.read { x in
      y.write { y in pool.run(over: count) { ck_add(y + $0.lowerBound, x + $0.lowerBound, $0.count) } }
    }
  }

  /// y[..., c] += x[c]
  /// - Parameter x: [C], for y [..., C].
  public func add(channels x: Tensor, to y: inout Tensor) {
    let channels = x.count
    x.read { x in
      y.write { [rows = y.count / channels] y in
        pool.run(over: rows) { ck_add_bias(y + $0.lowerBound * channels, $0.count, channels, x) }
      }
    }
  }

  /// y *= factor
  public func scale(_ y: inout Tensor, by factor: Float) {
    let count = y.count
    y.write { y in pool.run(over: count) { ck_scale(y + $0.lowerBound, factor, $0.count) } }
  }

  /// y += share * (x - y)
  public func approach(_ y: inout Tensor, toward x: Tensor, by share: Float) {
    precondition(x.count == y.count, "moving \(y.shape) toward \(x.shape)")
    let count = x.count
    x.read { x in
      y.write { y in
        pool.run(over: count, chunks: ThreadPool.chunks(of: count)) {
          ck_approach(y + $0.lowerBound, x + $0.lowerBound, share, $0.count)
        }
      }
    }
  }

  /// y[i] *= x[i]
  public func multiply(_ y: inout Tensor, by x: Tensor) {
    precondition(x.count == y.count, "multiplying \(y.shape) by \(x.shape)")
    let count = x.count
    x.read { x in
      y.write { y in pool.run(over: count) { for i in $0 { y[i] *= x[i] } } }
    }
  }

  /// y = max(y, 0); a NaN stays one.
  public func relu(_ y: inout Tensor) {
    let count = y.count
    y.write { y in pool.run(over: count) { ck_relu(y + $0.lowerBound, $0.count) } }
  }

  /// dy = 0 where y <= 0: dy, the gradient by the output y, becomes the one by the input.
  public func reluGradient(_ dy: inout Tensor, output y: Tensor) {
    let count = y.count
    y.read { y in
      dy.write { dy in
        pool.run(over: count) { ck_relu_backward(dy + $0.lowerBound, y + $0.lowerBound, $0.count) }
      }
    }
  }
}

extension ThreadPool {
  /// Into how many chunks to cut a loop over so many numbers: one where waking a thread takes longer than the loop.
  static func chunks(of count: Int) -> Int { count < 1 << 14 ? 1 : standardChunks }
}
