// Regular expressions of the simple kind, for picking a part out of a path. Matching takes time in proportion to the
// path and the pattern, whatever they are, which a backtracking engine does not promise: `(a+)+$` must not hang a
// program on the first long name. What cannot be matched so, as back references and lookaround, is no part of it.

/// A pattern with one group in parentheses, as `clip_(\d+)`: it is looked for anywhere in a path, and what the group
/// matched is what it finds. Of several places the first counts, there the first alternative and the longest repetition,
/// as in Perl.
///
///     .  [a-z]  [^/]  \d \w \s \D \W \S  \.      a character
///     *  +  ?  {3}  {2,}  {2,4}                  how often; with ? behind, as few as will do
///     x|y   (...)   (?:...)                      either; the group; parentheses that are none
///     ^  $                                       the path's beginning and end
///
/// A character is a Unicode scalar. It is matched by depth-first search that enters each state once for each position
/// (Cox 2010, "Regular Expression Matching in the Wild").
public struct PathPattern: Sendable, Equatable {
  public let text: String
  private let program: [Instruction]

  /// Why a text is no pattern, in words that follow the text.
  public struct Fault: Error, Equatable, Sendable {
    public var reason: String
  }

  /// - Throws: `Fault`.
  public init(_ text: String) throws(Fault) {
    self.text = text
    var parser = PatternParser(text)
    let node = try parser.parsed()
    var compiler = PatternCompiler()
    try compiler.emit(node)
    compiler.end()
    program = compiler.program
  }

  /// What the group matches at the first place where the pattern does; nil where it is not found, or the group is empty.
  public func captured(in path: String) -> String? {
    let scalars = Array(path.unicodeScalars)
    let positions = scalars.count + 1
    // What failed from an earlier beginning fails from a later one.
    var visited = [Bool](repeating: false, count: program.count * positions)
    for start in 0..<positions {
      if let range = match(scalars, from: start, &visited) {
        guard let range, !range.isEmpty else { return nil }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
      }
    }
    return nil
  }

  private enum Step {
    case visit(Int, Int)
    /// On the way back.
    case restore(slot: Int, Int)
  }

  /// - Returns: nil for no match, else the group's range; `.some(nil)` where the group took no part.
  private func match(_ scalars: [Unicode.Scalar], from start: Int, _ visited: inout [Bool]) -> Range<Int>?? {
    var slots = [-1, -1]
    var stack = [Step.visit(0, start)]
    while let step = stack.popLast() {
      guard case .visit(let place, let position) = step else {
        if case .restore(let slot, let old) = step { slots[slot] = old }
        continue
      }
      let state = place * (scalars.count + 1) + position
      if visited[state] { continue }
      visited[state] = true
      switch program[place] {
      case .character(let set):
        if position < scalars.count, set.contains(scalars[position]) {
          stack.append(.visit(place + 1, position + 1))
        }
      case .split(let first, let second):
        stack.append(.visit(second, position))
        stack.append(.visit(first, position))
      case .jump(let target): stack.append(.visit(target, position))
      case .save(let slot):
        stack.append(.restore(slot: slot, slots[slot]))
        slots[slot] = position
        stack.append(.visit(place + 1, position))
      case .start: if position == 0 { stack.append(.visit(place + 1, position)) }
      case .end: if position == scalars.count { stack.append(.visit(place + 1, position)) }
      case .match:
        return slots[0] >= 0 && slots[1] >= slots[0] ? .some(slots[0]..<slots[1]) : .some(nil)
      }
    }
    return nil
  }
}

/// A set of scalars: ranges, or all but them.
private struct ScalarSet: Sendable, Equatable {
  var ranges: [ClosedRange<UInt32>] = []
  var isInverted = false

  func contains(_ scalar: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(scalar.value) } != isInverted }

  static func of(_ text: String) -> ScalarSet { ScalarSet(ranges: text.unicodeScalars.map { $0.value...$0.value }) }
  static let any = ScalarSet(isInverted: true)
  static let digits = ScalarSet(ranges: [0x30...0x39])
  static let word = ScalarSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
  static let space = of(" \t\n\r\u{0b}\u{0c}")

  /// Everything else: ranges of it, so that it can be part of a class.
  var complement: [ClosedRange<UInt32>] {
    var rest: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { rest.append(next...range.lowerBound - 1) }
      next = max(next, range.upperBound + 1)
    }
    return rest + [next...0x10ffff]
  }
}

private indirect enum PatternNode: Sendable {
  case empty, start, end
  case character(ScalarSet)
  case sequence([PatternNode])
  case either([PatternNode])
  case group(PatternNode)
  case repeated(PatternNode, least: Int, most: Int?, isLazy: Bool)
}

private enum Instruction: Sendable, Equatable {
  case character(ScalarSet)
  /// The first is tried first.
  case split(Int, Int)
  case jump(Int)
  case save(Int)
  case start, end, match
}

private struct PatternCompiler {
  var program: [Instruction] = []
  private var work = 0

  private static let most = 2000

  mutating func emit(_ node: PatternNode) throws(PathPattern.Fault) {
    work += 1
    guard work <= Self.most, program.count <= Self.most else {
      throw PathPattern.Fault(reason: "it is too large once its repetitions are written out")
    }
    switch node {
    case .empty: break
    case .start: program.append(.start)
    case .end: program.append(.end)
    case .character(let set): program.append(.character(set))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .either(let nodes): try emit(either: nodes[...])
    case .group(let node):
      program.append(.save(0))
      try emit(node)
      program.append(.save(1))
    case .repeated(let node, let least, let most, let isLazy):
      for _ in 0..<least { try emit(node) }
      if let most {
        for _ in 0..<(most - least) { try emit(optional: node, isLazy) }
      } else {
        try emit(repeating: node, isLazy)
      }
    }
  }

  mutating func end() { program.append(.match) }

  private mutating func emit(either nodes: ArraySlice<PatternNode>) throws(PathPattern.Fault) {
    guard let first = nodes.first else { return }
    guard nodes.count > 1 else { return try emit(first) }
    let split = program.count
    program.append(.split(split + 1, 0))
    try emit(first)
    let jump = program.count
    program.append(.jump(0))
    program[split] = .split(split + 1, program.count)
    try emit(either: nodes.dropFirst())
    program[jump] = .jump(program.count)
  }

  /// Once or not at all.
  private mutating func emit(optional node: PatternNode, _ isLazy: Bool) throws(PathPattern.Fault) {
    let split = program.count
    program.append(.match)
    try emit(node)
    program[split] = isLazy ? .split(program.count, split + 1) : .split(split + 1, program.count)
  }

  /// As often as there is.
  private mutating func emit(repeating node: PatternNode, _ isLazy: Bool) throws(PathPattern.Fault) {
    let split = program.count
    program.append(.match)
    try emit(node)
    program.append(.jump(split))
    program[split] = isLazy ? .split(program.count, split + 1) : .split(split + 1, program.count)
  }
}

private struct PatternParser {
  private let scalars: [Unicode.Scalar]
  private var place = 0
  private var groups = 0
  private var depth = 0

  private static let deepest = 50
  private static let oftenest = 1000

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  private var next: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    place += 1
    return true
  }

  private func fault(_ reason: String) -> PathPattern.Fault { PathPattern.Fault(reason: reason) }

  mutating func parsed() throws(PathPattern.Fault) -> PatternNode {
    let node = try alternatives()
    guard next == nil else { throw fault("it has a ) without a (; write \\) for the character") }
    guard groups > 0 else {
      throw fault("put the part that names the group in parentheses, as in clip_(\\d+)")
    }
    return node
  }

  private mutating func alternatives() throws(PathPattern.Fault) -> PatternNode {
    var nodes = [try sequence()]
    while take("|") { nodes.append(try sequence()) }
    return nodes.count == 1 ? nodes[0] : .either(nodes)
  }

  private mutating func sequence() throws(PathPattern.Fault) -> PatternNode {
    var nodes: [PatternNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      var node = try atom()
      while let (least, most) = try bounds() {
        node = .repeated(node, least: least, most: most, isLazy: take("?"))
        if let next, next == "+" { throw fault("possessive repetition (\(next) behind another) is not supported") }
      }
      nodes.append(node)
    }
    return nodes.count == 1 ? nodes[0] : nodes.isEmpty ? .empty : .sequence(nodes)
  }

  /// How often what stands before is to come; nil where nothing is said.
  private mutating func bounds() throws(PathPattern.Fault) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    guard take("{") else { return nil }
    let least = try number()
    var most: Int? = least
    if take(",") { most = next == "}" ? nil : try number() }
    guard take("}"), most ?? .max >= least else {
      throw fault("after { it needs a count such as {3}, {2,} or {2,4}; write \\{ for the character")
    }
    return (least, most)
  }

  private mutating func number() throws(PathPattern.Fault) -> Int {
    var number: Int?
    while let scalar = next, ("0"..."9").contains(scalar) {
      place += 1
      number = (number ?? 0) * 10 + Int(scalar.value - 0x30)
      guard number ?? 0 <= Self.oftenest else { throw fault("a count in { } is at most \(Self.oftenest)") }
    }
    guard let number else {
      throw fault("after { it needs a count such as {3}, {2,} or {2,4}; write \\{ for the character")
    }
    return number
  }

  private mutating func atom() throws(PathPattern.Fault) -> PatternNode {
    guard let scalar = next else { return .empty }
    place += 1
    switch scalar {
    case ".": return .character(.any)
    case "^": return .start
    case "$": return .end
    case "[": return .character(try characterClass())
    case "\\": return .character(try escape())
    case "(": return try parentheses()
    case "*", "+", "?", "{":
      throw fault("\(scalar) has nothing before it to repeat; write \\\(scalar) for the character")
    default: return .character(ScalarSet(ranges: [scalar.value...scalar.value]))
    }
  }

  private mutating func parentheses() throws(PathPattern.Fault) -> PatternNode {
    depth += 1
    guard depth <= Self.deepest else { throw fault("its parentheses are nested too deep") }
    defer { depth -= 1 }
    var isGroup = true
    if take("?") {
      guard take(":") else { throw fault("of what may follow (? only (?: is supported") }
      isGroup = false
    } else {
      groups += 1
      guard groups == 1 else {
        throw fault("it has more than one group in parentheses; write (?:...) for those that do not name it")
      }
    }
    let node = try alternatives()
    guard take(")") else { throw fault("a ( is not closed; write \\( for the character") }
    return isGroup ? .group(node) : node
  }

  private mutating func escape() throws(PathPattern.Fault) -> ScalarSet {
    guard let scalar = next else { throw fault("it ends with a single \\") }
    place += 1
    switch scalar {
    case "d": return .digits
    case "w": return .word
    case "s": return .space
    case "D": return ScalarSet(ranges: ScalarSet.digits.complement)
    case "W": return ScalarSet(ranges: ScalarSet.word.complement)
    case "S": return ScalarSet(ranges: ScalarSet.space.complement)
    case "t": return .of("\t")
    case "n": return .of("\n")
    case _ where scalar.properties.isAlphabetic || ("0"..."9").contains(scalar):
      throw fault("\\\(scalar) is not supported")
    default: return ScalarSet(ranges: [scalar.value...scalar.value])
    }
  }

  private mutating func characterClass() throws(PathPattern.Fault) -> ScalarSet {
    var set = ScalarSet()
    set.isInverted = take("^")
    var isFirst = true
    while let scalar = next, scalar != "]" || isFirst {
      isFirst = false
      place += 1
      var one = scalar
      if scalar == "\\" {
        let escaped = try escape()
        guard escaped.ranges.count == 1, let only = escaped.ranges.first, only.count == 1,
          let character = Unicode.Scalar(only.lowerBound)
        else {
          set.ranges += escaped.ranges
          continue
        }
        one = character
      }
      guard next == "-", place + 1 < scalars.count, scalars[place + 1] != "]" else {
        set.ranges.append(one.value...one.value)
        continue
      }
      place += 1
      var last = scalars[place]
      place += 1
      if last == "\\" {
        guard let only = try escape().ranges.first, only.count == 1, let character = Unicode.Scalar(only.lowerBound)
        else { throw fault("a range in [ ] ends with a set of characters") }
        last = character
      }
      guard one <= last else { throw fault("the range \(one)-\(last) in [ ] is the wrong way round") }
      set.ranges.append(one.value...last.value)
    }
    guard take("]") else { throw fault("a [ is not closed; write \\[ for the character") }
    return set
  }
}
