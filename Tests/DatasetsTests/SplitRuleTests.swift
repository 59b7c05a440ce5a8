// The split made of a path's hash, and the order of names.

import Messages
import Tensors
import Testing

@testable import Datasets

/// Computed outside Swift: if these change, every user's split changes.
@Test(arguments: [
  ("cat/1.png", Split.train),
  ("日本語/猫.jpg", Split.train),
  ("dog/a b.jpg", Split.train),
  ("cat/18.jpg", Split.validation),
  ("猫/22.jpg", Split.validation),
  ("cat/17.jpg", Split.test),
  ("猫/27.jpg", Split.test),
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
