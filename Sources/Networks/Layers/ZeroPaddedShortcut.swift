// The shortcut without parameters, He et al. 2015, section 3.3, option A.

import Messages
import Tensors

/// Shortcut option A: every `stride`-th pixel, and zeros for the channels that are new.
public final class ZeroPaddedShortcut: Layer {
  private let stride: Int
  private let channels: Int
  private let placement: ZeroPlacement
  private var inputShape: [Int]?

  public init(stride: Int, channels: Int, placement: ZeroPlacement) {
    self.stride = stride
    self.channels = channels
    self.placement = placement
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let copy = StridedCopy(input: input.shape, stride: stride, channels: channels, placement: placement)
    var output = Tensor(uninitialised: copy.outputShape)
    let outputImage = output.count / max(1, copy.images)
    input.read { x in
      output.write { y in
        pass.workers.run(over: copy.images) { images in
          (y + images.lowerBound * outputImage).update(repeating: 0, count: images.count * outputImage)
          copy.forEachPixel(of: images) { small, large in
            (y + large).update(from: x + small, count: copy.inputChannels)
          }
        }
      }
    }
    if pass.mode == .training { inputShape = input.shape }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = used(&inputShape, by: "zero-padded shortcut")
    let copy = StridedCopy(input: shape, stride: stride, channels: channels, placement: placement)
    var gradient = Tensor(uninitialised: shape)
    let inputImage = gradient.count / max(1, copy.images)
    outputGradient.read { dy in
      gradient.write { dx in
        pass.workers.run(over: copy.images) { images in
          (dx + images.lowerBound * inputImage).update(repeating: 0, count: images.count * inputImage)
          copy.forEachPixel(of: images) { small, large in
            (dx + small).update(from: dy + large, count: copy.inputChannels)
          }
        }
      }
    }
    return gradient
  }

  /// Which run of input channels becomes which run of output channels.
  private struct StridedCopy: Sendable {
    let images: Int
    let inputChannels: Int
    let outputShape: [Int]
    private let input: [Int]
    private let stride: Int
    private let firstChannel: Int

    init(input: [Int], stride: Int, channels: Int, placement: ZeroPlacement) {
      precondition(channels >= input[3], "a zero-padded shortcut cannot drop channels")
      images = input[0]
      inputChannels = input[3]
      outputShape = [images, (input[1] + stride - 1) / stride, (input[2] + stride - 1) / stride, channels]
      self.input = input
      self.stride = stride
      firstChannel = placement == .split ? (channels - input[3]) / 2 : 0
    }

    /// Offsets of each copied pixel's channels in input and output.
    func forEachPixel(of images: Range<Int>, _ body: (_ input: Int, _ output: Int) -> Void) {
      for image in images {
        for y in 0..<outputShape[1] {
          for x in 0..<outputShape[2] {
            let source = ((image * input[1] + y * stride) * input[2] + x * stride) * input[3]
            let target = ((image * outputShape[1] + y) * outputShape[2] + x) * outputShape[3]
            body(source, target + firstChannel)
          }
        }
      }
    }
  }
}
