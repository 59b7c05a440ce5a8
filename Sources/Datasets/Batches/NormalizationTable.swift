// From bytes to the network's numbers, by a table of the 256 values of each channel.

import Messages

/// (value / 255 - mean) / std for every byte and channel.
struct NormalizationTable {
  /// [channel, byte].
  private let values: [Float]

  init(_ preprocessing: Preprocessing) {
    values = zip(preprocessing.mean, preprocessing.std).flatMap { mean, std in
      (0..<256).map { (Float($0) / 255 - mean) / std }
    }
  }

  /// Writes the window of an image, mirrored if it says so; zero, which is the mean, beyond the image.
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
          let to = UnsafeMutableBufferPointer(rebasing: buffer[(row * size * 3)..<((row + 1) * size * 3)])
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
  }
}
