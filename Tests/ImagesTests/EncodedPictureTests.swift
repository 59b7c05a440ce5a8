// Pictures written as files: what goes out comes back in, whole, and thumbnails keep to their square.

import Images
import Messages
import Testing

@Suite struct EncodedPictureTests {
  /// Colors that change from pixel to pixel.
  private func picture(_ width: Int, _ height: Int) -> PixelImage {
    drawn(width, height) { x, y in (x * 37 + y * 3, x * 11, y * 5) }
  }

  private func drawn(_ width: Int, _ height: Int, _ color: (Int, Int) -> (Int, Int, Int)) -> PixelImage {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let (red, green, blue) = color(x, y)
        pixels.append(UInt8(truncatingIfNeeded: red))
        pixels.append(UInt8(truncatingIfNeeded: green))
        pixels.append(UInt8(truncatingIfNeeded: blue))
      }
    }
    return PixelImage(width: width, height: height, pixels: pixels)
  }

  @Test(arguments: [(1, 1), (3, 2), (17, 64), (200, 1)])
  func `PNG comes back as it was`(width: Int, height: Int) throws {
    let image = picture(width, height)
    let file = try #require(image.encodedAsPNG())
    #expect(file.kind == .png && file.width == width && file.height == height && file.mediaType == "image/png")
    #expect(try ImageDecoder.decode(bytes: file.bytes, name: "x") == image)
  }

  @Test func `what is smooth is smaller as JPEG, and comes back nearly as it was`() throws {
    let smooth = drawn(64, 64) { x, y in (x * 3 + x * y * 7 % 5, y * 3 + x * x * y % 7, 100 + x * y * y % 6) }
    let small = try #require(smooth.encodedSmall())
    #expect(small.kind == .jpeg && small.bytes.count < (smooth.encodedAsPNG()?.bytes.count ?? 0))
    let back = try ImageDecoder.decode(bytes: small.bytes, name: "x")
    #expect(back.width == 64 && back.height == 64)
    let differences = zip(back.pixels, smooth.pixels).map { (one: UInt8, other: UInt8) -> Int in
      abs(Int(one) - Int(other))
    }
    #expect((differences.max() ?? 99) < 24)
    // And what has few colors is not.
    let flat = PixelImage(width: 64, height: 64, pixels: Array(repeating: 9, count: 64 * 64 * 3))
    #expect(flat.encodedSmall()?.kind == .png)
  }

  @Test func `a picture without pixels, or of more than a file has, is none`() {
    #expect(PixelImage(width: 0, height: 4, pixels: []).encodedAsPNG() == nil)
    let long = PixelImage(width: 1 << 16, height: 1, pixels: Array(repeating: 0, count: 3 << 16))
    #expect(long.encodedSmall() == nil)
  }

  @Test func `thumbnails lie in their square, and small pictures grow by whole numbers`() {
    for (size, expected) in [((100, 50), (32, 16)), ((1, 900), (1, 32)), ((32, 32), (32, 32)), ((12, 5), (24, 10))]
    {
      let small = picture(size.0, size.1).thumbnail(side: 32)
      #expect((small.width, small.height) == expected, "\(size)")
    }
    let doubled = picture(2, 1).thumbnail(side: 4)
    let source = picture(2, 1).pixels
    let (first, second) = (Array(source[0..<3]), Array(source[3..<6]))
    let row: [UInt8] = [first, first, second, second].flatMap { $0 }
    #expect(doubled.pixels == row + row)
  }
}
