// What is kept of an image file once it was looked into: a few numbers, so that a million images fit in memory.

import Images

/// One file of a dataset, as a file check found it.
struct ImageFacts: Sendable, Equatable {
  /// The file's size.
  var bytes: Int
  /// Of the file's bytes.
  var content: ContentHash
  var outcome: Outcome

  enum Outcome: Sendable, Equatable {
    case decoded(ImageHeader, ChannelSums, Transparency = .opaque)
    /// It was not decoded, for this reason.
    case failed(String, DecodingFailure.Cause = .content)
  }

  /// nil where the file does not decode.
  var header: ImageHeader? {
    if case .decoded(let header, _, _) = outcome { header } else { nil }
  }

  var sums: ChannelSums? {
    if case .decoded(_, let sums, _) = outcome { sums } else { nil }
  }

  /// Why the file does not decode; nil if it does.
  var failure: String? {
    if case .failed(let reason, _) = outcome { reason } else { nil }
  }

  var transparency: Transparency {
    if case .decoded(_, _, let transparency) = outcome { transparency } else { .opaque }
  }
}
