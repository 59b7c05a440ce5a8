// Thousands of steps in one message. As JSON objects they take tens of milliseconds to write and to read, for each
// screen that attaches; as rows of 64-bit numbers they take less than one.

import FoundationEssentials

/// Steps that are coded as one run of bytes: for each step eight numbers of 64 bits, the least significant byte first,
/// in the order of `StepMetrics`. The bits of each number are kept, also of those that are not finite.
@propertyWrapper
public struct CompactSteps: Codable, Sendable, Equatable {
  public var wrappedValue: [StepMetrics]

  public init(wrappedValue: [StepMetrics]) { self.wrappedValue = wrappedValue }

  private static let rowLength = 8 * MemoryLayout<UInt64>.size

  public func encode(to encoder: any Encoder) throws {
    var words: [UInt64] = []
    words.reserveCapacity(wrappedValue.count * 8)
    for step in wrappedValue {
      words.append(UInt64(bitPattern: Int64(step.step)).littleEndian)
      words.append(UInt64(bitPattern: Int64(step.epoch)).littleEndian)
      for value in [
        step.loss, step.accuracy, step.learningRate, step.gradientNorm, step.imagesPerSecond,
        step.secondsLeft ?? .nan,
      ] {
        words.append(value.bitPattern.littleEndian)
      }
    }
    var container = encoder.singleValueContainer()
    try container.encode(words.withUnsafeBytes { Data($0) })
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let data = try container.decode(Data.self)
    guard data.count.isMultiple(of: Self.rowLength) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(data.count) bytes are no whole steps")
    }
    wrappedValue = data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: Self.rowLength).map { row in
        func word(_ column: Int) -> UInt64 {
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: row + column * 8, as: UInt64.self))
        }
        func value(_ column: Int) -> Double { Double(bitPattern: word(column)) }
        let secondsLeft = value(7)
        return StepMetrics(
          step: Int(Int64(bitPattern: word(0))), epoch: Int(Int64(bitPattern: word(1))), loss: value(2),
          accuracy: value(3), learningRate: value(4), gradientNorm: value(5), imagesPerSecond: value(6),
          secondsLeft: secondsLeft.isNaN ? nil : secondsLeft)
      }
    }
  }
}
