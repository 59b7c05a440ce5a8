// Convolution over channels-last images, as matrix products: each output pixel's window is a row of a matrix of
// columns [pixels, K*K*C], multiplied by the weights [K*K*C, O]. The columns are made a block at a time, so that a
// block is still in cache when BLAS reads it; the whole matrix never exists. A 1x1 convolution with stride 1 needs no
// columns: its input is the matrix.

import CKernels
import Tensors

/// A two-dimensional convolution with zero padding, the same on all sides.
///
/// out[n, y, x, o] = bias[o] + sum over ky, kx, c of
/// in[n, y * stride + ky - padding, x * stride + kx - padding, c] * weight[ky, kx, c, o].
/// Output side: (side + 2 * padding - K) / stride + 1, rounded down.
public final class Convolution: Layer {
  /// [K, K, C, O].
  public let weight: Parameter
  /// [O]; nil where a batch norm follows, which has a shift of its own.
  public let bias: Parameter?
  public let stride: Int
  public let padding: Int
  /// Whether the gradient by the input is wanted; the first layer of a network can do without.
  public let inputGradient: InputGradient

  public enum InputGradient: Sendable { case computed, omitted }

  private let name: String
  private var input: Tensor?

  public init(
    name: String, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0,
    inputGradient: InputGradient = .computed
  ) {
    precondition(weight.shape.count == 4 && weight.shape[0] == weight.shape[1], "a convolution's kernel is square")
    self.name = name
    self.weight = Parameter(name: name + ".weight", role: .convolutionWeight, value: weight)
    self.bias = bias.map { Parameter(name: name + ".bias", role: .bias, value: $0) }
    self.stride = stride
    self.padding = padding
    self.inputGradient = inputGradient
  }

  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let columns = Columns(input: input.shape, weight: weight.value.shape, stride: stride, padding: padding)
    var output = Tensor(uninitialised: columns.outputShape)
    let shards = WorkerPool.standardShards
    Tensor.read(input, weight.value) { x, w in
      output.write { y in
        pass.workers.run(over: columns.lines, shards: shards) { lines in
          columns.forEachBlock(of: lines, in: x) { block, pixels in
            MatrixProduct.multiply(
              MatrixView(block, stride: columns.inner), MatrixView(w, stride: columns.outputs),
              into: y + pixels.lowerBound * columns.outputs, rows: pixels.count, columns: columns.outputs,
              inner: columns.inner)
          }
        }
      }
    }
    if let bias {
      bias.value.read { b in
        output.write { y in
          pass.workers.run(over: columns.lines * columns.lineLength) { pixels in
            ck_add_bias(y + pixels.lowerBound * columns.outputs, pixels.count, columns.outputs, b)
          }
        }
      }
    }
    if pass.mode == .training { self.input = input }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let input = used(&self.input, by: name)
    let columns = Columns(input: input.shape, weight: weight.value.shape, stride: stride, padding: padding)
    // Shards are whole images, because the windows of neighbouring lines overlap in the input's gradient. Each has a
    // weight gradient of its own; they are added in order.
    let shards = min(Self.backwardShards, columns.images)
    var partialWeights = Tensor(zeros: [shards, columns.inner * columns.outputs])
    let propagates = inputGradient == .computed
    var gradient =
      propagates ? Tensor(uninitialised: input.shape) : Tensor(uninitialised: [0])
    Tensor.read(input, outputGradient) { x, dy in
      weight.value.read { w in
        partialWeights.write { dw in
          gradient.write { dx in
            pass.workers.run(shards: shards) { shard in
              let images = WorkerPool.range(shard, of: shards, count: columns.images)
              columns.backward(
                images: images, x: x, w: w, dy: dy, dw: dw + shard * columns.inner * columns.outputs,
                dx: propagates ? dx : nil)
            }
          }
        }
      }
    }
    sumShards(partialWeights, shards: shards, into: &weight.gradient, pass.workers)
    if let bias {
      columnSums(outputGradient, into: &bias.gradient, pass.workers)
    }
    return gradient
  }

  /// Part of the numerical result, like `WorkerPool.standardShards`; fewer, because each holds a whole gradient.
  private static let backwardShards = 8
}
