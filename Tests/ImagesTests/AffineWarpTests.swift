// Warping against its definition, and where the result is known.

import Messages
import Support
import Testing

@testable import Images

private func noise(_ width: Int, _ height: Int) -> PixelImage {
  var generator = RandomGenerator(seed: UInt64(width * 100 + height))
  return PixelImage(
    width: width, height: height,
    pixels: (0..<(width * height * 3)).map { _ in UInt8(generator.integer(below: 256)) })
}

/// Bilinear interpolation as it is defined: each pixel of an endless plane counts by how near it is in x and in y.
private func naive(_ image: PixelImage, _ width: Int, _ height: Int, _ map: AffineMap, _ beyond: [Double])
  -> [Double]
{
  var result: [Double] = []
  for row in 0..<height {
    for column in 0..<width {
      let (x, y) = (Double(column) + 0.5, Double(row) + 0.5)
      let sourceX = map.xx * x + map.xy * y + map.x0
      let sourceY = map.yx * x + map.yy * y + map.y0
      for channel in 0..<3 {
        var (sum, inside) = (0.0, 0.0)
        for v in 0..<image.height {
          for u in 0..<image.width {
            let weight =
              max(0, 1 - abs(sourceX - Double(u) - 0.5)) * max(0, 1 - abs(sourceY - Double(v) - 0.5))
            sum += weight * Double(image.pixels[3 * (v * image.width + u) + channel])
            inside += weight
          }
        }
        result.append(sum + (1 - inside) * beyond[channel])
      }
    }
  }
  return result
}

@Test func `a warp is bilinear interpolation, with one color beyond the image`() {
  var generator = RandomGenerator(seed: 4)
  for (width, height) in [(1, 1), (2, 5), (7, 6), (9, 3)] {
    let image = noise(width, height)
    for _ in 0..<40 {
      func any(_ range: ClosedRange<Float>) -> Double { Double(generator.uniform(in: range)) }
      let map = AffineMap(
        xx: any(-2...2), xy: any(-2...2), x0: any(-3...9), yx: any(-2...2), yy: any(-2...2), y0: any(-3...9))
      let warped = image.warped(width: 6, height: 5, by: map, beyond: SIMD3(10, 100, 250))
      let expected = naive(image, 6, 5, map, [10, 100, 250])
      let largest = zip(warped.pixels, expected).map { abs(Double($0) - $1) }.max() ?? 9
      // Rounded to a whole level.
      #expect(largest < 0.501)
    }
  }
}

@Test func `quarter turns and mirror images are exact`() {
  let image = noise(5, 5)
  func turned(_ degrees: Double) -> PixelImage {
    image.warped(
      width: 5, height: 5, by: .rotation(degrees: degrees, width: 5, height: 5), beyond: SIMD3(1, 2, 3))
  }
  #expect(turned(0) == image)
  #expect(turned(90) == image.oriented(.rotate90Anticlockwise))
  #expect(turned(180) == image.oriented(.rotate180))
  #expect(turned(-90) == image.oriented(.rotate90Clockwise))
  let mirror = AffineMap(xx: -1, x0: 5)
  #expect(image.warped(width: 5, height: 5, by: mirror, beyond: .zero) == image.oriented(.mirror))
  // Twice the same is nothing.
  #expect(mirror.followed(by: mirror) == AffineMap())
}

@Test func `far away is nothing but the color beyond`() {
  for shift in [-1e12, -6, 6, 1e12] {
    let warped = noise(5, 5).warped(width: 5, height: 5, by: AffineMap(x0: shift), beyond: SIMD3(9, 8, 7))
    #expect(warped.pixels == (0..<25).flatMap { _ in [9, 8, 7] as [UInt8] })
  }
}
