// Layers that summarise neighbouring pixels: maximum, mean of the whole map, mean of a grid of areas.

import CKernels
import Tensors

/// The maximum of each window; padding never wins.
public final class MaxPool: Layer {
  private let kernel: Int
  private let stride: Int
  private let padding: Int
  /// Of each output, which of its window's places had the maximum; and the input's shape.
  private var cache: (places: PooledArray<UInt8>, inputShape: [Int])?

  /// - Parameter kernel: the window's side, at most 15.
  public init(kernel: Int, stride: Int, padding: Int) {
    precondition(kernel <= 15 && padding < kernel, "a max pool's window of \(kernel) with padding \(padding)")
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = input.shape
    let window = window(shape)
    let outputImage = Int(window.out_height * window.out_width) * shape[3]
    let inputImage = shape[1] * shape[2] * shape[3]
    var output = Tensor(uninitialised: [shape[0], Int(window.out_height), Int(window.out_width), shape[3]])
    let places = PooledArray<UInt8>(uninitialised: output.count)
    input.read { x in
      output.write { y in
        places.withValues { places in
          pass.workers.run(shards: shape[0]) { image in
            withUnsafePointer(to: window) {
              ck_max_pool($0, x + image * inputImage, y + image * outputImage, places + image * outputImage)
            }
          }
        }
      }
    }
    if pass.mode == .training { cache = (places, shape) }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let (places, shape) = used(&cache, by: "max pool")
    let window = window(shape)
    let outputImage = Int(window.out_height * window.out_width) * shape[3]
    let inputImage = shape[1] * shape[2] * shape[3]
    var gradient = Tensor(uninitialised: shape)
    outputGradient.read { dy in
      gradient.write { dx in
        places.withValues { places in
          pass.workers.run(shards: shape[0]) { image in
            withUnsafePointer(to: window) {
              ck_max_pool_backward(
                $0, dy + image * outputImage, places + image * outputImage, dx + image * inputImage)
            }
          }
        }
      }
    }
    return gradient
  }

  private func window(_ shape: [Int]) -> ck_window {
    precondition(
      min(shape[1], shape[2]) + 2 * padding >= kernel, "a \(kernel)x\(kernel) max pool of \(shape) leaves nothing")
    return ck_window(
      height: Int32(shape[1]), width: Int32(shape[2]), channels: Int32(shape[3]),
      out_height: Int32((shape[1] + 2 * padding - kernel) / stride + 1),
      out_width: Int32((shape[2] + 2 * padding - kernel) / stride + 1), kernel: Int32(kernel),
      stride: Int32(stride), padding: Int32(padding))
  }
}

/// The mean of each area of a `side` x `side` grid laid over the map; areas overlap where the map's side is no
/// multiple of `side` (PyTorch's AdaptiveAvgPool2d). With side 1 it is global average pooling.
public final class AveragePool: Layer {
  private let side: Int
  private var inputShape: [Int]?

  public init(side: Int) { self.side = side }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = input.shape
    let (side, channels) = (side, shape[3])
    var output = Tensor(zeros: [shape[0], side, side, channels])
    input.read { x in
      output.write { y in
        pass.workers.run(shards: shape[0]) { image in
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
    if pass.mode == .training { inputShape = shape }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = used(&inputShape, by: "average pool")
    let (side, channels) = (side, shape[3])
    let image = shape[1] * shape[2] * channels
    var gradient = Tensor(uninitialised: shape)
    // Each area's share becomes the gradient of all its pixels.
    outputGradient.write { dy in
      gradient.write { dx in
        pass.workers.run(shards: shape[0]) { index in
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
