// Pictures as they were drawn: scaling and mixing colors takes long beside all else in a frame, and a screen is drawn
// far more often than its pictures change.

import Canvas
import Messages

/// The newest drawn pictures, kept until image, size, colors or theme are others.
public struct DrawnPictures: Sendable {
  private struct Key: Hashable {
    var size: Size
    /// The place of the theme in `themes`.
    var theme: Int
    /// Extent and some of the pixels.
    var width: Int
    var height: Int
    var sample: Int
  }

  private struct Drawn: Sendable {
    var image: PixelImage
    var cells: Frame
    /// The cells that the picture covers.
    var place: Rect
    /// When it was last put into a frame.
    var used: Int
  }

  /// More than the largest screen shows at once.
  private static let capacity = 400

  private var entries: [Key: Drawn] = [:]
  /// The theme, and that of dialogs over it.
  private var themes: [Theme] = []
  private var uses = 0
  /// How many were drawn anew, for tests.
  private(set) var draws = 0

  public init() {}

  /// - Returns: false for an image that is none.
  mutating func put(_ image: PixelImage, into frame: inout Frame, in rect: Rect, theme: Theme) -> Bool {
    let size = Size(width: max(0, rect.width), height: max(0, rect.height))
    let key = key(of: image, size: size, theme: theme)
    uses += 1
    // The pixels of one image share their storage and are not gone through.
    if entries[key]?.image != image {
      guard let picture = Picture(width: image.width, height: image.height, pixels: image.pixels) else {
        return false
      }
      var cells = Frame(size: size)
      picture.draw(into: &cells, in: Rect(size), theme: theme)
      entries[key] = Drawn(image: image, cells: cells, place: picture.place(in: Rect(size)), used: uses)
      draws += 1
      dropOldest()
    }
    entries[key]?.used = uses
    guard let drawn = entries[key] else { return true }
    if let placed = drawn.cells.pictures.first {
      frame.put(placed, x: rect.x + placed.place.x, y: rect.y + placed.place.y)
      return true
    }
    for y in drawn.place.y..<drawn.place.bottom {
      for x in drawn.place.x..<drawn.place.right { frame[rect.x + x, rect.y + y] = drawn.cells[x, y] }
    }
    return true
  }

  private mutating func key(of image: PixelImage, size: Size, theme: Theme) -> Key {
    if !themes.contains(theme) {
      // Another theme than before: what was drawn in those is of no more use.
      if themes.count >= 4 { (themes, entries) = ([], [:]) }
      themes.append(theme)
    }
    var hasher = Hasher()
    let step = max(1, image.pixels.count / 64)
    for place in stride(from: 0, to: image.pixels.count, by: step) { hasher.combine(image.pixels[place]) }
    return Key(
      size: size, theme: themes.firstIndex(of: theme) ?? 0, width: image.width, height: image.height,
      sample: hasher.finalize())
  }

  /// A quarter at once, so that it is seldom done.
  private mutating func dropOldest() {
    guard entries.count > Self.capacity else { return }
    let limit = entries.values.map(\.used).sorted()[entries.count / 4]
    entries = entries.filter { $0.value.used > limit }
  }
}
