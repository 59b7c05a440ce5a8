// The first picture of a GIF (GIF89a specification) by giflib, record by record: the pictures after it are neither
// read nor decoded.

import CGIF
import Messages

extension ImageDecoder {
  func headerOfGIF(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> ImageHeader {
    let file = try GIFFile(bytes)
    let frame = try file.findFirstPicture()
    try checkSize(width: frame.canvasWidth, height: frame.canvasHeight)
    return ImageHeader(
      format: .gif, width: frame.canvasWidth, height: frame.canvasHeight, channels: .palette, bitDepth: 8)
  }

  func decodeGIF(
    _ bytes: UnsafeRawBufferPointer, minimumSide: Int?, on background: Background
  ) throws(ImageFault) -> DecodedPicture {
    let file = try GIFFile(bytes)
    let frame = try file.findFirstPicture()
    try checkSize(width: frame.canvasWidth, height: frame.canvasHeight)
    try requireMemory(.gif, width: frame.canvasWidth, height: frame.canvasHeight, bytes: 4)
    let (width, height) = (frame.canvasWidth, frame.canvasHeight)
    return try file.decode(
      frame, on: Ground(background, file: bytes, width: width, height: height, minimumSide: minimumSide))
  }
}

/// Where the first picture goes, and its colors.
private struct GIFFrame {
  var left: Int
  var top: Int
  var width: Int
  var height: Int
  /// The screen's size, or more if the picture goes beyond it.
  var canvasWidth: Int
  var canvasHeight: Int
  var isInterlaced: Bool
  /// The number of the transparent color.
  var transparent: UInt8?
  /// What the canvas is filled with: the transparent color, or the first of the palette.
  var background: UInt8 { transparent ?? 0 }
  /// 256 colors; where the file has none, gray of the same number.
  var palette: [(red: UInt8, green: UInt8, blue: UInt8)]
}

/// Bytes that giflib takes as it goes.
private final class GIFSource {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0
  private(set) var ended = false

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  func read(into target: UnsafeMutablePointer<GifByteType>, count: Int) -> Int {
    let available = min(count, bytes.count - offset)
    if available < count { ended = true }
    for i in 0..<available { target[i] = bytes[offset + i] }
    offset += available
    return available
  }
}

/// A file that giflib is reading; closed when it goes.
private struct GIFFile: ~Copyable {
  private let handle: UnsafeMutablePointer<GifFileType>
  private let source: GIFSource

  /// - Parameter bytes: must outlive this.
  init(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) {
    source = GIFSource(bytes)
    var error: Int32 = 0
    // Unretained: the source is a property, and lives until after the file is closed.
    let opened = DGifOpen(
      Unmanaged.passUnretained(source).toOpaque(),
      { file, target, count in
        guard let target, count > 0, let source = file?.pointee.UserData else { return 0 }
        return Int32(
          Unmanaged<GIFSource>.fromOpaque(source).takeUnretainedValue().read(into: target, count: Int(count)))
      }, &error)
    guard let opened else { throw Self.fault(error, source) }
    handle = opened
  }

  deinit {
    // Closing fails only for a file that was not opened for reading.
    _ = withExtendedLifetime(source) { DGifCloseFile(handle, nil) }
  }

  /// Reads up to the data of the first picture.
  func findFirstPicture() throws(ImageFault) -> GIFFrame {
    var transparent: UInt8?
    while true {
      var record = UNDEFINED_RECORD_TYPE
      try check(DGifGetRecordType(handle, &record))
      switch record {
      case IMAGE_DESC_RECORD_TYPE:
        try check(DGifGetImageDesc(handle))
        return frame(transparent: transparent)
      case EXTENSION_RECORD_TYPE:
        transparent = try readExtension() ?? transparent
      case TERMINATE_RECORD_TYPE:
        throw .damaged(.gif, "it holds no picture")
      default:
        continue
      }
    }
  }

  /// - Returns: the transparent color's number, if this is what the extension is about and there is one.
  private func readExtension() throws(ImageFault) -> UInt8? {
    var code: Int32 = 0
    var block: UnsafeMutablePointer<GifByteType>?
    var transparent: UInt8?
    try check(DGifGetExtension(handle, &code, &block))
    while let content = block {
      // A block begins with its length. The graphic control block is four bytes: flags, delay, color.
      if code == GRAPHICS_EXT_FUNC_CODE, content[0] >= 4, content[1] & 1 != 0 { transparent = content[4] }
      try check(DGifGetExtensionNext(handle, &block))
    }
    return transparent
  }

  private func frame(transparent: UInt8?) -> GIFFrame {
    let screen = handle.pointee
    let image = screen.Image
    var palette = (0...255).map { (red: UInt8($0), green: UInt8($0), blue: UInt8($0)) }
    if let map = image.ColorMap ?? screen.SColorMap, let colors = map.pointee.Colors {
      for i in 0..<min(256, Int(map.pointee.ColorCount)) {
        palette[i] = (colors[i].Red, colors[i].Green, colors[i].Blue)
      }
    }
    return GIFFrame(
      left: Int(image.Left), top: Int(image.Top), width: Int(image.Width), height: Int(image.Height),
      canvasWidth: max(Int(screen.SWidth), Int(image.Left) + Int(image.Width)),
      canvasHeight: max(Int(screen.SHeight), Int(image.Top) + Int(image.Height)), isInterlaced: image.Interlace,
      transparent: transparent, palette: palette)
  }

  /// Decodes the picture that `findFirstPicture` found, whose canvas is of an allowed size.
  /// - Parameter ground: what shows where it is transparent; nil for the transparent color itself.
  func decode(_ frame: GIFFrame, on ground: Ground?) throws(ImageFault) -> DecodedPicture {
    guard frame.width > 0, frame.height > 0 else { throw .damaged(.gif, "its picture has no pixels") }
    let own = frame.palette[Int(frame.background)]
    let ground = frame.transparent == nil ? nil : ground
    let background = ground?.color ?? own
    // Whether the canvas, or a pixel of the picture, shows the background.
    var isTransparent = frame.width < frame.canvasWidth || frame.height < frame.canvasHeight
    var pixels = [UInt8](repeating: background.red, count: frame.canvasWidth * frame.canvasHeight * 3)
    if background.red != background.green || background.red != background.blue {
      for start in stride(from: 0, to: pixels.count, by: 3) {
        pixels[start + 1] = background.green
        pixels[start + 2] = background.blue
      }
    }
    var hidesColors = own != background
    if case .noise(let noise)? = ground {
      hidesColors = true
      for pixel in 0..<(pixels.count / 3) {
        let color = noise[pixel % frame.canvasWidth, pixel / frame.canvasWidth]
        pixels[3 * pixel] = color.red
        pixels[3 * pixel + 1] = color.green
        pixels[3 * pixel + 2] = color.blue
      }
    }
    var line = [GifPixelType](repeating: 0, count: frame.width)
    for row in Self.rowOrder(height: frame.height, isInterlaced: frame.isInterlaced) {
      try check(line.withUnsafeMutableBufferPointer { DGifGetLine(handle, $0.baseAddress, Int32(frame.width)) })
      var target = 3 * ((frame.top + row) * frame.canvasWidth + frame.left)
      for index in line {
        if index == frame.transparent {
          // What the canvas was filled with shows.
          isTransparent = true
          target += 3
          continue
        }
        let color = frame.palette[Int(index)]
        pixels[target] = color.red
        pixels[target + 1] = color.green
        pixels[target + 2] = color.blue
        target += 3
      }
    }
    let image = PixelImage(width: frame.canvasWidth, height: frame.canvasHeight, pixels: pixels)
    guard ground != nil, isTransparent else { return DecodedPicture(image) }
    return DecodedPicture(image, transparency: Transparency(isUsed: true, hidesColors: hidesColors))
  }

  /// Interlaced rows come in four passes (GIF89a, appendix E).
  private static func rowOrder(height: Int, isInterlaced: Bool) -> [Int] {
    guard isInterlaced else { return Array(0..<height) }
    return [(0, 8), (4, 8), (2, 4), (1, 2)].flatMap { Array(stride(from: $0, to: height, by: $1)) }
  }

  private func check(_ status: Int32) throws(ImageFault) {
    guard status == GIF_OK else { throw Self.fault(handle.pointee.Error, source) }
  }

  private static func fault(_ error: Int32, _ source: GIFSource) -> ImageFault {
    if source.ended { return .cutShort(.gif) }
    if error == D_GIF_ERR_NOT_ENOUGH_MEM { return .noMemory(.gif) }
    return .damaged(.gif, "giflib: \(GifErrorString(error).map { String(cString: $0) } ?? "error \(error)")")
  }
}
