// What a pickle may name and call: what tensors are made of, and classes of plain data that checkpoints carry along.
// Everything else is refused by its name. Nothing is executed: what PyTorch would call to make a tensor is read off its
// arguments, and of plain data only its kind is kept.

import Support

/// The names that are known.
enum PickledObjects {
  /// What a name stands for.
  enum Meaning {
    case dictionary
    case sequence
    case tensor(arguments: Int)
    case parameter
    case typedTensor
    case storage(ElementType?)
    case dtype(ElementType)
    /// A tensor of a kind that is not read.
    case otherTensor(String)
    case plain
  }

  static func meaning(_ name: String) -> Meaning? {
    if let known = known[name] { return known }
    if plain.contains(name) { return .plain }
    let (module, last) = split(name)
    switch module {
    case "torch", "torch.cuda", "torch.storage":
      if let storage = storages[last] { return .storage(storage) }
      if module == "torch", let dtype = dtypes[last] { return .dtype(dtype) }
      return nil
    case "builtins", "__builtin__": return plainBuiltins.contains(last) ? .plain : nil
    case "pathlib", "pathlib._local": return last.hasSuffix("Path") ? .plain : nil
    case "numpy": return plainNumPy.contains(last) ? .plain : nil
    case "numpy.dtypes": return .plain
    case "numpy.core.multiarray", "numpy._core.multiarray":
      return last == "scalar" || last == "_reconstruct" ? .plain : nil
    case "numpy.core.numeric", "numpy._core.numeric": return last == "_frombuffer" ? .plain : nil
    default: return nil
    }
  }

  static func split(_ name: String) -> (module: String, last: String) {
    guard let dot = name.lastIndex(of: ".") else { return ("", name) }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }

  private static let known: [String: Meaning] = [
    "collections.OrderedDict": .dictionary, "collections.defaultdict": .dictionary, "builtins.dict": .dictionary,
    "__builtin__.dict": .dictionary, "builtins.list": .sequence, "builtins.tuple": .sequence,
    "builtins.set": .sequence, "builtins.frozenset": .sequence, "__builtin__.list": .sequence,
    "__builtin__.tuple": .sequence, "__builtin__.set": .sequence, "__builtin__.frozenset": .sequence,
    "torch.Size": .sequence,
    "torch._utils._rebuild_tensor": .tensor(arguments: 4),
    "torch._utils._rebuild_tensor_v2": .tensor(arguments: 6),
    "torch._utils._rebuild_tensor_v3": .tensor(arguments: 7),
    "torch._utils._rebuild_parameter": .parameter, "torch._utils._rebuild_parameter_with_state": .parameter,
    "torch._tensor._rebuild_from_type_v2": .typedTensor,
    "torch._utils._rebuild_qtensor": .otherTensor("a quantized tensor"),
    "torch._utils._rebuild_sparse_tensor": .otherTensor("a sparse tensor"),
    "torch._utils._rebuild_sparse_csr_tensor": .otherTensor("a sparse tensor"),
    "torch._utils._rebuild_nested_tensor": .otherTensor("a nested tensor"),
    "torch._utils._rebuild_meta_tensor_no_storage": .otherTensor("a tensor without numbers (device meta)"),
  ]

  private static let storages: [String: ElementType?] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
    "ByteStorage": .uint8, "BoolStorage": .bool, "QInt8Storage": .int8, "QUInt8Storage": .uint8,
    "QInt32Storage": .int32, "ComplexFloatStorage": .complex64, "UntypedStorage": nil,
  ]

  private static let dtypes: [String: ElementType] = [
    "float32": .float32, "float": .float32, "float64": .float64, "double": .float64, "float16": .float16,
    "half": .float16, "bfloat16": .bfloat16, "int64": .int64, "long": .int64, "int32": .int32, "int": .int32,
    "int16": .int16, "short": .int16, "int8": .int8, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32,
    "uint64": .uint64, "bool": .bool, "float8_e5m2": .float8e5m2, "float8_e4m3fn": .float8e4m3,
    "float8_e8m0fnu": .float8e8m0, "complex64": .complex64,
  ]

  /// Classes that hold plain data: settings, dates, paths, histories. PyTorch would make them by calling their
  /// constructors; here they stay unread.
  private static let plain: Set<String> = [
    "argparse.Namespace", "types.SimpleNamespace", "collections.Counter", "collections.deque", "datetime.datetime",
    "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone", "decimal.Decimal",
    "fractions.Fraction", "uuid.UUID", "_codecs.encode", "copyreg._reconstructor", "copy_reg._reconstructor",
    "typing.Any", "torch.device", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
    "torch.qint8", "torch.quint8", "torch.qint32", "torch.serialization._get_layout", "torch.strided",
    "torch.contiguous_format", "torch.per_tensor_affine",
    "torch.per_channel_affine",
    "yacs.config.CfgNode", "fvcore.common.config.CfgNode", "easydict.EasyDict", "addict.addict.Dict",
    "mmcv.utils.config.ConfigDict", "mmengine.config.config.ConfigDict",
    "mmengine.logging.history_buffer.HistoryBuffer", "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig", "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata",
    "omegaconf.nodes.AnyNode", "omegaconf.nodes.StringNode", "omegaconf.nodes.IntegerNode",
    "omegaconf.nodes.FloatNode", "omegaconf.nodes.BooleanNode",
    "pytorch_lightning.utilities.parsing.AttributeDict", "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict", "lightning.pytorch.utilities.parsing.AttributeDict",
  ]

  private static let plainBuiltins: Set<String> = [
    "object", "int", "long", "float", "complex", "bool", "str", "unicode", "bytes", "bytearray", "slice", "range",
    "xrange",
  ]

  private static let plainNumPy: Set<String> = [
    "ndarray", "dtype", "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "str_",
  ]

  /// Modules that no file of data needs, and that an attack does.
  private static let suspect: Set<String> = [
    "os", "posix", "nt", "subprocess", "sys", "socket", "shutil", "runpy", "pty", "importlib", "ctypes", "code",
    "commands", "webbrowser", "platform", "multiprocessing", "urllib", "requests", "http",
    "builtins", "__builtin__", "operator", "pickle", "_pickle", "marshal", "bdb", "pdb",
    "timeit", "pip", "cProfile", "profile", "doctest", "gc", "io", "_io", "linecache", "tempfile", "signal", "site",
    "ssl", "smtplib", "ftplib", "telnetlib", "venv", "zipimport", "imp", "idlelib", "lib2to3", "pkgutil", "pydoc",
    "torch.hub", "torch.utils.cpp_extension",
  ]

  /// What to do about a name that is refused.
  static func advice(_ name: String, path: String) -> String {
    let (module, _) = split(name)
    let first = module.prefix { $0 != "." }
    if suspect.contains(module) || suspect.contains(String(first)) {
      return
        "its pickle calls \(name), which weights have no use for and attacks do: nothing of it was executed; do not "
        + "load it with Python either, get the weights elsewhere"
    }
    let isPlain = name == "torch.storage._load_from_bytes"
    let program =
      isPlain
      ? #"import sys,pickle,torch;torch.save(pickle.load(open(sys.argv[1],"rb")),sys.argv[2])"#
      : #"import sys,torch;m=torch.load(sys.argv[1],"cpu",weights_only=False);"#
        + #"m=m.get("model",m) if isinstance(m,dict) else m;"#
        + #"torch.save(m.state_dict() if hasattr(m,"state_dict") else {k:v for k,v in m.items() if torch.is_tensor(v)},sys.argv[2])"#
    var target = path.hasSuffix(".pth") || path.hasSuffix(".bin") ? String(path.dropLast(4)) : path
    if path.hasSuffix(".pt") { target = String(path.dropLast(3)) }
    return
      "its pickle holds \(name), which only the program that wrote it can make (a whole module, or settings, were "
      + "saved with the weights): nothing of it was executed. Only if you trust where it comes from, for this runs "
      + "whatever is in it, with Python's torch and that program this line saves the weights alone: "
      + "python3 -c \(shellQuoted(program)) \(shellQuoted(path)) \(shellQuoted(target + "-weights.pth"))"
  }
}

extension PickleMachine {
  /// A class or function, of which only the name is kept.
  func known(_ name: String) throws(PickleFault) -> PickleValue {
    guard PickledObjects.meaning(name) != nil else { throw .refused(name) }
    return .global(name)
  }

  /// What a call would have made.
  mutating func call(_ function: PickleValue, _ arguments: [PickleValue]) throws(PickleFault) -> PickleValue {
    guard case .global(let name) = function, let meaning = PickledObjects.meaning(name) else {
      throw malformed("a call of what is no class")
    }
    switch meaning {
    case .dictionary: return try dictionary(try pairs(in: arguments.first))
    case .sequence: return try sequence(arguments.isEmpty ? [] : try items(arguments[0]))
    case .tensor(let expected): return try tensor(arguments, expected)
    case .parameter:
      switch arguments.first {
      case .tensor?, .opaque?: return arguments[0]
      default: throw malformed("a parameter that is no tensor")
      }
    case .typedTensor:
      // Function, class, the function's arguments, attributes.
      guard arguments.count >= 3, case .global(let rebuild) = arguments[0], rebuild != name else {
        throw malformed("a tensor that is none")
      }
      return try call(arguments[0], try items(arguments[2]))
    case .otherTensor(let what): return .opaque(what)
    case .plain: return .opaque(name)
    case .storage, .dtype: throw malformed("a call of \(name)")
    }
  }

  /// The items that an OrderedDict is made with, [[key, value], ...]; the class that a defaultdict makes is none.
  private func pairs(
    in argument: PickleValue?
  ) throws(PickleFault) -> [(key: PickleValue, value: PickleValue)] {
    if case .dictionary(let number)? = argument { return dictionaries[number] }
    guard case .sequence(let number)? = argument else { return [] }
    var pairs: [(key: PickleValue, value: PickleValue)] = []
    for item in sequences[number] {
      let pair = try items(item)
      guard pair.count == 2 else { throw malformed("a key without a value") }
      pairs.append((pair[0], pair[1]))
    }
    return pairs
  }

  /// torch._utils._rebuild_tensor and what came after it: storage, offset, size, stride, requires_grad, hooks; the third
  /// form tells the type besides.
  private mutating func tensor(_ arguments: [PickleValue], _ expected: Int) throws(PickleFault) -> PickleValue {
    guard arguments.count >= expected, case .storage(let number) = arguments[0],
      case .integer(let offset) = arguments[1], offset >= 0
    else { throw malformed("a tensor that is none") }
    guard try items(arguments[2]).count <= 64, try items(arguments[3]).count <= 64 else {
      throw malformed("a tensor's axes")
    }
    let (shape, strides) = (try extents(arguments[2]), try extents(arguments[3]))
    guard shape.count == strides.count else { throw malformed("a tensor's axes") }
    let storage = storages[number]
    var dtype = storage.dtype
    var available = storage.count
    if expected == 7, case .global(let name) = arguments[6], case .dtype(let type)? = PickledObjects.meaning(name) {
      guard storage.dtype == nil else { throw malformed("a tensor with two types") }
      dtype = type
      available = storage.count / type.width
    }
    guard let dtype else { throw malformed("a tensor without a type") }
    let array = StoredArray(dtype: dtype, shape: shape, strides: strides, part: 0, offset: 0)
    guard let span = array.span, offset <= available, span / dtype.width <= available - offset else {
      throw malformed("a tensor of the shape \(shape) lies outside of its \(available) numbers")
    }
    guard tensors.count < Self.mostContainers else { throw .tooMany("tensors") }
    tensors.append(
      PickledTensor(
        storage: number, dtype: dtype, offset: storage.begin + offset, shape: shape, strides: strides))
    return .tensor(tensors.count - 1)
  }

  private func extents(_ value: PickleValue) throws(PickleFault) -> [Int] {
    var extents: [Int] = []
    for item in try items(value) {
      guard case .integer(let extent) = item, extent >= 0 else { throw malformed("a shape that is none") }
      extents.append(extent)
    }
    return extents
  }

  /// `("storage", class, key, device, count)`, and before 0.4 the view of it that is meant.
  mutating func persistent(_ parts: [PickleValue]) throws(PickleFault) -> PickleValue {
    guard parts.count >= 5, parts[0] == .text("storage"), case .global(let name) = parts[1],
      case .storage(let dtype)? = PickledObjects.meaning(name), case .integer(let count) = parts[4], count >= 0
    else { throw malformed("a reference that is to no storage") }
    var storage: PickledStorage
    switch parts[2] {
    case .text(let key): storage = PickledStorage(key: key, dtype: dtype, count: count)
    case .integer(let key): storage = PickledStorage(key: String(key), dtype: dtype, count: count)
    default: throw malformed("a storage without a name")
    }
    if parts.count > 5, case .sequence(let number) = parts[5] {
      let view = sequences[number]
      guard view.count == 3, case .integer(let begin) = view[1], case .integer(let size) = view[2], begin >= 0,
        size >= 0, begin <= count, size <= count - begin
      else { throw malformed("a view that lies outside of its storage") }
      storage.begin = begin
      storage.count = size
      // What the key names has so many.
      storage.whole = count
    }
    guard storages.count < Self.mostContainers else { throw .tooMany("storages") }
    storages.append(storage)
    return .storage(storages.count - 1)
  }
}
