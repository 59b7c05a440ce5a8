// What the pixels in an image cache depend on besides the files: an image cache fits a run when this is equal, to the
// letter.

import Glibc
import Messages
import Support

/// Whose images an image cache holds, and in which form.
struct ImageCacheDescription: Sendable, Equatable {
  /// Raise it when the layout of the file changes.
  static let formatVersion: UInt32 = 2
  /// Raise it when decoding or resizing gives other pixels than before.
  static let pixelVersion: UInt32 = 2

  /// The dataset's folder, links resolved.
  var root: String
  var resize: Preprocessing.Resize
  /// nil where nothing is padded.
  var padColor: PadColor?
  var imageSize: Int
  var minimumSide: Int
  var background: Background
  var pixels = Self.pixelVersion

  init(
    root: String, resize: Preprocessing.Resize, padColor: PadColor?, imageSize: Int, minimumSide: Int,
    background: Background, pixels: UInt32
  ) {
    self.root = root
    self.resize = resize
    self.padColor = padColor
    self.background = background
    self.imageSize = imageSize
    self.minimumSide = minimumSide
    self.pixels = pixels
  }

  /// - Parameter root: the dataset's folder as it was named.
  init(root: String, preprocessing: Preprocessing) {
    let real = root.withPathCString { path in
      realpath(path, nil).map { resolved in
        defer { free(resolved) }
        return String(pathBytes: Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved))))
      }
    }
    self.init(
      root: real ?? root, resize: preprocessing.resize, padColor: preprocessing.padColor,
      imageSize: preprocessing.imageSize, minimumSide: preprocessing.minimumSide,
      background: preprocessing.background, pixels: Self.pixelVersion)
  }

  /// Whether cached forms of this description are those of a preprocessing.
  func suits(_ preprocessing: Preprocessing) -> Bool {
    resize == preprocessing.resize && padColor == preprocessing.padColor && imageSize == preprocessing.imageSize
      && minimumSide == preprocessing.minimumSide && background == preprocessing.background
      && pixels == Self.pixelVersion
  }

  /// Whether an image of this size can be one of its cached forms.
  func allows(width: Int, height: Int) -> Bool {
    switch resize {
    case .stretch, .pad: width == imageSize && height == imageSize
    case .crop: min(width, height) >= 1 && min(width, height) <= Preprocessing.shorterSide(of: imageSize)
    }
  }

  /// The image cache's name in its folder: the dataset's, made harmless, and sixteen hexadecimal digits for all the
  /// rest.
  var fileName: String {
    let last = root.split(separator: "/").last ?? "data"
    let plain = last.unicodeScalars.prefix(60).map { scalar in
      scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "-")
        ? Character(scalar) : "_"
    }
    let padding = padColor.map { " \($0)" } ?? ""
    let key = stableHash(
      "\(root)\0\(resize.rawValue)\(padding) \(imageSize) \(minimumSide) \(background) \(pixels) \(Self.formatVersion)"
    )
    let digits = String(key, radix: 16)
    return String(plain) + "-" + String(repeating: "0", count: 16 - digits.count) + digits
      + ImageCacheFolder.cacheEnding
  }
}
