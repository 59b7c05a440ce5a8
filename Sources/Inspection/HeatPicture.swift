// A heat map over a picture. The colors go from dark violet over red to light yellow and grow lighter evenly, so that they
// can be told apart without seeing colors, and in print: matplotlib's "inferno" (Smith and van der Walt 2015).

import Images
import Messages

extension HeatMap {
  /// The map in the size of a picture: bilinear, with the centers of places where they are in the picture.
  /// - Returns: [height, width], 0...1.
  public func enlarged(height newHeight: Int, width newWidth: Int) -> [Float] {
    guard height > 0, width > 0, newHeight > 0, newWidth > 0 else { return [] }
    func places(_ from: Int, _ to: Int) -> [(low: Int, high: Int, share: Float)] {
      (0..<to).map { place in
        let position = min(max((Float(place) + 0.5) * Float(from) / Float(to) - 0.5, 0), Float(from - 1))
        let low = Int(position)
        return (low, min(low + 1, from - 1), position - Float(low))
      }
    }
    let columns = places(width, newWidth)
    return places(height, newHeight).flatMap { row in
      columns.map { column -> Float in
        func value(_ line: Int) -> Float {
          let (left, right) = (values[line * width + column.low], values[line * width + column.high])
          return left + (right - left) * column.share
        }
        let (above, below) = (value(row.low), value(row.high))
        return above + (below - above) * row.share
      }
    }
  }

  /// The picture in gray with the map in color over it: what is hot covers more of it.
  /// - Parameter strength: how much of the picture the hottest place covers, 0...1.
  public func over(_ picture: PixelImage, strength: Float = 0.75) -> PixelImage {
    let heat = enlarged(height: picture.height, width: picture.width)
    var pixels = picture.pixels
    for (place, value) in heat.enumerated() {
      let value = value.isFinite ? min(max(value, 0), 1) : 0
      let color = Self.color(value)
      let (red, green, blue) = (
        picture.pixels[place * 3], picture.pixels[place * 3 + 1], picture.pixels[place * 3 + 2]
      )
      // Rec. 601, as gray images of color ones are made.
      let gray = 0.299 * Float(red) + 0.587 * Float(green) + 0.114 * Float(blue)
      // By the root, so that what is lukewarm can be seen too.
      let cover = strength * value.squareRoot()
      for (channel, heat) in color.enumerated() {
        let mixed = gray * (1 - cover) + heat * 255 * cover
        pixels[place * 3 + channel] = UInt8(min(max(mixed, 0), 255).rounded())
      }
    }
    return PixelImage(width: picture.width, height: picture.height, pixels: pixels)
  }

  /// Red, green and blue, 0...1, of a value in 0...1.
  static func color(_ value: Float) -> [Float] {
    let place = min(max(value, 0), 1) * Float(colors.count - 1)
    let low = min(Int(place), colors.count - 2)
    return zip(colors[low], colors[low + 1]).map { $0 + ($1 - $0) * (place - Float(low)) }
  }

  /// "inferno" at nine evenly spaced places.
  private static let colors: [[Float]] = [
    [0.001, 0.000, 0.014], [0.129, 0.047, 0.291], [0.342, 0.062, 0.429], [0.541, 0.135, 0.415],
    [0.736, 0.216, 0.330], [0.894, 0.353, 0.194], [0.978, 0.558, 0.035], [0.975, 0.798, 0.206],
    [0.988, 0.998, 0.645],
  ]
}

extension Explanation {
  /// The least side of a picture, pixels: one of 32 is enlarged.
  private static let side = 448

  /// What the network saw with the heat of some classes over it, side by side in the order of the labels.
  /// - Returns: nil for want of memory, or where no class has a map.
  public func picture(of labels: [Int]) -> EncodedPicture? {
    // The heat is laid over the enlarged picture, so that it stays smooth.
    let large = seen.thumbnail(side: max(Self.side, seen.width))
    let pictures = labels.compactMap { label in heats.first { $0.label == label } }.map { $0.map.over(large) }
    return PixelImage(besides: pictures)?.encodedAsPNG()
  }
}

extension PixelImage {
  /// Pictures of one size side by side.
  fileprivate init?(besides pictures: [PixelImage]) {
    guard let first = pictures.first else { return nil }
    var pixels: [UInt8] = []
    for row in 0..<first.height {
      for picture in pictures { pixels += picture.pixels[row * first.width * 3..<(row + 1) * first.width * 3] }
    }
    self.init(width: first.width * pictures.count, height: first.height, pixels: pixels)
  }
}
