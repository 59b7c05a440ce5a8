// What a `tf.train.Example` says of an image: where its file lies in the record, and its class. The pixels are not
// looked at. Writing is in ImageExample+Writing.swift.

import Images
import Messages
import Protobuf
import Support

/// The features of an Example that matter here, by the keys of TensorFlow's own programs for image folders
/// (`build_image_data.py` of Inception, `dataset_utils.py` of TF-slim).
///
///     message Example   { Features features = 1; }
///     message Features  { map<string, Feature> feature = 1; }
///     message Feature   { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
///     message BytesList { repeated bytes value = 1; }
///     message Int64List { repeated int64 value = 1 [packed = true]; }
struct ImageExample: Equatable {
  /// image/encoded: where in the record the image file's bytes lie.
  var encoded: Range<Int>?
  /// image/class/text, without a meaning where it is empty.
  var text: [UInt8]?
  /// image/class/label
  var label: Int64?

  enum Key {
    static let encoded = "image/encoded"
    static let format = "image/format"
    static let text = "image/class/text"
    static let label = "image/class/label"
    static let filename = "image/filename"
    static let height = "image/height"
    static let width = "image/width"
    static let colorSpace = "image/colorspace"
    static let channels = "image/channels"
  }

  /// Reads a serialized Example. Of a list with several values the first counts; of a key that comes twice the last,
  /// as for every map of protocol buffers. Unknown fields and other features are skipped.
  /// - Throws: `ProtobufFault` if it is no Example.
  init(_ bytes: UnsafeRawBufferPointer) throws(ProtobufFault) {
    try Self.forEachFeature(of: bytes) { (key, feature) throws(ProtobufFault) in
      let name = UnsafeRawBufferPointer(rebasing: bytes[key])
      if name.elementsEqual(Key.encoded.utf8) {
        encoded = try FeatureValue(bytes, feature).firstBytes
      } else if name.elementsEqual(Key.text.utf8) {
        text = try FeatureValue(bytes, feature).firstBytes.map { Array(bytes[$0]) }
      } else if name.elementsEqual(Key.label.utf8) {
        label = try FeatureValue(bytes, feature).firstInteger
      }
    }
    if encoded?.isEmpty == true { encoded = nil }
    if text?.isEmpty == true { text = nil }
  }

  /// The first few keys of an Example, for the text about one that has no image.
  static func keys(of bytes: UnsafeRawBufferPointer) throws(ProtobufFault) -> [String] {
    var keys: [String] = []
    try forEachFeature(of: bytes) { (key, _) throws(ProtobufFault) in
      if keys.count < RecordLimits.namedKeys { keys.append(String(decoding: bytes[key].prefix(64), as: UTF8.self)) }
    }
    return keys
  }

  /// Calls `body` with the places of each feature's key and message.
  private static func forEachFeature(
    of bytes: UnsafeRawBufferPointer,
    _ body: (_ key: Range<Int>, _ feature: Range<Int>) throws(ProtobufFault) -> Void
  ) throws(ProtobufFault) {
    var example = ProtobufReader(bytes, 0..<bytes.count)
    while let (field, value) = try example.next() {
      guard field == 1, case .bytes(let range) = value else { continue }
      var features = ProtobufReader(bytes, range)
      while let (field, value) = try features.next() {
        guard field == 1, case .bytes(let range) = value else { continue }
        var entry = ProtobufReader(bytes, range)
        // What an entry leaves out is empty.
        var key = range.lowerBound..<range.lowerBound
        var feature = key
        while let (field, value) = try entry.next() {
          guard case .bytes(let range) = value else { continue }
          if field == 1 { key = range } else if field == 2 { feature = range }
        }
        try body(key, feature)
      }
    }
  }
}

/// The first value of a Feature. A feature of floats has neither.
private struct FeatureValue {
  var firstBytes: Range<Int>?
  var firstInteger: Int64?

  init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(ProtobufFault) {
    var feature = ProtobufReader(bytes, range)
    while let (field, value) = try feature.next() {
      guard (1...3).contains(field), case .bytes(let list) = value else { continue }
      // Of a "oneof" the kind that comes last is the one that is set; a list of the same kind is continued.
      if field != 1 { firstBytes = nil }
      if field != 3 { firstInteger = nil }
      if field == 1 { try readBytes(bytes, list) } else if field == 3 { try readIntegers(bytes, list) }
    }
  }

  private mutating func readBytes(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(ProtobufFault) {
    var list = ProtobufReader(bytes, range)
    while let (field, value) = try list.next() {
      if field == 1, case .bytes(let range) = value, firstBytes == nil { firstBytes = range }
    }
  }

  /// Numbers come packed, or in old files one by one; a reader has to take both.
  private mutating func readIntegers(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(ProtobufFault) {
    var list = ProtobufReader(bytes, range)
    while let (field, value) = try list.next() {
      guard field == 1 else { continue }
      switch value {
      case .number(let number): firstInteger = firstInteger ?? Int64(bitPattern: number)
      case .bytes(let range):
        var numbers = ProtobufReader(bytes, range)
        while !numbers.isAtEnd {
          let number = try numbers.varint()
          firstInteger = firstInteger ?? Int64(bitPattern: number)
        }
      case .fixed32, .skipped: break
      }
    }
  }
}

// MARK: Writing

// Serializes a `tf.train.Example` of one image: the keys in order of their bytes, so that the same image gives the same
// bytes, which are those of TensorFlow's own deterministic serialization.

extension ImageExample {
  /// A feature with one value.
  enum Feature: Equatable {
    case bytes([UInt8])
    case integer(Int64)
  }

  /// The features that TensorFlow's programs for image folders write, of one image file.
  ///
  /// Width and height are as shown, after the camera's orientation; TensorFlow's own decoder ignores that.
  /// - Parameters:
  ///   - encoded: the file, unchanged.
  ///   - filename: the path below the dataset's folder.
  static func features(
    encoded: [UInt8], header: ImageHeader, label: Int, className: String, filename: String
  ) -> [String: Feature] {
    let (colorSpace, channels) = colors(header.channels)
    return [
      Key.encoded: .bytes(encoded), Key.format: .bytes(Array(header.format.rawValue.utf8)),
      Key.label: .integer(Int64(label)), Key.text: .bytes(className.pathBytes),
      Key.filename: .bytes(filename.pathBytes), Key.height: .integer(Int64(header.height)),
      Key.width: .integer(Int64(header.width)), Key.colorSpace: .bytes(Array(colorSpace.utf8)),
      Key.channels: .integer(channels),
    ]
  }

  /// Of the stored file; a palette's colors are RGB.
  private static func colors(_ channels: ImageHeader.Channels) -> (colorSpace: String, channels: Int64) {
    switch channels {
    case .gray: ("Grayscale", 1)
    case .grayAlpha: ("Grayscale", 2)
    case .rgb, .palette: ("RGB", 3)
    case .rgbAlpha: ("RGB", 4)
    case .cmyk: ("CMYK", 4)
    }
  }

  static func serialized(_ features: [String: Feature]) -> [UInt8] {
    let keys = features.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let entries = keys.map { key in
      ProtobufWriter.field(
        1, ProtobufWriter.field(1, Array(key.utf8)) + ProtobufWriter.field(2, serialized(features[key])))
    }
    return ProtobufWriter.field(1, Array(entries.joined()))
  }

  private static func serialized(_ feature: Feature?) -> [UInt8] {
    switch feature {
    case .bytes(let bytes): ProtobufWriter.field(1, ProtobufWriter.field(1, bytes))
    case .integer(let value):
      ProtobufWriter.field(3, ProtobufWriter.field(1, ProtobufWriter.varint(UInt64(bitPattern: value))))
    case nil: []
    }
  }
}
