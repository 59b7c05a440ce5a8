// What decoders lay under transparent pixels: a background made out for one file.

import Messages
import Support

/// A color, or noise that belongs to one file.
enum Ground: Sendable {
  case color(red: UInt8, green: UInt8, blue: UInt8)
  case noise(GroundNoise)

  /// - Parameters:
  ///   - bytes: the file's, from which its noise follows.
  ///   - width: of the picture as it is stored, as height is.
  ///   - minimumSide: see `ImageDecoder.decode`.
  /// - Returns: nil where transparency is dropped.
  init?(
    _ background: Background, file bytes: UnsafeRawBufferPointer, width: Int, height: Int, minimumSide: Int?
  ) {
    switch background {
    case .none: return nil
    case .color(let red, let green, let blue): self = .color(red: red, green: green, blue: blue)
    case .noise:
      self = .noise(GroundNoise(seed: checksum(bytes), width: width, height: height, minimumSide: minimumSide))
    }
  }

  /// The same everywhere; nil for noise.
  var color: (red: UInt8, green: UInt8, blue: UInt8)? {
    if case .color(let red, let green, let blue) = self { (red, green, blue) } else { nil }
  }

  subscript(column: Int, row: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    switch self {
    case .color(let red, let green, let blue): (red, green, blue)
    case .noise(let noise): noise[column, row]
    }
  }
}

/// Uniform noise in squares of one color each, as large as the pixels that will be made of the picture: finer noise
/// would be averaged to gray on the way.
struct GroundNoise: Sendable {
  private let seed: UInt64
  /// The squares' side, pixels.
  let grain: Int
  private let squaresInRow: Int

  init(seed: UInt64, width: Int, height: Int, minimumSide: Int?) {
    self.seed = seed
    // Half of `minimumSide` is the side that the picture will have.
    grain = minimumSide.map { Swift.max(1, 2 * Swift.min(width, height) / Swift.max(1, $0)) } ?? 1
    squaresInRow = (width + grain - 1) / grain
  }

  subscript(column: Int, row: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    var generator = RandomGenerator(seed, UInt64(row / grain * squaresInRow + column / grain))
    let bits = generator.next()
    return (
      UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits >> 16)
    )
  }
}
