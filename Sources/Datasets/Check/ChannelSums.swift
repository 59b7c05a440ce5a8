// Sums over pixels as whole numbers: the same whatever the order in which images are added.

import Messages

/// From which mean and std of the three channels follow.
struct ChannelSums: Sendable, Equatable {
  private(set) var pixels: UInt64 = 0
  /// Of the values 0...255 of red, green and blue; 2^56 pixels fit.
  private var sums = SIMD3<UInt64>()
  private var squares = SIMD3<UInt64>()

  init() {}

  init(_ image: PixelImage) {
    pixels = UInt64(image.width * image.height)
    image.pixels.withUnsafeBufferPointer { bytes in
      var (red, green, blue): (UInt64, UInt64, UInt64) = (0, 0, 0)
      var (redSquares, greenSquares, blueSquares): (UInt64, UInt64, UInt64) = (0, 0, 0)
      for index in stride(from: 0, to: bytes.count, by: 3) {
        let (r, g, b) = (UInt64(bytes[index]), UInt64(bytes[index + 1]), UInt64(bytes[index + 2]))
        red &+= r
        green &+= g
        blue &+= b
        redSquares &+= r &* r
        greenSquares &+= g &* g
        blueSquares &+= b &* b
      }
      sums = SIMD3(red, green, blue)
      squares = SIMD3(redSquares, greenSquares, blueSquares)
    }
  }

  static func += (total: inout ChannelSums, other: ChannelSums) {
    total.pixels += other.pixels
    total.sums &+= other.sums
    total.squares &+= other.squares
  }

  /// Of red, green and blue on values in 0...1; empty without pixels.
  var mean: [Double] {
    guard pixels > 0 else { return [] }
    return (0..<3).map { Double(sums[$0]) / Double(pixels) / 255 }
  }

  /// Over all pixels, not of a sample (divided by n, not n - 1); empty without pixels.
  var std: [Double] {
    guard pixels > 0 else { return [] }
    return (0..<3).map { channel in
      let mean = Double(sums[channel]) / Double(pixels)
      return max(0, Double(squares[channel]) / Double(pixels) - mean * mean).squareRoot() / 255
    }
  }
}
