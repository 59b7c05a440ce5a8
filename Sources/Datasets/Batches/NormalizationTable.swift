// From bytes to the network's numbers, by a table of the 256 values of each channel, and what was only noted of an
// augmented image on the way.

import Messages
import Support

/// (value / 255 - mean) / std for every byte and channel.
struct NormalizationTable {
  /// [channel, byte].
  private let values: [Float]

  init(_ preprocessing: Preprocessing) {
    values = zip(preprocessing.mean, preprocessing.std).flatMap { mean, std in
      (0..<256).map { (Float($0) / 255 - mean) / std }
    }
  }

  /// Writes the window of an image, mirrored, upside down and with a part erased if it says so; zero, which is the
  /// mean, beyond the image.
  /// - Parameter buffer: [size, size, 3].
  func write(_ input: AugmentedImage, into buffer: UnsafeMutableBufferPointer<Float>) {
    let size = input.size
    precondition(buffer.count >= size * size * 3, "the buffer holds the whole input")
    let image = input.image
    // The part of each row of the result that lies within the image.
    let inside = max(0, -input.left)..<max(max(0, -input.left), min(size, image.width - input.left))
    values.withUnsafeBufferPointer { values in
      image.pixels.withUnsafeBufferPointer { pixels in
        for row in 0..<size {
          let line = input.isUpsideDown ? size - 1 - row : row
          let to = UnsafeMutableBufferPointer(rebasing: buffer[(line * size * 3)..<((line + 1) * size * 3)])
          let sourceRow = row + input.top
          guard sourceRow >= 0, sourceRow < image.height else {
            to.update(repeating: 0)
            continue
          }
          if inside.count < size { to.update(repeating: 0) }
          var from = 3 * (sourceRow * image.width + inside.lowerBound + input.left)
          // Mirroring reads from left to right and writes from right to left.
          var written = 3 * (input.isMirrored ? size - 1 - inside.lowerBound : inside.lowerBound)
          let step = input.isMirrored ? -3 : 3
          for _ in inside {
            to[written] = values[Int(pixels[from])]
            to[written + 1] = values[256 + Int(pixels[from + 1])]
            to[written + 2] = values[512 + Int(pixels[from + 2])]
            from += 3
            written += step
          }
        }
      }
    }
    if let erased = input.erased { erase(erased, size, buffer) }
  }

  private func erase(
    _ erased: AugmentedImage.Erasure, _ size: Int, _ buffer: UnsafeMutableBufferPointer<Float>
  ) {
    var generator: RandomGenerator? = if case .noise(let generator) = erased.fill { generator } else { nil }
    for row in erased.top..<(erased.top + erased.height) {
      for column in erased.left..<(erased.left + erased.width) {
        let place = 3 * (row * size + column)
        let bits = generator?.next()
        for channel in 0..<3 {
          buffer[place + channel] = bits.map { values[256 * channel + Int($0 >> (8 * channel) & 255)] } ?? 0
        }
      }
    }
  }
}
