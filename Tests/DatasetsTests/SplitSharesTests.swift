// The rule for whole classes: fair for names without numbers too, never without a training image, and hardly moved by
// images that are added.

import Support
import Messages
import Testing

@testable import Datasets

/// Names as people's programs make them up: no numbers a rule could count by.
private func randomNames(_ count: Int, _ generator: inout RandomGenerator) -> [String] {
  var names: Set<String> = []
  while names.count < count {
    let letters = (0..<12).map { _ in String(UnicodeScalar(UInt8(97 + generator.integer(below: 26)))) }
    names.insert("class/\(letters.joined()).jpg")
  }
  // In an order that is no matter.
  return names.sorted()
}

private func counts(_ splits: [Split]) -> SplitCounts { splits.reduce(into: SplitCounts()) { $0[$1] += 1 } }

@Test(arguments: [(80, 10, 10), (70, 20, 10), (60, 0, 40), (34, 33, 33), (0, 50, 50), (98, 1, 1)])
func `every class of fewer than a hundred images is within one image of its shares`(
  train: Int, validation: Int, test: Int
) {
  let settings = SplitSettings(train: train, validation: validation, test: test)
  var generator = RandomGenerator(seed: 5)
  for count in 1..<100 {
    let found = counts(
      SplitShares(settings, withinTraining: false).splits(
        of: randomNames(count, &generator), needsTraining: false))
    for (split, percent) in zip(Split.allCases, [train, validation, test]) {
      #expect(abs(Double(found[split]) - Double(count * percent) / 100) < 1, "\(count): \(found)")
    }
  }
}

@Test func `of ten images with random names one is for validation and one for tests`() {
  var generator = RandomGenerator(seed: 6)
  for _ in 0..<100 {
    let names = randomNames(10, &generator)
    let found = SplitShares(SplitSettings(), withinTraining: false).splits(of: names, needsTraining: true)
    #expect(counts(found) == SplitCounts(train: 8, validation: 1, test: 1))
    let within = SplitShares(SplitSettings(), withinTraining: true).splits(of: names, needsTraining: true)
    #expect((1...2).contains(counts(within).validation) && counts(within).test == 0)
  }
}

@Test func `the only images of a class are for training`() {
  var generator = RandomGenerator(seed: 7)
  for settings in [SplitSettings(), SplitSettings(train: 10, validation: 80, test: 10)] {
    for isWithin in [false, true] {
      for count in 1...9 {
        for _ in 0..<40 {
          let found = SplitShares(settings, withinTraining: isWithin).splits(
            of: randomNames(count, &generator), needsTraining: true)
          #expect(found.contains(.train))
        }
      }
    }
  }
  // Nobody asked for training.
  let none = SplitShares(SplitSettings(train: 0, validation: 50, test: 50), withinTraining: false)
  #expect(!none.splits(of: ["a/b.png"], needsTraining: true).contains(.train))
}

@Test func `large classes are within two hundredths, and mostly as their names say`() {
  let settings = SplitSettings()
  var generator = RandomGenerator(seed: 8)
  for count in [100, 250, 1000, 3000] {
    let names = randomNames(count, &generator)
    let found = SplitShares(settings, withinTraining: false).splits(of: names, needsTraining: true)
    for (split, percent) in zip(Split.allCases, [80, 10, 10]) {
      #expect(abs(Double(counts(found)[split]) - Double(count * percent) / 100) <= Double(count) / 50 + 1)
    }
    let moved = zip(names, found).count { settings.split(ofPath: $0) != $1 }
    #expect(Double(moved) < 0.05 * Double(count), "\(moved) of \(count)")
  }
}

/// What README says of adding images.
@Test func `an image that is added moves few others of its class, and of a large class none`() {
  let settings = SplitSettings()
  var generator = RandomGenerator(seed: 9)
  var movedOfSmall = 0
  var added = 0
  for round in 0..<60 {
    let shares = SplitShares(settings, withinTraining: round % 2 == 1)
    var names = randomNames(120, &generator)
    let order = generator.permutation(names.count)
    names = order.map { names[$0] }
    var before: [String: Split] = [:]
    for count in 1...names.count {
      let some = Array(names.prefix(count))
      let now = Dictionary(uniqueKeysWithValues: zip(some, shares.splits(of: some, needsTraining: true)))
      let moved = before.count { now[$0.key] != $0.value }
      #expect(moved <= SplitShares.mostMoved, "\(moved) by image \(count)")
      movedOfSmall += moved
      added += 1
      before = now
    }
  }
  print("moved by an added image, on average:", Double(movedOfSmall) / Double(added))
  #expect(Double(movedOfSmall) < 0.8 * Double(added))

  let names = randomNames(2100, &generator)
  let shares = SplitShares(settings, withinTraining: false)
  let before = shares.splits(of: Array(names.prefix(2000)), needsTraining: true)
  let after = shares.splits(of: names, needsTraining: true)
  #expect(Array(after.prefix(2000)) == before)
}

@Test func `the order of the images is no matter`() {
  var generator = RandomGenerator(seed: 10)
  let names = randomNames(37, &generator)
  let shares = SplitShares(SplitSettings(), withinTraining: false)
  let found = Dictionary(uniqueKeysWithValues: zip(names, shares.splits(of: names, needsTraining: true)))
  let shuffled = generator.permutation(names.count).map { names[$0] }
  #expect(zip(shuffled, shares.splits(of: shuffled, needsTraining: true)).allSatisfy { found[$0] == $1 })
}
