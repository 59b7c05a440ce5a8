// Serializes a `tf.train.Example` of one image: the keys in order of their bytes, so that the same image gives the same
// bytes, which are those of TensorFlow's own deterministic serialization.

import Images
import Messages
import Protobuf
import Support

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
