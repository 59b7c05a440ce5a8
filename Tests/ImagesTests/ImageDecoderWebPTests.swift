// WebP of every kind: the colors, the first picture of an animation in its place, the camera's orientation.

import Messages
import TestSupport
import Testing

@testable import Images

private func color(_ image: PixelImage, _ x: Int, _ y: Int) -> [UInt8] {
  Array(image.pixels[(3 * (y * image.width + x))..<(3 * (y * image.width + x) + 3)])
}

private let corners: [[UInt8]] = [[200, 30, 40], [30, 180, 50], [20, 40, 210], [240, 240, 240]]

@Test(arguments: [WebPFile.lossless, .losslessAlpha, .lossy, .lossyAlpha])
func `a WebP decodes to its colors where nothing is laid under it`(file: WebPFile) throws {
  let image = try ImageDecoder.decode(bytes: file.bytes(), name: "x.webp", background: .none)
  #expect((image.width, image.height) == (32, 16))
  let found = [(4, 3), (28, 3), (4, 12), (28, 12)].map { color(image, $0, $1) }
  if file == .lossless || file == .losslessAlpha {
    #expect(found == corners)
  } else {
    #expect(zip(found.joined(), corners.joined()).allSatisfy { abs(Int($0) - Int($1)) <= 3 }, "\(found)")
  }
}

@Test(arguments: [WebPFile.losslessAlpha, .lossyAlpha])
func `a transparent WebP is laid on white`(file: WebPFile) throws {
  let image = try ImageDecoder.decode(bytes: file.bytes(), name: "x.webp")
  // Pillow's alpha_composite; alpha is 32 at the left and 224 at the right.
  let expected: [[UInt8]] = [[248, 227, 228], [57, 189, 75], [226, 228, 249], [242, 242, 242]]
  let found = [(4, 3), (28, 3), (4, 12), (28, 12)].map { color(image, $0, $1) }
  #expect(zip(found.joined(), expected.joined()).allSatisfy { abs(Int($0) - Int($1)) <= 1 }, "\(found)")
  #expect(color(image, 0, 0) == [255, 255, 255])
}

@Test func `the first picture of an animated WebP lies in its place on the background`() throws {
  let image = try ImageDecoder.decode(bytes: WebPFile.animation.bytes(), name: "x.webp")
  #expect((image.width, image.height) == (32, 16))
  for y in 0..<16 {
    for x in 0..<32 {
      let isCovered = (8..<24).contains(x) && (4..<12).contains(y)
      // Its alpha grows by 8 with each column.
      let alpha = 8 * x
      let covered = corners[y / 8 * 2 + x / 16].map { UInt8((Int($0) * alpha + 255 * (255 - alpha) + 127) / 255) }
      #expect(color(image, x, y) == (isCovered ? covered : [255, 255, 255]), "\(x) \(y)")
    }
  }
  let dropped = try ImageDecoder.decode(bytes: WebPFile.animation.bytes(), name: "x.webp", background: .none)
  #expect(color(dropped, 0, 0) == [0, 0, 0] && color(dropped, 8, 4) == corners[0])
}

@Test func `orientation is also applied to a WebP that has it`() throws {
  let image = try ImageDecoder.decode(bytes: WebPFile.turned.bytes(), name: "x.webp")
  #expect((image.width, image.height) == (16, 32))
  let found = [(3, 4), (12, 4), (3, 28), (12, 28)].map { color(image, $0, $1) }
  #expect(found == [corners[2], corners[0], corners[3], corners[1]])
  let header = try WebPFile.turned.bytes().withUnsafeBytes { bytes throws(DecodingFailure) in
    try ImageDecoder().header(bytes: bytes, name: "x.webp")
  }
  #expect(header == ImageHeader(format: .webp, width: 16, height: 32, channels: .rgb, bitDepth: 8))
}

@Test(arguments: WebPFile.allCases) func `a WebP cut off anywhere is refused by name`(file: WebPFile) {
  let bytes = file.bytes()
  for length in 12..<bytes.count {
    let error = #expect(throws: DecodingFailure.self) {
      try ImageDecoder.decode(bytes: Array(bytes[..<length]), name: "cut.webp")
    }
    #expect(error?.path == "cut.webp" && error?.reason.contains("cut short") == true, "\(length): \(error as Any)")
  }
}

@Test func `a WebP with too large a canvas is refused`() throws {
  var bytes = WebPFile.animation.bytes()
  // The canvas' width and height less one, three bytes each, behind the flags.
  bytes.replaceSubrange(24..<30, with: [0xff, 0x7f, 0, 0xff, 0x7f, 0])
  let error = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(bytes: bytes, name: "bomb.webp") }
  #expect(error?.reason.contains("32768x32768") == true)
}
