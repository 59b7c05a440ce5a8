// Names of files as text. On disk a name is any bytes without NUL and slash; a Swift string holds UTF-8 only. Here is
// the one way between the two: every name has exactly one text, every text leads back to exactly its name, and names
// that are valid UTF-8 are their own text. Making texts harmless for a screen is not done here.
//
// A byte that is no part of valid UTF-8 becomes one of the private-use scalars U+F780...U+F7FF, its own value in the
// low eight bits. So that this stays reversible, a name that really holds one of these scalars has its three bytes
// written in the same way.

extension String {
  /// The scalars that stand for bytes 0x80...0xff of names that are not UTF-8.
  public static let escapedPathBytes: ClosedRange<UInt32> = 0xF780...0xF7FF

  /// The text of a name or path given as bytes, without NUL.
  public init(pathBytes bytes: some Collection<UInt8>) {
    if let text = String(validating: bytes, as: UTF8.self), !text.hasEscapedPathBytes {
      self = text
      return
    }
    var scalars = String.UnicodeScalarView()
    func escape(_ byte: UInt8) { Unicode.Scalar(0xF700 + UInt32(byte)).map { scalars.append($0) } }
    var rest = Array(bytes)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
      let scalar = String(validating: rest.prefix(length), as: UTF8.self)?.unicodeScalars.first
      if let scalar, rest.count >= length, !Self.escapedPathBytes.contains(scalar.value) {
        scalars.append(scalar)
        rest.removeFirst(length)
      } else {
        escape(first)
        rest.removeFirst()
      }
    }
    self = String(scalars)
  }

  /// The bytes of the name or path that this text stands for, without a NUL at the end.
  public var pathBytes: [UInt8] {
    guard hasEscapedPathBytes else { return Array(utf8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(utf8.count)
    for scalar in unicodeScalars {
      if Self.escapedPathBytes.contains(scalar.value) {
        bytes.append(UInt8(truncatingIfNeeded: scalar.value))
      } else {
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.EncodedScalar())
      }
    }
    return bytes
  }

  /// Calls `body` with the path as the C library takes it, ending in NUL.
  public func withPathCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    guard hasEscapedPathBytes else { return try withCString(body) }
    return try (pathBytes + [0]).withUnsafeBufferPointer { bytes in
      try bytes.withMemoryRebound(to: CChar.self) { characters in
        // An array with a NUL in it has an address.
        try characters.baseAddress.map(body) ?? withCString(body)
      }
    }
  }

  /// Whether it is the text of a name that is no UTF-8.
  public var hasEscapedPathBytes: Bool {
    // U+F780...U+F7FF are EF 9E 80 to EF 9F BF: names without EF, as good as all, are told at once.
    guard utf8.contains(0xEF) else { return false }
    return unicodeScalars.contains { Self.escapedPathBytes.contains($0.value) }
  }
}
