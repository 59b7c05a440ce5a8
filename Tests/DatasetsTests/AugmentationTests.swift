// Random changes: their bounds, their fixed dependence on the generator, and the zeros of the padding.

import Support
import Images
import Messages
import Testing

@testable import Datasets

private let preprocessing = Preprocessing(
  imageSize: 16, resize: .stretch, mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2])

private let photograph = PixelImage(
  width: 40, height: 30, pixels: (0..<3600).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 7) })

private func augmentation(
  _ crop: Augmentation.Crop, flip: Bool = false, jitter: Double = 0
) -> Augmentation {
  Augmentation(crop: crop, horizontalFlip: flip, colorJitter: jitter)
}

private func values(_ input: AugmentedImage) -> [Float] {
  var values = [Float](repeating: .nan, count: 16 * 16 * 3)
  values.withUnsafeMutableBufferPointer { preprocessing.normalize(input, into: $0) }
  return values
}

@Test func `automatic follows the preprocessing`() {
  #expect(Augmentation(resolving: AugmentationSettings(), resize: .crop).crop == .randomResized)
  #expect(Augmentation(resolving: AugmentationSettings(), resize: .stretch).crop == .padAndCrop)
  let settings = AugmentationSettings(crop: .none, horizontalFlip: false, colorJitter: 0.5)
  #expect(Augmentation(resolving: settings, resize: .crop) == augmentation(.none, jitter: 0.5))
}

@Test(arguments: [Augmentation.Crop.none, .padAndCrop, .randomResized])
func `the same generator gives the same input and another gives another`(crop: Augmentation.Crop) {
  let augmentation = augmentation(crop, flip: true, jitter: 0.3)
  func input(_ seed: UInt64) -> AugmentedImage {
    var generator = RandomGenerator(seed: seed)
    return augmentation.trainingInput(photograph, preprocessing: preprocessing, generator: &generator)
  }
  #expect(input(1) == input(1))
  #expect(input(1) != input(2))
}

@Test func `nothing asked for leaves the evaluation input`() {
  var generator = RandomGenerator(seed: 3)
  let input = augmentation(.none).trainingInput(photograph, preprocessing: preprocessing, generator: &generator)
  #expect(input == AugmentedImage(image: preprocessing.evaluationInput(photograph), size: 16))
}

@Test func `the padding is an eighth of the side and every shift occurs`() {
  var generator = RandomGenerator(seed: 4)
  var lefts: Set<Int> = []
  var tops: Set<Int> = []
  for _ in 0..<200 {
    let input = augmentation(.padAndCrop)
      .trainingInput(photograph, preprocessing: preprocessing, generator: &generator)
    lefts.insert(input.left)
    tops.insert(input.top)
  }
  #expect(lefts == Set(-2...2) && tops == Set(-2...2))
}

@Test(arguments: [(-2, -1), (0, 0), (1, 2), (-1, 2), (2, -2)], [false, true])
func `beyond the image is zero after normalization`(shift: (Int, Int), isMirrored: Bool) {
  let (left, top) = shift
  let image = preprocessing.evaluationInput(photograph)
  let values = values(AugmentedImage(image: image, size: 16, left: left, top: top, isMirrored: isMirrored))
  for y in 0..<16 {
    for x in 0..<16 {
      let (column, row) = ((isMirrored ? 15 - x : x) + left, y + top)
      for channel in 0..<3 {
        let value = values[3 * (16 * y + x) + channel]
        guard (0..<16).contains(column), (0..<16).contains(row) else {
          #expect(value == 0)
          continue
        }
        let byte = image.pixels[3 * (16 * row + column) + channel]
        #expect(value == (Float(byte) / 255 - preprocessing.mean[channel]) / 0.2)
      }
    }
  }
}

@Test func `half of the images are mirrored`() {
  var generator = RandomGenerator(seed: 5)
  let mirrored = (0..<400).filter { _ in
    augmentation(.none, flip: true)
      .trainingInput(photograph, preprocessing: preprocessing, generator: &generator).isMirrored
  }
  #expect((160...240).contains(mirrored.count))
}

@Test func `a random crop keeps to its area and aspect`() {
  var generator = RandomGenerator(seed: 6)
  var smallest = 1.0
  for _ in 0..<1000 {
    let box = Augmentation.randomBox(width: 400, height: 300, generator: &generator)
    #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 400 && box.y + box.height <= 300)
    let (area, aspect) = (box.width * box.height / 120_000, box.width / box.height)
    #expect((0.345...1).contains(area) && (0.74...1.35).contains(aspect))
    smallest = min(smallest, area)
  }
  #expect(smallest < 0.4)
}

@Test(arguments: [(1000, 10, 13, 10), (10, 1000, 10, 13), (1, 1, 1, 1)])
func `an image too narrow for any crop gives its center`(width: Int, height: Int, boxWidth: Int, boxHeight: Int) {
  var generator = RandomGenerator(seed: 7)
  for _ in 0..<50 {
    let box = Augmentation.randomBox(width: width, height: height, generator: &generator)
    #expect(
      box
        == SourceBox(
          x: Double((width - boxWidth) / 2), y: Double((height - boxHeight) / 2), width: Double(boxWidth),
          height: Double(boxHeight)))
  }
}

@Test func `color jitter changes colors within bounds and keeps gray gray`() {
  var generator = RandomGenerator(seed: 8)
  let gray = PixelImage(width: 2, height: 1, pixels: [60, 60, 60, 180, 180, 180])
  var darkest: UInt8 = 255
  var brightest: UInt8 = 0
  for _ in 0..<300 {
    var changed = gray
    changed.jitterColors(by: 0.2, generator: &generator)
    #expect(changed.pixels[0] == changed.pixels[1] && changed.pixels[1] == changed.pixels[2])
    // The mean 120 is multiplied by the brightness b, the distance 60 from it by b and the contrast c, both in
    // 0.8...1.2: the values become 60 b (2 - c) and 60 b (2 + c).
    #expect((38...87).contains(changed.pixels[0]) && (134...231).contains(changed.pixels[3]))
    darkest = min(darkest, changed.pixels[3])
    brightest = max(brightest, changed.pixels[3])
  }
  #expect(darkest < 145 && brightest > 215)
}

@Test func `the weakest saturation is gray`() {
  // Strength 1 reaches saturation 0...2; whatever is drawn, pixels keep the order of their channels.
  var generator = RandomGenerator(seed: 9)
  for _ in 0..<100 {
    var changed = PixelImage(width: 1, height: 1, pixels: [200, 100, 50])
    changed.jitterColors(by: 1, generator: &generator)
    #expect(changed.pixels[0] >= changed.pixels[1] && changed.pixels[1] >= changed.pixels[2])
  }
}
