// The numbers a file check takes from bytes and pixels, each small enough to check by hand.

import Images
import Messages
import Testing

@testable import Datasets

@Suite struct `The content hash` {
  @Test func `depends on every byte and on the length`() {
    let bytes = (0..<21).map { UInt8($0) }
    var hashes: Set<ContentHash> = [contentHash(bytes)]
    for index in bytes.indices {
      var other = bytes
      other[index] ^= 0x80
      hashes.insert(contentHash(other))
      hashes.insert(contentHash(Array(bytes[..<index])))
    }
    #expect(hashes.count == 1 + 2 * bytes.count)
    #expect(contentHash([0]) != contentHash([0, 0]))
    #expect(contentHash(bytes) == contentHash(bytes))
  }
}

@Suite struct `Channel sums` {
  /// Values 0, 255, 51 and 102 have a mean of 102 and a variance of 8,453.
  @Test func `mean and std of four pixels`() {
    let pixels: [UInt8] = [0, 7, 255, 255, 7, 255, 51, 7, 255, 102, 7, 255]
    let sums = ChannelSums(PixelImage(width: 2, height: 2, pixels: pixels))
    #expect(sums.mean == [0.4, 7.0 / 255, 1])
    #expect(sums.std[0].isApproximately(9103.5.squareRoot() / 255))
    #expect(sums.std[1...] == [0, 0])
  }

  @Test func `adding images is as one image with all their pixels`() {
    let (first, second) = (blotches(1, side: 8), blotches(2, side: 16))
    var together = ChannelSums(first)
    together += ChannelSums(second)
    let both = PixelImage(width: 1, height: 8 * 8 + 16 * 16, pixels: first.pixels + second.pixels)
    #expect(together == ChannelSums(both))
  }

  @Test func `without pixels there is neither`() {
    #expect(ChannelSums().mean.isEmpty && ChannelSums().std.isEmpty)
  }
}

extension Double {
  fileprivate func isApproximately(_ other: Double) -> Bool { abs(self - other) < 1e-12 }
}

@Suite struct `A fingerprint` {
  /// A luma picture by column and row.
  private func luma(_ value: (_ column: Int, _ row: Int) -> Int) -> Fingerprint {
    Fingerprint(luma: (0..<16).flatMap { row in (0..<18).map { UInt8(value($0, row)) } })
  }

  @Test func `has a bit for each block that is brighter than its left neighbor`() {
    #expect(luma { _, _ in 90 }.hash == 0)
    #expect(luma { column, _ in 10 * column }.hash == .max)
    #expect(luma { column, _ in 200 - 10 * column }.hash == 0)
    // One bright block, the fourth of the third row: bit 8 * 2 + 2 rises to it.
    #expect(luma { column, row in column / 2 == 3 && row / 2 == 2 ? 50 : 0 }.hash == 1 << 18)
  }

  @Test func `contrast is the mean distance from the mean`() {
    #expect(luma { _, _ in 90 }.contrast == 0)
    #expect(luma { column, _ in column < 9 ? 100 : 140 }.contrast == 20)
  }

  @Test func `brightness makes no difference, the picture does`() {
    let picture = luma { column, row in 5 * column + row }
    #expect(picture.difference(to: picture) == 0)
    #expect(picture.difference(to: luma { column, row in 5 * column + row + 40 }) == 0)
    // Twice the contrast: half of the greater one is missing.
    #expect(
      luma { column, _ in column < 9 ? 0 : 100 }.difference(to: luma { column, _ in column < 9 ? 0 : 50 }) == 0.5)
    // Opposite pictures.
    #expect(
      luma { column, _ in column < 9 ? 0 : 100 }.difference(to: luma { column, _ in column < 9 ? 100 : 0 }) == 2)
    #expect(luma { _, _ in 3 }.difference(to: luma { _, _ in 200 }) == 0)
  }

  @Test func `survives another size and noise, and tells other pictures`() {
    for seed: UInt64 in 0..<20 {
      let print = Fingerprint(blotches(seed))
      for other in [blotches(seed, side: 40), blotches(seed).withNoise(6, seed: seed)] {
        #expect(print.distance(to: Fingerprint(other)) <= SimilarImages.hashLimit)
        #expect(print.difference(to: Fingerprint(other)) <= SimilarImages.differenceLimit)
      }
      #expect(print.difference(to: Fingerprint(blotches(seed + 100))) > 0.3)
    }
  }

  @Test func `takes luma from colors`() {
    let green = PixelImage(width: 1, height: 1, pixels: [0, 255, 0])
    #expect(Set(Fingerprint(green).luma) == [150])
  }
}
