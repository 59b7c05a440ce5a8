// Which split an image's own path says it belongs to. The answer depends on nothing else, so adding or removing files
// never changes it. Where the answers for a class come out unfairly, SplitShares.swift corrects a few of them.

import Messages
import Support

// A rule that looks at one path only cannot count, so it cannot make any set of names come out exactly. It can make
// the sets come out that cameras and programs write, names with numbers: IMG_1118.JPG, disc-0007.png, 12.png.
// Such names fill blocks of a hundred numbers, ten rows of ten. A random Latin square over each block (every symbol
// once in each row and each column) gives each number a tenth of the images, and each of the ten numbers with one
// symbol gets another hundredth of it. So ten consecutive numbers hit every tenth of the range once, ten numbers ten
// apart do too, and a hundred hit every hundredth once: a class that is numbered through is within one or two images
// of the ratio, one where every second, fifth or tenth number is missing too. Squares of different blocks and of
// different name patterns are independent: any other choice of numbers is as good as drawn by chance, which is also
// what names without numbers get. (A walk by the golden ratio does better still for most steps between numbers, and
// far worse than chance for Fibonacci's: 50 images of numbers 89 apart would all be training images.)

extension SplitSettings {
  /// - Throws: `DatasetError.invalidSplit` unless the three are percentages that add up to 100.
  func validate() throws(DatasetError) {
    let shares = [train, validation, test]
    guard shares.allSatisfy({ (0...100).contains($0) }), shares.reduce(0, +) == 100 else {
      throw .invalidSplit(self)
    }
  }

  /// The split of an image in a dataset that has no split folders.
  /// - Parameter path: relative to the dataset's folder.
  func split(ofPath path: String) -> Split {
    let place = Self.place(ofPath: path, below: train + validation + test)
    if place < Double(train) { return .train }
    return place < Double(train + validation) ? .validation : .test
  }

  /// The split of an image in the folder `train` of a dataset that has no validation folder: validation images are
  /// taken out of it in the ratio validation : train.
  /// - Parameter path: relative to the dataset's folder.
  func splitWithinTraining(ofPath path: String) -> Split {
    guard train + validation > 0 else { return .train }
    return Self.place(ofPath: path, below: train + validation) < Double(validation) ? .validation : .train
  }

  /// 0 ..< bound, evenly spread over paths.
  private static func place(ofPath path: String, below bound: Int) -> Double {
    guard let numbered = NumberedName(path: path) else {
      // FNV-1a's high bits hardly depend on the last letters; the generator mixes them all.
      var generator = RandomGenerator(seed: stableHash(path))
      return Double(generator.integer(below: bound))
    }
    // A percent of a hundred: exact in floating point.
    return (Double(numbered.hundredth) + numbered.remainder) * Double(bound) / 100
  }
}

/// A path whose file name holds a number: the last run of digits before the extension.
private struct NumberedName {
  private let number: UInt64
  /// Stands for the path without the number.
  private let pattern: UInt64

  /// nil for names without digits.
  init?(path: String) {
    let found = path.utf8.withContiguousStorageIfAvailable { Self.find(in: $0) }
    guard let (number, pattern) = found ?? Array(path.utf8).withUnsafeBufferPointer({ Self.find(in: $0) }) else {
      return nil
    }
    self.number = number
    self.pattern = pattern
  }

  private static func find(in path: UnsafeBufferPointer<UInt8>) -> (number: UInt64, pattern: UInt64)? {
    func isDigit(_ index: Int) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(path[index]) }
    let name = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    var end = path[name...].lastIndex(of: UInt8(ascii: ".")).flatMap { $0 > name ? $0 : nil } ?? path.count
    while end > name && !isDigit(end - 1) { end -= 1 }
    guard end > name else { return nil }
    var start = end
    while start > name && isDigit(start - 1) { start -= 1 }
    // Of numbers beyond 64 bits the low bits will do.
    let number = path[start..<end].reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 - UInt8(ascii: "0")) }
    let pattern = stableHash(path[end...], from: stableHash(CollectionOfOne(0), from: stableHash(path[..<start])))
    return (number, pattern)
  }

  /// 0 ..< 100: the Latin square's symbol, and which of the ten numbers with this symbol it is.
  var hundredth: Int {
    let (block, place) = number.quotientAndRemainder(dividingBy: 100)
    let (row, column) = Int(place).quotientAndRemainder(dividingBy: 10)
    var generator = RandomGenerator(pattern, block)
    let rows = generator.permutation(10)
    let columns = generator.permutation(10)
    let symbols = generator.permutation(10)
    let symbol = symbols[(rows[row] + columns[column]) % 10]
    var order = RandomGenerator(pattern, block, UInt64(symbol))
    return symbol * 10 + order.permutation(10)[row]
  }

  /// 0 ..< 1: where in its hundredth it lies.
  var remainder: Double {
    var generator = RandomGenerator(pattern, number, 0)
    return Double(generator.uniform())
  }
}
