// What an image cache knows of one image file. Only what the file's bytes are is known of it: what a cap on pixels, the
// memory or the rights of a moment denied is marked as open, and tried again.

/// One file of the dataset: how it was when it was read, and what came of it.
struct ImageCacheEntry: Sendable, Equatable {
  /// Below the dataset's folder.
  var path: String
  var stamp: FileStamp
  /// Of the file's bytes: a file with another stamp and the same bytes need not be decoded again. 0 where it was not
  /// read.
  var contentHash: UInt64
  var content: Content

  enum Content: Sendable, Equatable {
    case image(CachedImage)
    /// The file does not decode, whatever the circumstances.
    case failure(reason: String)
    /// Refused by the cap on pixels; with a cap of so many it is worth another try.
    case tooLarge(required: Int)
    /// Not read or not decoded for a reason that says nothing of the file.
    case unread
  }

  /// Where pixels are, [height, width, 3].
  struct CachedImage: Sendable, Equatable {
    var width: Int
    var height: Int
    /// Pixels of the file's own picture, as shown.
    var sourceWidth: Int
    var sourceHeight: Int
    /// The least cap on pixels with which the file decodes.
    var requiredPixels: Int
    /// From the beginning of the image cache.
    var offset: Int
    /// Of the pixels.
    var checksum: UInt64

    var byteCount: Int { width * height * 3 }
  }

  var image: CachedImage? { if case .image(let image) = content { image } else { nil } }

  /// Whether there is something to be gained from another try under a cap on pixels, though the file did not change.
  func isOpen(maximumPixels: Int) -> Bool {
    switch content {
    case .image, .failure: false
    case .tooLarge(let required): required <= maximumPixels
    case .unread: true
    }
  }
}

/// A path as a key: by its bytes. Swift's `==` calls two spellings of an accented letter equal, file systems do not.
struct PathKey: Hashable, Sendable {
  let path: String

  init(_ path: String) { self.path = path }

  static func == (left: PathKey, right: PathKey) -> Bool {
    left.path.utf8.count == right.path.utf8.count && left.path.utf8.elementsEqual(right.path.utf8)
  }

  func hash(into hasher: inout Hasher) {
    var path = path
    path.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
