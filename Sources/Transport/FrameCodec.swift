// Frames: how one message on a socket is told from the next. Moving the bytes is in Connection.swift.

import FoundationEssentials

/// One message as bytes: its length in four bytes, the least significant first, then JSON.
package enum FrameCodec {
  /// A list of a million images is a few dozen megabytes.
  package static let maximumLength = 256 << 20
  /// What a screen asks is short.
  package static let maximumRequest = 16 << 20
  package static let prefixLength = 4

  /// - Throws: `TransportError.tooLong`.
  package static func encode(_ message: some Encodable, limit: Int = maximumLength) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let body = try encoder.encode(message)
    guard body.count <= limit else { throw TransportError.tooLong(bytes: body.count) }
    var frame = Data(capacity: prefixLength + body.count)
    for shift in [0, 8, 16, 24] { frame.append(UInt8(truncatingIfNeeded: body.count >> shift)) }
    frame.append(body)
    return frame
  }

  /// - Throws: `TransportError.tooLong`; nothing was allocated for it.
  package static func length(
    of prefix: some Collection<UInt8>, limit: Int = maximumLength
  ) throws(TransportError) -> Int {
    let length = prefix.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= limit else { throw .tooLong(bytes: length) }
    return length
  }

  /// - Throws: `TransportError.malformed`.
  package static func decode<Message: Decodable>(_ type: Message.Type, from body: Data) throws(TransportError)
    -> Message
  {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    do {
      return try decoder.decode(type, from: body)
    } catch {
      throw .malformed(reason: "it is no message in JSON (\(body.count) bytes)")
    }
  }
}
