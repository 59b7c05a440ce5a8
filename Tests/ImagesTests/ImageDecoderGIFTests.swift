// The first picture of a GIF, in its place, against pixels that are visible here. The rules for what it does not cover
// are those of Pillow.

import Messages
import TestSupport
import Testing

@testable import Images

private let red: [UInt8] = [200, 30, 40]
private let green: [UInt8] = [30, 180, 50]
private let blue: [UInt8] = [20, 40, 210]
private let black: [UInt8] = [0, 0, 0]

private func decode(_ file: GIFFile) throws -> PixelImage {
  try ImageDecoder.decode(bytes: file.bytes, name: "x.gif")
}

@Test func `the first picture of a GIF decodes, whatever follows`() throws {
  let first = GIFFile.Picture(width: 3, height: 1, pixels: [1, 2, 3])
  let other = GIFFile.Picture(width: 3, height: 1, pixels: [3, 3, 3])
  let file = GIFFile(width: 3, height: 1, palette: GIFFile.colors, pictures: [first, other])
  #expect(try decode(file) == PixelImage(width: 3, height: 1, pixels: red + green + blue))
  // Nothing behind the first picture is read: not even whether it is there.
  let end = file.bytes.count - GIFFile(width: 3, height: 1, palette: [], pictures: [other]).bytes.count + 13
  #expect(
    try ImageDecoder.decode(bytes: Array(file.bytes[..<end]), name: "x.gif").pixels == red + green + blue)
}

@Test func `a picture is put in its place on the screen, over color 0`() throws {
  let picture = GIFFile.Picture(left: 1, top: 1, width: 1, height: 1, pixels: [3])
  let file = GIFFile(width: 3, height: 2, palette: GIFFile.colors, pictures: [picture])
  #expect(try decode(file).pixels == black + black + black + black + blue + black)
}

@Test func `the transparent color shows what is laid under it, and fills what is not covered`() throws {
  let picture = GIFFile.Picture(left: 0, top: 0, width: 2, height: 1, pixels: [1, 2], transparent: 2)
  let file = GIFFile(width: 3, height: 1, palette: GIFFile.colors, pictures: [picture])
  #expect(try decode(file).pixels == red + [255, 255, 255, 255, 255, 255])
  func decoded(_ background: Background) throws -> [UInt8] {
    try ImageDecoder.decode(bytes: file.bytes, name: "x.gif", background: background).pixels
  }
  #expect(try decoded(.black) == red + black + black)
  // As it is in the palette.
  #expect(try decoded(.none) == red + green + green)
}

@Test func `a picture beyond the screen makes the screen larger`() throws {
  let picture = GIFFile.Picture(left: 1, top: 0, width: 2, height: 1, pixels: [1, 3])
  let file = GIFFile(width: 1, height: 1, palette: GIFFile.colors, pictures: [picture])
  #expect(try decode(file) == PixelImage(width: 3, height: 1, pixels: black + red + blue))
  let header = try file.bytes.withUnsafeBytes { bytes throws(DecodingFailure) in
    try ImageDecoder().header(bytes: bytes, name: "x.gif")
  }
  #expect(header == ImageHeader(format: .gif, width: 3, height: 1, channels: .palette, bitDepth: 8))
}

@Test func `interlaced rows of a GIF come in order`() throws {
  // The order of the passes for nine rows: 0 8, 4, 2 6, 1 3 5 7.
  let picture = GIFFile.Picture(width: 1, height: 9, pixels: [0, 1, 2, 3, 4, 5, 6, 7, 0], isInterlaced: true)
  let image = try decode(GIFFile(width: 1, height: 9, palette: [], pictures: [picture]))
  // Without a palette, a number is its own gray.
  #expect((0..<9).map { image.pixels[3 * $0] } == [0, 5, 3, 6, 2, 7, 4, 0, 1])
}

@Test func `a palette of its own goes before the common one`() throws {
  let picture = GIFFile.Picture(width: 1, height: 1, pixels: [0], palette: blue + GIFFile.colors[3...])
  #expect(try decode(GIFFile(width: 1, height: 1, palette: GIFFile.colors, pictures: [picture])).pixels == blue)
}

@Test func `a GIF cut off anywhere in its first picture is refused by name`() throws {
  let picture = GIFFile.Picture(width: 6, height: 2, pixels: [0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0])
  let bytes = GIFFile(width: 6, height: 2, palette: GIFFile.colors, pictures: [picture]).bytes
  for length in 6..<(bytes.count - 1) {
    let error = #expect(throws: DecodingFailure.self) {
      try ImageDecoder.decode(bytes: Array(bytes[..<length]), name: "cut.gif")
    }
    #expect(error?.path == "cut.gif" && error?.reason.contains("cut short") == true, "\(length): \(error as Any)")
  }
}

@Test func `a GIF without a picture, or too large, says so`() throws {
  let empty = GIFFile(width: 3, height: 3, palette: GIFFile.colors, pictures: [])
  #expect(#expect(throws: DecodingFailure.self) { try decode(empty) }?.reason.contains("no picture") == true)
  // Neither the screen nor what the picture would make of it.
  let picture = GIFFile.Picture(width: 1, height: 1, pixels: [0])
  for (width, left) in [(65_535, 0), (1, 65_000)] {
    let bomb = GIFFile(
      width: width, height: 65_535, palette: [],
      pictures: [GIFFile.Picture(left: left, width: 1, height: 1, pixels: picture.pixels)])
    #expect(#expect(throws: DecodingFailure.self) { try decode(bomb) }?.reason.contains("allowed") == true)
  }
}
