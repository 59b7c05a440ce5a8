// Files that are no images, or too much of one; one decoder for good and bad files in turn.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Images

@Test func `what is no image says what it is`() throws {
  let folder = try TemporaryFolder()
  let contents: [(name: String, bytes: [UInt8], reason: String)] = [
    ("empty.png", [], "empty"), ("text.jpg", Array("hello".utf8), "neither PNG nor JPEG"),
    ("x.jpg", Array("RIFF....WEBPVP8 ".utf8), "WebP"), ("x.png", Array("GIF89a".utf8), "GIF"),
  ]
  for (name, bytes, reason) in contents {
    try folder.write(bytes, to: name)
    let error = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(path: "\(folder.path)/\(name)") }
    #expect(error?.path == "\(folder.path)/\(name)")
    #expect(error?.reason.contains(reason) == true)
    #expect(error?.description.contains(name) == true)
  }
}

@Test(.timeLimit(.minutes(1))) func `what cannot be read says why`() throws {
  let folder = try TemporaryFolder()
  #expect(mkfifo("\(folder.path)/pipe.png", 0o600) == 0)
  for (name, reason) in [
    ("gone.png", "No such file"), ("pipe.png", "not a regular file"), (".", "not a regular file"),
  ] {
    let error = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(path: "\(folder.path)/\(name)") }
    #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
  }
}

@Test func `content decides, not the name`() throws {
  let folder = try TemporaryFolder()
  try folder.write(PNGFile.any, to: "really.jpg")
  try folder.write(JPEGFile.baseline.bytes(), to: "really.png")
  #expect(try ImageDecoder.decode(path: "\(folder.path)/really.jpg").width == 4)
  #expect(try ImageDecoder.decode(path: "\(folder.path)/really.png").width == 32)
}

@Test func `an image with too many pixels is refused before it takes memory`() throws {
  let png = PNGFile(width: 60_000, height: 60_000, colour: .rgb, rows: [[0]]).bytes
  let pngError = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(bytes: png, name: "bomb.png") }
  #expect(pngError?.reason.contains("60000x60000") == true)
  // Width and height are the only numbers of the frame header that say 32x16.
  var jpeg = JPEGFile.baseline.bytes()
  let size = try #require(
    jpeg.indices.dropLast(4).first { Array(jpeg[$0..<($0 + 4)]) == [0, 16, 0, 32] && jpeg[$0 - 1] == 8 })
  jpeg.replaceSubrange(size..<(size + 4), with: [0xff, 0x00, 0xff, 0x00])
  let jpegError = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(bytes: jpeg, name: "bomb.jpg") }
  #expect(jpegError?.reason.contains("65280x65280") == true)
  #expect(throws: DecodingFailure.self) {
    try ImageDecoder.decode(bytes: PNGFile.any, name: "x.png", maximumPixels: 15)
  }
  #expect(try ImageDecoder.decode(bytes: PNGFile.any, name: "x.png", maximumPixels: 16).height == 4)
}

@Test func `a broken file leaves no trace in the decoder`() throws {
  let decoder = ImageDecoder()
  let folder = try TemporaryFolder()
  let good = JPEGFile.baseline.bytes()
  try folder.write(good, to: "good.jpg")
  try folder.write(Array(good[..<300]), to: "cut.jpg")
  try folder.write(Array(good[..<20]) + [0xff, 0xf0, 0, 9] + good[20...], to: "marker.jpg")
  try folder.write(PNGFile.any, to: "good.png")
  let first = try decoder.decode(path: "\(folder.path)/good.jpg")
  var reasons: [String] = []
  for name in ["cut.jpg", "marker.jpg", "cut.jpg"] {
    do throws(DecodingFailure) {
      _ = try decoder.decode(path: "\(folder.path)/\(name)", name: name)
      Issue.record("\(name) decoded")
    } catch {
      #expect(error.path == name)
      reasons.append(error.reason)
    }
    #expect(try decoder.decode(path: "\(folder.path)/good.jpg") == first)
    #expect(try decoder.decode(path: "\(folder.path)/good.png").pixels[..<3] == [10, 20, 30])
  }
  #expect(reasons[0] == reasons[2] && reasons[0] != reasons[1])
}
