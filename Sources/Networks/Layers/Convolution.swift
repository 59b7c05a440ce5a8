// Convolution over channels-last images, as the layer that keeps weights and cache. How it is computed is
// ConvolutionMethod's choice.

import Tensors

/// A two-dimensional convolution with zero padding, the same above and below, and the same on the left and the right.
///
/// out[n, y, x, o] = bias[o] + sum over ky, kx, c of
/// in[n, y * stride + ky - padding.height, x * stride + kx - padding.width, c] * weight[ky, kx, c, o].
/// With G groups output o is made from the channels of its group alone, c = 0 ..< C / G within it.
/// Output height: (H + 2 * padding.height - KH) / stride + 1, rounded down; the width likewise.
public final class Convolution: Layer {
  /// [KH, KW, C / G, O]: the kernel's height and width first.
  public let weight: Parameter
  /// [O]; nil where a batch norm follows, which has a shift of its own.
  public let bias: Parameter?
  public let stride: Int
  public let padding: Extent
  public let groups: Int
  /// Whether the gradient by the input is wanted; a layer that reads the image can do without.
  public internal(set) var inputGradient: InputGradient

  public enum InputGradient: Sendable { case computed, omitted }

  /// Those of the batch norm that follows: gathered in training, while the output is in cache, where the method can.
  var outputMoments: ChannelMoments?

  /// 1 where an output reads an input channel and 0 elsewhere, of the weights' shape; nil where each reads all. What is
  /// masked is 0 before it is used, whatever an optimizer has made of it.
  private let mask: Tensor?
  private let name: String
  private let algorithms: ConvolutionAlgorithms
  private var input: Tensor?
  /// Of the last pass: the next one is mostly of the same shape.
  private var lastMethod: (input: [Int], mode: Pass.Mode, method: ConvolutionMethod)?

  /// - Parameters:
  ///   - sources: of each output, the input channels that it reads; nil where each reads all.
  ///   - isFixed: whether the weights never learn.
  public init(
    name: String, weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Extent = 0, groups: Int = 1,
    sources: [[Int]]? = nil,
    inputGradient: InputGradient = .computed, isFixed: Bool = false, algorithms: ConvolutionAlgorithms = .fastest
  ) {
    precondition(weight.shape.count == 4, "a convolution's weights are [KH, KW, C, O], not \(weight.shape)")
    self.name = name
    mask = sources.map { sources in
      let (inputs, outputs) = (weight.shape[2], weight.shape[3])
      return Tensor(weight.shape) { sources[$0 % outputs].contains($0 / outputs % inputs) ? 1 : 0 }
    }
    self.weight = Parameter(name: name + ".weight", role: .convolutionWeight, value: weight, isFixed: isFixed)
    self.bias = bias.map { Parameter(name: name + ".bias", role: .bias, value: $0) }
    self.stride = stride
    self.padding = padding
    self.groups = groups
    self.inputGradient = inputGradient
    self.algorithms = algorithms
  }

  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  public func forward(_ input: consuming Tensor, _ pass: Pass) -> Tensor {
    if let mask { pass.ops.multiply(&weight.value, by: mask) }
    let moments = pass.mode == .training && bias == nil ? outputMoments : nil
    var output = pass.ops.convolve(input, weight.value, method(input.shape, pass.mode), gathering: moments)
    if let bias { pass.ops.add(channels: bias.value, to: &output) }
    // One that learns nothing and hands no gradient on goes no way back.
    let goesBack = !weight.isFixed || inputGradient == .computed
    if pass.goesBack, goesBack { self.input = input }
    return output
  }

  /// An inference pass with what a batch norm, a shortcut and an activation behind it do; for one without bias.
  func forward(
    _ input: consuming Tensor, finishing map: FoldedBatchNorm, adding addend: consuming Tensor?,
    _ activation: Activation, _ pass: Pass
  ) -> Tensor {
    precondition(pass.mode == .inference && bias == nil, "\(name) is finished in training, or has a bias")
    if let mask { pass.ops.multiply(&weight.value, by: mask) }
    return pass.ops.convolve(
      input, weight.value, method(input.shape, pass.mode), finishing: map, adding: addend, activation)
  }

  /// The same for inference alone, with the weights of now.
  /// - Parameter norm: what follows it, for one without bias; its statistics are multiplied into the weights.
  func prepared(norm: BatchNorm?, _ algorithms: ConvolutionAlgorithms) -> PreparedConvolution {
    var weight = weight.value
    if let mask { Ops(ThreadPool(threads: 1)).multiply(&weight, by: mask) }
    return PreparedConvolution(
      weight: weight, bias: bias?.value, norm: norm?.runningNormalization, stride: stride, padding: padding,
      groups: groups, algorithms: self.algorithms == .direct ? .direct : algorithms)
  }

  /// The same in bytes.
  /// - Parameter input: what it reads.
  func quantized(_ weights: QuantizedWeights, norm: BatchNorm?, input: ByteFormat) -> QuantizedConvolution {
    QuantizedConvolution(
      weights, norm: norm?.runningNormalization, bias: bias?.value, stride: stride, padding: padding, input: input)
  }

  public func backward(_ outputGradient: consuming Tensor, _ pass: Pass) -> Tensor {
    let input = used(&self.input, by: name)
    let method = method(input.shape, .training)
    if !weight.isFixed {
      pass.ops.convolutionWeightGradient(input, outputGradient, method, into: &weight.gradient)
      if let mask { pass.ops.multiply(&weight.gradient, by: mask) }
    }
    if let bias { pass.ops.sumColumns(of: outputGradient, into: &bias.gradient) }
    guard inputGradient == .computed else { return Tensor(uninitialized: [0]) }
    _ = consume input  // Its memory may be the gradient's, if nobody else needs it.
    return pass.ops.convolutionInputGradient(outputGradient, weight.value, method)
  }

  private func method(_ input: [Int], _ mode: Pass.Mode) -> ConvolutionMethod {
    if let lastMethod, lastMethod.input == input, lastMethod.mode == mode { return lastMethod.method }
    let algorithms = mode != .training && algorithms == .bfloat16 ? .fastest : algorithms
    let method = ConvolutionMethod(
      input: input, weight: weight.value.shape, stride: stride, padding: padding, groups: groups,
      algorithms)
    lastMethod = (input, mode, method)
    return method
  }
}
