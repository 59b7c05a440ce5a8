// JPEG by libjpeg-turbo's own interface: baseline and progressive; gray, colour, CMYK and YCCK.

import CTurboJPEG
import Messages

extension ImageDecoder {
  func headerOfJPEG(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> ImageHeader {
    let frame = try readFrame(bytes)
    let size = (Orientation(jpeg: bytes) ?? .upright).size(width: frame.width, height: frame.height)
    let channels: ImageHeader.Channels =
      frame.isCMYK ? .cmyk : frame.colours == Int32(TJCS_GRAY.rawValue) ? .gray : .rgb
    return ImageHeader(format: .jpeg, width: size.width, height: size.height, channels: channels, bitDepth: 8)
  }

  /// What the frame header says.
  private struct JPEGFrame {
    var handle: tjhandle
    var width: Int
    var height: Int
    /// The library's colour space.
    var colours: Int32

    var isCMYK: Bool { colours == Int32(TJCS_CMYK.rawValue) || colours == Int32(TJCS_YCCK.rawValue) }
  }

  private func readFrame(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> JPEGFrame {
    if jpegHandle == nil { jpegHandle = tjInitDecompress() }
    guard let jpegHandle, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
      throw ImageFault("there is no memory for the JPEG decoder")
    }
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = -1
    var colours: Int32 = -1
    let header = tjDecompressHeader3(
      jpegHandle, base, UInt(bytes.count), &width, &height, &subsampling, &colours)
    // An unusual subsampling is called an error here, though decoding to RGB does not need to know it.
    guard header == 0 || (width > 0 && height > 0 && colours >= 0) else { throw fault(jpegHandle) }
    try checkSize(width: Int(width), height: Int(height))
    return JPEGFrame(handle: jpegHandle, width: Int(width), height: Int(height), colours: colours)
  }

  func decodeJPEG(_ bytes: UnsafeRawBufferPointer, minimumSide: Int?) throws(ImageFault) -> PixelImage {
    let frame = try readFrame(bytes)
    let jpegHandle = frame.handle
    let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    let scale = Self.scale(shorterSide: min(frame.width, frame.height), minimumSide: minimumSide)
    let scaledWidth = (frame.width + scale - 1) / scale
    let scaledHeight = (frame.height + scale - 1) / scale
    let isCMYK = frame.isCMYK
    let format = Int32((isCMYK ? TJPF_CMYK : TJPF_RGB).rawValue)
    let count = scaledWidth * scaledHeight * (isCMYK ? 4 : 3)

    var status: Int32 = -1
    let samples = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
      // Each further scan of a progressive file costs a pass over the whole image: bombs have thousands.
      status = tjDecompress2(
        jpegHandle, base, UInt(bytes.count), buffer.baseAddress, Int32(scaledWidth), 0, Int32(scaledHeight), format,
        TJFLAG_LIMITSCANS)
      // After a warning every sample was written, if only with gray.
      let isComplete = status == 0 || tjGetErrorCode(jpegHandle) == Int32(TJERR_WARNING.rawValue)
      initialised = isComplete ? count : 0
    }
    if status != 0 {
      guard samples.count == count, Self.isHarmless(warning: message(jpegHandle), bytes: bytes) else {
        throw fault(jpegHandle)
      }
    }
    let image = PixelImage(
      width: scaledWidth, height: scaledHeight, pixels: isCMYK ? Self.rgb(fromInvertedCMYK: samples) : samples)
    return image.oriented(Orientation(jpeg: bytes) ?? .upright)
  }

  /// The largest of 1, 2, 4 and 8 by which the shorter side can be divided and keep `minimumSide` pixels.
  private static func scale(shorterSide: Int, minimumSide: Int?) -> Int {
    guard let minimumSide else { return 1 }
    return [8, 4, 2].first { (shorterSide + $0 - 1) / $0 >= max(1, minimumSide) } ?? 1
  }

  /// Photoshop writes CMYK inverted, and as good as every other program follows it: 255 is no ink.
  private static func rgb(fromInvertedCMYK samples: [UInt8]) -> [UInt8] {
    let pixels = samples.count / 4
    return [UInt8](unsafeUninitializedCapacity: pixels * 3) { rgb, count in
      samples.withUnsafeBufferPointer { samples in
        for pixel in 0..<pixels {
          let light = Int(samples[4 * pixel + 3])
          for channel in 0..<3 {
            let ink = 255 - Int(samples[4 * pixel + channel])
            rgb[3 * pixel + channel] = UInt8(max(0, light - (ink * light + 127) / 255))
          }
        }
      }
      count = pixels * 3
    }
  }

  /// Whether a warning of the library leaves the picture whole: stray bytes between markers, as some cameras write,
  /// do. The library tells the first warning only, so a file that also ends early is found by its missing end.
  private static func isHarmless(warning: String, bytes: UnsafeRawBufferPointer) -> Bool {
    guard warning.contains("extraneous bytes before marker") else { return false }
    // Thumbnails have markers of their own, before those of the picture: the last ones count.
    var index = bytes.count - 2
    while index >= 0 {
      if bytes[index] == 0xff {
        if bytes[index + 1] == 0xd9 { return true }  // end of image
        if bytes[index + 1] == 0xda { return false }  // start of scan
      }
      index -= 1
    }
    return false
  }

  /// Why the library gave up. It also takes a new handle for the next file: the old one would go on telling this
  /// file's error.
  private func fault(_ handle: tjhandle) -> ImageFault {
    defer {
      tjDestroy(handle)
      jpegHandle = nil
    }
    return ImageFault(
      "the JPEG is damaged, cut short or of a kind that is not supported (libjpeg: \(message(handle)))")
  }

  private func message(_ handle: tjhandle) -> String { String(cString: tjGetErrorStr2(handle)) }
}
