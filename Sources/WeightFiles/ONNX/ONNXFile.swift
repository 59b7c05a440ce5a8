// Reading ONNX files: a protocol buffer with a graph and its arrays (onnx.proto, ModelProto). Numbers lie in the file as
// they are in memory, or in fields of their own kind. The file comes from anybody: whatever it says of sizes is compared
// with what is there.

import Protobuf
import Support

struct ONNXFile {
  private(set) var graph = ONNXGraph()
  private(set) var metadata: [String: String] = [:]
  private(set) var arrays: [String: StoredArray] = [:]
  /// Arrays of the first part lie in the file; the others were made of fields.
  private(set) var made: [[UInt8]] = []
  /// Where those lie that are in other files.
  private var elsewhere: [String: ExternalPlace] = [:]
  private let limit: WeightsLimit

  /// protobuf's own bound, bytes.
  static let longest = 2 << 30
  static let (mostNodes, mostArrays, mostAttributes) = (200_000, 200_000, 64)

  /// - Throws: `WeightsFileError.Fault`, `FileOperationError`.
  static func scan(_ source: ByteSource, path: String) throws -> ScannedWeights {
    guard source.size <= longest else {
      throw WeightsFileError.Fault.malformed("it has \(source.size) bytes, and 2 GB are the most", .onnx)
    }
    var file = try source.withBytes(0..<source.size) { try ONNXFile($0) }
    let own = file.arrays.filter { file.elsewhere[$0.key] == nil }
    try file.limit.check(own)
    let others = try file.openOthers(beside: source.isFile ? path : nil)
    let made = file.made
    try file.findIdentities(source, others)
    let outline = WeightsOutline(
      path: path, format: .onnx, metadata: file.metadata, arrays: file.arrays, graph: file.graph)
    return ScannedWeights(outline: outline, source: source, others: others) {
      [.source(source, 0..<source.size)] + made.map { .memory($0) } + others.map { .source($0, 0..<$0.size) }
    }
  }

  /// Finds the indices of nodes that take everything as it comes: exporters write views of a tensor like that.
  private mutating func findIdentities(_ source: ByteSource, _ others: [ByteSource]) throws {
    let names = Set(graph.nodes.filter { $0.operation == "Gather" && $0.inputs.count == 2 }.map { $0.inputs[1] })
    for name in names {
      guard let array = arrays[name], array.dtype == .int64, let count = array.count, let span = array.span,
        (1...Self.mostIndices).contains(count)
      else { continue }
      func counts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (0..<count).allSatisfy { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) == $0 }
      }
      let range = array.offset..<(array.offset + span)
      let isIdentity =
        if array.part == 0 {
          try source.withBytes(range, counts)
        } else if array.part <= made.count {
          made[array.part - 1].withUnsafeBytes(counts)
        } else {
          try others[array.part - 1 - made.count].withBytes(range, counts)
        }
      if isIdentity { graph.identities.insert(name) }
    }
  }

  private static let mostIndices = 1 << 20

  /// Finds the numbers that lie in other files.
  /// - Parameter path: of this file; nil where there are no others.
  /// - Returns: the files, which are the last parts.
  private mutating func openOthers(beside path: String?) throws -> [ByteSource] {
    var others = ExternalArrays(beside: path)
    for (name, place) in elsewhere.sorted(by: { $0.key < $1.key }) {
      guard var array = arrays[name], let needed = array.span else { continue }
      array.part = 1 + made.count + (try others.open(place, for: name, needed: needed))
      array.offset = place.offset
      arrays[name] = array
    }
    // Many arrays may say that they lie in the same bytes.
    let limit = WeightsLimit(fileSize: others.sources.reduce(0) { $0 &+ $1.size })
    try limit.check(arrays.filter { elsewhere[$0.key] != nil })
    return others.sources
  }

  private init(_ bytes: UnsafeRawBufferPointer) throws {
    limit = WeightsLimit(fileSize: bytes.count)
    do {
      try readModel(bytes)
    } catch let error as ProtobufFault {
      throw fault("\(error)")
    }
    let stored = arrays
    graph.inputs.removeAll { stored[$0.name] != nil }
  }

  private func fault(_ what: String) -> WeightsFileError.Fault { .malformed(what, .onnx) }

  private mutating func readModel(_ bytes: UnsafeRawBufferPointer) throws {
    var graphs = 0
    var reader = ProtobufReader(bytes, 0..<bytes.count)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (2, .bytes(let range)): metadata["producer"] = try text(bytes, range)
      case (7, .bytes(let range)):
        graphs += 1
        guard graphs == 1 else { throw fault("it has two graphs") }
        try readGraph(bytes, range)
      case (8, .bytes(let range)): try readOperatorSet(bytes, range)
      case (14, .bytes(let range)):
        let (key, value) = try pair(bytes, range)
        if metadata.count < 256, !key.hasPrefix("skipline.") { metadata[key] = value }
      case (25, .bytes): throw WeightsFileError.Fault.unfit(Self.functions)
      default: break
      }
    }
    guard graphs == 1 else { throw fault("it has no graph: it was cut off") }
  }

  private static let functions =
    "its graph is made of functions of its own, which are not read here; export it again as a graph of ONNX's "
    + "operations (in PyTorch: torch.onnx.export, then onnx.inliner)"

  private mutating func readOperatorSet(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws {
    var (domain, version) = ("", 0)
    var reader = ProtobufReader(bytes, range)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let range)): domain = try text(bytes, range)
      case (2, .number(let number)): version = Int(truncatingIfNeeded: number)
      default: break
      }
    }
    if domain.isEmpty || domain == "ai.onnx" { graph.operations = version }
  }

  private mutating func readGraph(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws {
    var reader = ProtobufReader(bytes, range)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .bytes(let range)): try readNode(bytes, range)
      case (5, .bytes(let range)): try readTensor(bytes, range, named: nil)
      case (11, .bytes(let range)): graph.inputs.append(try port(bytes, range))
      case (12, .bytes(let range)): graph.outputs.append(try port(bytes, range))
      case (15, .bytes):
        throw WeightsFileError.Fault.unfit("it has sparse arrays, which are not read here; export it without")
      default: break
      }
      guard graph.inputs.count + graph.outputs.count <= Self.mostArrays else {
        throw fault("it has too many inputs")
      }
    }
  }

  private mutating func readNode(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws {
    guard graph.nodes.count < Self.mostNodes else { throw fault("it has more than \(Self.mostNodes) nodes") }
    var node = ONNXGraph.Node(operation: "", name: "", inputs: [], outputs: [], attributes: [:])
    var domain = ""
    var constant: Range<Int>?
    var reader = ProtobufReader(bytes, range)
    while let (field, value) = try reader.next() {
      guard case .bytes(let range) = value else { continue }
      switch field {
      case 1: node.inputs.append(try text(bytes, range))
      case 2: node.outputs.append(try text(bytes, range))
      case 3: node.name = try text(bytes, range)
      case 4: node.operation = try text(bytes, range)
      case 5:
        guard node.attributes.count < Self.mostAttributes else { throw fault("a node has too many attributes") }
        let (name, value, tensor) = try attribute(bytes, range)
        node.attributes[name] = value
        if name == "value", let tensor { constant = tensor }
      case 7: domain = try text(bytes, range)
      default: break
      }
    }
    if !domain.isEmpty, domain != "ai.onnx" { node.operation = "\(domain).\(node.operation)" }
    // An array that stands in the graph instead of beside it.
    if node.operation == "Constant", let constant, let name = node.outputs.first {
      return try readTensor(bytes, constant, named: name)
    }
    graph.nodes.append(node)
  }

  private func attribute(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
  ) throws -> (name: String, value: ONNXGraph.Attribute, tensor: Range<Int>?) {
    var name = ""
    var value = ONNXGraph.Attribute.other
    var tensor: Range<Int>?
    var integers: [Int] = []
    var reader = ProtobufReader(bytes, range)
    while let (field, content) = try reader.next() {
      switch (field, content) {
      case (1, .bytes(let range)): name = try text(bytes, range)
      case (2, .fourBytes(let bits)): value = .number(Float(bitPattern: bits))
      case (3, .number(let number)): value = .integer(Int(truncatingIfNeeded: number))
      case (4, .bytes(let range)): value = .text(try text(bytes, range))
      case (5, .bytes(let range)): tensor = range
      case (8, _): try appendIntegers(content, bytes, to: &integers)
      default: break
      }
    }
    if !integers.isEmpty { value = .integers(integers) }
    return (name, value, tensor)
  }

  /// Numbers of a repeated field, one of them or all of them packed.
  private func appendIntegers(
    _ value: ProtobufReader.Value, _ bytes: UnsafeRawBufferPointer, to integers: inout [Int]
  ) throws {
    switch value {
    case .number(let number): integers.append(Int(truncatingIfNeeded: number))
    case .bytes(let range):
      var packed = ProtobufReader(bytes, range)
      while !packed.isAtEnd { integers.append(Int(truncatingIfNeeded: try packed.varint())) }
    default: throw fault("a list of numbers is none")
    }
  }

  private func port(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws -> ONNXGraph.Port {
    var port = ONNXGraph.Port(name: "", shape: [])
    var reader = ProtobufReader(bytes, range)
    while let (field, value) = try reader.next() {
      guard case .bytes(let range) = value else { continue }
      if field == 1 { port.name = try text(bytes, range) }
      if field == 2 { port.shape = try shape(bytes, range) }
    }
    return port
  }

  /// TypeProto: tensor_type = 1, its shape = 2, its dimensions = 1, with a value or a name.
  private func shape(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws -> [Int?] {
    guard let tensor = try message(1, in: range, bytes), let shape = try message(2, in: tensor, bytes) else {
      return []
    }
    var extents: [Int?] = []
    var reader = ProtobufReader(bytes, shape)
    while let (field, value) = try reader.next() {
      guard field == 1, case .bytes(let range) = value else { continue }
      var extent: Int?
      var dimension = ProtobufReader(bytes, range)
      while let (field, value) = try dimension.next() {
        if field == 1, case .number(let number) = value { extent = Int(truncatingIfNeeded: number) }
      }
      guard extents.count < 64 else { throw fault("an input has too many axes") }
      extents.append(extent)
    }
    return extents
  }

  private func message(_ wanted: UInt64, in range: Range<Int>, _ bytes: UnsafeRawBufferPointer) throws -> Range<
    Int
  >? {
    var reader = ProtobufReader(bytes, range)
    while let (field, value) = try reader.next() {
      if field == wanted, case .bytes(let range) = value { return range }
    }
    return nil
  }

  private func pair(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws -> (String, String) {
    var (key, value) = ("", "")
    var reader = ProtobufReader(bytes, range)
    while let (field, content) = try reader.next() {
      guard case .bytes(let range) = content else { continue }
      if field == 1 { key = try text(bytes, range) }
      if field == 2 { value = try text(bytes, range) }
    }
    return (key, value)
  }

  private func text(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw fault("a name is no UTF-8") }
    return text
  }
}

// MARK: - Arrays

extension ONNXFile {
  private static let dtypes: [UInt64: ElementType] = [
    1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool, 10: .float16,
    11: .float64, 12: .uint32, 13: .uint64, 14: .complex64, 16: .bfloat16, 17: .float8e4m3, 19: .float8e5m2,
  ]

  /// TensorProto.
  private mutating func readTensor(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, named given: String?
  ) throws {
    guard arrays.count < Self.mostArrays else { throw fault("it has more than \(Self.mostArrays) arrays") }
    var name = given ?? ""
    var type: UInt64 = 0
    var shape: [Int] = []
    var raw: Range<Int>?
    // Where fields of numbers lie, by their number; several where they are not packed.
    var lists: [(field: UInt64, value: ProtobufReader.Value)] = []
    var isElsewhere = false
    var entries: [(key: String, value: String)] = []
    var reader = ProtobufReader(bytes, range)
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, _):
        try appendIntegers(value, bytes, to: &shape)
        guard shape.count <= 64 else { throw fault("an array has too many axes") }
      case (2, .number(let number)): type = number
      case (4, _), (5, _), (7, _), (10, _), (11, _): lists.append((field, value))
      case (8, .bytes(let range)): if given == nil { name = try text(bytes, range) }
      case (9, .bytes(let range)): raw = range
      case (13, .bytes(let range)):
        isElsewhere = true
        guard entries.count < Self.mostAttributes else { throw fault("an array has too many places") }
        let (key, value) = try pair(bytes, range)
        entries.append((key, value))
      case (14, .number(let number)): isElsewhere = isElsewhere || number == 1
      default: break
      }
    }
    // Text, and types of less than a byte: nothing that a network of ours has.
    guard let dtype = Self.dtypes[type] else { return }
    guard let count = StoredArray.count(of: shape),
      let needed = StoredArray(dtype: dtype, shape: shape, part: 0, offset: 0).span,
      isElsewhere || needed <= limit.bytes
    else { throw fault("array \"\(name)\" has the shape \(shape)") }
    var array = StoredArray(dtype: dtype, shape: shape, strides: nil, part: 0, offset: 0)
    if isElsewhere {
      guard let place = ExternalPlace(entries), raw == nil, lists.isEmpty else {
        throw fault("array \"\(name)\" lies in another file and does not say where")
      }
      elsewhere[name] = place
    } else if let raw {
      guard raw.count == needed, lists.isEmpty else {
        throw fault("array \"\(name)\" needs \(needed) bytes and has \(raw.count)")
      }
      array.offset = raw.lowerBound
    } else if count == 0 {
      array.offset = 0
    } else if let range = packed(lists, dtype, needed) {
      array.offset = range.lowerBound
    } else {
      let made = try numbers(lists, dtype, bytes, needed: needed, name: name)
      self.made.append(made)
      array.part = self.made.count
    }
    guard arrays.updateValue(array, forKey: name) == nil else { throw fault("two arrays are named \"\(name)\"") }
  }

  /// A packed list of numbers that lie as they do in memory.
  private func packed(
    _ lists: [(field: UInt64, value: ProtobufReader.Value)], _ dtype: ElementType, _ needed: Int
  ) -> Range<Int>? {
    guard lists.count == 1, case .bytes(let range) = lists[0].value, range.count == needed else { return nil }
    return lists[0].field == 4 && dtype == .float32 || lists[0].field == 10 && dtype == .float64 ? range : nil
  }

  /// Numbers that were written one by one, or as integers of other widths.
  private func numbers(
    _ lists: [(field: UInt64, value: ProtobufReader.Value)], _ dtype: ElementType, _ bytes: UnsafeRawBufferPointer,
    needed: Int, name: String
  ) throws -> [UInt8] {
    var made: [UInt8] = []
    func append(_ value: UInt64) throws {
      guard made.count < needed else { throw fault("array \"\(name)\" has more numbers than its shape") }
      for place in 0..<dtype.width { made.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * place))) }
    }
    let isInteger = ![.float32, .float64, .complex64].contains(dtype)
    for (field, value) in lists {
      switch (field, value) {
      case (4, .fourBytes(let bits)) where dtype == .float32: try append(UInt64(bits))
      case (4, .bytes(let range)) where dtype == .float32, (10, .bytes(let range)) where dtype == .float64:
        guard made.count + range.count <= needed else {
          throw fault("array \"\(name)\" has more numbers than its shape")
        }
        made += bytes[range]
      case (5, .number(let number)) where isInteger, (7, .number(let number)) where isInteger,
        (11, .number(let number)) where isInteger:
        try append(number)
      case (5, .bytes(let range)) where isInteger, (7, .bytes(let range)) where isInteger,
        (11, .bytes(let range)) where isInteger:
        var packed = ProtobufReader(bytes, range)
        while !packed.isAtEnd { try append(try packed.varint()) }
      default: throw fault("array \"\(name)\" has numbers of another type than it says")
      }
    }
    guard made.count == needed else {
      throw fault("array \"\(name)\" needs \(needed) bytes and has \(made.count)")
    }
    return made
  }
}
