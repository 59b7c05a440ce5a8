// Writing safetensors files: the same arrays and metadata always give the same bytes, the file appears whole or not
// at all, and it carries a checksum of all of itself.

import Files
import Support

extension Safetensors {
  /// Writes arrays and metadata, replacing the file at `path` atomically (see `AtomicFile`).
  ///
  /// Arrays stand in the buffer by element size, largest first, then by name, as the reference implementation puts
  /// them; the metadata's keys are sorted; the header is padded with spaces so that the buffer begins at a multiple
  /// of 8 bytes. The metadata gets two keys more, `checksumKey` and `sealKey`.
  ///
  /// - Parameter arrays: in any order; no two may have one name.
  /// - Throws: `FileOperationError`; the file that was at `path` then stays as it was.
  public static func write(
    _ arrays: [NamedArray], metadata: [String: String], to path: String, calls: FileCalls = .system
  ) throws {
    precondition(Set(arrays.map(\.name)).count == arrays.count, "two arrays have one name")
    let ordered = arrays.sorted { first, second in
      guard first.dtype.width == second.dtype.width else { return first.dtype.width > second.dtype.width }
      return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
    }
    var (header, digits) = headerBytes(ordered, metadata: metadata)
    var checksum = checksum(ofHeader: header)
    for array in ordered { array.values.withBytes { checksum.update($0) } }
    header.replaceSubrange(digits, with: text(checksum).utf8.suffix(8))

    let size = arrays.reduce(8 + header.count) { $0 + $1.values.count * $1.dtype.width }
    try AtomicFile.write(to: path, size: size, calls: calls) { output in
      try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try output.append($0) }
      try header.withUnsafeBytes { try output.append($0) }
      for array in ordered { try array.values.withBytes { try output.append($0) } }
    }
  }

  /// The header with zeros for the checksum's digits, and where these stand.
  private static func headerBytes(
    _ arrays: [NamedArray], metadata: [String: String]
  ) -> (bytes: [UInt8], digits: Range<Int>) {
    var metadata = metadata
    metadata[checksumKey] = checksumScheme + "00000000"
    metadata[sealKey] = sealValue
    var digits = 0..<0
    var header = Array("{\"__metadata__\":{".utf8)
    for (index, key) in metadata.keys.sorted().enumerated() {
      if index > 0 { header.append(UInt8(ascii: ",")) }
      header += quoted(key).utf8
      header.append(UInt8(ascii: ":"))
      header += quoted(metadata[key] ?? "").utf8
      if key == checksumKey { digits = (header.count - 9)..<(header.count - 1) }
    }
    header.append(UInt8(ascii: "}"))
    var begin = 0
    for array in arrays {
      precondition(array.name != "__metadata__", "no array may have the metadata's name")
      let end = begin + array.values.count * array.dtype.width
      let shape = array.shape.map(String.init).joined(separator: ",")
      header += ",\(quoted(array.name)):{\"dtype\":\"\(array.dtype.rawValue)\",".utf8
      header += "\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}".utf8
      begin = end
    }
    header.append(UInt8(ascii: "}"))
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    return (header, digits)
  }

  /// A JSON string (RFC 8259, section 7): only what must be escaped is.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        quoted += "\\"
        quoted.unicodeScalars.append(scalar)
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default:
        quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

extension NamedArray.Values {
  /// The values as they stand in the file.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch self {
    case .float32(let values): try values.withUnsafeBytes(body)
    case .int64(let values): try values.withUnsafeBytes(body)
    case .float16(let values): try values.withUnsafeBytes(body)
    case .int32(let values): try values.withUnsafeBytes(body)
    case .uint8(let values): try values.withUnsafeBytes(body)
    case .int8(let values): try values.withUnsafeBytes(body)
    }
  }
}
