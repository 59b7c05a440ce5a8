// PNG of every kind, against pixels that are visible here.

import Messages
import TestSupport
import Testing

@testable import Images

struct PNGCase: CustomTestStringConvertible {
  var testDescription: String
  var file: PNGFile
  /// [height, width, 3]
  var pixels: [UInt8]
}

private let palette: (type: String, content: [UInt8]) = ("PLTE", [1, 2, 3, 100, 110, 120, 250, 251, 252])

private let cases = [
  PNGCase(
    testDescription: "gray, 8 bits",
    file: PNGFile(width: 2, height: 1, color: .gray, rows: [[0, 0, 200]]), pixels: [0, 0, 0, 200, 200, 200]),
  PNGCase(
    testDescription: "gray, 1 bit",
    file: PNGFile(width: 3, height: 1, depth: 1, color: .gray, rows: [[0, 0b0100_0000]]),
    pixels: [0, 0, 0, 255, 255, 255, 0, 0, 0]),
  PNGCase(
    testDescription: "gray with alpha: laid on white",
    file: PNGFile(width: 2, height: 1, color: .grayAlpha, rows: [[0, 90, 0, 200, 128]]),
    pixels: [255, 255, 255, 227, 227, 227]),
  PNGCase(
    testDescription: "palette, 2 bits",
    file: PNGFile(width: 3, height: 1, depth: 2, color: .palette, rows: [[0, 0b1000_0100]], chunks: [palette]),
    pixels: [250, 251, 252, 1, 2, 3, 100, 110, 120]),
  PNGCase(
    testDescription: "palette with transparency",
    file: PNGFile(
      width: 2, height: 1, color: .palette, rows: [[0, 0, 1]], chunks: [palette, ("tRNS", [0, 128])]),
    pixels: [255, 255, 255, 177, 182, 187]),
  PNGCase(
    testDescription: "RGB, two rows",
    file: PNGFile(width: 1, height: 2, color: .rgb, rows: [[0, 1, 2, 3], [0, 4, 5, 6]]),
    pixels: [1, 2, 3, 4, 5, 6]),
  PNGCase(
    testDescription: "RGBA: the color of what is transparent does not show",
    file: PNGFile(width: 2, height: 1, color: .rgba, rows: [[0, 10, 20, 30, 0, 40, 50, 60, 255]]),
    pixels: [255, 255, 255, 40, 50, 60]),
  PNGCase(
    testDescription: "RGB, 16 bits: the high byte",
    file: PNGFile(width: 1, height: 1, depth: 16, color: .rgb, rows: [[0, 0x12, 0xff, 0x00, 0xff, 0xfe, 0x80]]),
    pixels: [0x12, 0x00, 0xfe]),
  PNGCase(
    testDescription: "gray, 16 bits: the high byte",
    file: PNGFile(width: 2, height: 1, depth: 16, color: .gray, rows: [[0, 0x12, 0x34, 0xab, 0xff]]),
    pixels: [0x12, 0x12, 0x12, 0xab, 0xab, 0xab]),
  PNGCase(
    testDescription: "RGB, 16 bits, transparent color",
    file: PNGFile(
      width: 1, height: 1, depth: 16, color: .rgb, rows: [[0, 9, 9, 8, 8, 7, 7]],
      chunks: [("tRNS", [9, 9, 8, 8, 7, 7])]), pixels: [255, 255, 255]),
  PNGCase(
    testDescription: "RGB, 16 bits, a transparent color that differs in a low byte",
    file: PNGFile(
      width: 1, height: 1, depth: 16, color: .rgb, rows: [[0, 9, 9, 8, 8, 7, 7]],
      chunks: [("tRNS", [9, 9, 8, 8, 7, 6])]), pixels: [9, 8, 7]),
  PNGCase(
    testDescription: "RGBA, 16 bits",
    file: PNGFile(
      width: 1, height: 1, depth: 16, color: .rgba, rows: [[0, 0x20, 0x20, 0x80, 0x80, 0xf0, 0xf0, 0x10, 0]]),
    pixels: [241, 247, 254]),
  PNGCase(
    testDescription: "a gamma chunk changes nothing",
    file: PNGFile(
      width: 2, height: 1, color: .gray, rows: [[0, 60, 200]], chunks: [("gAMA", PNGFile.word(100_000))]),
    pixels: [60, 60, 60, 200, 200, 200]),
  PNGCase(
    testDescription: "16 bits with a gamma chunk",
    file: PNGFile(
      width: 1, height: 1, depth: 16, color: .gray, rows: [[0, 60, 60]], chunks: [("gAMA", PNGFile.word(45_455))]),
    pixels: [60, 60, 60]),
  PNGCase(
    // The passes of Adam7 that a 3x2 image has: (0,0); (2,0); (1,0); the second row.
    testDescription: "interlaced",
    file: PNGFile(
      width: 3, height: 2, color: .gray, interlaced: true, rows: [[0, 1], [0, 3], [0, 2], [0, 4, 5, 6]]),
    pixels: [1, 2, 3, 4, 5, 6].flatMap { [$0, $0, $0] }),
  PNGCase(
    // Two rows of one and two pixels, then the last two rows: libpng's simplified interface mixes these up.
    testDescription: "interlaced, 16 bits, with alpha",
    file: PNGFile(
      width: 3, height: 2, depth: 16, color: .rgba, interlaced: true,
      rows: [
        [0, 1, 9, 11, 9, 21, 9, 255, 0], [0, 3, 9, 13, 9, 23, 9, 255, 0], [0, 2, 9, 12, 9, 22, 9, 0, 255],
        [0, 4, 9, 14, 9, 24, 9, 255, 0, 5, 9, 15, 9, 25, 9, 255, 0, 6, 9, 16, 9, 26, 9, 255, 0],
      ]), pixels: (1...6).flatMap { $0 == 2 ? [255, 255, 255] : [$0, $0 + 10, $0 + 20] as [UInt8] }),
  PNGCase(
    testDescription: "gray with alpha, 16 bits: the high byte even where it would round up",
    file: PNGFile(width: 1, height: 1, depth: 16, color: .grayAlpha, rows: [[0, 0x12, 0xff, 0xff, 0]]),
    pixels: [0x12, 0x12, 0x12]),
  PNGCase(
    testDescription: "gray, 4 bits, transparent color",
    file: PNGFile(
      width: 2, height: 1, depth: 4, color: .gray, rows: [[0, 0x15]], chunks: [("tRNS", [0, 1])]),
    pixels: [255, 255, 255, 85, 85, 85]),
  PNGCase(
    testDescription: "texts and profiles that would be bombs are skipped unread",
    file: PNGFile(
      width: 1, height: 1, color: .gray, rows: [[0, 60]],
      chunks: [("iCCP", [97, 0, 0] + [UInt8](repeating: 255, count: 200_000)), ("zTXt", [97, 0, 0, 1])]),
    pixels: [60, 60, 60]),
  PNGCase(
    testDescription: "the default image of an animation",
    file: PNGFile(
      width: 1, height: 1, color: .gray, rows: [[0, 60]],
      chunks: [("acTL", PNGFile.word(1) + PNGFile.word(0)), ("fdAT", PNGFile.word(0))]),
    pixels: [60, 60, 60]),
  PNGCase(
    testDescription: "interlaced, 16 bits",
    file: PNGFile(
      width: 3, height: 2, depth: 16, color: .gray, interlaced: true,
      rows: [[0, 1, 0], [0, 3, 0], [0, 2, 0], [0, 4, 0, 5, 0, 6, 0]]),
    pixels: [1, 2, 3, 4, 5, 6].flatMap { [$0, $0, $0] }),
]

@Test(arguments: cases) func `a PNG decodes to its pixels`(test: PNGCase) throws {
  let image = try ImageDecoder.decode(bytes: test.file.bytes, name: "x.png")
  #expect(image == PixelImage(width: test.file.width, height: test.file.height, pixels: test.pixels))
}

@Test func `where nothing is laid under a PNG, what it hides shows`() throws {
  func dropped(_ file: PNGFile) throws -> [UInt8] {
    try ImageDecoder.decode(bytes: file.bytes, name: "x.png", background: .none).pixels
  }
  let row: [UInt8] = [0, 10, 20, 30, 0, 40, 50, 60, 128]
  #expect(
    try dropped(PNGFile(width: 2, height: 1, color: .rgba, rows: [row])) == [10, 20, 30, 40, 50, 60])
  #expect(
    try dropped(
      PNGFile(width: 2, height: 1, color: .palette, rows: [[0, 0, 1]], chunks: [palette, ("tRNS", [0, 128])]))
      == [1, 2, 3, 100, 110, 120])
}

@Test func `orientation is also applied to a PNG that has it`() throws {
  let exif: [UInt8] = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0]
  let file = PNGFile(width: 3, height: 1, color: .gray, rows: [[0, 1, 2, 3]], chunks: [("eXIf", exif)])
  let image = try ImageDecoder.decode(bytes: file.bytes, name: "x.png")
  #expect(image == PixelImage(width: 1, height: 3, pixels: [1, 1, 1, 2, 2, 2, 3, 3, 3]))
}

@Test func `a PNG cut off anywhere in its data is refused by name`() {
  let bytes = PNGFile.plain(width: 9, height: 9, red: 1, green: 2, blue: 3)
  // The end chunk, of 12 bytes, may be missing; so may what else follows the last row.
  for length in 0..<(bytes.count - 12 - 8) {
    let error = #expect(throws: DecodingFailure.self) {
      try ImageDecoder.decode(bytes: Array(bytes[..<length]), name: "cut.png")
    }
    #expect(error?.path == "cut.png")
  }
}

@Test func `a PNG with a damaged byte decodes or is refused, and never traps`() {
  let chunks: [(type: String, content: [UInt8])] = [palette, ("tEXt", Array("a\0b".utf8))]
  let bytes = PNGFile(width: 3, height: 1, depth: 2, color: .palette, rows: [[0, 0b1000_0100]], chunks: chunks)
    .bytes
  for position in bytes.indices {
    for change: UInt8 in [0xff, 0x01, 0x80, 0x20] {
      var damaged = bytes
      damaged[position] ^= change
      _ = try? ImageDecoder.decode(bytes: damaged, name: "damaged.png", maximumPixels: 1000)
    }
  }
}
