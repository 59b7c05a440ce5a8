// What a pack knows of one image file.

/// One file of the dataset: how it was when it was read, and what came of it.
struct PackEntry: Sendable, Equatable {
  /// Below the dataset's folder.
  var path: String
  var stamp: FileStamp
  /// Of the file's bytes: a file with another stamp and the same bytes need not be decoded again.
  var contentHash: UInt64
  var content: Content

  enum Content: Sendable, Equatable {
    case image(StoredImage)
    /// The file does not decode.
    case failure(reason: String)
  }

  /// Where pixels are, [height, width, 3].
  struct StoredImage: Sendable, Equatable {
    var width: Int
    var height: Int
    /// From the beginning of the pack.
    var offset: Int
    /// Of the pixels.
    var checksum: UInt64

    var byteCount: Int { width * height * 3 }
  }

  var image: StoredImage? { if case .image(let image) = content { image } else { nil } }
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
