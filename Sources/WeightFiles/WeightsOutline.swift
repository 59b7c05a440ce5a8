// What a file of weights says about its arrays before a number of them is read: the same for every format.

/// The forms of files that arrays are read from.
public enum WeightsFormat: String, Sendable, CaseIterable {
  case safetensors
  /// Several files, and an index that says which array is in which.
  case shards
  /// `torch.save` since PyTorch 1.6: a zip archive.
  case pyTorch
  /// `torch.save` before.
  case oldPyTorch
  case onnx

  /// As a person calls it.
  public var name: String {
    switch self {
    case .safetensors: "safetensors"
    case .shards: "safetensors in several files"
    case .pyTorch: "PyTorch"
    case .oldPyTorch: "PyTorch, in the form before 1.6"
    case .onnx: "ONNX"
    }
  }
}

/// Which arrays a file has, and of what shape and type.
public struct WeightsOutline: Sendable {
  /// Of the file that was opened: of several files, that of their index.
  public let path: String
  public let format: WeightsFormat
  /// What the file says besides, as texts: a safetensors file's metadata, plain values of a PyTorch checkpoint such as
  /// its epoch, an ONNX file's producer and properties.
  public let metadata: [String: String]
  /// What was passed over, a sentence each; empty where everything is an array of the network.
  public let notes: [String]
  /// What is done with the arrays, where the file says it.
  public let graph: ONNXGraph?
  let arrays: [String: StoredArray]

  init(
    path: String, format: WeightsFormat, metadata: [String: String], notes: [String] = [],
    arrays: [String: StoredArray], graph: ONNXGraph? = nil
  ) {
    self.path = path
    self.format = format
    self.metadata = metadata
    self.notes = notes
    self.arrays = arrays
    self.graph = graph
  }

  /// Names and shapes of arrays that are made of a file's: all F32.
  package init(
    path: String, format: WeightsFormat, metadata: [String: String], notes: [String], shapes: [String: [Int]]
  ) {
    self.init(
      path: path, format: format, metadata: metadata, notes: notes,
      arrays: shapes.mapValues { StoredArray(dtype: .float32, shape: $0, part: 0, offset: 0) })
  }

  func with(arrays: [String: StoredArray]) -> WeightsOutline {
    WeightsOutline(
      path: path, format: format, metadata: metadata, notes: notes, arrays: arrays, graph: graph)
  }

  func with(metadata: [String: String]) -> WeightsOutline {
    WeightsOutline(
      path: path, format: format, metadata: metadata, notes: notes, arrays: arrays, graph: graph)
  }

  /// The arrays' names, sorted.
  public var names: [String] { arrays.keys.sorted() }

  /// The array's extents, empty for a scalar; nil where the file has no such array.
  public func shape(of name: String) -> [Int]? { arrays[name]?.shape }

  public func dtype(of name: String) -> ElementType? { arrays[name]?.dtype }
}

/// Where an array lies.
struct StoredArray: Sendable, Equatable {
  var dtype: ElementType
  /// Empty for a scalar.
  var shape: [Int]
  /// Elements from one to the next along each axis; nil where they lie row-major without gaps.
  var strides: [Int]? = nil
  /// Which of the file's parts it is in.
  var part: Int
  /// Of its first element in the part, bytes.
  var offset: Int

  /// nil where there are more than any memory holds.
  var count: Int? { Self.count(of: shape) }

  /// The number of elements; nil for an overflow.
  static func count(of shape: [Int]) -> Int? {
    if shape.contains(0) { return 0 }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || extent < 0 { return nil }
      count = product
    }
    return count
  }

  /// The bytes from the first element's first to the last one's last; nil for an overflow.
  var span: Int? {
    guard let count else { return nil }
    if count == 0 { return 0 }
    guard let strides else {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: dtype.width)
      return overflow ? nil : bytes
    }
    var last = 0
    for (extent, stride) in zip(shape, strides) {
      let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, carry) = last.addingReportingOverflow(reach)
      if overflow || carry || stride < 0 { return nil }
      last = sum
    }
    let (elements, carry) = last.addingReportingOverflow(1)
    let (bytes, overflow) = elements.multipliedReportingOverflow(by: dtype.width)
    return carry || overflow ? nil : bytes
  }
}

/// How much all arrays of a file may hold together. Arrays that share numbers, numbers that are repeated by a stride of
/// zero and compressed parts hold more than the file has bytes; beyond this they are no weights but a trap.
struct WeightsLimit {
  let bytes: Int

  init(fileSize: Int) {
    bytes = fileSize.multipliedReportingOverflow(by: 16).overflow ? .max : fileSize * 16 + 64 << 20
  }

  /// - Throws: `WeightsFileError.Fault.tooLarge`.
  func check(_ arrays: [String: StoredArray]) throws {
    var total = 0
    for (name, array) in arrays {
      guard let count = array.count, count <= bytes, total <= bytes else {
        throw WeightsFileError.Fault.tooLarge("array \"\(name)\" has the shape \(array.shape)", limit: bytes)
      }
      total += count * array.dtype.width
    }
    guard total <= bytes else {
      throw WeightsFileError.Fault.tooLarge("its \(arrays.count) arrays claim \(total) bytes", limit: bytes)
    }
  }
}
