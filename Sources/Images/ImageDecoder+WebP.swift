// WebP by libwebp: lossy and lossless; of an animation the first picture, in its place on the canvas. (WebP container
// specification, RFC 9649.)

import CWebP
import Messages

extension ImageDecoder {
  func headerOfWebP(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> ImageHeader {
    let features = try webPFeatures(bytes)
    let orientation = try WebPFile(bytes).orientation ?? .upright
    let size = orientation.size(width: Int(features.width), height: Int(features.height))
    return ImageHeader(
      format: .webp, width: size.width, height: size.height, channels: features.has_alpha != 0 ? .rgbAlpha : .rgb,
      bitDepth: 8)
  }

  func decodeWebP(
    _ bytes: UnsafeRawBufferPointer, minimumSide: Int?, on background: Background
  ) throws(ImageFault) -> DecodedPicture {
    let features = try webPFeatures(bytes)
    let file = try WebPFile(bytes)
    let (width, height) = (Int(features.width), Int(features.height))
    let orientation = file.orientation ?? .upright
    try requireMemory(.webp, width: width, height: height, bytes: 7)
    return try file.decodeFirstPicture(
      width: width, height: height, hasAlpha: features.has_alpha != 0,
      on: Ground(background, file: bytes, width: width, height: height, minimumSide: minimumSide)
    ).oriented(orientation)
  }

  /// What the first header says; of an animation the size of its canvas.
  private func webPFeatures(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) -> WebPBitstreamFeatures {
    var features = WebPBitstreamFeatures()
    let status = WebPGetFeatures(bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count, &features)
    guard status == VP8_STATUS_OK else { throw ImageFault(webP: status) }
    try checkSize(width: Int(features.width), height: Int(features.height))
    return features
  }
}

extension ImageFault {
  fileprivate init(webP status: VP8StatusCode) {
    switch status {
    case VP8_STATUS_NOT_ENOUGH_DATA, VP8_STATUS_SUSPENDED: self = .cutShort(.webp)
    case VP8_STATUS_OUT_OF_MEMORY: self = .noMemory(.webp)
    case VP8_STATUS_UNSUPPORTED_FEATURE: self = .unsupported(.webp, "libwebp: a feature that it does not know")
    default: self = .damaged(.webp, "libwebp: its bitstream makes no sense")
    }
  }
}

/// A file taken apart into its chunks; nothing is copied.
private struct WebPFile: ~Copyable {
  private let demuxer: OpaquePointer

  /// - Parameter bytes: must outlive this.
  init(_ bytes: UnsafeRawBufferPointer) throws(ImageFault) {
    var data = WebPData(bytes: bytes.assumingMemoryBound(to: UInt8.self).baseAddress, size: bytes.count)
    guard let demuxer = WebPDemux(&data) else {
      // The file says in front how long it is: RIFF, and four bytes of what follows them.
      let declared = bytes.count >= 8 ? bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self) : .max
      if Int(UInt32(littleEndian: declared)) + 8 > bytes.count { throw .cutShort(.webp) }
      throw .damaged(.webp, "libwebp: its parts do not fit together")
    }
    self.demuxer = demuxer
  }

  deinit { WebPDemuxDelete(demuxer) }

  /// From EXIF data, with or without the six bytes that stand before them in a JPEG, else from XMP.
  var orientation: Orientation? {
    func value(_ name: String, _ read: (UnsafeRawBufferPointer) -> Int?) -> Int? {
      var chunk = WebPChunkIterator()
      guard WebPDemuxGetChunk(demuxer, name, 1, &chunk) != 0 else { return nil }
      defer { WebPDemuxReleaseChunkIterator(&chunk) }
      return read(UnsafeRawBufferPointer(start: chunk.chunk.bytes, count: chunk.chunk.size))
    }
    return (value("EXIF", Orientation.value(exif:)) ?? value("XMP ", Orientation.value(xmp:)))
      .flatMap(Orientation.init(rawValue:))
  }

  /// - Parameters: width and height are the canvas', and whether it is transparent; `ground` is laid under it.
  func decodeFirstPicture(
    width: Int, height: Int, hasAlpha: Bool, on ground: Ground?
  ) throws(ImageFault) -> DecodedPicture {
    var frame = WebPIterator()
    guard WebPDemuxGetFrame(demuxer, 1, &frame) != 0 else { throw .damaged(.webp, "it holds no picture") }
    defer { WebPDemuxReleaseIterator(&frame) }
    let (x, y) = (Int(frame.x_offset), Int(frame.y_offset))
    var config = WebPDecoderConfig()
    guard WebPInitDecoderConfig(&config) != 0 else { throw .noMemory(.webp) }
    let status = WebPGetFeatures(frame.fragment.bytes, frame.fragment.size, &config.input)
    guard status == VP8_STATUS_OK else { throw ImageFault(webP: status) }
    let (frameWidth, frameHeight) = (Int(config.input.width), Int(config.input.height))
    guard frameWidth > 0, frameHeight > 0, x >= 0, y >= 0, x + frameWidth <= width, y + frameHeight <= height else {
      throw .damaged(.webp, "its picture does not lie within its canvas")
    }
    let keepsAlpha = ground != nil && (hasAlpha || config.input.has_alpha != 0)
    let channels = keepsAlpha ? 4 : 3
    // What the first picture does not cover is transparent black, of which black remains where transparency is dropped.
    var pixels = [UInt8](repeating: 0, count: width * height * channels)
    let decoded = pixels.withUnsafeMutableBufferPointer { buffer in
      let first = channels * (y * width + x)
      config.output.colorspace = keepsAlpha ? MODE_RGBA : MODE_RGB
      config.output.is_external_memory = 1
      config.output.u.RGBA.rgba = buffer.baseAddress.map { $0 + first }
      config.output.u.RGBA.stride = Int32(channels * width)
      config.output.u.RGBA.size = buffer.count - first
      return WebPDecode(frame.fragment.bytes, frame.fragment.size, &config)
    }
    WebPFreeDecBuffer(&config.output)
    guard decoded == VP8_STATUS_OK else { throw ImageFault(webP: decoded) }
    guard keepsAlpha, let ground else {
      return DecodedPicture(PixelImage(width: width, height: height, pixels: pixels))
    }
    let composed = pixels.withUnsafeBufferPointer {
      PixelImage.composed(width: width, height: height, rgba: $0, on: ground)
    }
    return DecodedPicture(composed.image, transparency: composed.transparency)
  }
}
