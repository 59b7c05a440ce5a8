// The cached form of an image: what it is, and that evaluation sees the same through it.

import Support
import Messages
import Testing

@testable import Datasets

private func noise(_ width: Int, _ height: Int) -> PixelImage {
  var generator = RandomGenerator(seed: UInt64(width * 1000 + height))
  return PixelImage(
    width: width, height: height,
    pixels: (0..<(width * height * 3)).map { _ in UInt8(generator.integer(below: 256)) })
}

private func preprocessing(_ size: Int, _ resize: Preprocessing.Resize) -> Preprocessing {
  Preprocessing(imageSize: size, resize: resize, mean: [0, 0, 0], std: [1, 1, 1])
}

private let sizes = [
  (1, 1), (1, 300), (7, 5), (28, 28), (28, 60), (32, 32), (32, 41), (33, 32), (31, 90), (64, 48), (97, 51),
  (200, 33),
]

@Test(arguments: [Preprocessing.Resize.stretch, .crop])
func `evaluation sees the same through the cached form`(resize: Preprocessing.Resize) {
  let preprocessing = preprocessing(28, resize)
  for (width, height) in sizes {
    let image = noise(width, height)
    let stored = preprocessing.cachedForm(of: image)
    #expect(preprocessing.evaluationInput(stored) == preprocessing.evaluationInput(image), "\(width)x\(height)")
    #expect(preprocessing.cachedForm(of: stored) == stored)
    let size = preprocessing.cachedSize(width: width, height: height)
    #expect(stored.width == size.width && stored.height == size.height)
  }
}

@Test func `stretched, it is the square; cropped, the whole image, its shorter side at most 256/224 of the size`() {
  #expect(preprocessing(16, .stretch).cachedForm(of: noise(40, 20)) == noise(40, 20).resized(width: 16, height: 16))
  let cropping = preprocessing(28, .crop)
  #expect(cropping.cachedForm(of: noise(96, 64)) == noise(96, 64).resized(width: 48, height: 32))
  #expect(cropping.cachedForm(of: noise(64, 96)) == noise(64, 96).resized(width: 32, height: 48))
  // Never enlarged.
  for (width, height) in [(20, 30), (32, 32), (31, 400)] {
    #expect(cropping.cachedForm(of: noise(width, height)) == noise(width, height))
  }
}
