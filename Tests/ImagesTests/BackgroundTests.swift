// What is laid under transparent pixels, what is told of them, and what a refusal says of the file.

import Foundation
import Messages
import TestSupport
import Testing

@testable import Images

private func picture(_ bytes: [UInt8], _ background: Background = .white, cap: Int = 1000) throws -> DecodedPicture
{
  try bytes.withUnsafeBytes { (bytes) throws(DecodingFailure) in
    try ImageDecoder(maximumPixels: cap).picture(bytes: bytes, name: "x", background: background)
  }
}

private func rgba(_ pixels: [[UInt8]]) -> [UInt8] {
  PNGFile(width: pixels.count, height: 1, color: .rgba, rows: [[0] + pixels.flatMap { $0 }]).bytes
}

@Test func `every value with every alpha comes out as rounding says`() {
  // All of them against the formula in real numbers; Pillow 13's alpha_composite gives the same.
  var values: [(value: UInt8, alpha: UInt8)] = []
  for alpha in UInt8.min...255 { values += (UInt8.min...255).map { (value: $0, alpha: alpha) } }
  let pixels = values.flatMap { value, alpha -> [UInt8] in [value, value, value, alpha] }
  for ground: UInt8 in [255, 0, 77] {
    let composed = pixels.withUnsafeBufferPointer {
      PixelImage.composed(width: 256, height: 256, rgba: $0, on: .color(red: ground, green: ground, blue: ground))
    }
    let expected = values.map { value, alpha -> UInt8 in
      let own = Double(value) * Double(alpha)
      let below = Double(ground) * (255 - Double(alpha))
      return UInt8(((own + below) / 255).rounded())
    }
    #expect(stride(from: 0, to: composed.image.pixels.count, by: 3).map { composed.image.pixels[$0] } == expected)
  }
}

@Test func `the color of the background is chosen a channel at a time`() throws {
  let bytes = rgba([[200, 100, 50, 0], [200, 100, 50, 128], [200, 100, 50, 255]])
  let orange = Background.color(red: 255, green: 128, blue: 0)
  #expect(try picture(bytes, orange).image.pixels == [255, 128, 0, 227, 114, 25, 200, 100, 50])
  #expect(try picture(bytes, .black).image.pixels == [0, 0, 0, 100, 50, 25, 200, 100, 50])
}

@Test func `what hides under transparency is told, and what is opaque is not`() throws {
  func found(_ pixels: [[UInt8]], _ background: Background = .white) throws -> Transparency {
    try picture(rgba(pixels), background).transparency
  }
  #expect(try found([[9, 9, 9, 255]]) == .opaque)
  #expect(try found([[9, 9, 9, 254]]) == Transparency(isUsed: true, hidesColors: false))
  #expect(try found([[255, 255, 255, 0], [9, 9, 9, 9]]) == Transparency(isUsed: true, hidesColors: false))
  #expect(try found([[255, 255, 254, 0]]) == Transparency(isUsed: true, hidesColors: true))
  #expect(try found([[0, 0, 0, 0]], .black) == Transparency(isUsed: true, hidesColors: false))
  let gif = GIFFile.Picture(width: 2, height: 1, pixels: [1, 2], transparent: 2)
  func gifFile(_ pixels: [UInt8], transparent: UInt8) -> [UInt8] {
    var picture = gif
    (picture.pixels, picture.transparent) = (pixels, transparent)
    return GIFFile(width: 2, height: 1, palette: GIFFile.colors, pictures: [picture]).bytes
  }
  #expect(
    try picture(gifFile([1, 2], transparent: 2)).transparency == Transparency(isUsed: true, hidesColors: true))
  #expect(
    try picture(gifFile([1, 7], transparent: 7)).transparency == Transparency(isUsed: true, hidesColors: false))
  #expect(try picture(gifFile([1, 2], transparent: 5)).transparency == .opaque)
  #expect(try picture(WebPFile.losslessAlpha.bytes()).transparency == Transparency(isUsed: true, hidesColors: true))
  #expect(try picture(WebPFile.lossless.bytes()).transparency == .opaque)
}

@Test func `a background is written as it is read`() throws {
  for (text, background) in [
    ("white", Background.white), ("black", .black), ("none", .none),
    ("noise", .noise), ("#0a80ff", .color(red: 10, green: 128, blue: 255)),
  ] {
    #expect(Background(argument: text) == background && background.description == text)
    let data = try JSONEncoder().encode([background])
    #expect(try JSONDecoder().decode([Background].self, from: data) == [background])
  }
  #expect(Background(argument: "#FFFFFF") == .white)
  for text in ["", "White", "#fff", "#1234567", "#12345g", "123456", "#+12345", "#١٢٣٤٥٦", "gray"] {
    #expect(Background(argument: text) == nil, "\(text)")
  }
}

@Test func `a refusal says whether the file is to blame`() throws {
  func cause(_ bytes: [UInt8], cap: Int = 1000) -> DecodingFailure.Cause? {
    #expect(throws: DecodingFailure.self) { try picture(bytes, cap: cap) }?.cause
  }
  let png = PNGFile.any
  #expect(cause(png, cap: 15) == .pixelLimit(required: 16))
  #expect(try picture(png, cap: 16).requiredPixels == 16)
  #expect(cause(WebPFile.lossy.bytes(), cap: 100) == .pixelLimit(required: 512))
  #expect(cause(Array(png.prefix(60))) == .content)
  #expect(cause([1, 2, 3]) == .content)
  let empty = PNGFile(width: 0, height: 3, color: .gray, rows: []).bytes
  #expect(cause(empty) == .content)
  for file in JPEGFile.allCases {
    let required = try picture(file.bytes(), cap: 10_000).requiredPixels
    #expect(cause(file.bytes(), cap: required - 1) == .pixelLimit(required: required))
    #expect(try picture(file.bytes(), cap: required).image.width == 32)
  }
  let folder = try TemporaryFolder()
  for name in ["gone.png", "."] {
    let error = #expect(throws: DecodingFailure.self) { try ImageDecoder.decode(path: "\(folder.path)/\(name)") }
    #expect(error?.cause == .circumstances)
  }
}

@Test func `noise is laid under every kind of transparency, and follows from the file's bytes`() throws {
  let gif = GIFFile(
    width: 2, height: 1, palette: GIFFile.colors,
    pictures: [GIFFile.Picture(width: 2, height: 1, pixels: [1, 2], transparent: 2)]
  ).bytes
  for file in [rgba([[9, 9, 9, 0], [9, 9, 9, 255], [9, 9, 9, 0]]), gif, WebPFile.losslessAlpha.bytes()] {
    let noisy = try picture(file, .noise)
    #expect(try picture(file, .noise) == noisy && noisy.transparency.isUsed)
    // Where black and white make no difference, noise makes none; elsewhere each pixel has a color of its own.
    let (black, white) = (try picture(file, .black).image.pixels, try picture(file, .white).image.pixels)
    for place in black.indices where black[place] == white[place] {
      #expect(noisy.image.pixels[place] == black[place])
    }
    #expect(noisy.image.pixels != black && noisy.image.pixels != white)
  }
  // Half transparent, it is half noise.
  let half = try picture(rgba((0..<40).map { _ in [100, 100, 100, 128] }), .noise).image.pixels
  #expect(half.allSatisfy { (50...178).contains($0) } && Set(half).count > 40)
  // A file without transparency has none.
  #expect(try picture(PNGFile.any, .noise) == picture(PNGFile.any, .white))
}

@Test func `a color to pad with is written as it is read`() throws {
  for (text, color) in [
    ("white", PadColor.white), ("black", .black), ("edge", .edge),
    ("#0a80ff", .color(red: 10, green: 128, blue: 255)),
  ] {
    #expect(PadColor(argument: text) == color && color.description == text)
    let data = try JSONEncoder().encode([color])
    #expect(try JSONDecoder().decode([PadColor].self, from: data) == [color])
  }
  for text in ["", "none", "noise", "#fff", "Edge"] { #expect(PadColor(argument: text) == nil, "\(text)") }
}

// In a process of its own, which gets no more memory.
@Test func `without memory a picture is refused, and the process lives, in a process of its own`() async {
  await #expect(processExitsWith: .success) {
    // A canvas of 81 million pixels, all but one of them bare.
    let bytes = GIFFile(
      width: 9000, height: 9000, palette: GIFFile.colors,
      pictures: [GIFFile.Picture(width: 1, height: 1, pixels: [1])]
    ).bytes
    var failure: DecodingFailure?
    do {
      _ = try ScarceMemory.during(100 << 20) { try picture(bytes, cap: 100_000_000) }
    } catch let error as DecodingFailure { failure = error }
    precondition(failure?.cause == .circumstances && failure?.reason.contains("no memory") == true)
    let width = try picture(bytes, cap: 100_000_000).width
    precondition(width == 9000)
  }
}
