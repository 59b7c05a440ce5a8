// Random changes: which there are and in which order, their bounds, their fixed dependence on seed, epoch and image,
// and the zeros of the padding.

import Foundation
import Images
import Messages
import Support
import Testing

@testable import Datasets

private let preprocessing = Preprocessing(
  imageSize: 16, resize: .stretch, mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2])

private let photograph = PixelImage(
  width: 40, height: 30, pixels: (0..<3600).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 7) })

private func augmentation(_ change: (inout AugmentationSettings) -> Void = { _ in }) -> Augmentation {
  var settings = AugmentationSettings(crop: .none, horizontalFlip: false)
  change(&settings)
  return Augmentation(resolving: settings, resize: .stretch)
}

/// Every change there is.
private let everything = augmentation {
  $0 = AugmentationSettings(
    crop: .padAndCrop, horizontalFlip: true, verticalFlip: true, rotation: 20, automatic: .trivial,
    colorJitter: 0.3,
    erasing: 0.5)
}

private func input(
  _ augmentation: Augmentation, seed: UInt64 = 1, epoch: Int = 0, image: UInt64 = 2,
  of picture: PixelImage = photograph
) -> AugmentedImage {
  augmentation.trainingInput(
    picture, preprocessing: preprocessing, chance: AugmentationChance(seed: seed, epoch: epoch, image: image))
}

private func values(_ input: AugmentedImage) -> [Float] {
  var values = [Float](repeating: .nan, count: 16 * 16 * 3)
  values.withUnsafeMutableBufferPointer { preprocessing.normalize(input, into: $0) }
  return values
}

@Test func `automatic follows the preprocessing`() {
  for (resize, crop) in [
    (Preprocessing.Resize.crop, AugmentationSettings.Crop.randomResized), (.stretch, .padAndCrop),
    (.pad, .padAndCrop),
  ] {
    let resolved = Augmentation(resolving: AugmentationSettings(), resize: resize)
    #expect(resolved == Augmentation(resolving: AugmentationSettings(crop: crop), resize: .stretch))
    #expect(resolved != Augmentation(resolving: AugmentationSettings(crop: .none), resize: resize))
  }
}

@Test func `steps stand in a list in their order, and what is off is not in it`() {
  #expect(augmentation().steps.isEmpty)
  let names = everything.steps.map { String(describing: type(of: $0)) }
  #expect(
    names == ["HorizontalFlip", "VerticalFlip", "TrivialAugment", "RandomRotation", "ColorJitter", "RandomErasing"])
  let alternating = augmentation {
    $0.horizontalFlip = true
    $0.alternatesFlip = true
  }
  #expect(alternating.steps.first is AlternatingFlip && alternating.steps.count == 1)
  #expect(augmentation { $0.rotation = 5 } != augmentation { $0.rotation = 6 })
  #expect(augmentation { $0.erasing = 0.5 } != augmentation { $0.verticalFlip = true })
}

@Test func `what is done to an image is a function of seed, epoch and image`() {
  for augmentation in [
    everything, augmentation { $0.crop = .padAndCrop }, augmentation { $0.crop = .randomResized },
    augmentation { $0.automatic = .trivial }, augmentation { $0.rotation = 10 }, augmentation { $0.erasing = 1 },
  ] {
    #expect(input(augmentation) == input(augmentation))
    // Of one in two that are the same by chance, some differ.
    #expect((10..<30).contains { input(augmentation, seed: $0) != input(augmentation) })
    #expect((1..<20).contains { input(augmentation, epoch: $0) != input(augmentation) })
    #expect((10..<30).contains { input(augmentation, image: $0) != input(augmentation) })
  }
}

@Test func `nothing asked for leaves the evaluation input`() {
  #expect(input(augmentation()) == AugmentedImage(image: preprocessing.evaluationInput(photograph), size: 16))
}

/// The numbers that the loop drew before there were other augmentations: crop, mirroring, brightness, contrast,
/// saturation, from one generator.
@Test func `a run with the usual augmentations keeps its bits`() {
  let usual = Augmentation(resolving: AugmentationSettings(colorJitter: 0.2), resize: .stretch)
  for epoch in 0..<20 {
    var generator = RandomGenerator(1, UInt64(epoch), 2, stableHash("augmentation"))
    var expected = AugmentedImage(image: preprocessing.evaluationInput(photograph), size: 16)
    expected.left = generator.integer(below: 5) - 2
    expected.top = generator.integer(below: 5) - 2
    expected.isMirrored = generator.uniform() < 0.5
    expected.image.jitterColors(by: 0.2, generator: &generator)
    #expect(input(usual, epoch: epoch) == expected)
  }
}

// MARK: Crops

@Test func `the padding is an eighth of the side and every shift occurs`() {
  let inputs = (0..<200).map { input(augmentation { $0.crop = .padAndCrop }, seed: $0) }
  #expect(Set(inputs.map(\.left)) == Set(-2...2) && Set(inputs.map(\.top)) == Set(-2...2))
}

@Test(
  arguments: [(-2, -1), (0, 0), (1, 2), (-1, 2), (2, -2)],
  [(false, false), (true, false), (false, true), (true, true)])
func `beyond the image is zero after normalization`(shift: (Int, Int), flips: (Bool, Bool)) {
  let (left, top) = shift
  let (isMirrored, isUpsideDown) = flips
  let image = preprocessing.evaluationInput(photograph)
  let values = values(
    AugmentedImage(
      image: image, size: 16, left: left, top: top, isMirrored: isMirrored, isUpsideDown: isUpsideDown))
  for y in 0..<16 {
    for x in 0..<16 {
      let (column, row) = ((isMirrored ? 15 - x : x) + left, (isUpsideDown ? 15 - y : y) + top)
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

@Test(arguments: [0.35, 0.6, 1]) func `a random crop keeps to its area and aspect`(leastArea: Double) {
  var generator = RandomGenerator(seed: 6)
  var smallest = 1.0
  for _ in 0..<1000 {
    let box = RandomResizedCrop(leastArea: leastArea).box(width: 400, height: 300, &generator)
    #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 400 && box.y + box.height <= 300)
    let (area, aspect) = (box.width * box.height / 120_000, box.width / box.height)
    #expect(((leastArea - 0.005)...1).contains(area) && (0.74...1.35).contains(aspect))
    smallest = min(smallest, area)
  }
  #expect(smallest < leastArea + 0.05)
}

@Test func `the smallest area of a crop is the setting's, and a third if there is none`() {
  #expect(
    augmentation { $0.crop = .randomResized }.crop as? RandomResizedCrop == RandomResizedCrop(leastArea: 0.35))
  let large = augmentation {
    $0.crop = .randomResized
    $0.cropScale = 0.8
  }
  #expect(large.crop as? RandomResizedCrop == RandomResizedCrop(leastArea: 0.8))
}

@Test(arguments: [(1000, 10, 13, 10), (10, 1000, 10, 13), (1, 1, 1, 1)])
func `an image too narrow for any crop gives its center`(width: Int, height: Int, boxWidth: Int, boxHeight: Int) {
  var generator = RandomGenerator(seed: 7)
  for _ in 0..<50 {
    let box = RandomResizedCrop(leastArea: 0.35).box(width: width, height: height, &generator)
    #expect(
      box
        == SourceBox(
          x: Double((width - boxWidth) / 2), y: Double((height - boxHeight) / 2), width: Double(boxWidth),
          height: Double(boxHeight)))
  }
}

// MARK: Flips

@Test func `half of the images are mirrored, half upside down, and neither follows from the other`() {
  let flips = augmentation {
    $0.horizontalFlip = true
    $0.verticalFlip = true
  }
  let inputs = (0..<400).map { input(flips, seed: $0) }
  #expect((160...240).contains(inputs.count(where: \.isMirrored)))
  #expect((160...240).contains(inputs.count(where: \.isUpsideDown)))
  #expect((160...240).contains(inputs.count { $0.isMirrored == $0.isUpsideDown }))
}

@Test func `an alternating flip mirrors half in the first epoch, the other half in the next, and so on`() {
  let flip = augmentation {
    $0.horizontalFlip = true
    $0.alternatesFlip = true
  }
  func mirrored(seed: UInt64, epoch: Int) -> [Bool] {
    (0..<400).map { input(flip, seed: seed, epoch: epoch, image: $0).isMirrored }
  }
  let first = mirrored(seed: 3, epoch: 0)
  #expect((160...240).contains(first.count { $0 }))
  for epoch in 1..<6 {
    #expect(mirrored(seed: 3, epoch: epoch) == (epoch.isMultiple(of: 2) ? first : first.map { !$0 }))
  }
  #expect((160...240).contains(zip(first, mirrored(seed: 4, epoch: 0)).count { $0 == $1 }))
}

// MARK: Rotation

@Test func `a rotation leaves no more than its angle, and beyond the image is the mean`() {
  let mean: [UInt8] = [128, 102, 77]
  // A bright disc in a corner: where its center comes to tells the angle.
  var corner = PixelImage(width: 16, height: 16, pixels: Array(repeating: 0, count: 768))
  for y in 10..<14 { for x in 10..<14 { for channel in 0..<3 { corner.pixels[3 * (16 * y + x) + channel] = 255 } } }
  var angles: [Double] = []
  for seed in 0..<200 as Range<UInt64> {
    let turned = input(augmentation { $0.rotation = 30 }, seed: seed, of: corner).image
    var (sumX, sumY, sum) = (0.0, 0.0, 0.0)
    for y in 4..<16 {
      for x in 4..<16 {
        let value = Double(turned.pixels[3 * (16 * y + x) + 1])
        guard value > 120 else { continue }
        (sumX, sumY, sum) = (sumX + value * (Double(x) - 7.5), sumY + value * (Double(y) - 7.5), sum + value)
      }
    }
    angles.append(45 - atan2(sumY, sumX) * 180 / .pi)
    // The outermost pixel of a corner comes from outside as soon as the image is turned by much.
    if abs(angles.last ?? 0) > 12 { #expect(Array(turned.pixels.prefix(3)) == mean) }
  }
  #expect(angles.allSatisfy { abs($0) < 32 })
  #expect((angles.min() ?? 0) < -25 && (angles.max() ?? 0) > 25)
}

@Test func `what was noted of a window is done in the pass that warps it`() {
  for (left, top, isMirrored, isUpsideDown) in [
    (-2, 1, false, false), (2, -1, true, false), (-1, -2, true, true), (0, 2, false, true),
  ] {
    let image = preprocessing.evaluationInput(photograph)
    let noted = AugmentedImage(
      image: image, size: 16, left: left, top: top, isMirrored: isMirrored, isUpsideDown: isUpsideDown)
    // The same window with its pixels in place.
    var plain = PixelImage(width: 16, height: 16, pixels: Array(repeating: 0, count: 768))
    for y in 0..<16 {
      for x in 0..<16 {
        let (column, row) = ((isMirrored ? 15 - x : x) + left, (isUpsideDown ? 15 - y : y) + top)
        for channel in 0..<3 {
          plain.pixels[3 * (16 * y + x) + channel] =
            (0..<16).contains(column) && (0..<16).contains(row)
            ? image.pixels[3 * (16 * row + column) + channel] : [128, 102, 77][channel]
        }
      }
    }
    var (one, other) = (noted, AugmentedImage(image: plain, size: 16))
    // A step of half a pixel or so stays within what both have.
    let map = AffineMap(xx: 0.9, xy: 0.1, x0: 0.3, yx: -0.1, yy: 0.9, y0: 1.2)
    one.warp(by: map, preprocessing)
    other.warp(by: map, preprocessing)
    for y in 3..<13 {
      for place in (3 * (16 * y + 3))..<(3 * (16 * y + 13)) {
        #expect(abs(Int(one.image.pixels[place]) - Int(other.image.pixels[place])) <= 1)
      }
    }
  }
}

// MARK: Erasing

@Test func `so many images lose a rectangle of 2 to 40 percent, anywhere, and nothing else`() throws {
  let erasing = augmentation { $0.erasing = 0.25 }
  let plain = values(input(augmentation()))
  var (count, areas, lefts, aspects): (Int, [Int], Set<Int>, [Double]) = (0, [], [], [])
  for seed in 0..<1200 as Range<UInt64> {
    let input = input(erasing, seed: seed)
    guard let erased = input.erased else { continue }
    count += 1
    areas.append(erased.width * erased.height)
    lefts.insert(erased.left)
    aspects.append(Double(erased.height) / Double(erased.width))
    #expect(erased.left + erased.width <= 16 && erased.top + erased.height <= 16)
    let values = values(input)
    for y in 0..<16 {
      for x in 0..<16 {
        let isInside =
          (erased.left..<(erased.left + erased.width)).contains(x)
          && (erased.top..<(erased.top + erased.height)).contains(y)
        let place = 3 * (16 * y + x)
        if !isInside { #expect(values[place..<(place + 3)] == plain[place..<(place + 3)]) }
      }
    }
  }
  #expect((240...360).contains(count))
  // Sides are whole pixels: of 256 pixels 5.12 to 102.4.
  #expect(areas.allSatisfy { (3...112).contains($0) } && (areas.max() ?? 0) > 90)
  #expect(lefts.count > 10 && (aspects.min() ?? 1) < 0.6 && (aspects.max() ?? 1) > 2)
}

@Test func `an erased rectangle holds noise of all levels, or the mean`() throws {
  var (levels, means) = (Set<Float>(), Set<Float>())
  for seed in 0..<100 as Range<UInt64> {
    for fill in AugmentationSettings.ErasingFill.allCases {
      let input = input(
        augmentation {
          $0.erasing = 1
          $0.erasingFill = fill
        }, seed: seed)
      let erased = try #require(input.erased)
      let values = values(input)
      for x in erased.left..<(erased.left + erased.width) {
        let value = values[3 * (16 * erased.top + x)]
        if fill == .mean { means.insert(value) } else { levels.insert(value) }
      }
    }
  }
  #expect(means == [0])
  // (byte / 255 - 0.5) / 0.2
  #expect(levels.count > 150 && levels.allSatisfy { abs($0) <= 2.5 })
  #expect((levels.min() ?? 0) < -2.4 && (levels.max() ?? 0) > 2.4)
}

@Test(arguments: [1, 2, 3]) func `erasing and rotating an image of a few pixels is no mistake`(side: Int) {
  let tiny = Preprocessing(imageSize: side, resize: .stretch, mean: [0, 0, 0], std: [1, 1, 1])
  for seed in 0..<300 as Range<UInt64> {
    let input = everything.trainingInput(
      photograph, preprocessing: tiny, chance: AugmentationChance(seed: seed, epoch: 0, image: 1))
    var values = [Float](repeating: .nan, count: side * side * 3)
    values.withUnsafeMutableBufferPointer { tiny.normalize(input, into: $0) }
    #expect(values.allSatisfy { (0...1).contains($0) })
  }
}

// MARK: Colors

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
