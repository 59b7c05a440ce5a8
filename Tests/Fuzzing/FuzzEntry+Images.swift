// The image decoders, what they tell without decoding, and the EXIF data that they look into.

import Images
import TestSupport

extension FuzzEntry {
  static let images: [FuzzEntry] = [
    FuzzEntry(name: "png", seeds: pngSeeds, framing: .png, makeTarget: decoding),
    FuzzEntry(name: "jpeg", seeds: jpegSeeds, framing: .jpeg, makeTarget: decoding),
    FuzzEntry(name: "webp", seeds: WebPFile.allCases.map { $0.bytes() }, framing: .webp, makeTarget: decoding),
    FuzzEntry(name: "gif", seeds: gifSeeds, makeTarget: decoding),
    FuzzEntry(name: "header", seeds: pngSeeds + jpegSeeds + WebPFile.allCases.map { $0.bytes() } + gifSeeds) {
      let decoder = ImageDecoder(maximumPixels: pixelCap)
      return { bytes in
        // What is no image must have a description all the same.
        _ = ImageFormat.unsupportedName(bytes)
        return (try? decoder.header(bytes: bytes, name: "input")) != nil
      }
    },
    FuzzEntry(name: "orientation", seeds: orientationSeeds) {
      { bytes in
        let found = [
          Orientation(jpeg: bytes), Orientation(png: bytes), Orientation(exif: bytes), Orientation(tiff: bytes),
          Orientation(xmp: bytes),
        ]
        return found.contains { $0 != nil }
      }
    },
  ]

  /// Small, so that time goes into many inputs and not into large ones; large enough for more than one block of
  /// everything.
  private static let pixelCap = 1 << 16

  /// Decodes in full size and, what takes other ways through the JPEG library, smaller.
  private static let decoding: @Sendable () -> (UnsafeRawBufferPointer) -> Bool = {
    let decoder = ImageDecoder(maximumPixels: pixelCap)
    return { bytes in
      let whole = try? decoder.decode(bytes: bytes, name: "input")
      let small = try? decoder.decode(bytes: bytes, name: "input", minimumSide: 2)
      return whole != nil || small != nil
    }
  }

  private static let pngSeeds: [[UInt8]] = {
    let palette: (type: String, content: [UInt8]) = ("PLTE", [1, 2, 3, 100, 110, 120, 250, 251, 252])
    let exif: (type: String, content: [UInt8]) = ("eXIf", exifData)
    let sixPixels: [[UInt8]] = [[0, 1, 2, 3, 4, 5, 6], [1, 7, 8, 9, 9, 9, 9], [4, 1, 2, 3, 4, 5, 6]]
    return [
      PNGFile(width: 2, height: 3, color: .rgb, rows: sixPixels, chunks: [exif]).bytes,
      PNGFile(width: 6, height: 3, color: .gray, rows: sixPixels, chunks: [("tRNS", [0, 1])]).bytes,
      PNGFile(width: 3, height: 1, depth: 2, color: .palette, rows: [[0, 0b1000_0100]], chunks: [palette]).bytes,
      PNGFile(
        width: 3, height: 2, depth: 1, color: .gray, interlaced: true,
        rows: [[0, 0], [0, 128], [0, 0], [0, 192]]
      ).bytes,
      PNGFile(
        width: 2, height: 1, depth: 16, color: .rgba, interlaced: true,
        rows: [[0, 1, 1, 2, 2, 3, 3, 4, 4], [2, 5, 5, 6, 6, 7, 7, 8, 8]]
      ).bytes,
      PNGFile(
        width: 1, height: 1, depth: 16, color: .grayAlpha, rows: [[3, 9, 9, 8, 8]],
        chunks: [("iCCP", [97, 0, 0, 1, 2]), ("zTXt", [97, 0, 0, 3, 4]), ("acTL", [0, 0, 0, 1, 0, 0, 0, 0])]
      ).bytes,
      PNGFile(
        width: 2, height: 1, color: .palette, rows: [[0, 0, 1]],
        chunks: [palette, ("tRNS", [0, 128]), profileText]
      ).bytes,
      PNGFile(width: 2, height: 1, color: .gray, rows: [[0, 0, 1]], chunks: [compressedText, xmpText]).bytes,
    ]
  }()

  private static let jpegSeeds: [[UInt8]] =
    JPEGFile.allCases.map { $0.bytes() } + [JPEGFile.baseline.bytes(orientation: 6, bigEndian: false)]

  private static let gifSeeds: [[UInt8]] = {
    let pixels: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1, 0, 1, 1, 2, 2]
    let plain = GIFFile.Picture(width: 4, height: 5, pixels: pixels)
    let placed = GIFFile.Picture(
      left: 2, top: 1, width: 4, height: 5, pixels: pixels, isInterlaced: true,
      palette: GIFFile.colors.reversed(), transparent: 3)
    return [
      GIFFile(width: 4, height: 5, palette: GIFFile.colors, pictures: [plain]).bytes,
      GIFFile(width: 4, height: 5, palette: [], pictures: [plain, placed]).bytes,
      GIFFile(width: 8, height: 8, palette: GIFFile.colors, pictures: [placed, plain]).bytes,
    ]
  }()

  private static let exifData: [UInt8] = [
    0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 2, 0x01, 0, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6,
    0,
    0, 0, 0, 0, 0,
  ]

  private static let hexadecimal: [UInt8] =
    Array("\nexif\n38\n".utf8) + exifData.flatMap { Array((($0 < 16 ? "0" : "") + String($0, radix: 16)).utf8) }
  private static let profileText: (type: String, content: [UInt8]) = (
    "tEXt", Array("Raw profile type exif\0".utf8) + hexadecimal
  )
  /// In one stored block (RFC 1951, section 3.2.4) without the sum at the end.
  private static let compressedText: (type: String, content: [UInt8]) = (
    "zTXt",
    Array("Raw profile type exif\0\0".utf8) + [0x78, 0x01, 0x01, UInt8(hexadecimal.count), 0]
      + [~UInt8(hexadecimal.count), 255] + hexadecimal
  )
  private static let xmpData = Array("<x tiff:Orientation=\"6\"><tiff:Orientation>3</tiff:Orientation></x>".utf8)
  private static let xmpText: (type: String, content: [UInt8]) = (
    "iTXt", Array("XML:com.adobe.xmp\0\0\0\0\0".utf8) + xmpData
  )

  private static let orientationSeeds: [[UInt8]] = [
    exifData, Array("Exif\0\0".utf8) + exifData, pngSeeds[0], pngSeeds[6], pngSeeds[7], xmpData,
    JPEGFile.baseline.bytes(orientation: 8, bigEndian: true), JPEGFile.gray.bytes(orientation: 3, bigEndian: false),
  ]
}
