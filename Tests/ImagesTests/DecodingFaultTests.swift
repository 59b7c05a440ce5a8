// Files that are no images, or too much of one; one decoder for good and bad files in turn.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Images

@Test func `what is no image says what it is`() throws {
  let folder = try TemporaryFolder()
  let contents: [(name: String, bytes: [UInt8], reason: String)] = [
    ("empty.png", [], "empty"), ("text.jpg", Array("hello".utf8), "no PNG, JPEG, WebP or GIF"),
    ("x.jpg", Array("RIFF....WEBPVP8 ".utf8), "WebP"), ("x.png", Array("GIF89a".utf8), "GIF is cut short"),
    ("zeros.png", [UInt8](repeating: 0, count: 500), "zeros"),
    ("lfs.png", Array("version https://git-lfs.github.com/spec/v1\n".utf8), "git lfs pull"),
    ("page.jpg", Array("<!DOCTYPE html><html>".utf8), "web page"),
    ("film.jpg", [0, 0, 0, 24] + Array("ftypmp42".utf8), "film"),
  ]
  for (name, bytes, reason) in contents {
    try folder.write(bytes, to: name)
    let error = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(path: "\(folder.path)/\(name)") }
    #expect(error?.path == "\(folder.path)/\(name)")
    #expect(error?.reason.contains(reason) == true)
    #expect(error?.description.contains(name) == true)
  }
}

@Test func `formats that are not supported have a name`() throws {
  let bmp = Array("BM".utf8) + [70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]
  let starts: [(name: String, bytes: [UInt8])] = [
    ("BMP", bmp), ("TIFF", [0x49, 0x49, 0x2a, 0, 8, 0]), ("TIFF", [0x4d, 0x4d, 0, 0x2a]),
    ("HEIC", [0, 0, 0, 24] + Array("ftypheic".utf8)), ("AVIF", [0, 0, 0, 24] + Array("ftypavif".utf8)),
    ("JPEG 2000", [0xff, 0x4f, 0xff, 0x51]), ("Photoshop", Array("8BPS".utf8)), ("SVG", Array("\n<svg/>".utf8)),
    ("SVG", Array("<?xml version='1.0'?>\n<svg/>".utf8)), ("Netpbm", Array("P6 1 1".utf8)),
    ("JPEG XL", [0xff, 0x0a]), ("DICOM", [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)),
  ]
  let folder = try TemporaryFolder()
  for (name, bytes) in starts {
    #expect(ImageFormat.unsupportedName(bytes) == name)
    try folder.write(bytes, to: "file")
    #expect(ImageFormat.unsupportedName(ofFile: "\(folder.path)/file") == name)
    #expect(!ImageFormat.isImageFile("\(folder.path)/file"))
    let error = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(path: "\(folder.path)/file") }
    #expect(error?.reason.contains("\(name), is not supported; convert it") == true)
  }
  let others = [Array("BM is not a bitmap here".utf8), PNGFile.any, JPEGFile.gray.bytes(), [], [0x42]]
  for bytes in others { #expect(ImageFormat.unsupportedName(bytes) == nil) }
  #expect(ImageFormat.unsupportedName(ofFile: "\(folder.path)/gone") == nil)
}

@Test func `a name's ending says what may be an image`() {
  for name in ["a.png", "a.PNG", "a.apng", "a.JPG", "a.jpeg", "a.jpe", "a.jfif", "a.webp", "a.gif", "a.b.png"] {
    #expect(ImageFormat.isImageName(name))
  }
  for name in ["png", "a.bmp", "a.txt", "a.png.zip", ""] { #expect(!ImageFormat.isImageName(name)) }
}

@Test func `the cap on pixels can be set, and a setting that makes no sense is told`() {
  #expect(PixelLimit(setting: nil).pixels == 100_000_000)
  #expect(PixelLimit(setting: "200000000").pixels == 200_000_000)
  for setting in ["", "many", "-5", "1e9", "0", "99999999999999999999", " 5"] {
    let limit = PixelLimit(setting: setting)
    #expect(limit.pixels == 100_000_000 && limit.refusedSetting == setting)
  }
}

@Test(.timeLimit(.minutes(5))) func `what cannot be read says why`() throws {
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
  let png = PNGFile(width: 60_000, height: 60_000, color: .rgb, rows: [[0]]).bytes
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
