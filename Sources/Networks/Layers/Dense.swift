// The fully connected layer and what stands around it: flattening and dropout.

import Support
import Tensors

/// y = x * weight + bias, for x [N, I] or any shape of I values an image.
public final class Dense: Layer {
  /// [I, O], the input values in the order of a map [H, W, C].
  public let weight: Parameter
  /// [O].
  public let bias: Parameter

  private let name: String
  private var input: Tensor?

  /// - Parameters:
  ///   - map: the input's height, width and channels, for the order of the weights in files.
  ///   - penalty: a weight decay of the weights' own; nil for the optimiser's.
  public init(name: String, weight: Tensor, bias: Tensor, map: [Int], penalty: Double? = nil) {
    precondition(map.reduce(1, *) == weight.shape[0], "dense weights \(weight.shape) for a map \(map)")
    self.name = name
    self.weight = Parameter(name: name + ".weight", role: .denseWeight(map: map), value: weight, penalty: penalty)
    self.bias = Parameter(name: name + ".bias", role: .bias, value: bias)
  }

  public var parameters: [Parameter] { [weight, bias] }

  private var inputs: Int { weight.value.shape[0] }
  private var outputs: Int { weight.value.shape[1] }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let (inputs, outputs) = (inputs, outputs)
    let images = input.shape[0]
    precondition(input.count == images * inputs, "\(name) takes \(inputs) values an image, not \(input.shape)")
    var output = Tensor(uninitialised: [images, outputs])
    Tensor.read(input, weight.value) { x, w in
      bias.value.read { b in
        output.write { y in
          // Each shard sets some columns of every row, so the weights are read once: they are the large matrix.
          pass.workers.run(over: outputs) { range in
            StoragePool.withScratch(images * range.count) { part in
              MatrixProduct.multiply(
                MatrixView(x, stride: inputs), MatrixView(w + range.lowerBound, stride: outputs), into: part,
                rows: images, columns: range.count, inner: inputs)
              for image in 0..<images {
                for (column, output) in range.enumerated() {
                  y[image * outputs + output] = part[image * range.count + column] + b[output]
                }
              }
            }
          }
        }
      }
    }
    if pass.mode == .training { self.input = input }
    return output
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let input = used(&self.input, by: name)
    let (inputs, outputs) = (inputs, outputs)
    let images = input.shape[0]
    var gradient = Tensor(uninitialised: input.shape)
    columnSums(outputGradient, into: &bias.gradient, pass.workers)
    Tensor.read(input, outputGradient) { x, dy in
      weight.gradient.write { dw in
        // dw [I, O] = transposed x * dy: a shard sets some of its rows.
        pass.workers.run(over: inputs) { range in
          MatrixProduct.multiply(
            MatrixView(x + range.lowerBound, stride: inputs, .transposed), MatrixView(dy, stride: outputs),
            into: dw + range.lowerBound * outputs, rows: range.count, columns: outputs, inner: images)
        }
      }
    }
    Tensor.read(weight.value, outputGradient) { w, dy in
      gradient.write { dx in
        // dx [N, I] = dy * transposed w: a shard sets some images.
        pass.workers.run(over: images) { range in
          MatrixProduct.multiply(
            MatrixView(dy + range.lowerBound * outputs, stride: outputs),
            MatrixView(w, stride: outputs, .transposed), into: dx + range.lowerBound * inputs, rows: range.count,
            columns: inputs, inner: outputs)
        }
      }
    }
    return gradient
  }
}

/// [N, H, W, C] to [N, H * W * C].
public final class Flatten: Layer {
  private var inputShape: [Int]?

  public init() {}

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    let shape = input.shape
    if pass.mode == .training { inputShape = shape }
    return input.reshaped([shape[0], shape.dropFirst().reduce(1, *)])
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    outputGradient.reshaped(used(&inputShape, by: "flatten"))
  }
}

/// In training, each value is zero with probability `rate` and else divided by 1 - rate, so that the mean stays
/// (Srivastava et al. 2014, "inverted" form). In inference it does nothing.
public final class Dropout: Layer {
  private let rate: Float
  /// Tells the dropouts of one network apart.
  private let salt: UInt64
  private var factors: Tensor?

  public init(rate: Double, salt: UInt64) {
    precondition((0..<1).contains(rate), "a dropout rate of \(rate)")
    self.rate = Float(rate)
    self.salt = salt
  }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    guard pass.mode == .training else { return input }
    var generator = RandomGenerator(pass.seed, salt)
    let kept = 1 / (1 - rate)
    let factors = Tensor(input.shape) { _ in generator.uniform() < rate ? 0 : kept }
    multiply(&input, by: factors)
    self.factors = factors
    return input
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    multiply(&outputGradient, by: used(&factors, by: "dropout"))
    return outputGradient
  }

  private func multiply(_ tensor: inout Tensor, by factors: Tensor) {
    factors.read { f in
      let count = factors.count
      tensor.write { x in for i in 0..<count { x[i] *= f[i] } }
    }
  }
}
