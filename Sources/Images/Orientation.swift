// Which way up the camera was held, applied to the pixels. How files tell it is in Orientation+Reading.swift.

import Messages

/// The eight values of EXIF's orientation tag (CIPA DC-008, tag 0x0112), named for what turns the stored picture
/// upright.
package enum Orientation: Int {
  case upright = 1
  case mirror
  case rotate180
  case flip
  case transpose
  case rotate90Clockwise
  case transverse
  case rotate90Anticlockwise

  /// Whether width and height change places.
  var swapsSides: Bool { rawValue >= Orientation.transpose.rawValue }

  /// The size as shown of an image that is stored in another.
  func size(width: Int, height: Int) -> (width: Int, height: Int) { swapsSides ? (height, width) : (width, height) }
}

extension PixelImage {
  /// The picture turned upright.
  func oriented(_ orientation: Orientation) -> PixelImage {
    // Where the first pixel of the result comes from, and how far to go in the source, in pixels, for a step to the
    // right and for a step down in the result.
    let last = (column: width - 1, row: (height - 1) * width)
    let (start, right, down): (Int, Int, Int) =
      switch orientation {
      case .upright: (0, 1, width)
      case .mirror: (last.column, -1, width)
      case .rotate180: (last.row + last.column, -1, -width)
      case .flip: (last.row, 1, -width)
      case .transpose: (0, width, 1)
      case .rotate90Clockwise: (last.row, -width, 1)
      case .transverse: (last.row + last.column, -width, -1)
      case .rotate90Anticlockwise: (last.column, width, -1)
      }
    if orientation == .upright { return self }
    let (newWidth, newHeight) = orientation.swapsSides ? (height, width) : (width, height)
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        var written = 0
        for row in 0..<newHeight {
          var from = 3 * (start + row * down)
          for _ in 0..<newWidth {
            target[written] = source[from]
            target[written + 1] = source[from + 1]
            target[written + 2] = source[from + 2]
            written += 3
            from += 3 * right
          }
        }
      }
      count = pixels.count
    }
    return PixelImage(width: newWidth, height: newHeight, pixels: turned)
  }
}
