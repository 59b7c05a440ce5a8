// An index and a file check without files, for tests of what is said about them.

import Support
import Images
import Messages

@testable import Datasets

/// One image as invented for a test.
struct Invented {
  var path: String
  var label = 0
  var split = Split.train
  var width = 100
  var height = 100
  var failure: String?
  var header: ImageHeader?
  var sums = ChannelSums()
  var transparency = Transparency.opaque
  var cause = DecodingFailure.Cause.content

  var item: DatasetItem { DatasetItem(path: path, label: label, split: split) }

  var facts: ImageFacts {
    let outcome: ImageFacts.Outcome =
      if let failure {
        .failed(failure, cause)
      } else {
        .decoded(
          header ?? ImageHeader(format: .jpeg, width: width, height: height, channels: .rgb, bitDepth: 8), sums,
          transparency)
      }
    return ImageFacts(bytes: 10, content: contentHash(Array(path.utf8)), outcome: outcome)
  }
}

/// So many images of each class in training, named by number.
func usualImages(_ count: Int = 100, classes: Int = 2, split: Split = .train) -> [Invented] {
  (0..<classes).flatMap { label in
    (0..<count).map { Invented(path: "\(split.rawValue)/\(label)/\($0).jpg", label: label, split: split) }
  }
}

func contentHash(_ bytes: [UInt8]) -> ContentHash { bytes.withUnsafeBytes { ContentHash($0) } }

/// The report on invented images; findings that names alone lead to are not in it.
func report(
  _ images: [Invented], classes: [String] = ["a", "b"], copies: [[Int]] = [],
  lookalikes: SimilarImages = SimilarImages()
) -> DatasetReport {
  let index = DatasetIndex(
    root: "/my data", classes: classes, items: images.map(\.item), splitSource: .folders, findings: [])
  return index.report(
    fileCheck: FileCheck(facts: images.map(\.facts), copies: copies, lookalikes: lookalikes))
}

/// A picture of soft blotches that depends on the seed alone.
func blotches(_ seed: UInt64, side: Int = 64) -> PixelImage {
  var generator = RandomGenerator(seed: seed)
  let pixels = (0..<(5 * 5 * 3)).map { _ in UInt8(generator.integer(below: 256)) }
  return PixelImage(width: 5, height: 5, pixels: pixels).resized(width: 64, height: 64)
    .resized(width: side, height: side)
}

extension PixelImage {
  /// Every value changed by at most so much.
  func withNoise(_ amount: Int, seed: UInt64) -> PixelImage {
    var generator = RandomGenerator(seed: seed)
    return PixelImage(
      width: width, height: height,
      pixels: pixels.map {
        UInt8(min(255, max(0, Int($0) + generator.integer(below: 2 * amount + 1) - amount)))
      })
  }
}
