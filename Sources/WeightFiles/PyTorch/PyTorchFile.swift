// Files of torch.save, in both of its forms (PyTorch, torch/serialization.py): a zip archive with a pickle, data.pkl, and
// an entry for each storage; and before PyTorch 1.6 pickles one after the other, the storages behind them.

/// A file whose arrays are known and not read yet.
struct ScannedWeights {
  let outline: WeightsOutline
  /// Of all bytes together.
  let source: ByteSource
  /// Of other files that numbers lie in.
  var others: [ByteSource] = []
  /// What the arrays lie in: checked, and unpacked where it must be.
  let parts: () throws -> [WeightsContents.Part]
}

enum PyTorchFile {
  /// The archive's form.
  /// - Throws: `WeightsFileError.Fault`, `FileOperationError`.
  static func scanArchive(_ source: ByteSource, path: String) throws -> ScannedWeights {
    let directory = try ZipDirectory(source)
    let pickles = directory.entries.filter {
      $0.name.hasSuffix("/data.pkl") && $0.name.split(separator: "/").count == 2
    }
    guard pickles.count == 1, let pickle = pickles.first else {
      throw fault("it has \(pickles.count) entries data.pkl")
    }
    let folder = pickle.name.dropLast("data.pkl".count)
    if directory[folder + "constants.pkl"] != nil { throw SafetensorsError.Fault.otherFormat(.torchScript) }
    if let order = directory[folder + "byteorder"] {
      guard try directory.contents(order, of: source, limit: 16) == Array("little".utf8) else {
        throw WeightsFileError.Fault.unfit(
          "its numbers are in the order of a big-endian machine; save it again on another one")
      }
    }
    var machine = PickleMachine(
      try directory.contents(
        pickle, of: source, limit: min(PickleMachine.longest, WeightsLimit(fileSize: source.size).bytes)))
    let root = try run(&machine, .pyTorch)
    let state = try StateDictionary(root, machine, .pyTorch)

    var entries: [ZipDirectory.Entry] = []
    var parts: [String: Int] = [:]
    let scanned = try arrays(state, machine) { storage in
      let name = "\(folder)data/\(storage.key)"
      if let part = parts[storage.key] { return (part, 0, entries[part].size) }
      guard let entry = directory[name] else {
        throw fault("its pickle names the storage \"\(storage.key)\", which is not in it")
      }
      parts[storage.key] = entries.count
      entries.append(entry)
      return (entries.count - 1, 0, entry.size)
    }
    let limit = WeightsLimit(fileSize: source.size)
    try limit.check(scanned)
    let inflated = entries.filter { $0.method == .deflated }.reduce(0) { $0 + min($1.size, limit.bytes) }
    guard inflated <= limit.bytes else {
      throw WeightsFileError.Fault.tooLarge("its entries claim \(inflated) bytes", limit: limit.bytes)
    }
    let outline = WeightsOutline(
      path: path, format: .pyTorch, metadata: state.metadata, notes: state.notes, arrays: scanned)
    let used = entries
    return ScannedWeights(outline: outline, source: source) {
      try used.map { entry in
        if entry.method == .deflated {
          return .memory(try directory.contents(entry, of: source, limit: limit.bytes))
        }
        try directory.verify(entry, of: source)
        return .source(source, entry.packed)
      }
    }
  }

  /// The form before PyTorch 1.6, or a pickle that claims to be.
  /// - Throws: `WeightsFileError.Fault`, `FileOperationError`.
  static func scanPickles(_ source: ByteSource, path: String) throws -> ScannedWeights {
    // Names and shapes are at the beginning; how long that is shows only when it is read.
    do {
      return try scanPickles(source, upTo: 1 << 20, path: path)
    } catch WeightsFileError.Fault.malformed where source.size > 1 << 20 {
      return try scanPickles(source, upTo: PickleMachine.longest, path: path)
    }
  }

  private static func scanPickles(_ source: ByteSource, upTo length: Int, path: String) throws -> ScannedWeights {
    let format = WeightsFormat.oldPyTorch
    let bytes = try source.read(0..<min(length, source.size))
    var machine = PickleMachine(bytes)
    var root = try run(&machine, format)
    guard root == .opaque(magicName) else { throw SafetensorsError.Fault.otherFormat(.pickle) }
    var version = PickleMachine(bytes, at: machine.place)
    guard try run(&version, format) == .integer(1001) else {
      throw WeightsFileError.Fault.malformed("its version is not 1001", format)
    }
    var system = PickleMachine(bytes, at: version.place)
    if case .dictionary(let number) = try run(&system, format),
      system.dictionaries[number].contains(where: { $0.key == .text("little_endian") && $0.value == .bool(false) })
    {
      throw WeightsFileError.Fault.unfit(
        "its numbers are in the order of a big-endian machine; save it again on another one")
    }
    machine = PickleMachine(bytes, at: system.place)
    root = try run(&machine, format)
    let state = try StateDictionary(root, machine, format)
    var list = PickleMachine(bytes, at: machine.place)
    guard case .sequence(let number) = try run(&list, format) else {
      throw WeightsFileError.Fault.malformed("its list of storages is none", format)
    }
    let ranges = try storages(list.sequences[number], machine, source, from: list.place)
    var keys: [String: Int] = [:]
    var parts: [Range<Int>] = []
    let scanned = try arrays(state, machine) { storage in
      guard let range = ranges[storage.key] else {
        throw WeightsFileError.Fault.malformed("the storage \"\(storage.key)\" is not in it", format)
      }
      if let part = keys[storage.key] { return (part, 0, range.count) }
      keys[storage.key] = parts.count
      parts.append(range)
      return (parts.count - 1, 0, range.count)
    }
    try WeightsLimit(fileSize: source.size).check(scanned)
    let used = parts
    return ScannedWeights(
      outline: WeightsOutline(
        path: path, format: format, metadata: state.metadata, notes: state.notes, arrays: scanned), source: source
    ) { used.map { .source(source, $0) } }
  }

  /// The integer with which torch.save began, 0x1950a86a20f9469cfc6c, little-endian.
  static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
  /// What the machine makes of it.
  static let magicName = "the first number of torch.save"

  /// Where the storages lie: one after the other in the order of the list, each behind the number of its elements.
  private static func storages(
    _ keys: [PickleValue], _ machine: PickleMachine, _ source: ByteSource, from begin: Int
  ) throws -> [String: Range<Int>] {
    let format = WeightsFormat.oldPyTorch
    var widths: [String: Int] = [:]
    for storage in machine.storages {
      let width = storage.dtype?.width ?? 1
      guard widths.updateValue(width, forKey: storage.key) ?? width == width else {
        throw WeightsFileError.Fault.malformed("the storage \"\(storage.key)\" has two types", format)
      }
    }
    var ranges: [String: Range<Int>] = [:]
    var place = begin
    for key in keys {
      guard case .text(let name) = key, let width = widths[name] else {
        throw WeightsFileError.Fault.malformed("its list names a storage that no tensor has", format)
      }
      guard place <= source.size - 8 else { throw cutOff }
      let count = try source.read(place..<place + 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      guard count <= (source.size - place - 8) / width else { throw cutOff }
      let range = place + 8..<place + 8 + Int(count) * width
      guard ranges.updateValue(range, forKey: name) == nil else {
        throw WeightsFileError.Fault.malformed("the storage \"\(name)\" is in it twice", format)
      }
      place = range.upperBound
    }
    return ranges
  }

  private static let cutOff = WeightsFileError.Fault.malformed("it was cut off", .oldPyTorch)

  private static func run(_ machine: inout PickleMachine, _ format: WeightsFormat) throws -> PickleValue {
    do { return try machine.run() } catch { throw error.fault(format) }
  }

  /// - Parameter place: of a storage: its part, its first byte in it, and how many it has.
  private static func arrays(
    _ state: StateDictionary, _ machine: PickleMachine,
    place: (PickledStorage) throws -> (part: Int, begin: Int, size: Int)
  ) throws -> [String: StoredArray] {
    try state.arrays.mapValues { tensor in
      let storage = machine.storages[tensor.storage]
      var found = StoredArray(
        dtype: tensor.dtype, shape: tensor.shape, strides: tensor.strides, part: 0, offset: 0)
      if isRowMajor(tensor) { found.strides = nil }
      let (part, begin, size) = try place(storage)
      let (bytes, overflow) = storage.whole.multipliedReportingOverflow(by: storage.dtype?.width ?? 1)
      guard !overflow, bytes == size else {
        throw fault(
          "the storage \"\(storage.key)\" is said to have \(storage.whole) elements and has \(size) bytes")
      }
      // The machine has shown that the tensor lies in its storage.
      found.part = part
      found.offset = begin + tensor.offset * tensor.dtype.width
      return found
    }
  }

  private static func isRowMajor(_ tensor: PickledTensor) -> Bool {
    var expected = 1
    for (extent, stride) in zip(tensor.shape, tensor.strides).reversed() where extent != 1 {
      guard stride == expected else { return false }
      // Beyond any storage: the first stride that is compared with it differs.
      let (product, overflow) = expected.multipliedReportingOverflow(by: extent)
      if overflow { return false }
      expected = product
    }
    return true
  }

  private static func fault(_ what: String) -> WeightsFileError.Fault { .malformed(what, .pyTorch) }
}
