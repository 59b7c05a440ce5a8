// Rotations, shears and shifts of an image: for each pixel of the result, where in the source it comes from, in one
// pass (inverse mapping), with bilinear interpolation. Nothing is averaged: it is not for shrinking.

import Glibc
import Messages

/// Where a point of the result lies in the source. Both are in pixels from the upper left corner, so that the center
/// of the first pixel is (0.5, 0.5).
package struct AffineMap: Sendable, Equatable {
  // x of the source = xx * x + xy * y + x0, and y alike.
  package var xx: Double
  package var xy: Double
  package var x0: Double
  package var yx: Double
  package var yy: Double
  package var y0: Double

  package init(xx: Double = 1, xy: Double = 0, x0: Double = 0, yx: Double = 0, yy: Double = 1, y0: Double = 0) {
    (self.xx, self.xy, self.x0) = (xx, xy, x0)
    (self.yx, self.yy, self.y0) = (yx, yy, y0)
  }

  /// Rotates an image about its center.
  /// - Parameter degrees: counterclockwise, as the image is seen.
  package static func rotation(degrees: Double, width: Double, height: Double) -> AffineMap {
    let angle = degrees * .pi / 180
    let (cosine, sine) = (cos(angle), sin(angle))
    let (x, y) = (width / 2, height / 2)
    return AffineMap(
      xx: cosine, xy: -sine, x0: x - cosine * x + sine * y, yx: sine, yy: cosine, y0: y - sine * x - cosine * y)
  }

  /// This map, and then where `next` leads from there.
  package func followed(by next: AffineMap) -> AffineMap {
    AffineMap(
      xx: next.xx * xx + next.xy * yx, xy: next.xx * xy + next.xy * yy, x0: next.xx * x0 + next.xy * y0 + next.x0,
      yx: next.yx * xx + next.yy * yx, yy: next.yx * xy + next.yy * yy, y0: next.yx * x0 + next.yy * y0 + next.y0)
  }
}

extension PixelImage {
  /// The image seen through a map. Beyond the image lies one color, into which its outermost pixels blend.
  /// - Parameters:
  ///   - width: of the result, as height is.
  ///   - map: from the result to this image.
  ///   - color: what lies beyond, red, green and blue in 0...255.
  package func warped(width newWidth: Int, height newHeight: Int, by map: AffineMap, beyond color: SIMD3<UInt8>)
    -> PixelImage
  {
    let outside = SIMD3<Float>(Float(color.x), Float(color.y), Float(color.z))
    let (lastColumn, lastRow) = (width - 1, height - 1)
    let warped = [UInt8](unsafeUninitializedCapacity: newWidth * newHeight * 3) { target, count in
      pixels.withUnsafeBufferPointer { source in
        func pixel(_ column: Int, _ row: Int) -> SIMD3<Float> {
          let start = 3 * (row * width + column)
          return SIMD3(Float(source[start]), Float(source[start + 1]), Float(source[start + 2]))
        }
        func anyPixel(_ column: Int, _ row: Int) -> SIMD3<Float> {
          column >= 0 && column <= lastColumn && row >= 0 && row <= lastRow ? pixel(column, row) : outside
        }
        var written = 0
        for row in 0..<newHeight {
          // Of pixels' centers, half a pixel from their corners.
          let y = Double(row) + 0.5
          let (startX, startY) = (map.xy * y + map.x0 - 0.5, map.yy * y + map.y0 - 0.5)
          for column in 0..<newWidth {
            let x = Double(column) + 0.5
            let (sourceX, sourceY) = (startX + map.xx * x, startY + map.yx * x)
            let (left, top) = (sourceX.rounded(.down), sourceY.rounded(.down))
            let (right, down) = (Float(sourceX - left), Float(sourceY - top))
            let value: SIMD3<Float>
            if left < -1 || top < -1 || left > Double(lastColumn) || top > Double(lastRow) {
              value = outside
            } else {
              let (l, t) = (Int(left), Int(top))
              let isInside = l >= 0 && t >= 0 && l < lastColumn && t < lastRow
              let upperLeft = isInside ? pixel(l, t) : anyPixel(l, t)
              let upperRight = isInside ? pixel(l + 1, t) : anyPixel(l + 1, t)
              let lowerLeft = isInside ? pixel(l, t + 1) : anyPixel(l, t + 1)
              let lowerRight = isInside ? pixel(l + 1, t + 1) : anyPixel(l + 1, t + 1)
              let upper = upperLeft + (upperRight - upperLeft) * right
              let lower = lowerLeft + (lowerRight - lowerLeft) * right
              value = upper + (lower - upper) * down
            }
            // Between two values of 0...255: half more, cut off, is rounded.
            let rounded = value + 0.5
            target[written] = UInt8(rounded.x)
            target[written + 1] = UInt8(rounded.y)
            target[written + 2] = UInt8(rounded.z)
            written += 3
          }
        }
      }
      count = newWidth * newHeight * 3
    }
    return PixelImage(width: newWidth, height: newHeight, pixels: warped)
  }
}
