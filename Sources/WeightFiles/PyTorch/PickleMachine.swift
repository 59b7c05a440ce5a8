// The interpreter of pickles (Python's Lib/pickletools.py describes every opcode): an allow-list of opcodes that make plain
// values and put them together. What a pickle calls is looked up in PickledObjects.swift; nothing is ever executed. The
// bytes come from anybody: no length is believed before it is compared with what is left, and what is made is counted.

/// Why a pickle was not read.
enum PickleFault: Error, Equatable {
  case malformed(offset: Int, String)
  /// `module.name` of something that is neither a tensor nor plain data.
  case refused(String)
  /// More of something than any checkpoint has.
  case tooMany(String)

  func fault(_ format: WeightsFormat) -> WeightsFileError.Fault {
    switch self {
    case .malformed(let offset, let what): .malformed("byte \(offset) of its pickle: \(what)", format)
    case .refused(let name): .refusedObject(name)
    case .tooMany(let what): .malformed("its pickle has too many \(what)", format)
    }
  }
}

/// A value of a pickle. Containers are numbers of the machine's tables, so that no nesting makes a chain of references
/// that has to be followed, and none can hold itself in memory.
enum PickleValue: Equatable {
  case none
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  /// A list, a tuple or a set.
  case sequence(Int)
  case dictionary(Int)
  /// A class or function by its name, which is known.
  case global(String)
  case storage(Int)
  case tensor(Int)
  /// Plain data that nothing is needed of; the text says what it is.
  case opaque(String)
}

/// The numbers that tensors are views of.
struct PickledStorage: Equatable {
  var key: String
  /// nil for bytes, whose type a tensor tells.
  var dtype: ElementType?
  /// Elements, or bytes where there is no type.
  var count: Int
  /// Elements before it in what its key names, as PyTorch wrote views before 0.4.
  var begin = 0
  /// Elements of all that its key names.
  var whole: Int

  init(key: String, dtype: ElementType?, count: Int) {
    self.key = key
    self.dtype = dtype
    self.count = count
    whole = count
  }
}

struct PickledTensor: Equatable {
  var storage: Int
  var dtype: ElementType
  /// Elements of the storage before the first.
  var offset: Int
  var shape: [Int]
  var strides: [Int]
}

/// Reads one pickle.
struct PickleMachine {
  private let bytes: [UInt8]
  /// Of the next byte; after `run`, of the first behind the pickle.
  private(set) var place: Int
  private var stack: [PickleValue] = []
  /// Where on the stack the marks are.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private(set) var sequences: [[PickleValue]] = []
  private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [PickledStorage] = []
  var tensors: [PickledTensor] = []
  /// How deeply containers are nested in each container.
  private var sequenceDepths: [Int] = []
  /// Items of all containers that were made, copies included.
  private var itemCount = 0
  private var dictionaryDepths: [Int] = []

  // A network of a thousand layers with an optimizer's state has a hundred thousand containers.
  static let mostContainers = 1 << 20
  static let mostItems = 1 << 22
  static let mostMemos = 1 << 21
  static let deepestStack = 1 << 18
  static let deepestNest = 500
  /// Bytes of a pickle: these are names and shapes.
  static let longest = 64 << 20

  init(_ bytes: [UInt8], at place: Int = 0) {
    self.bytes = bytes
    self.place = place
  }

  /// Interprets the pickle up to its end.
  mutating func run() throws(PickleFault) -> PickleValue {
    while true {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") {
        let value = try pop()
        guard stack.isEmpty, marks.isEmpty else { throw malformed("it ends in the middle") }
        return value
      }
      try perform(opcode)
    }
  }

  private mutating func perform(_ opcode: UInt8) throws(PickleFault) {
    switch opcode {
    case 0x80: guard try byte() <= 5 else { throw malformed("a protocol that is not known") }
    case 0x95: _ = try number(8)
    // MARK: Numbers and texts
    case UInt8(ascii: "N"): try push(.none)
    case 0x88: try push(.bool(true))
    case 0x89: try push(.bool(false))
    case UInt8(ascii: "K"): try push(.integer(try number(1)))
    case UInt8(ascii: "M"): try push(.integer(try number(2)))
    case UInt8(ascii: "J"): try push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case UInt8(ascii: "I"): try decimalInteger()
    case UInt8(ascii: "L"): try decimalInteger()
    case 0x8a: try longInteger(try number(1))
    case 0x8b: try longInteger(try number(4))
    case UInt8(ascii: "G"):
      let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      try push(.number(Double(bitPattern: bits)))
    case UInt8(ascii: "F"):
      guard let value = Double(try line()) else { throw malformed("a number that is none") }
      try push(.number(value))
    case UInt8(ascii: "X"): try text(try number(4))
    case 0x8c: try text(try number(1))
    case 0x8d: try text(try number(8))
    case UInt8(ascii: "T"): try text(try number(4))
    case UInt8(ascii: "U"): try text(try number(1))
    case UInt8(ascii: "V"): try plainText(try line())
    case UInt8(ascii: "S"):
      let quoted = try line()
      guard quoted.count >= 2, let quote = quoted.first, quote == quoted.last, quote == "'" || quote == "\"" else {
        throw malformed("a text without quotes")
      }
      try plainText(String(quoted.dropFirst().dropLast()))
    case UInt8(ascii: "B"): try data(try number(4))
    case UInt8(ascii: "C"): try data(try number(1))
    case 0x8e, 0x96: try data(try number(8))
    // MARK: Containers
    case UInt8(ascii: "("):
      guard marks.count < Self.deepestStack else { throw .tooMany("marks") }
      marks.append(stack.count)
    case UInt8(ascii: "]"), UInt8(ascii: ")"), 0x8f: try push(try sequence([]))
    case UInt8(ascii: "t"), UInt8(ascii: "l"), 0x91: try push(try sequence(try popMark()))
    case 0x85...0x87:
      var items: [PickleValue] = []
      for _ in 0..<(opcode - 0x84) { items.append(try pop()) }
      try push(try sequence(items.reversed()))
    case UInt8(ascii: "}"): try push(try dictionary([]))
    case UInt8(ascii: "d"): try push(try dictionary(try pairs(try popMark())))
    case UInt8(ascii: "a"):
      let item = try pop()
      try append([item])
    case UInt8(ascii: "e"), 0x90: try append(try popMark())
    case UInt8(ascii: "s"):
      let value = try pop()
      let key = try pop()
      try set([(key, value)])
    case UInt8(ascii: "u"): try set(try pairs(try popMark()))
    // MARK: The stack and the memo
    case UInt8(ascii: "0"): _ = try pop()
    case UInt8(ascii: "1"): _ = try popMark()
    case UInt8(ascii: "2"): try push(try top())
    case UInt8(ascii: "q"): try remember(try number(1))
    case UInt8(ascii: "r"): try remember(try number(4))
    case UInt8(ascii: "p"): try remember(try lineNumber())
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "h"): try recall(try number(1))
    case UInt8(ascii: "j"): try recall(try number(4))
    case UInt8(ascii: "g"): try recall(try lineNumber())
    // MARK: Objects
    case UInt8(ascii: "c"):
      let module = try line()
      try push(try known("\(module).\(try line())"))
    case 0x93:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw malformed("a name that is no text")
      }
      try push(try known("\(module).\(name)"))
    case UInt8(ascii: "i"):
      let module = try line()
      let function = try known("\(module).\(try line())")
      try push(try call(function, try popMark()))
    case UInt8(ascii: "o"):
      var arguments = try popMark()
      guard !arguments.isEmpty else { throw malformed("a call of nothing") }
      let function = arguments.removeFirst()
      try push(try call(function, arguments))
    case UInt8(ascii: "R"), 0x81:
      let arguments = try items(try pop())
      try push(try call(try pop(), arguments))
    case 0x92:
      _ = try pop()
      let arguments = try items(try pop())
      try push(try call(try pop(), arguments))
    case UInt8(ascii: "b"):
      // An object's attributes: nothing is needed of them.
      _ = try pop()
      switch try top() {
      case .dictionary, .sequence, .opaque, .tensor: break
      default: throw malformed("attributes of what can have none")
      }
    case UInt8(ascii: "Q"): try push(try persistent(try items(try pop())))
    default:
      let digits = String(opcode, radix: 16)
      throw .malformed(offset: place - 1, "the operation 0x\(digits), which no checkpoint of weights has")
    }
  }

  // MARK: What is made

  func malformed(_ what: String) -> PickleFault { .malformed(offset: place, what) }

  private mutating func push(_ value: PickleValue) throws(PickleFault) {
    guard stack.count < Self.deepestStack else { throw .tooMany("values at once") }
    stack.append(value)
  }

  private mutating func pop() throws(PickleFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw malformed("a value is missing")
    }
    return value
  }

  private func top() throws(PickleFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw malformed("a value is missing") }
    return value
  }

  private mutating func popMark() throws(PickleFault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw malformed("a mark is missing") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private func depth(_ value: PickleValue) -> Int {
    switch value {
    case .sequence(let number): sequenceDepths[number]
    case .dictionary(let number): dictionaryDepths[number]
    default: 0
    }
  }

  private mutating func nested(_ depth: Int, _ values: some Collection<PickleValue>) throws(PickleFault) -> Int {
    itemCount += values.count
    guard itemCount <= Self.mostItems else { throw .tooMany("items") }
    var deepest = depth
    for value in values { deepest = max(deepest, self.depth(value) + 1) }
    guard deepest <= Self.deepestNest else { throw .tooMany("containers in each other") }
    return deepest
  }

  mutating func sequence(_ items: [PickleValue]) throws(PickleFault) -> PickleValue {
    guard sequences.count < Self.mostContainers else { throw .tooMany("lists") }
    sequenceDepths.append(try nested(0, items))
    sequences.append(items)
    return .sequence(sequences.count - 1)
  }

  mutating func dictionary(
    _ pairs: [(key: PickleValue, value: PickleValue)]
  ) throws(PickleFault) -> PickleValue {
    guard dictionaries.count < Self.mostContainers else { throw .tooMany("dictionaries") }
    dictionaryDepths.append(try nested(0, pairs.lazy.map(\.value)))
    dictionaries.append(pairs)
    return .dictionary(dictionaries.count - 1)
  }

  private func pairs(
    _ values: [PickleValue]
  ) throws(PickleFault) -> [(key: PickleValue, value: PickleValue)] {
    guard values.count.isMultiple(of: 2) else { throw malformed("a key without a value") }
    return stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
  }

  private mutating func append(_ items: [PickleValue]) throws(PickleFault) {
    switch try top() {
    case .sequence(let number):
      sequenceDepths[number] = try nested(sequenceDepths[number], items)
      sequences[number] += items
    case .opaque: break
    default: throw malformed("an item of what is no list")
    }
  }

  private mutating func set(_ pairs: [(key: PickleValue, value: PickleValue)]) throws(PickleFault) {
    switch try top() {
    case .dictionary(let number):
      dictionaryDepths[number] = try nested(dictionaryDepths[number], pairs.lazy.map(\.value))
      dictionaries[number] += pairs
    case .opaque: break
    default: throw malformed("a key of what is no dictionary")
    }
  }

  /// The items of a tuple.
  func items(_ value: PickleValue) throws(PickleFault) -> [PickleValue] {
    guard case .sequence(let number) = value else { throw malformed("arguments that are no tuple") }
    return sequences[number]
  }

  private mutating func remember(_ number: Int) throws(PickleFault) {
    guard memo.count < Self.mostMemos else { throw .tooMany("remembered values") }
    memo[number] = try top()
  }

  private mutating func recall(_ number: Int) throws(PickleFault) {
    guard let value = memo[number] else { throw malformed("value \(number) is recalled and was not remembered") }
    try push(value)
  }

  // MARK: Bytes

  private mutating func byte() throws(PickleFault) -> UInt8 {
    guard place < bytes.count else { throw malformed("it was cut off") }
    place += 1
    return bytes[place - 1]
  }

  private mutating func take(_ count: Int) throws(PickleFault) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - place else { throw malformed("it was cut off") }
    place += count
    return bytes[(place - count)..<place]
  }

  /// A little-endian number without a sign; one of eight bytes that is none of ours comes out negative.
  private mutating func number(_ width: Int) throws(PickleFault) -> Int {
    var value: UInt64 = 0
    for (index, byte) in try take(width).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
    return Int(truncatingIfNeeded: value)
  }

  /// The text up to the end of the line.
  private mutating func line() throws(PickleFault) -> String {
    // Names have no more; a longer line is looked for nowhere.
    guard let end = bytes[place...].prefix(1 << 16).firstIndex(of: UInt8(ascii: "\n")) else {
      throw malformed("a line without an end")
    }
    defer { place = end + 1 }
    guard let text = String(validating: bytes[place..<end], as: UTF8.self) else {
      throw malformed("a line that is no UTF-8")
    }
    return text
  }

  private mutating func lineNumber() throws(PickleFault) -> Int {
    guard let number = Int(try line()), number >= 0 else { throw malformed("a number that is none") }
    return number
  }

  private mutating func decimalInteger() throws(PickleFault) {
    var digits = try line()
    if digits == "00" || digits == "01" { return try push(.bool(digits == "01")) }
    if digits.hasSuffix("L") { digits.removeLast() }
    guard let value = Int(digits) else {
      guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2d }) else {
        throw malformed("a number that is none")
      }
      return try push(.opaque("a large integer"))
    }
    try push(.integer(value))
  }

  /// A signed integer of so many bytes, little-endian.
  private mutating func longInteger(_ count: Int) throws(PickleFault) {
    let digits = try take(Int(Int32(truncatingIfNeeded: count)))
    guard digits.count <= 8 else {
      return try push(.opaque(digits.elementsEqual(PyTorchFile.magic) ? PyTorchFile.magicName : "a large integer"))
    }
    var value: UInt64 = digits.last.map { $0 >= 0x80 ? .max : 0 } ?? 0
    for byte in digits.reversed() { value = value << 8 | UInt64(byte) }
    try push(.integer(Int(Int64(bitPattern: value))))
  }

  private mutating func text(_ count: Int) throws(PickleFault) {
    let content = try take(count)
    // Python 2 wrote its texts as bytes of any encoding: names of arrays are ASCII.
    try push(String(validating: content, as: UTF8.self).map { .text($0) } ?? .opaque("bytes"))
  }

  /// A text of protocol 0; escapes are in none that is needed.
  private mutating func plainText(_ text: String) throws(PickleFault) {
    try push(text.contains("\\") ? .opaque("a text with escapes") : .text(text))
  }

  private mutating func data(_ count: Int) throws(PickleFault) {
    _ = try take(count)
    try push(.opaque("bytes"))
  }
}
