// The split made of a path, and the order of names.

import Support
import Messages
import Testing

@testable import Datasets

/// Computed outside Swift: if these change, every user's split changes.
@Test(arguments: [
  ("cat/IMG_1110.JPG", Split.train),
  ("cat/IMG_1117.JPG", Split.validation),
  ("cat/IMG_1119.JPG", Split.test),
  ("猫/0.jpg", Split.train),
  ("猫/6.jpg", Split.validation),
  ("猫/1.jpg", Split.test),
  ("cat/20190304123055123987654321.png", Split.test),
  // Without numbers.
  ("日本語/猫.jpg", Split.train),
  ("dog/a b.jpg", Split.train),
  ("cat/f.png", Split.validation),
  ("cat/d.png", Split.test),
])
func `the split of a path is the same in every version`(path: String, expected: Split) {
  #expect(SplitSettings().split(ofPath: path) == expected)
}

@Test func `shares of many paths come out as asked`() {
  let settings = SplitSettings(train: 70, validation: 20, test: 10)
  var counts = SplitCounts()
  var carved = SplitCounts()
  for number in 0..<10_000 {
    counts[settings.split(ofPath: "class \(number % 7)/IMG_\(number).jpg")] += 1
    carved[settings.splitWithinTraining(ofPath: "train/class \(number % 7)/IMG_\(number).jpg")] += 1
  }
  #expect((6800...7200).contains(counts.train))
  #expect((1850...2150).contains(counts.validation))
  #expect((900...1100).contains(counts.test))
  // 20 of 90
  #expect((2080...2360).contains(carved.validation))
  #expect(carved.test == 0)
}

@Test func `a share of zero gets nothing and a share of all gets everything`() {
  let all = SplitSettings(train: 100, validation: 0, test: 0)
  let none = SplitSettings(train: 0, validation: 0, test: 100)
  for number in 0..<200 {
    #expect(all.split(ofPath: "\(number)") == .train)
    #expect(all.splitWithinTraining(ofPath: "\(number)") == .train)
    #expect(none.split(ofPath: "\(number)") == .test)
    #expect(none.splitWithinTraining(ofPath: "\(number)") == .train)
  }
}

/// How many of the numbered images of a class come to each split.
private func counts(_ numbers: some Sequence<Int>, _ settings: SplitSettings, class name: String) -> SplitCounts {
  numbers.reduce(into: SplitCounts()) { $0[settings.split(ofPath: "\(name)/img_\($1).jpg")] += 1 }
}

private func deviation(_ counts: SplitCounts, _ settings: SplitSettings) -> Double {
  let wanted = [settings.train, settings.validation, settings.test].map { Double($0 * counts.total) / 100 }
  return zip(Split.allCases, wanted).map { abs(Double(counts[$0]) - $1) }.max() ?? 0
}

@Test(arguments: [1, 2, 5, 10]) func `a class that is numbered through comes out within a few images of the ratio`(
  step: Int
) {
  let settings = SplitSettings()
  var generator = RandomGenerator(seed: 3)
  var sum = 0.0
  for round in 0..<60 {
    let first = generator.integer(below: 10_000)
    let count = step * (20 + generator.integer(below: 300))
    let numbers = stride(from: first, to: first + count, by: step)
    let off = deviation(counts(numbers, settings, class: "\(round)"), settings)
    // A row or column that is cut off is at most 1.6 images away from its share, and there is one at each end of
    // consecutive numbers, or of the block of a hundred that others begin and end in.
    #expect(off <= (step == 1 ? 3.2 : 4.5), "\(numbers)")
    sum += off
  }
  #expect(sum / 60 < (step == 1 ? 1 : 1.5))
}

@Test func `a block of a hundred numbers is divided exactly, whatever the percentages`() {
  for (train, validation) in [(80, 10), (83, 9), (1, 98), (50, 37), (64, 16)] {
    let settings = SplitSettings(train: train, validation: validation, test: 100 - train - validation)
    for block in [0, 7, 123_456] {
      let counts = counts(block * 100..<(block + 1) * 100, settings, class: "a")
      #expect(counts == SplitCounts(train: train, validation: validation, test: settings.test))
    }
  }
}

/// The variance of a count that chance makes is n p (1 - p); a rule that is in step with the names has many times
/// that: a walk by the golden ratio has over 20 times it at a step of 89. Of 24 classes, chance allows for some.
@Test func `no step between numbers is worse than chance`() {
  let settings = SplitSettings()
  let images = 50
  let classes = 24
  for step in 1...100 {
    let squares = (0..<classes).map { number in
      let first = number * 37
      let counts = counts(
        stride(from: first, to: first + images * step, by: step), settings, class: "\(step) \(number)")
      let difference = Double(counts.train) - 0.8 * Double(images)
      return difference * difference
    }
    let variance = squares.reduce(0, +) / Double(classes)
    #expect(variance < 2.5 * Double(images) * 0.8 * 0.2, "step \(step)")
  }
}

@Test func `random subsets of numbers are no worse than chance`() {
  let settings = SplitSettings()
  var generator = RandomGenerator(seed: 11)
  var sum = 0.0
  for round in 0..<60 {
    let numbers = generator.permutation(1000).prefix(100)
    let difference = Double(counts(numbers, settings, class: "\(round)").train) - 80
    sum += difference * difference
  }
  #expect(sum / 60 < 1.3 * 100 * 0.8 * 0.2)
}

@Test(arguments: [(80, 10, 5), (110, -10, 0), (50, 50, 50)])
func `shares that are not percentages of a whole are refused`(train: Int, validation: Int, test: Int) {
  let settings = SplitSettings(train: train, validation: validation, test: test)
  #expect(throws: DatasetError.invalidSplit(settings)) { try settings.validate() }
}

@Test func `numbers in names count as numbers`() {
  let sorted = ["1", "01", "2", "10", "a1b2", "a1b10", "a2", "a10", "a10b", "b", "é"]
  var generator = RandomGenerator(seed: 1)
  for _ in 0..<20 {
    let shuffled = generator.permutation(sorted.count).map { sorted[$0] }
    let result = shuffled.sorted(by: NaturalOrder.precedes)
    #expect(result == ["01", "1"] + sorted.dropFirst(2))
  }
}

@Test func `names that look alike but differ in bytes have an order`() {
  let composed = "caf\u{e9}"
  let decomposed = "cafe\u{301}"
  #expect(NaturalOrder.precedes(decomposed, composed))
  #expect(!NaturalOrder.precedes(composed, decomposed))
  #expect(!NaturalOrder.precedes(composed, composed))
}
