// Which precision a request means for a checkpoint, and what the engine below makes of it.

import Messages
import Tensors

extension TrainingPrecision {
  /// How convolutions are computed in it.
  public var convolutions: ConvolutionAlgorithms { self == .bf16 ? .bfloat16 : .fastest }
}

extension InferencePrecision {
  /// How convolutions that are not in bytes are computed in it.
  var convolutions: ConvolutionAlgorithms { self == .bf16 ? .bfloat16 : .fastest }

  /// What a checkpoint is computed in.
  /// - Parameters:
  ///   - wanted: nil for what its weights are of.
  ///   - path: the checkpoint's file.
  ///   - record: how it was quantized; nil for one that was not.
  /// - Throws: `CheckpointError` for a quantized checkpoint that is asked for in another precision; `SettingsError` for
  ///   int8 of one that is not, and for bf16 on a processor that gains nothing by it.
  public static func resolved(
    _ wanted: InferencePrecision?, checkpoint path: String, _ record: QuantizationRecord?
  ) throws -> InferencePrecision {
    if let record {
      guard let wanted, wanted != .int8 else { return .int8 }
      throw CheckpointError.doesNotFit(
        path: path,
        reason: "--precision \(wanted.rawValue): its weights are quantized to int8, and it is computed in that; "
          + "leave --precision out, or use the checkpoint that it was made from, \(record.source)")
    }
    switch wanted ?? .fp32 {
    case .fp32: return .fp32
    case .bf16:
      guard OperandPrecision.hasFastBFloat16 else {
        throw SettingsError(
          "--precision bf16: this processor has no AVX512-BF16, which makes it faster; leave it out, for fp32")
      }
      return .bf16
    case .int8:
      throw SettingsError(
        "--precision int8: \(path) is not quantized; 'skipline quantize' makes a checkpoint that is")
    }
  }
}
