// Fitting a whole image into the square, with its proportions.

import Messages

extension Preprocessing {
  /// The size of an image whose longer side is the square's: 1 at least, however long it is.
  func fittedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    let longer = max(width, height)
    func fitted(_ side: Int) -> Int {
      max(1, Int((Double(imageSize) * Double(side) / Double(longer)).rounded()))
    }
    return (fitted(width), fitted(height))
  }
}

extension PixelImage {
  /// The image in the middle of a square that is as large or larger. Of an odd rest, the larger half is to the right
  /// and below.
  func letterboxed(side: Int, color: PadColor) -> PixelImage {
    precondition(width <= side && height <= side, "the image fits into the square")
    if width == side && height == side { return self }
    let (left, top) = ((side - width) / 2, (side - height) / 2)
    var square: [UInt8] = []
    square.reserveCapacity(side * side * 3)
    for row in 0..<side {
      let line = row - top
      switch color {
      case .color(let red, let green, let blue):
        func fill(_ count: Int) { for _ in 0..<count { square += [red, green, blue] } }
        guard (0..<height).contains(line) else {
          fill(side)
          continue
        }
        fill(left)
        square += pixels[(3 * line * width)..<(3 * (line + 1) * width)]
        fill(side - left - width)
      case .edge:
        let start = 3 * min(height - 1, max(0, line)) * width
        let end = start + 3 * width
        for _ in 0..<left { square += pixels[start..<(start + 3)] }
        square += pixels[start..<end]
        for _ in 0..<(side - left - width) { square += pixels[(end - 3)..<end] }
      }
    }
    return PixelImage(width: side, height: side, pixels: square)
  }
}
