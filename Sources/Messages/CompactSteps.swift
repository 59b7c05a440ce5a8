// Thousands of steps in one message. As JSON objects they take tens of milliseconds to write and to read, for each
// screen that attaches; as rows of 64-bit numbers they take less than one.

import FoundationEssentials

/// Steps that are coded as one run of bytes: for each step numbers of 64 bits, the least significant byte first: step,
/// epoch, and the metrics in the order of `Metric.ofSteps`. The bits of each number are kept, also of those that are
/// not finite; NaN says that there is no value where there need be none.
@propertyWrapper
public struct CompactSteps: Codable, Sendable, Equatable {
  public var wrappedValue: [StepMetrics]

  public init(wrappedValue: [StepMetrics]) { self.wrappedValue = wrappedValue }

  private static let columns = 2 + Metric.ofSteps.count
  private static let rowLength = columns * MemoryLayout<UInt64>.size

  public func encode(to encoder: any Encoder) throws {
    var words: [UInt64] = []
    words.reserveCapacity(wrappedValue.count * Self.columns)
    for step in wrappedValue {
      words.append(UInt64(bitPattern: Int64(step.step)).littleEndian)
      words.append(UInt64(bitPattern: Int64(step.epoch)).littleEndian)
      for metric in Metric.ofSteps { words.append((step[metric] ?? .nan).bitPattern.littleEndian) }
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
        var step = StepMetrics(step: Int(Int64(bitPattern: word(0))), epoch: Int(Int64(bitPattern: word(1))))
        for (index, metric) in Metric.ofSteps.enumerated() {
          let value = Double(bitPattern: word(2 + index))
          step[metric] = metric.absence != .never && value.isNaN ? nil : value
        }
        return step
      }
    }
  }
}
