// TrivialAugment's operations against torchvision 0.29, and its space against the paper's table.

import Foundation
import Images
import Messages
import Support
import Testing

@testable import Datasets

@Suite struct TrivialAugmentTests {
  private typealias Operation = TrivialAugment.Operation

  /// The images of make_references.py.
  private static let images = ["noise": noise, "ramp": ramp]

  private static let noise = PixelImage(
    width: 9, height: 7, pixels: (0..<189).map { (i: Int) -> UInt8 in UInt8((37 * i + 11 * i * i) % 256) })

  private static let ramp: PixelImage = {
    var pixels: [UInt8] = []
    for y in 0..<15 {
      for x in 0..<18 { pixels += [UInt8(20 + 9 * x + 2 * y), UInt8(30 + 5 * y + x), UInt8(200 - 3 * x - 4 * y)] }
    }
    return PixelImage(width: 18, height: 15, pixels: pixels)
  }()

  @Test func `each operation gives torchvision's pixels`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "torchvision", withExtension: "txt", subdirectory: "Fixtures/TrivialAugment"))
    var seen: Set<String> = []
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      let image = try #require(Self.images[words[0]])
      let operation = try #require(Operation(rawValue: words[1]))
      let magnitude = try #require(Double(words[2]))
      let expected = [UInt8](try #require(Data(base64Encoded: words[3])))
      var changed = image
      if let map = operation.map(magnitude, width: Double(image.width), height: Double(image.height)) {
        changed = image.warped(width: image.width, height: image.height, by: map, beyond: .zero)
      } else {
        operation.recolor(&changed, magnitude)
      }
      let difference = zip(changed.pixels, expected).map { abs(Int($0) - Int($1)) }.max()
      // torchvision cuts off where this rounds.
      #expect(
        changed.pixels.count == expected.count && difference ?? 9 <= 1, "\(words.prefix(3)): \(difference ?? 9)")
      let changes = ![.identity].contains(operation) && !(magnitude == 8 && operation == .posterize)
      if changes, operation != .solarize || magnitude < 200, operation != .equalize || words[0] == "ramp",
        operation != .autoContrast || words[0] == "ramp"
      {
        #expect(expected != image.pixels, "\(words.prefix(3))")
      }
      seen.insert(words[1])
    }
    #expect(seen == Set(Operation.allCases.map(\.rawValue)))
  }

  @Test func `strengths are those of the wide space`() {
    func ends(_ operation: Operation) -> [Double] {
      [(0, false), (30, false), (30, true)].map { operation.magnitude($0, isNegative: $1) }
    }
    for operation in [Operation.identity, .autoContrast, .equalize] { #expect(ends(operation) == [0, 0, 0]) }
    for operation in [Operation.shearX, .shearY, .brightness, .color, .contrast, .sharpness] {
      #expect(ends(operation) == [0, 0.99, -0.99])
    }
    for operation in [Operation.translateX, .translateY] { #expect(ends(operation) == [0, 32, -32]) }
    #expect(ends(.rotate) == [0, 135, -135])
    #expect(ends(.posterize) == [8, 2, 2])
    #expect(ends(.solarize) == [255, 0, 0])
    #expect(
      Set((0..<31).map { Operation.posterize.magnitude($0, isNegative: false) }) == Set((2...8).map(Double.init)))
    #expect(Operation.allCases.count == 14)
  }

  @Test func `every operation occurs about as often`() {
    // An image by which each can be told: that of a single pixel cannot, so the draws are counted.
    var counts: [Int: Int] = [:]
    for image in 0..<2800 as Range<UInt64> {
      var chance = AugmentationChance(seed: 1, epoch: 0, image: image)
      counts[chance.generator.integer(below: Operation.allCases.count), default: 0] += 1
    }
    #expect(counts.count == 14 && counts.values.allSatisfy { (140...260).contains($0) })
    let preprocessing = Preprocessing(imageSize: 18, resize: .stretch, mean: [0.5, 0.5, 0.5], std: [1, 1, 1])
    let results = (0..<300 as Range<UInt64>).map { image in
      var input = AugmentedImage(image: Self.ramp.resized(width: 18, height: 18), size: 18)
      var chance = AugmentationChance(seed: 1, epoch: 0, image: image)
      TrivialAugment().change(&input, preprocessing, &chance)
      return input.image.pixels
    }
    #expect(Set(results).count > 100)
  }

  @Test func `an image of one color survives every operation`() {
    for side in [1, 2, 3] {
      let plain = PixelImage(width: side, height: side, pixels: Array(repeating: 255, count: side * side * 3))
      for operation in Operation.allCases {
        for strength in 0..<31 {
          var image = plain
          let magnitude = operation.magnitude(strength, isNegative: true)
          operation.recolor(&image, magnitude)
          if let map = operation.map(magnitude, width: Double(side), height: Double(side)) {
            image = image.warped(width: side, height: side, by: map, beyond: SIMD3(0, 128, 255))
          }
          #expect(image.pixels.count == plain.pixels.count)
        }
      }
    }
  }
}
