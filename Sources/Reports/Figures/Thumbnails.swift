// Small pictures of a dataset's images, for pages and sheets: read from where the images were when they were measured.

import Datasets
import FoundationEssentials
import Images
import Messages

/// Makes thumbnails, and says of which images there were none.
struct Thumbnails {
  /// The dataset's folder.
  let root: String
  /// Pixels.
  let side: Int
  /// Bytes that all of them together may have; those that come later get none.
  private(set) var room: Int
  /// Images that could not be shown, and why the first one could not.
  private(set) var failed = 0
  private(set) var firstFailure: String?
  /// Whether some image found no room.
  private(set) var isFull = false
  private let decoder = ImageDecoder()

  init(root: String, side: Int, room: Int) {
    self.root = root
    self.side = side
    self.room = room
  }

  /// - Parameter path: below the dataset's folder.
  /// - Returns: nil where it cannot be read, or there is no room left.
  mutating func picture(_ path: String) -> EncodedPicture? {
    guard !isFull else { return nil }
    let file = DatasetItem(path: path, label: 0, split: .test).absolutePath(root: root)
    do throws(DecodingFailure) {
      let image = try decoder.decode(path: file, minimumSide: side)
      guard let picture = image.thumbnail(side: side).encodedSmall() else {
        throw DecodingFailure(path: path, reason: "there is no memory for it")
      }
      guard picture.bytes.count <= room else {
        isFull = true
        return nil
      }
      room -= picture.bytes.count
      return picture
    } catch {
      failed += 1
      firstFailure = firstFailure ?? "\(error.path): \(error.reason)"
      return nil
    }
  }
}
