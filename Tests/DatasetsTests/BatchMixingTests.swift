// Mixing: what becomes of images and labels, the shares' distribution, and that it is a function of seed, epoch and
// batch alone.

import Foundation
import Messages
import Support
import TestSupport
import Testing

@testable import Datasets

private let preprocessing = Preprocessing(
  imageSize: 6, resize: .stretch, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])

private func mixing(mixup: Double = 0, cutMix: Double = 0) -> BatchMixing? {
  BatchMixing(AugmentationSettings(mixup: mixup, cutMix: cutMix))
}

private func batch(_ count: Int, size: Int = 6) -> Batch {
  var generator = RandomGenerator(seed: UInt64(count))
  return Batch(
    index: 0, side: size, images: (0..<(count * size * size * 3)).map { _ in generator.normal() },
    labels: (0..<count).map { $0 % 3 }, items: Array(0..<count), skipped: [])
}

@Suite struct BatchMixingTests {
  @Test func `nothing asked for mixes nothing`() {
    #expect(mixing() == nil)
    #expect(mixing(mixup: 0.2)?.cutMix == 0 && mixing(cutMix: 1)?.mixup == 0)
  }

  @Test(arguments: [2, 3, 5]) func `mixup blends each image with the one before it`(count: Int) throws {
    for seed in 0..<20 as Range<UInt64> {
      let before = batch(count)
      var mixed = before
      try #require(mixing(mixup: 0.5)).mix(&mixed, size: 6, generator: RandomGenerator(seed: seed))
      let mixture = try #require(mixed.mixture)
      #expect((0...1).contains(mixture.share) && mixed.labels == before.labels)
      for image in 0..<count {
        let other = (image + count - 1) % count
        #expect(mixture.labels[image] == before.labels[other])
        for place in 0..<108 {
          let (own, added) = (before.images[108 * image + place], before.images[108 * other + place])
          let expected = mixture.share * Double(own) + (1 - mixture.share) * Double(added)
          #expect(abs(Double(mixed.images[108 * image + place]) - expected) < 1e-6)
        }
      }
    }
  }

  @Test(arguments: [2, 4]) func `CutMix replaces one rectangle, the same in all, and its area is the share`(
    count: Int
  )
    throws
  {
    var shares: Set<Double> = []
    for seed in 0..<60 as Range<UInt64> {
      let before = batch(count)
      var mixed = before
      try #require(mixing(cutMix: 1)).mix(&mixed, size: 6, generator: RandomGenerator(seed: seed))
      let mixture = try #require(mixed.mixture)
      var replaced: [Set<Int>] = []
      for image in 0..<count {
        let other = (image + count - 1) % count
        #expect(mixture.labels[image] == before.labels[other])
        var pixels: Set<Int> = []
        for place in 0..<108 {
          let value = mixed.images[108 * image + place]
          if value == before.images[108 * other + place] {
            pixels.insert(place / 3)
          } else {
            #expect(value == before.images[108 * image + place])
          }
        }
        replaced.append(pixels)
      }
      #expect(replaced.allSatisfy { $0 == replaced[0] })
      let (columns, rows) = (Set(replaced[0].map { $0 % 6 }), Set(replaced[0].map { $0 / 6 }))
      #expect(replaced[0].count == columns.count * rows.count, "a rectangle")
      #expect(abs(mixture.share - (1 - Double(replaced[0].count) / 36)) < 1e-12)
      shares.insert(mixture.share)
    }
    #expect(shares.count > 5)
  }

  @Test func `of both, each batch is mixed by one`() throws {
    let both = try #require(mixing(mixup: 1, cutMix: 1))
    let cuts = (0..<200 as Range<UInt64>).count { seed in
      let before = batch(2)
      var mixed = before
      both.mix(&mixed, size: 6, generator: RandomGenerator(seed: seed))
      // Blending leaves no value as it was in either image.
      return zip(mixed.images, before.images).contains { $0 == $1 }
        || zip(mixed.images, before.images[108...]).contains { $0 == $1 }
    }
    #expect((70...130).contains(cuts))
  }

  @Test func `a single image stays what it is`() throws {
    let before = batch(1)
    var mixed = before
    try #require(mixing(mixup: 1)).mix(&mixed, size: 6, generator: RandomGenerator(seed: 1))
    #expect(mixed == before && mixed.mixture == nil)
    var empty = batch(0)
    try #require(mixing(cutMix: 1)).mix(&empty, size: 6, generator: RandomGenerator(seed: 1))
    #expect(empty == batch(0))
  }

  /// Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1)).
  @Test(arguments: [0.001, 0.1, 0.2, 0.5, 1, 2, 30, 100]) func `shares have the distribution's mean and variance`(
    alpha: Double
  ) {
    var generator = RandomGenerator(seed: 17)
    let shares = (0..<20_000).map { _ in generator.beta(alpha) }
    #expect(shares.allSatisfy { (0...1).contains($0) })
    let mean = shares.reduce(0, +) / 20_000
    let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
    let expected = 1 / (4 * (2 * alpha + 1))
    #expect(abs(mean - 0.5) < 5 * (expected / 20_000).squareRoot())
    #expect(abs(variance - expected) < 0.05 * expected)
  }

  @Test func `batches are mixed the same by any number of workers, and from the middle of an epoch on`() throws {
    let folder = try TemporaryFolder()
    let items = (0..<23).map { DatasetItem(path: "\($0 % 3)/\($0).png", label: $0 % 3, split: .train) }
    for (number, item) in items.enumerated() {
      let pixels = (0..<(10 * 9 * 3)).map { UInt8(truncatingIfNeeded: $0 &* (number + 3) &+ number) }
      let file = PNGFile.rgb(PixelImage(width: 10, height: 9, pixels: pixels))
      // One of them does not decode.
      try folder.write(number == 7 ? Array(file[..<50]) : file, to: item.path)
    }
    func loader(workers: Int, seed: UInt64 = 5) -> BatchLoader {
      BatchLoader(
        items: items, root: folder.path, preprocessing: preprocessing, batchSize: 4,
        mode: .training(
          augmentation: Augmentation(resolving: AugmentationSettings(erasing: 0.5), resize: .stretch), seed: seed,
          mixing: mixing(mixup: 0.4, cutMix: 1)), workers: workers)
    }
    let whole = Array(loader(workers: 1).epoch(2))
    #expect(whole.allSatisfy { $0.mixture?.labels.count == $0.labels.count })
    #expect(Set(whole.map { $0.mixture?.share ?? 2 }).count > 3, "each batch draws a share of its own")
    #expect(Array(loader(workers: 3).epoch(2)) == whole)
    #expect(Array(loader(workers: 1).epoch(2, fromBatch: 3)) == Array(whole[3...]))
    #expect(Array(loader(workers: 1).epoch(3)).map(\.mixture) != whole.map(\.mixture))
    #expect(Array(loader(workers: 1, seed: 6).epoch(2)).map(\.mixture) != whole.map(\.mixture))
  }
}
