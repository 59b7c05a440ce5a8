// Writes GIF files byte by byte, so that a test shows its pixels beside the answer. Nothing is compressed: the table of
// the compressor is cleared before its codes would grow.

/// The parts of a GIF file (GIF89a specification, sections 17 to 24, appendix F).
package struct GIFFile {
  package struct Picture {
    package var left = 0
    package var top = 0
    package var width: Int
    package var height: Int
    /// A number of the palette, below 8, for each pixel, in the order of the file.
    package var pixels: [UInt8]
    package var isInterlaced = false
    package var palette: [UInt8] = []
    package var transparent: UInt8?

    package init(
      left: Int = 0, top: Int = 0, width: Int, height: Int, pixels: [UInt8], isInterlaced: Bool = false,
      palette: [UInt8] = [], transparent: UInt8? = nil
    ) {
      self.left = left
      self.top = top
      self.width = width
      self.height = height
      self.pixels = pixels
      self.isInterlaced = isInterlaced
      self.palette = palette
      self.transparent = transparent
    }
  }

  package var width: Int
  package var height: Int
  /// Eight colors, red, green, blue, or none.
  package var palette: [UInt8]
  package var pictures: [Picture]

  package init(width: Int, height: Int, palette: [UInt8], pictures: [Picture]) {
    self.width = width
    self.height = height
    self.palette = palette
    self.pictures = pictures
  }

  /// Black, red, green, blue, three shades of gray, white.
  package static let colors: [UInt8] = [
    0, 0, 0, 200, 30, 40, 30, 180, 50, 20, 40, 210, 60, 60, 60, 120, 120, 120, 180, 180, 180, 255, 255, 255,
  ]

  package var bytes: [UInt8] {
    var file = Array("GIF89a".utf8) + Self.short(width) + Self.short(height)
    file += [palette.isEmpty ? 0 : 0b1000_0010, 0, 0] + palette
    for picture in pictures {
      if let transparent = picture.transparent { file += [0x21, 0xf9, 4, 1, 0, 0, transparent, 0] }
      file += [0x2c] + [picture.left, picture.top, picture.width, picture.height].flatMap(Self.short)
      file += [(picture.palette.isEmpty ? 0 : 0b1000_0010) | (picture.isInterlaced ? 0b0100_0000 : 0)]
      file += picture.palette + Self.compressed(picture.pixels)
    }
    return file + [0x3b]
  }

  private static func short(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }

  /// Codes of four bits: eight colors, 8 to clear the table, 9 to end.
  private static func compressed(_ pixels: [UInt8]) -> [UInt8] {
    var codes: [UInt8] = []
    for start in stride(from: 0, to: pixels.count, by: 6) {
      codes += [8] + pixels[start..<min(start + 6, pixels.count)]
    }
    codes.append(9)
    if codes.count % 2 == 1 { codes.append(0) }
    let data = stride(from: 0, to: codes.count, by: 2).map { codes[$0] | codes[$0 + 1] << 4 }
    let blocks = stride(from: 0, to: data.count, by: 255).flatMap { start -> [UInt8] in
      let block = data[start..<min(start + 255, data.count)]
      return [UInt8(block.count)] + block
    }
    return [3] + blocks + [0]
  }
}
