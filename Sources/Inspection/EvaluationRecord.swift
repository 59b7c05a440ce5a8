// What an evaluation keeps of each image beside its report: a file that opens at once, whose columns are read into
// memory and whose probabilities and features are read where they are needed. How it is made is in EvaluationRecorder,
// its form on disk in EvaluationRecord+File.

import Messages
import WeightFiles

/// An evaluation image by image.
public struct EvaluationRecord: Sendable {
  public var table: EvaluationTable
  /// The probabilities of every class, or of the most probable ones.
  public let probabilities: ProbabilityRows
  /// What the classifier read; nil where it was not kept.
  public let features: FeatureRows?
  /// What the outputs were averaged over.
  public let augmentation: TestTimeAugmentation?
  /// What they were computed in; nil where that was not recorded.
  public let precision: InferencePrecision?

  init(
    table: EvaluationTable, probabilities: ProbabilityRows, features: FeatureRows?,
    augmentation: TestTimeAugmentation?, precision: InferencePrecision?
  ) {
    self.table = table
    self.probabilities = probabilities
    self.features = features
    self.augmentation = augmentation
    self.precision = precision
  }
}

/// What of an evaluation is kept beside its report.
public enum RecordedParts: String, Sendable, CaseIterable {
  /// Probabilities and features.
  case all
  case probabilities
  case none
}

/// Probabilities, a row an image.
public struct ProbabilityRows: Sendable {
  /// How they are kept.
  public enum Form: String, Codable, Sendable {
    /// Of every class, in single or in half precision.
    case single, half
    /// Of some of the most probable classes, in half precision.
    case most
  }

  public let form: Form
  public let rows: Int
  public let classes: Int
  /// How many each row has.
  public let kept: Int
  let numbers: StoredNumbers
  /// Of `.most`, the label of each.
  let labels: StoredNumbers?

  /// Up to so many classes, every probability is kept in single precision, and in half precision; of more classes, those
  /// of the most probable ones.
  static let mostSingle = 32
  static let mostHalf = 256
  static let mostProbable = 64

  static func form(classes: Int) -> (form: Form, kept: Int) {
    if classes <= mostSingle { return (.single, classes) }
    return classes <= mostHalf ? (.half, classes) : (.most, mostProbable)
  }

  /// The probabilities of every class, [rows, classes]: what the kept ones leave is spread evenly over the others.
  /// - Throws: `FileOperationError`.
  public func values(_ range: Range<Int>) throws -> [Float] {
    let numbers = try numbers.floats(range.lowerBound * kept..<range.upperBound * kept)
    guard let labels else { return numbers }
    let places = try labels.integers(range.lowerBound * kept..<range.upperBound * kept)
    var values = [Float](repeating: 0, count: range.count * classes)
    for row in 0..<range.count {
      let own = row * kept..<(row + 1) * kept
      let rest = max(0, 1 - own.reduce(Float(0)) { $0 + numbers[$1] }) / Float(max(1, classes - kept))
      for label in 0..<classes { values[row * classes + label] = rest }
      for place in own where (0..<classes).contains(Int(places[place])) {
        values[row * classes + Int(places[place])] = numbers[place]
      }
    }
    return values
  }
}

/// Features, a row an image, in half precision.
public struct FeatureRows: Sendable {
  public let rows: Int
  public let width: Int
  /// The layer that read them, by its name.
  public let layer: String
  let numbers: StoredNumbers

  /// [rows, width].
  /// - Throws: `FileOperationError`; `EvaluationRecordError` where all are asked for and they are damaged.
  public func values(_ range: Range<Int>) throws -> [Float] {
    try numbers.floats(range.lowerBound * width..<range.upperBound * width)
  }

  /// Compares all of them with what was written.
  /// - Throws: `EvaluationRecordError` where they are damaged, `FileOperationError`.
  public func verify() throws { try numbers.verify() }

  /// All of them, when they were found to be what was written.
  public func all() throws -> [Float] {
    try verify()
    return try values(0..<rows)
  }
}

/// Numbers in memory, or in a file that is read where they are asked for.
struct StoredNumbers: Sendable {
  private enum Place {
    case memory(NamedArray)
    /// With the checksum that the file says its bytes have.
    case file(SafetensorsArrays, name: String, ElementType, checksum: String)
  }

  private let place: Place

  init(_ array: NamedArray) { place = .memory(array) }

  init(_ arrays: SafetensorsArrays, _ name: String, _ dtype: ElementType, checksum: String) {
    place = .file(arrays, name: name, dtype, checksum: checksum)
  }

  func floats(_ elements: Range<Int>) throws -> [Float] {
    switch place {
    case .memory(let array):
      switch array.values {
      case .float32(let values): return Array(values[elements])
      case .float16(let values): return HalfPrecision.floats(values[elements])
      default: preconditionFailure("'\(array.name)' is of whole numbers")
      }
    case .file(let arrays, let name, .float16, _):
      return HalfPrecision.floats(try arrays.float16s(name, elements)[...])
    case .file(let arrays, let name, _, _):
      return try arrays.float32s(name, elements).map { $0.isFinite ? $0 : 0 }
    }
  }

  /// In half precision, as features are kept.
  func halves(_ elements: Range<Int>) throws -> [Float16] {
    switch place {
    case .memory(let array):
      if case .float16(let values) = array.values { return Array(values[elements]) }
    case .file(let arrays, let name, .float16, _): return try arrays.float16s(name, elements)
    case .file: break
    }
    return try floats(elements).map(HalfPrecision.rounded)
  }

  func integers(_ elements: Range<Int>) throws -> [Int32] {
    switch place {
    case .memory(let array):
      guard case .int32(let values) = array.values else { preconditionFailure("'\(array.name)' is of fractions") }
      return Array(values[elements])
    case .file(let arrays, let name, _, _): return try arrays.int32s(name, elements)
    }
  }

  /// - Throws: `EvaluationRecordError` where the file's bytes are not those that were written.
  func verify() throws {
    guard case .file(let arrays, let name, _, let checksum) = place else { return }
    guard try arrays.checksum(of: name) == checksum else {
      throw EvaluationRecordError(path: arrays.path, reason: "its '\(name)' is damaged")
    }
  }
}

/// Numbers of half precision.
enum HalfPrecision {
  /// The largest one.
  static let greatest: Float = 65504

  /// The nearest that there is; what is no number is 0.
  static func rounded(_ value: Float) -> Float16 {
    value.isNaN ? 0 : Float16(min(max(value, -greatest), greatest))
  }

  /// The values of all bit patterns: a table is faster than a conversion where the processor has none.
  static let values: [Float] = (0...UInt16.max).map { bits in
    let value = Float(Float16(bitPattern: bits))
    return value.isFinite ? value : 0
  }

  static func floats(_ halves: ArraySlice<Float16>) -> [Float] {
    values.withUnsafeBufferPointer { values in halves.map { values[Int($0.bitPattern)] } }
  }
}

/// A record that cannot be used.
public struct EvaluationRecordError: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var reason: String

  public var description: String {
    "\(path) is not what an evaluation keeps: \(reason); evaluate again, and it is made anew"
  }
}
