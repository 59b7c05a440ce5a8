// What LeNet-5 as published needs: the scaled hyperbolic tangent, sums of areas, factors by channel, and gray from
// colors.

import Glibc

/// f(x) = A tanh(S x) with A = 1.7159 and S = 2/3, so that f(1) is 1 and f(-1) is -1 (LeCun et al. 1998, appendix A).
public enum ScaledTanh {
  public static let amplitude: Float = 1.7159
  public static let slope: Float = 2 / 3
}

/// The share of red, green and blue in a gray (ITU-R BT.601).
public enum Luma {
  public static let weights: [Float] = [0.299, 0.587, 0.114]
}

extension Ops {
  /// y = A tanh(S y)
  public func scaledTanh(_ y: inout Tensor) {
    let count = y.count
    y.write { y in
      pool.run(over: count) { for i in $0 { y[i] = ScaledTanh.amplitude * tanhf(ScaledTanh.slope * y[i]) } }
    }
  }

  /// dy *= A S (1 - (y / A)^2): dy, the gradient by the output y, becomes the one by the input.
  public func scaledTanhGradient(_ dy: inout Tensor, output y: Tensor) {
    let count = y.count
    let (steepest, inverse) = (ScaledTanh.amplitude * ScaledTanh.slope, 1 / ScaledTanh.amplitude)
    y.read { y in
      dy.write { dy in
        pool.run(over: count) {
          for i in $0 {
            let tanh = y[i] * inverse
            dy[i] *= steepest * (1 - tanh * tanh)
          }
        }
      }
    }
  }

  /// y[..., c] *= x[c]
  /// - Parameter x: [C], for y [..., C].
  public func multiply(channels x: Tensor, _ y: inout Tensor) {
    let channels = x.count
    x.read { x in
      y.write { [rows = y.count / channels] y in
        pool.run(over: rows) {
          for row in $0 { for c in 0..<channels { y[row * channels + c] *= x[c] } }
        }
      }
    }
  }

  /// The sum of each area of `kernel` x `kernel` pixels, areas side by side; what is left at the lower and the right
  /// edge belongs to none: x [N, H, W, C] to [N, H / kernel, W / kernel, C].
  public func sumPool(_ x: Tensor, kernel: Int) -> Tensor {
    let (shape, channels) = (x.shape, x.shape[3])
    let (height, width) = (shape[1] / kernel, shape[2] / kernel)
    var output = Tensor(zeros: [shape[0], height, width, channels])
    x.read { x in
      output.write { y in
        pool.run(chunks: shape[0]) { image in
          for row in 0..<height * kernel {
            for column in 0..<width * kernel {
              let from = x + ((image * shape[1] + row) * shape[2] + column) * channels
              let to = y + ((image * height + row / kernel) * width + column / kernel) * channels
              for c in 0..<channels { to[c] += from[c] }
            }
          }
        }
      }
    }
    return output
  }

  /// dx: each pixel has the gradient of its area, and 0 outside of all.
  /// - Parameter shape: the input's, [N, H, W, C].
  public func sumPoolGradient(_ dy: Tensor, kernel: Int, inputShape shape: [Int]) -> Tensor {
    let channels = shape[3]
    let (height, width) = (shape[1] / kernel, shape[2] / kernel)
    var gradient = Tensor(zeros: shape)
    dy.read { dy in
      gradient.write { dx in
        pool.run(chunks: shape[0]) { image in
          for row in 0..<height * kernel {
            for column in 0..<width * kernel {
              let from = dy + ((image * height + row / kernel) * width + column / kernel) * channels
              let to = dx + ((image * shape[1] + row) * shape[2] + column) * channels
              to.update(from: from, count: channels)
            }
          }
        }
      }
    }
    return gradient
  }

  /// The gray of each pixel: x [N, H, W, 3] to [N, H, W, 1].
  public func luma(_ x: Tensor) -> Tensor {
    var output = Tensor(uninitialized: Array(x.shape.dropLast()) + [1])
    let (pixels, w) = (output.count, (Luma.weights[0], Luma.weights[1], Luma.weights[2]))
    x.read { x in
      output.write { y in
        pool.run(over: pixels) {
          for i in $0 { y[i] = w.0 * x[3 * i] + w.1 * x[3 * i + 1] + w.2 * x[3 * i + 2] }
        }
      }
    }
    return output
  }

  /// dx: the gradient of the gray, by each color's share.
  public func lumaGradient(_ dy: Tensor) -> Tensor {
    var gradient = Tensor(uninitialized: Array(dy.shape.dropLast()) + [3])
    let (pixels, w) = (dy.count, (Luma.weights[0], Luma.weights[1], Luma.weights[2]))
    dy.read { dy in
      gradient.write { dx in
        pool.run(over: pixels) {
          for i in $0 { (dx[3 * i], dx[3 * i + 1], dx[3 * i + 2]) = (w.0 * dy[i], w.1 * dy[i], w.2 * dy[i]) }
        }
      }
    }
    return gradient
  }
}
