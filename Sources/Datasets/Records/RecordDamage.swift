// What can be wrong with a record, in words.

import Files
import Glibc
import Protobuf

/// Why a record cannot be used.
enum RecordDamage: Error, Equatable {
  case unreadable(FileOperationError.Reason)
  /// The file ends within the record's header.
  case cutOffInHeader(left: Int)
  /// The checksum of the length is wrong: nothing says where the next record begins.
  case wrongLengthChecksum
  /// The file ends before the record does.
  case cutOff(length: UInt64, left: Int)
  /// More bytes than any image has.
  case tooLong(length: UInt64)
  case wrongDataChecksum
  /// Not a `tf.train.Example`.
  case malformed(ProtobufFault)
  /// An Example without image/encoded, and the keys that it has.
  case withoutImage(keys: [String])
  /// An Example with neither image/class/text nor image/class/label.
  case withoutClass
  case longClassName(length: Int)

  /// Whether nothing behind it can be read.
  var endsShard: Bool {
    switch self {
    case .unreadable, .cutOffInHeader, .wrongLengthChecksum, .cutOff: true
    case .tooLong, .wrongDataChecksum, .malformed, .withoutImage, .withoutClass, .longClassName:
      false
    }
  }
}

extension RecordDamage {
  /// What to do about it.
  var advice: String {
    if case .unreadable(let reason) = self, reason == .system(SystemError(number: ENOMEM)) {
      return "nothing from there on is used; close other programs or raise the limit on memory (ulimit -v)"
    }
    return endsShard
      ? "nothing from there on is used; fetch the shard again or rewrite it"
      : "it is left out; fetch the shard again or rewrite it"
  }
}

extension RecordDamage: CustomStringConvertible {
  var description: String {
    switch self {
    case .unreadable(let reason): "cannot be read (\(reason))"
    case .cutOffInHeader(let left): "is cut off: the file ends after \(left) of its header's 12 bytes"
    case .wrongLengthChecksum: "is damaged: the checksum of its length is wrong"
    case .cutOff(let length, let left): "is cut off: it has \(length) bytes, the file only \(left) more"
    case .tooLong(let length): "has \(length) bytes, more than the \(RecordLimits.recordBytes) allowed"
    case .wrongDataChecksum: "is damaged: the checksum of its data is wrong"
    case .malformed(let fault): "is not a tf.train.Example: \(fault)"
    case .withoutImage(let keys):
      "has no image/encoded" + (keys.isEmpty ? "" : ", only \(keys.joined(separator: ", "))")
    case .withoutClass: "has neither image/class/text nor image/class/label"
    case .longClassName(let length): "has a class name of \(length) bytes, more than \(RecordLimits.classNameBytes)"
    }
  }
}

/// A damaged record and where it is.
struct RecordFault: Error, Equatable {
  /// The first record of a shard is 1.
  var record: Int
  /// The byte of the shard at which the record begins.
  var offset: Int
  var damage: RecordDamage
}

/// What a record may have at most; memory is never taken by what a file says of itself.
enum RecordLimits {
  /// No image within the decoder's cap in pixels needs more.
  static let recordBytes = 1 << 30
  static let classNameBytes = 1024
  /// Keys that the text about an Example without an image names.
  static let namedKeys = 6
}
