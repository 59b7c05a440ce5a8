// Pictures as they were drawn: scaling and mixing colors takes long beside all else in a frame, and a screen is drawn
// far more often than its picture changes.

import Canvas
import Messages

/// The newest drawn pictures, kept until image, size, colors or theme are others.
public struct DrawnPictures: Sendable {
  private struct Drawn: Sendable {
    var image: PixelImage
    var size: Size
    var theme: Theme
    var cells: Frame
    /// The cells that the picture covers.
    var place: Rect
  }

  /// One in a pane, one in the inspector and one in the chooser of a class.
  private static let capacity = 3

  /// The newest last.
  private var entries: [Drawn] = []
  /// How many were drawn anew, for tests.
  private(set) var draws = 0

  public init() {}

  /// - Returns: false for an image that is none.
  mutating func put(_ image: PixelImage, into frame: inout Frame, in rect: Rect, theme: Theme) -> Bool {
    let size = Size(width: max(0, rect.width), height: max(0, rect.height))
    let drawn: Drawn
    // Images are compared last; the pixels of one image share their storage and are not gone through.
    if let known = entries.firstIndex(where: { $0.size == size && $0.theme == theme && $0.image == image }) {
      drawn = entries.remove(at: known)
    } else {
      guard let picture = Picture(width: image.width, height: image.height, pixels: image.pixels) else {
        return false
      }
      var cells = Frame(size: size)
      picture.draw(into: &cells, in: Rect(size), theme: theme)
      drawn = Drawn(image: image, size: size, theme: theme, cells: cells, place: picture.place(in: Rect(size)))
      draws += 1
    }
    entries.append(drawn)
    if entries.count > Self.capacity { entries.removeFirst() }
    for y in drawn.place.y..<drawn.place.bottom {
      for x in drawn.place.x..<drawn.place.right { frame[rect.x + x, rect.y + y] = drawn.cells[x, y] }
    }
    return true
  }
}
