// What a quantized network needs besides its plan: convolutions whose weights are bytes, and the formats of the maps that
// they read and give. Which convolutions those are, and how formats are found from maps that were seen. The network that
// uses it is InferenceNetwork.

import Messages
import Tensors

/// The convolutions of a network that are computed in bytes.
public struct Quantization: Sendable {
  /// By the names of the convolutions.
  public var weights: [String: QuantizedWeights]
  /// What each of them reads.
  public var inputs: [String: ByteFormat]
  /// What those give that no quantized convolution reads, but a sum.
  public var outputs: [String: ByteFormat]

  public init(
    weights: [String: QuantizedWeights], inputs: [String: ByteFormat], outputs: [String: ByteFormat]
  ) {
    (self.weights, self.inputs, self.outputs) = (weights, inputs, outputs)
  }
}

extension NetworkPlan {
  /// The names of the convolutions that can be computed in bytes, in the order of the network: those of one group whose
  /// outputs are read by others; the classifier decides, and stays as it is.
  public var quantizableConvolutions: [String] {
    lowered.operations.enumerated().compactMap { index, operation in
      guard !operation.isAuxiliary, index != lowered.lastLearning else { return nil }
      return operation.quantizableName
    }
  }

  /// The names of all its convolutions and dense layers that inference computes.
  public var productLayers: [String] {
    lowered.operations.compactMap { operation in
      guard !operation.isAuxiliary else { return nil }
      return switch operation.kind {
      case .convolution(let name, _, _, _, _, _, _), .sparseConvolution(let name, _, _), .whitening(let name, _),
        .dense(let name, _, _, _):
        name
      default: nil
      }
    }
  }
}

extension LoweredPlan.Operation {
  /// The name of a convolution that can be computed in bytes; nil for all else.
  var quantizableName: String? {
    guard case .convolution(let name, _, let kernel, _, _, _, let groups) = kind, groups == 1,
      kernel.count * input.channels <= QuantizedConvolution.mostSteps
    else { return nil }
    return name
  }
}

/// Looks at the maps of a network while images go through it, and then says in what formats bytes stand for them.
public final class QuantizationCalibration {
  private let network: Network
  private let inference: InferenceNetwork
  /// Those that are to be quantized, and the values that they read and give.
  private let convolutions: [(name: String, input: LoweredPlan.Value, output: LoweredPlan.Value)]
  /// Values whose format is wanted.
  private var seen: [LoweredPlan.Value: MagnitudeCounts]

  /// - Parameter names: the convolutions to quantize, of `quantizableConvolutions`.
  public init(_ network: Network, convolutions names: [String]) {
    self.network = network
    inference = InferenceNetwork(network)
    let steps = InferenceSteps(network.plan.lowered).steps
    convolutions = steps.compactMap { step in
      guard let name = network.plan.lowered.operations[step.operation].quantizableName, names.contains(name) else {
        return nil
      }
      return (name, step.inputs[0].value, step.output)
    }
    let read = Set(convolutions.map(\.input))
    let summed = Set(
      steps.filter { $0.inputs.count > 1 }.flatMap { $0.inputs.dropFirst().map(\.value) })
    // A sum is of bytes where what it adds is; what only sums read has a format of its own.
    let given = convolutions.map(\.output).filter { summed.contains($0) && !read.contains($0) }
    seen = Dictionary(uniqueKeysWithValues: read.union(given).map { ($0, MagnitudeCounts()) })
  }

  /// Looks at a batch.
  /// - Parameter images: [N, H, W, 3], normalized.
  public func look(at images: Tensor, _ pool: ThreadPool) {
    inference.forward(images, pool) { value, tensor in seen[value]?.add(tensor) }
  }

  /// - Returns: nil where a map was not finite, or there was none.
  public func quantization() -> Quantization? {
    var formats: [LoweredPlan.Value: ByteFormat] = [:]
    for (value, counts) in seen {
      guard let format = counts.format() else { return nil }
      formats[value] = format
    }
    let read = Set(convolutions.map(\.input))
    var quantization = Quantization(weights: [:], inputs: [:], outputs: [:])
    for convolution in convolutions {
      guard let weight = network.parameters.first(where: { $0.name == convolution.name + ".weight" }) else {
        continue
      }
      quantization.weights[convolution.name] = QuantizedWeights(weight.value)
      quantization.inputs[convolution.name] = formats[convolution.input]
      if !read.contains(convolution.output), let format = formats[convolution.output] {
        quantization.outputs[convolution.name] = format
      }
    }
    return quantization
  }
}

/// How many numbers of each magnitude there were: exact counts in bins that are 1/128 of a power of two wide.
struct MagnitudeCounts {
  private var counts = [Int](repeating: 0, count: 1 << 15)
  private var isSigned = false
  private var isFinite = true

  mutating func add(_ tensor: Tensor) {
    for value in tensor.values {
      // The sign's bit goes, the exponent and seven bits of the fraction stay.
      counts[Int(value.magnitude.bitPattern >> 16)] += 1
      if value < 0 { isSigned = true }
      if !value.isFinite { isFinite = false }
    }
  }

  /// The format whose roundings, and cuts beyond its ends, make the smallest mean square error.
  /// - Returns: nil for numbers that are not all finite, or for none.
  func format() -> ByteFormat? {
    guard isFinite, let last = counts.lastIndex(where: { $0 > 0 }) else { return nil }
    func middle(_ bin: Int) -> Double { Double(Float(bitPattern: UInt32(bin) << 16 | 0x8000)) }
    let bins = counts.indices.filter { counts[$0] > 0 }.map { (magnitude: middle($0), count: Double(counts[$0])) }
    let greatest = Double(Float(bitPattern: UInt32(last) << 16 | 0xffff))
    let steps = isSigned ? 127.0 : 255.0
    func error(_ end: Double) -> Double {
      let rounding = (end / steps) * (end / steps) / 12
      return bins.reduce(0) { sum, bin in
        let beyond = bin.magnitude - end
        // Zero is exact in every format.
        let own = bin.magnitude > end ? beyond * beyond : bin.magnitude == middle(0) ? 0 : rounding
        return sum + bin.count * own
      }
    }
    let ends = (0..<Self.trials).map { greatest * (1 - Double($0) / Double(Self.trials)) }
    guard let best = ends.min(by: { error($0) < error($1) }) else { return nil }
    return ByteFormat(magnitude: Float(best), isSigned: isSigned)
  }

  private static let trials = 100
}
