// Layers that summarise neighbouring pixels: maximum, mean of the whole map, mean of a grid of areas.

import CKernels
import Tensors

/// The maximum of each window; padding never wins.
public final class MaxPool: Layer {
  private let kernel: Int
  private let stride: Int
  private let padding: Int
  private var cache: (places: [UInt8], inputShape: [Int])?

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
    var places = [UInt8](repeating: 0, count: output.count)
    input.read { x in
      output.write { y in
        places.withUnsafeMutableBufferPointer { places in
          guard let places = places.baseAddress else { return }
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
        pass.workers.run(shards: shape[0]) { image in
          let target = dx + image * inputImage
          target.update(repeating: 0, count: inputImage)
          places.withUnsafeBufferPointer { places in
            guard let places = places.baseAddress else { return }
            withUnsafePointer(to: window) {
              ck_max_pool_backward($0, dy + image * outputImage, places + image * outputImage, target)
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
          Self.forEachPixel(of: shape, side: side) { area, pixel, areaSize in
            let target = y + (image * side * side + area) * channels
            let source = x + (image * shape[1] * shape[2] + pixel) * channels
            let share = 1 / Float(areaSize)
            for c in 0..<channels { target[c] += source[c] * share }
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
    var gradient = Tensor(zeros: shape)
    outputGradient.read { dy in
      gradient.write { dx in
        pass.workers.run(shards: shape[0]) { image in
          Self.forEachPixel(of: shape, side: side) { area, pixel, areaSize in
            let source = dy + (image * side * side + area) * channels
            let target = dx + (image * shape[1] * shape[2] + pixel) * channels
            let share = 1 / Float(areaSize)
            for c in 0..<channels { target[c] += source[c] * share }
          }
        }
      }
    }
    return gradient
  }

  /// Calls `body` for every pixel of every area.
  private static func forEachPixel(
    of shape: [Int], side: Int, _ body: (_ area: Int, _ pixel: Int, _ areaSize: Int) -> Void
  ) {
    for row in 0..<side {
      let top = row * shape[1] / side
      let bottom = ((row + 1) * shape[1] + side - 1) / side
      for column in 0..<side {
        let left = column * shape[2] / side
        let right = ((column + 1) * shape[2] + side - 1) / side
        for y in top..<bottom {
          for x in left..<right {
            body(row * side + column, y * shape[2] + x, (bottom - top) * (right - left))
          }
        }
      }
    }
  }
}
