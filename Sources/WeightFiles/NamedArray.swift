// An array of numbers with a name and a shape: what a checkpoint file is made of. How it is laid out in the file is
// in SafetensorsFile.swift and Safetensors+Writing.swift.

/// Numbers with a name and a shape, row-major.
public struct NamedArray: Sendable, Equatable {
  /// The element types that are written; more are read (see `ElementType`).
  public enum Values: Sendable, Equatable {
    case float32([Float])
    case int64([Int64])
    case float16([Float16])
    case int32([Int32])
    case uint8([UInt8])
    case int8([Int8])

    public var count: Int {
      switch self {
      case .float32(let values): values.count
      case .int64(let values): values.count
      case .float16(let values): values.count
      case .int32(let values): values.count
      case .uint8(let values): values.count
      case .int8(let values): values.count
      }
    }
  }

  public var name: String
  /// Empty for a scalar.
  public let shape: [Int]
  public let values: Values

  /// - Parameter values: as many as the product of `shape`.
  public init(name: String, shape: [Int], values: Values) {
    precondition(
      shape.allSatisfy { $0 >= 0 } && shape.reduce(1, *) == values.count,
      "\(name): shape \(shape) does not hold \(values.count) values")
    self.name = name
    self.shape = shape
    self.values = values
  }

  public init(name: String, shape: [Int], floats: [Float]) {
    self.init(name: name, shape: shape, values: .float32(floats))
  }

  /// A scalar, as batch norm's `num_batches_tracked`.
  public init(name: String, scalar: Int64) {
    self.init(name: name, shape: [], values: .int64([scalar]))
  }

  public var dtype: ElementType {
    switch values {
    case .float32: .float32
    case .int64: .int64
    case .float16: .float16
    case .int32: .int32
    case .uint8: .uint8
    case .int8: .int8
    }
  }
}

/// The types of the numbers in files, by their names in the safetensors format: those that fill whole bytes.
public enum ElementType: String, Sendable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case float8e8m0 = "F8_E8M0"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case int64 = "I64"
  case uint64 = "U64"
  case float64 = "F64"
  case complex64 = "C64"

  /// Bytes an element.
  public var width: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64, .complex64: 8
    }
  }
}
