// Neighboring pixels summarized: the maximum of windows, the means of a grid of areas; and the gradients.

import CKernels

/// Square windows over a map, of which each has a maximum.
public struct MaxPoolWindow: Sendable {
  let kernel: Int
  let stride: Int
  let padding: Int
  let ceilMode: Bool

  /// - Parameters:
  ///   - kernel: the window's side, at most 15.
  ///   - padding: pixels around the map, fewer than the window has.
  ///   - ceilMode: whether a last window that reaches beyond the padded map counts too, if it begins on the map or on
  ///     the padding before it (PyTorch's `ceil_mode`).
  public init(kernel: Int, stride: Int, padding: Int, ceilMode: Bool = false) {
    precondition(kernel <= 15 && padding < kernel, "a max pool's window of \(kernel) with padding \(padding)")
    (self.kernel, self.stride, self.padding, self.ceilMode) = (kernel, stride, padding, ceilMode)
  }

  /// Windows along a side of the map; 0 or fewer where none fits.
  public func count(along side: Int) -> Int {
    let room = side + 2 * padding - kernel
    guard ceilMode else { return room < 0 ? 0 : room / stride + 1 }
    guard room > -stride else { return 0 }
    let count = (room + stride - 1) / stride + 1
    return (count - 1) * stride >= side + padding ? count - 1 : count
  }

  /// - Parameter shape: [N, H, W, C].
  func geometry(of shape: [Int]) -> ck_window {
    let (height, width) = (count(along: shape[1]), count(along: shape[2]))
    precondition(min(height, width) > 0, "a \(kernel)x\(kernel) max pool of \(shape) leaves nothing")
    return ck_window(
      height: Int32(shape[1]), width: Int32(shape[2]), channels: Int32(shape[3]), out_height: Int32(height),
      out_width: Int32(width), kernel: Int32(kernel), stride: Int32(stride), padding: Int32(padding))
  }
}

extension Ops {
  /// The maximum of each window of x [N, H, W, C]; padding never wins, a NaN always does.
  /// - Returns: y [N, H', W', C], and of each output which of its window's places had the maximum, the first of equals.
  public func maxPool(_ x: Tensor, _ window: MaxPoolWindow) -> (y: Tensor, argmax: PooledArray<UInt8>) {
    let shape = x.shape
    let geometry = window.geometry(of: shape)
    let outputImage = Int(geometry.out_height * geometry.out_width) * shape[3]
    let inputImage = shape[1] * shape[2] * shape[3]
    var output = Tensor(uninitialized: [shape[0], Int(geometry.out_height), Int(geometry.out_width), shape[3]])
    let argmax = PooledArray<UInt8>(uninitialized: output.count)
    x.read { x in
      output.write { y in
        argmax.withValues { argmax in
          pool.run(chunks: shape[0]) { image in
            withUnsafePointer(to: geometry) {
              ck_max_pool($0, x + image * inputImage, y + image * outputImage, argmax + image * outputImage)
            }
          }
        }
      }
    }
    return (output, argmax)
  }

  /// The maxima alone.
  public func maxima(_ x: Tensor, _ window: MaxPoolWindow) -> Tensor {
    let shape = x.shape
    let geometry = window.geometry(of: shape)
    let outputImage = Int(geometry.out_height * geometry.out_width) * shape[3]
    let inputImage = shape[1] * shape[2] * shape[3]
    var output = Tensor(uninitialized: [shape[0], Int(geometry.out_height), Int(geometry.out_width), shape[3]])
    x.read { x in
      output.write { y in
        pool.run(chunks: shape[0]) { image in
          withUnsafePointer(to: geometry) { ck_max_pool($0, x + image * inputImage, y + image * outputImage, nil) }
        }
      }
    }
    return output
  }

  /// dx: at each pixel the sum of the output gradients whose maximum it was.
  /// - Parameters:
  ///   - dy: [N, H', W', C].
  ///   - places: as `maxPool` found them.
  ///   - shape: the input's, [N, H, W, C].
  public func maxPoolGradient(
    _ dy: Tensor, argmax: PooledArray<UInt8>, _ window: MaxPoolWindow, inputShape shape: [Int]
  ) -> Tensor {
    let geometry = window.geometry(of: shape)
    let outputImage = Int(geometry.out_height * geometry.out_width) * shape[3]
    let inputImage = shape[1] * shape[2] * shape[3]
    var gradient = Tensor(uninitialized: shape)
    dy.read { dy in
      gradient.write { dx in
        argmax.withValues { argmax in
          pool.run(chunks: shape[0]) { image in
            withUnsafePointer(to: geometry) {
              ck_max_pool_backward(
                $0, dy + image * outputImage, argmax + image * outputImage, dx + image * inputImage)
            }
          }
        }
      }
    }
    return gradient
  }

  /// The mean of each area of a `side` x `side` grid over x [N, H, W, C]: [N, side, side, C]. Areas overlap where the
  /// map's side is no multiple of `side` (PyTorch's AdaptiveAvgPool2d).
  public func averagePool(_ x: Tensor, side: Int) -> Tensor {
    let shape = x.shape
    let channels = shape[3]
    var output = Tensor(zeros: [shape[0], side, side, channels])
    x.read { x in
      output.write { y in
        pool.run(chunks: shape[0]) { image in
          for area in 0..<side * side {
            let (rows, columns) = Self.area(area, side: side, of: shape)
            let mean = y + (image * side * side + area) * channels
            for row in rows {
              let line = x + ((image * shape[1] + row) * shape[2] + columns.lowerBound) * channels
              ck_column_sums(line, columns.count, channels, mean)
            }
            ck_scale(mean, 1 / Float(rows.count * columns.count), channels)
          }
        }
      }
    }
    return output
  }

  /// dx: each area's share, dy / (its pixels), summed over the areas that a pixel is in.
  /// - Parameters:
  ///   - dy: [N, side, side, C].
  ///   - shape: the input's, [N, H, W, C].
  public func averagePoolGradient(_ dy: consuming Tensor, side: Int, inputShape shape: [Int]) -> Tensor {
    let channels = shape[3]
    let image = shape[1] * shape[2] * channels
    var gradient = Tensor(uninitialized: shape)
    // Each area's share becomes the gradient of all its pixels.
    dy.write { dy in
      gradient.write { dx in
        pool.run(chunks: shape[0]) { index in
          (dx + index * image).update(repeating: 0, count: image)
          for area in 0..<side * side {
            let (rows, columns) = Self.area(area, side: side, of: shape)
            let share = dy + (index * side * side + area) * channels
            ck_scale(share, 1 / Float(rows.count * columns.count), channels)
            for row in rows {
              let line = dx + ((index * shape[1] + row) * shape[2] + columns.lowerBound) * channels
              ck_add_bias(line, columns.count, channels, share)
            }
          }
        }
      }
    }
    return gradient
  }

  /// The rows and columns of a map [N, H, W, C] that an area covers.
  private static func area(_ index: Int, side: Int, of shape: [Int]) -> (rows: Range<Int>, columns: Range<Int>) {
    func range(_ index: Int, _ extent: Int) -> Range<Int> {
      (index * extent / side)..<(((index + 1) * extent + side - 1) / side)
    }
    return (range(index / side, shape[1]), range(index % side, shape[2]))
  }
}
