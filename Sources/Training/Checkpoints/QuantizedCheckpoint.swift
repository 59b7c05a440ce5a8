// A quantized checkpoint: one whose convolutions' weights are bytes, with what inference in bytes needs besides. It is for
// inference: nobody goes on training from it. Its arrays have the names and shapes of any checkpoint, so whoever wants
// floats has the weights that the bytes stand for.

import Files
import FoundationEssentials
import Messages
import Networks
import Tensors
import WeightFiles

/// What a quantized checkpoint says of how it was made.
public struct QuantizationRecord: Codable, Sendable, Equatable {
  /// The checkpoint that it was made from.
  public var source: String
  /// Of that file.
  public var sourceChecksum: String
  /// Training images whose maps were measured.
  public var images: Int
  /// What each quantized convolution reads.
  public var inputs: [String: ByteFormat]
  /// What those give that only sums read.
  public var outputs: [String: ByteFormat]
  /// The layers with weights that stay in float.
  public var floatLayers: [String]

  /// What is to be told whoever uses it.
  public var text: String {
    "int8 weights, quantized from \(source): \(inputs.count) of \(inputs.count + floatLayers.count) layers with weights"
  }

  static let key = "skipline.quantization"

  /// The checkpoint that it was made from, as it was then: at its place, or beside the quantized one, where a run has been
  /// moved.
  /// - Returns: nil where it is gone or another.
  public func sourcePath(besides path: String) throws -> String? {
    let name = FilePath.split(source).name
    let folder = FilePath.split(FilePath.absolute(path)).folder
    for candidate in [source, folder + "/" + name] where try FilePath.kind(of: candidate) == .file {
      if (try? WeightsFile.read(candidate).checksum) == sourceChecksum { return candidate }
    }
    return nil
  }

  /// - Returns: nil for a file that is not quantized.
  /// - Throws: `CheckpointError.doesNotFit` for what makes no sense.
  init?(_ outline: WeightsOutline) throws {
    guard let text = outline.metadata[Self.key] else { return nil }
    do { self = try RunJSON.decode(Self.self, from: Data(text.utf8)) } catch let error as DecodingError {
      throw CheckpointError.doesNotFit(
        path: outline.path, reason: "what it says of its quantization cannot be read: \(RunJSON.reason(error))")
    }
    let formats = Array(inputs.values) + Array(outputs.values)
    guard formats.allSatisfy({ $0.scale.isFinite && $0.scale > 0 && ($0.zero == 0 || $0.zero == 128) }) else {
      throw CheckpointError.doesNotFit(
        path: outline.path, reason: "what it says of its maps makes no sense; quantize \(source) again")
    }
  }

  init(
    source: String, sourceChecksum: String, images: Int, quantization: Quantization, floatLayers: [String]
  ) {
    (self.source, self.sourceChecksum, self.images) = (source, sourceChecksum, images)
    (inputs, outputs, self.floatLayers) = (quantization.inputs, quantization.outputs, floatLayers)
  }

  static func scaleName(_ convolution: String) -> String { "\(FileArrays.ownPrefix)scale.\(convolution).weight" }

  /// The arrays of a file as those of any checkpoint, and the steps of those that were bytes, by convolution.
  /// - Throws: `CheckpointError`, `WeightsFileError`.
  func restored(_ contents: WeightsContents) throws -> (contents: WeightsContents, scales: [String: [Float]]) {
    var scales: [String: [Float]] = [:]
    let arrays = try contents.names.filter { !$0.hasPrefix(FileArrays.ownPrefix) }.map { name in
      guard contents.dtype(of: name) == .int8 else { return try contents.array(name) }
      let convolution = name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
      let shape = contents.shape(of: name) ?? []
      let values = try contents.int8s(name)
      let steps = try contents.floats(Self.scaleName(convolution))
      guard inputs[convolution] != nil, shape.count == 4, steps.count == shape[0] else {
        throw CheckpointError.doesNotFit(
          path: contents.path,
          reason: "'\(name)' has bytes without a scale for each output; quantize \(source) again")
      }
      guard steps.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        throw CheckpointError.badValue(
          path: contents.path, array: Self.scaleName(convolution), what: "holds a step that is not above 0")
      }
      scales[convolution] = steps
      let each = max(1, values.count / max(1, steps.count))
      return NamedArray(
        name: name, shape: shape, floats: values.enumerated().map { Float($1) * steps[$0 / each] })
    }
    if let missing = inputs.keys.sorted().first(where: { scales[$0] == nil }) {
      throw CheckpointError.doesNotFit(
        path: contents.path, reason: "'\(missing).weight' is not in bytes, as it says; quantize \(source) again")
    }
    return (WeightsContents(contents.outline, checksum: contents.checksum, arrays: arrays), scales)
  }

  /// For a network that has the restored weights.
  /// - Throws: `CheckpointError.doesNotFit` where it quantizes what is no convolution of the network.
  func quantization(of network: Network, _ scales: [String: [Float]], path: String) throws -> Quantization {
    var quantization = Quantization(weights: [:], inputs: inputs, outputs: outputs)
    let possible = Set(network.plan.quantizableConvolutions)
    for (name, steps) in scales {
      guard possible.contains(name), let weight = network.parameters.first(where: { $0.name == name + ".weight" })
      else {
        throw CheckpointError.doesNotFit(
          path: path, reason: "'\(name)' has bytes and cannot be computed in them; quantize \(source) again")
      }
      quantization.weights[name] = QuantizedWeights(weight.value, scales: steps)
    }
    return quantization
  }
}

extension Checkpoint {
  /// Writes a quantized checkpoint of a model.
  /// - Throws: `FileOperationError`.
  public static func save(
    _ model: LoadedModel, _ quantization: Quantization, _ record: QuantizationRecord, to path: String
  ) throws {
    var metadata = (try? WeightsFile.outline(of: model.path)).map(\.metadata) ?? [:]
    // It was measured with other weights.
    var info = CheckpointInfo(path: path, metadata: metadata)
    info?.validationAccuracy = nil
    info?.score = nil
    metadata =
      try info.map(\.metadata).map { $0.merging(try describing(model.description)) { $1 } }
      ?? describing(model.description)
    metadata[QuantizationRecord.key] = try json(record)
    var arrays: [NamedArray] = []
    for array in model.network.stateArrays() {
      let name = array.name.hasSuffix(".weight") ? String(array.name.dropLast(".weight".count)) : array.name
      guard let weights = quantization.weights[name], case .float32(let floats) = array.values else {
        arrays.append(array)
        continue
      }
      let each = max(1, floats.count / max(1, weights.scales.count))
      let bytes = floats.enumerated().map { QuantizedWeights.byte($1, scale: weights.scales[$0 / each]) }
      arrays.append(NamedArray(name: array.name, shape: array.shape, values: .int8(bytes)))
      arrays.append(
        NamedArray(
          name: QuantizationRecord.scaleName(name), shape: [weights.scales.count], floats: weights.scales))
    }
    try Safetensors.write(arrays, metadata: metadata, to: path)
  }

  /// How a file was quantized; nil for one that was not.
  /// - Throws: `CheckpointError.doesNotFit`, or as `WeightsFile.outline`.
  public static func quantization(path: String) throws -> QuantizationRecord? {
    try QuantizationRecord(WeightsFile.outline(of: path))
  }
}

extension CheckpointError {
  /// Of a quantized file, where floats are asked for.
  public static func quantized(path: String, _ record: QuantizationRecord, purpose: String) -> CheckpointError {
    .doesNotFit(
      path: path,
      reason:
        "its weights are quantized to int8, for inference, and not for \(purpose); use the checkpoint that it was "
        + "made from, \(record.source)")
  }
}
