// Why bytes could not be decoded, in the words that a person reads. The file's name is added further out.

import CImageShims

struct ImageFault: Error {
  var reason: String
  var cause: DecodingFailure.Cause

  init(_ reason: String, cause: DecodingFailure.Cause = .content) {
    self.reason = reason
    self.cause = cause
  }

  /// The file ends before its picture does.
  static func cutShort(_ format: ImageFormat) -> ImageFault {
    ImageFault("the \(format.rawValue) is cut short: the file ends before the picture does; replace or remove it")
  }

  /// - Parameter cause: the library and its words, or ours.
  static func damaged(_ format: ImageFormat, _ cause: String) -> ImageFault {
    ImageFault("the \(format.rawValue) is damaged (\(cause)); replace or remove it")
  }

  /// A kind of the format that is in order, yet cannot be read here.
  static func unsupported(_ format: ImageFormat, _ cause: String) -> ImageFault {
    ImageFault(
      "this kind of \(format.rawValue) is not supported (\(cause)); save it as an ordinary one or remove it")
  }

  static func noMemory(_ format: ImageFormat) -> ImageFault {
    ImageFault("there is no memory to decode the \(format.rawValue)", cause: .circumstances)
  }

  /// What a library in C reported.
  init(_ fault: image_fault, _ format: ImageFormat, message: String) {
    switch fault {
    case image_fault_cut_short: self = .cutShort(format)
    case image_fault_unsupported: self = .unsupported(format, message)
    case image_fault_no_memory: self = .noMemory(format)
    default: self = .damaged(format, message)
    }
  }
}
