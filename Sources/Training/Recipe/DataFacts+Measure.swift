// What a recipe looks at in a dataset: counts from the index, sizes, colors and the time to decode from a few files.

import Datasets
import Images
import Messages
import Support

extension DataFacts {
  /// So many training images are looked into, at even distances.
  static let lookedAt = 48

  /// - Parameter isCancelled: asked before each file; true leaves the rest out.
  /// - Throws: `DatasetError.noDecodableImages` where none of those looked at can be decoded.
  init(measuring index: DatasetIndex, isCancelled: () -> Bool = { false }) throws {
    let training = index.items(in: .train)
    var counts = [Int](repeating: 0, count: index.classes.count)
    for item in training { counts[item.label] += 1 }
    let present = counts.filter { $0 > 0 }

    var sides: [Int] = []
    var aspects: [Double] = []
    var isGray = true
    var failure: DecodingFailure?
    let decoder = ImageDecoder()
    let clock = ContinuousClock()
    let start = clock.now
    let count = min(Self.lookedAt, training.count)
    for place in 0..<count where !isCancelled() {
      let item = training[place * training.count / count]
      let path = item.absolutePath(root: index.root)
      do throws(DecodingFailure) {
        let header = try decoder.header(path: path, name: item.path)
        let image = try decoder.decode(path: path, name: item.path, minimumSide: 128)
        sides.append(min(header.width, header.height))
        aspects.append(Double(max(header.width, header.height)) / Double(max(1, min(header.width, header.height))))
        if isGray { isGray = image.isGray }
      } catch {
        failure = failure ?? error
      }
    }
    guard !sides.isEmpty else { throw DatasetError.noDecodableImages(path: index.root, first: failure) }
    self.init(
      trainingImages: training.count, validationImages: index.items(in: .validation).count,
      testImages: index.items(in: .test).count, classes: index.classes.count, smallestClass: present.min() ?? 0,
      largestClass: present.max() ?? 0, shorterSide: sides.median, aspect: aspects.median, isGray: isGray,
      decodingSeconds: (clock.now - start).seconds / Double(sides.count),
      mirroringHarm: MirroringHarm.suggested(by: index.classes))
  }
}

extension Array where Element: Comparable {
  fileprivate var median: Element { sorted()[count / 2] }
}

extension PixelImage {
  /// Whether the three channels are the same but for what JPEG's rounding does.
  fileprivate var isGray: Bool {
    stride(from: 0, to: pixels.count - 2, by: 3).allSatisfy { place in
      let (red, green, blue) = (Int(pixels[place]), Int(pixels[place + 1]), Int(pixels[place + 2]))
      return abs(red - green) <= 3 && abs(green - blue) <= 3
    }
  }
}

/// Classes that may turn into one another in a mirror.
enum MirroringHarm {
  /// Words for sides: with one in a class's name, its mirror image is of another.
  private static let sides: Set<String> = [
    "left", "right", "clockwise", "counterclockwise", "anticlockwise", "east", "west",
  ]
  /// Words for writing.
  private static let writing: Set<String> = [
    "digit", "digits", "letter", "letters", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
    "nine", "alpha", "beta", "gamma", "delta",
  ]

  /// Why a mirrored image may be of another class; nil where the names do not suggest it.
  static func suggested(by classes: [String]) -> String? {
    let words = classes.map { name in
      name.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
    if let place = words.firstIndex(where: { !sides.isDisjoint(with: $0) }) {
      return "the class \(classes[place]) is about a side"
    }
    func isSign(_ words: [String]) -> Bool {
      words.count == 1 && (words[0].count == 1 || words[0].allSatisfy(\.isNumber))
    }
    let signs = words.count { isSign($0) || !writing.isDisjoint(with: $0) }
    guard signs * 2 >= classes.count, signs > 1 else { return nil }
    return "classes named \(classes.prefix(3).joined(separator: ", ")) look like signs, which a mirror changes"
  }
}
