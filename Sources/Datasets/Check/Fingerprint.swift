// What a picture looks like, in 300 bytes: enough to find the same picture saved again in another size, format or
// quality. It does not see mirrored, turned or cropped copies.

import Images
import Messages

/// A small gray version of a picture, and a perceptual hash of it.
///
/// The picture, as decoded, is resized to 18x16 (antialiased, whatever its aspect) and brought to luma with the weights
/// of ITU-R BT.601. The hash is the difference hash of its 9x8 blocks of 2x2 (N. Krawetz, "Kind of Like That", 2013):
/// a bit for each pair of neighbors in a row, set where the right one is brighter.
struct Fingerprint: Sendable, Equatable {
  static let columns = 18
  static let rows = 16

  /// [16, 18], 0...255.
  let luma: [UInt8]
  let hash: UInt64
  /// Of `luma`.
  private let sum: Int32
  /// How much there is to be seen: the mean absolute deviation of `luma` from its own mean, in levels.
  let contrast: Float

  init(_ image: PixelImage) {
    let small = image.resized(width: Self.columns, height: Self.rows)
    self.init(
      luma: (0..<(Self.columns * Self.rows)).map { cell in
        let (red, green, blue) = (
          Int(small.pixels[3 * cell]), Int(small.pixels[3 * cell + 1]), Int(small.pixels[3 * cell + 2])
        )
        return UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000)
      })
  }

  /// - Parameter luma: [16, 18].
  init(luma: [UInt8]) {
    precondition(luma.count == Self.rows * Self.columns, "a fingerprint has 18x16 values")
    self.luma = luma
    let cells = Int32(luma.count)
    let sum = luma.reduce(Int32(0)) { $0 + Int32($1) }
    self.sum = sum
    contrast =
      Float(luma.reduce(Int32(0)) { $0 + abs(Int32($1) * cells - sum) }) / Float(luma.count * luma.count)
    var hash: UInt64 = 0
    for row in 0..<8 {
      func block(_ column: Int) -> Int {
        let first = 2 * row * Self.columns + 2 * column
        return Int(luma[first]) + Int(luma[first + 1]) + Int(luma[first + Self.columns])
          + Int(luma[first + Self.columns + 1])
      }
      for column in 0..<8 where block(column + 1) > block(column) { hash |= 1 << UInt64(8 * row + column) }
    }
    self.hash = hash
  }

  /// In how many bits the hashes differ.
  func distance(to other: Fingerprint) -> Int { (hash ^ other.hash).nonzeroBitCount }

  /// The mean absolute difference of the two small pictures, each taken relative to its own mean, as a share of the
  /// greater contrast: 0 for the same picture, also if one is brighter; about 1 for two that have nothing in common.
  func difference(to other: Fingerprint) -> Float {
    let cells = Int32(luma.count)
    let offset = sum - other.sum
    let total = luma.withUnsafeBufferPointer { first in
      other.luma.withUnsafeBufferPointer { second in
        var total: Int32 = 0
        for cell in 0..<first.count {
          total &+= abs((Int32(first[cell]) - Int32(second[cell])) &* cells &- offset)
        }
        return total
      }
    }
    let greater = max(contrast, other.contrast)
    return greater > 0 ? Float(total) / Float(luma.count * luma.count) / greater : 0
  }
}
