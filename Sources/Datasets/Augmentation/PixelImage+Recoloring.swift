// Changes of an image's colors by a strength, on values of 8 bits. Most map each value of a channel to another, by a
// table; only saturation and sharpness look at more than one value.

import Messages

extension PixelImage {
  /// Multiplies every value.
  mutating func adjustBrightness(by factor: Float) {
    map(Self.table { factor * $0 })
  }

  /// Moves every value away from the image's mean gray, or towards it.
  mutating func adjustContrast(by factor: Float) {
    var sum = 0
    pixels.withUnsafeBufferPointer { bytes in
      for start in stride(from: 0, to: bytes.count, by: 3) { sum += Int(Self.gray(bytes, at: start)) }
    }
    let mean = Float(sum) / Float(width * height)
    map(Self.table { mean + ($0 - mean) * factor })
  }

  /// Moves every pixel away from its own gray, or towards it.
  mutating func adjustSaturation(by factor: Float) {
    pixels.withUnsafeMutableBufferPointer { bytes in
      for start in stride(from: 0, to: bytes.count, by: 3) {
        let gray = Self.gray(UnsafeBufferPointer(bytes), at: start)
        for place in start..<(start + 3) {
          bytes[place] = Self.byte(gray + (Float(bytes[place]) - gray) * factor)
        }
      }
    }
  }

  /// Moves every pixel away from a blurred image, or towards it: the mean of 3x3 pixels of which the middle one counts
  /// five times. The outermost pixels stay as they are.
  mutating func adjustSharpness(by factor: Float) {
    guard width > 2, height > 2 else { return }
    let row = 3 * width
    let source = pixels
    source.withUnsafeBufferPointer { source in
      pixels.withUnsafeMutableBufferPointer { target in
        for y in 1..<(height - 1) {
          for place in (y * row + 3)..<((y + 1) * row - 3) {
            var sum = 4 * Int(source[place])
            for line in stride(from: place - row, through: place + row, by: row) {
              sum += Int(source[line - 3]) + Int(source[line]) + Int(source[line + 3])
            }
            let blurred = (Float(sum) / 13).rounded()
            target[place] = Self.byte(blurred + (Float(source[place]) - blurred) * factor)
          }
        }
      }
    }
  }

  /// Keeps the highest bits of every value.
  mutating func posterize(bits: Int) {
    let mask = UInt8(truncatingIfNeeded: -(1 << (8 - bits)))
    map((0...255).map { UInt8($0) & mask })
  }

  /// Inverts the values from a threshold on.
  mutating func solarize(from threshold: Float) {
    map((0...255).map { Float($0) >= threshold ? UInt8(255 - $0) : UInt8($0) })
  }

  /// Stretches each channel to 0...255; one of a single value stays.
  mutating func stretchContrast() {
    mapChannels { counts in
      guard let lowest = counts.firstIndex(where: { $0 > 0 }), let highest = counts.lastIndex(where: { $0 > 0 }),
        lowest < highest
      else { return nil }
      let scale = 255 / Float(highest - lowest)
      return Self.table { ($0 - Float(lowest)) * scale }
    }
  }

  /// Makes the values of each channel about equally frequent.
  mutating func equalize() {
    mapChannels { counts in
      // As Pillow and torchvision do: what the highest value has does not count for the step.
      let highest = counts.lastIndex { $0 > 0 } ?? 0
      let step = (counts.reduce(0, +) - counts[highest]) / 255
      guard step > 0 else { return nil }
      var below = step / 2
      return counts.map { count in
        defer { below += count }
        return UInt8(min(255, below / step))
      }
    }
  }

  // MARK: Tables

  /// Replaces each value.
  /// - Parameter table: of 256 values.
  private mutating func map(_ table: [UInt8]) {
    pixels.withUnsafeMutableBufferPointer { bytes in
      table.withUnsafeBufferPointer { table in
        for place in bytes.indices { bytes[place] = table[Int(bytes[place])] }
      }
    }
  }

  /// Replaces each value of a channel, by a table for each that is made of how often each value occurs in it; nil
  /// leaves a channel as it is.
  private mutating func mapChannels(_ table: (_ counts: [Int]) -> [UInt8]?) {
    for channel in 0..<3 {
      var counts = [Int](repeating: 0, count: 256)
      for place in stride(from: channel, to: pixels.count, by: 3) { counts[Int(pixels[place])] += 1 }
      guard let table = table(counts) else { continue }
      for place in stride(from: channel, to: pixels.count, by: 3) { pixels[place] = table[Int(pixels[place])] }
    }
  }

  private static func table(_ change: (Float) -> Float) -> [UInt8] { (0...255).map { byte(change(Float($0))) } }

  private static func byte(_ value: Float) -> UInt8 { UInt8(min(255, max(0, value)).rounded()) }

  /// Luma of ITU-R BT.601 with torchvision's digits, whole levels.
  private static func gray(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> Float {
    (0.2989 * Float(bytes[place]) + 0.587 * Float(bytes[place + 1]) + 0.114 * Float(bytes[place + 2]))
      .rounded(.down)
  }
}
