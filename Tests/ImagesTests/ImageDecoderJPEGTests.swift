// JPEG of the kinds that occur, all eight orientations, and shrinking while decoding.

import Messages
import TestSupport
import Testing

@testable import Images

/// The colors near the four corners, from the upper left to the lower right one.
private func corners(_ image: PixelImage) -> [[Int]] {
  let (left, right) = (image.width / 8, image.width - 1 - image.width / 8)
  let (top, bottom) = (image.height / 8, image.height - 1 - image.height / 8)
  return [(left, top), (right, top), (left, bottom), (right, bottom)].map { x, y in
    (0..<3).map { Int(image.pixels[3 * (y * image.width + x) + $0]) }
  }
}

private func isClose(_ first: [[Int]], _ second: [[Int]]) -> Bool {
  zip(first.joined(), second.joined()).allSatisfy { abs($0 - $1) <= 4 }
}

@Test(arguments: JPEGFile.allCases) func `a JPEG decodes to its colors`(file: JPEGFile) throws {
  let image = try ImageDecoder.decode(bytes: file.bytes(), name: "x.jpg")
  #expect(image.width == 32 && image.height == 16)
  #expect(isClose(corners(image), file.corners), "\(corners(image))")
}

@Test(arguments: 1...8, [false, true])
func `the camera's orientation is applied`(orientation: Int, bigEndian: Bool) throws {
  // Which stored corner is seen where, upper left to lower right (CIPA DC-008, tag 0x0112).
  let seen = [
    [0, 1, 2, 3], [1, 0, 3, 2], [3, 2, 1, 0], [2, 3, 0, 1], [0, 2, 1, 3], [2, 0, 3, 1], [3, 1, 2, 0], [1, 3, 0, 2],
  ]
  let bytes = JPEGFile.baseline.bytes(orientation: orientation, bigEndian: bigEndian)
  let image = try ImageDecoder.decode(bytes: bytes, name: "x.jpg")
  #expect((image.width, image.height) == (orientation > 4 ? (16, 32) : (32, 16)))
  #expect(isClose(corners(image), seen[orientation - 1].map { JPEGFile.baseline.corners[$0] }), "\(corners(image))")
}

@Test func `orientation data that make no sense are ignored`() throws {
  let plain = try ImageDecoder.decode(bytes: JPEGFile.baseline.bytes(), name: "x.jpg")
  for orientation in [0, 9, 99, 65_535] {
    let bytes = JPEGFile.baseline.bytes(orientation: orientation, bigEndian: false)
    #expect(try ImageDecoder.decode(bytes: bytes, name: "x.jpg") == plain)
  }
  let whole: [UInt8] = [
    0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
  ]
  #expect(whole.withUnsafeBytes { Orientation(tiff: $0) } == .rotate90Clockwise)
  for length in 0..<20 {
    // What lies beyond the end would make it whole.
    #expect(whole.withUnsafeBytes { Orientation(tiff: UnsafeRawBufferPointer(rebasing: $0[..<length])) } == nil)
    let bytes = JPEGFile.baseline.bytes(exif: Array(whole[..<min(length, 19)]))
    #expect(try ImageDecoder.decode(bytes: bytes, name: "x.jpg") == plain)
  }
  var long = whole
  long[12] = 4
  #expect(long.withUnsafeBytes { Orientation(tiff: $0) } == .rotate90Clockwise)
  for length in 0..<22 {
    #expect(long.withUnsafeBytes { Orientation(tiff: UnsafeRawBufferPointer(rebasing: $0[..<length])) } == nil)
  }
  var beyond = whole
  beyond[4] = 0xff
  beyond[7] = 0xff
  #expect(try ImageDecoder.decode(bytes: JPEGFile.baseline.bytes(exif: beyond), name: "x.jpg") == plain)
  var endless = whole
  endless[8] = 0xff
  endless[9] = 0xff
  endless[10] = 0
  #expect(try ImageDecoder.decode(bytes: JPEGFile.baseline.bytes(exif: endless), name: "x.jpg") == plain)
}

@Test(arguments: [(nil, 32), (17, 32), (16, 32), (9, 32), (8, 16), (5, 16), (4, 8), (2, 4), (1, 4)])
func `shrinking while decoding keeps the shorter side`(minimumSide: Int?, width: Int) throws {
  for file in JPEGFile.allCases {
    let image = try ImageDecoder.decode(bytes: file.bytes(), name: "x.jpg", minimumSide: minimumSide)
    #expect((image.width, image.height) == (width, width / 2))
    // Where one sample of color serves for many pixels, colors reach beyond their corners in a picture this small.
    if [.sampled4x1, .sampled3x1, .sampled1x2].contains(file) { continue }
    #expect(isClose(corners(image), file.corners), "\(file) \(corners(image))")
  }
}

@Test(arguments: JPEGFile.allCases)
func `a JPEG cut off anywhere is refused by name, unless only the end marker is missing`(file: JPEGFile) throws {
  let bytes = file.bytes()
  let whole = try ImageDecoder.decode(bytes: bytes, name: "x.jpg")
  for length in 0..<bytes.count {
    let cut = Array(bytes[..<length])
    do {
      let image = try ImageDecoder.decode(bytes: cut, name: "cut.jpg")
      #expect(length >= bytes.count - 2 && image == whole, "\(length) of \(bytes.count)")
    } catch {
      #expect(error.path == "cut.jpg")
      if length > 3 { #expect(error.reason.contains("cut short"), "\(length): \(error.reason)") }
      // Of these it cannot be told whether more was to come.
      let isUncertain = file == .arithmetic || file == .separate
      #expect(length < bytes.count - 2 || isUncertain, "\(length) of \(bytes.count): \(error.reason)")
    }
  }
}

@Test func `tables that a JPEG lacks never come from the file before`() throws {
  let decoder = ImageDecoder()
  func decode(_ bytes: [UInt8]) throws -> PixelImage {
    try bytes.withUnsafeBytes { bytes throws(DecodingFailure) in try decoder.decode(bytes: bytes, name: "x.jpg") }
  }
  let motion = try decode(JPEGFile.motion.bytes())
  _ = try decode(JPEGFile.progressive.bytes())
  #expect(try decode(JPEGFile.motion.bytes()) == motion)
  // Without its table of quantization, the first segment, a file cannot be decoded, whatever came before.
  let bytes = JPEGFile.baseline.bytes()
  let quantization = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xff && bytes[$0 + 1] == 0xdb })
  let stripped = bytes[..<quantization] + bytes[(quantization + 2 + 67)...]
  #expect(throws: DecodingFailure.self) { try decode(Array(stripped)) }
}

@Test func `a progressive JPEG of thousands of scans is refused`() throws {
  let bytes = JPEGFile.progressive.bytes()
  // The last scan, which refines one channel, again and again: each costs a pass over the picture.
  let start = try #require(bytes.indices.dropLast().last { bytes[$0] == 0xff && bytes[$0 + 1] == 0xda })
  let scan = bytes[start..<(bytes.count - 2)]
  let bomb = bytes[..<start] + (0..<2000).flatMap { _ in scan } + [0xff, 0xd9]
  let clock = ContinuousClock()
  let time = clock.measure {
    #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(bytes: Array(bomb), name: "bomb.jpg") }
  }
  #expect(time < .seconds(5))
}

@Test func `a JPEG of many scans whose coefficients take more than its pixels may is refused`() throws {
  // 32x16 pixels become 2048x2048, three components four, all as finely sampled as the first: two bytes for each of
  // four channels, where three are allowed.
  var bytes = JPEGFile.separate.bytes()
  let frame = try #require(bytes.indices.dropLast(4).first { Array(bytes[$0..<($0 + 5)]) == [8, 0, 16, 0, 32] })
  let components: [UInt8] = [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]
  bytes.replaceSubrange((frame - 2)..<(frame + 15), with: [0, 20, 8, 8, 0, 8, 0, 4] + components)
  let error = #expect(throws: DecodingFailure.self) {
    try ImageDecoder.decode(bytes: bytes, name: "bomb.jpg", maximumPixels: 2048 * 2048)
  }
  #expect(error?.reason.contains("in more scans than one") == true, "\(error as Any)")
}

@Test func `stray bytes between markers do no harm unless the file also ends early`() throws {
  let bytes = JPEGFile.baseline.bytes()
  let plain = try ImageDecoder.decode(bytes: bytes, name: "x.jpg")
  // Behind the start marker and the 18 bytes of the JFIF segment.
  let stray = bytes[..<20] + [0, 0, 0] + bytes[20...]
  #expect(try ImageDecoder.decode(bytes: Array(stray), name: "x.jpg") == plain)
  #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(bytes: Array(stray.dropLast(12)), name: "x.jpg") }
}

@Test func `a JPEG with a damaged byte decodes or is refused, and never traps`() throws {
  let bytes = JPEGFile.progressive.bytes(orientation: 6, bigEndian: true)
  for position in bytes.indices {
    for change: UInt8 in [0xff, 0x01, 0x80] {
      var damaged = bytes
      damaged[position] ^= change
      _ = try? ImageDecoder.decode(bytes: damaged, name: "damaged.jpg", maximumPixels: 10_000)
    }
  }
}
