// Runs of channels copied from map to map: maps side by side, and the pixels of a shortcut without parameters.

extension Ops {
  /// Maps of one size side by side: [..., C1], [..., C2], ... to [..., C1 + C2 + ...].
  /// - Parameter maps: at least one.
  public func concatenate(_ maps: [Tensor]) -> Tensor {
    let channels = maps.map { $0.shape[$0.shape.count - 1] }
    let shape = Array(maps[0].shape.dropLast())
    precondition(maps.allSatisfy { $0.shape.dropLast() == shape[...] }, "maps of different sizes side by side")
    let (total, pixels) = (channels.reduce(0, +), shape.reduce(1, *))
    var output = Tensor(uninitialized: shape + [total])
    var first = 0
    for (map, count) in zip(maps, channels) {
      map.read { x in
        output.write { y in
          pool.run(over: pixels) { [first] pixels in
            for pixel in pixels { (y + pixel * total + first).update(from: x + pixel * count, count: count) }
          }
        }
      }
      first += count
    }
    return output
  }

  /// The inverse of `concatenate`.
  /// - Parameter channels: of each map, C1, C2, ...
  public func split(_ y: Tensor, channels: [Int]) -> [Tensor] {
    let shape = Array(y.shape.dropLast())
    let (total, pixels) = (channels.reduce(0, +), shape.reduce(1, *))
    var first = 0
    var maps: [Tensor] = []
    for count in channels {
      var map = Tensor(uninitialized: shape + [count])
      y.read { y in
        map.write { x in
          pool.run(over: pixels) { [first] pixels in
            for pixel in pixels { (x + pixel * count).update(from: y + pixel * total + first, count: count) }
          }
        }
      }
      maps.append(map)
      first += count
    }
    return maps
  }

  /// Every `stride`-th pixel of x, with channels of zeros before and after its own.
  public func subsample(_ x: Tensor, _ copy: StridedCopy) -> Tensor {
    var output = Tensor(uninitialized: copy.outputShape)
    let outputImage = output.count / max(1, copy.images)
    x.read { x in
      output.write { y in
        pool.run(over: copy.images) { images in
          (y + images.lowerBound * outputImage).update(repeating: 0, count: images.count * outputImage)
          copy.forEachPixel(of: images) { small, large in
            (y + large).update(from: x + small, count: copy.inputChannels)
          }
        }
      }
    }
    return output
  }

  /// The gradient by the input of `subsample`: zero in the pixels that were left out.
  public func subsampleGradient(_ dy: Tensor, _ copy: StridedCopy) -> Tensor {
    var gradient = Tensor(uninitialized: copy.inputShape)
    let inputImage = gradient.count / max(1, copy.images)
    dy.read { dy in
      gradient.write { dx in
        pool.run(over: copy.images) { images in
          (dx + images.lowerBound * inputImage).update(repeating: 0, count: images.count * inputImage)
          copy.forEachPixel(of: images) { small, large in
            (dx + small).update(from: dy + large, count: copy.inputChannels)
          }
        }
      }
    }
    return gradient
  }
}

/// Which run of input channels becomes which run of output channels: pixel [y, x] of the output begins as pixel
/// [y * stride, x * stride] of the input, at channel `firstChannel`.
public struct StridedCopy: Sendable {
  /// [N, H, W, C].
  let inputShape: [Int]
  /// [N, H', W', channels].
  let outputShape: [Int]
  private let stride: Int
  private let firstChannel: Int

  var images: Int { inputShape[0] }
  var inputChannels: Int { inputShape[3] }

  /// - Parameters:
  ///   - input: [N, H, W, C].
  ///   - channels: of the output, C or more.
  ///   - firstChannel: how many channels of zeros come first.
  public init(input: [Int], stride: Int, channels: Int, firstChannel: Int) {
    precondition(channels >= firstChannel + input[3], "a zero-padded shortcut cannot drop channels")
    inputShape = input
    outputShape = [input[0], (input[1] + stride - 1) / stride, (input[2] + stride - 1) / stride, channels]
    self.stride = stride
    self.firstChannel = firstChannel
  }

  /// Offsets of each copied pixel's channels in input and output.
  fileprivate func forEachPixel(of images: Range<Int>, _ body: (_ input: Int, _ output: Int) -> Void) {
    for image in images {
      for y in 0..<outputShape[1] {
        for x in 0..<outputShape[2] {
          let source = ((image * inputShape[1] + y * stride) * inputShape[2] + x * stride) * inputShape[3]
          let target = ((image * outputShape[1] + y) * outputShape[2] + x) * outputShape[3]
          body(source, target + firstChannel)
        }
      }
    }
  }
}
