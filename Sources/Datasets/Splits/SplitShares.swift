// The rule's places, corrected where chance divides a class badly. `SplitRule.swift` gives each image a split by its
// own path. That is as good as drawn by chance where names hold no numbers: of ten images none may come to a test, or
// no image to training. So a class whose counts are further from its shares than `slack` allows gives as few images as
// will do to the splits that lack some. Which ones follows from a hash of their paths, so that the same images always
// come out the same, and an image that is added changes the place of a few others at most, and only in its own class:
// never of more than `mostMoved`.
//
// What is bought and what is paid: without the correction adding images moves none, and one class of ten in three has
// no test image. With it a class of fewer than 100 images is always within one image of its shares. Larger ones may be
// off by up to two hundredths, which chance and numbers seldom need, so that of a thousand images hardly any is ever
// moved.

import Messages
import Support

/// The split of images by the rule, a class at a time.
struct SplitShares {
  private let settings: SplitSettings
  /// Whether the images lie in a folder of training images, out of which validation images are taken.
  private let withinTraining: Bool

  /// Images of other places in a class that one more may move, as tests of many thousand cases find.
  static let mostMoved = 4

  init(_ settings: SplitSettings, withinTraining: Bool) {
    self.settings = settings
    self.withinTraining = withinTraining
  }

  /// - Parameters:
  ///   - paths: the images of one class, below the dataset's folder; their order does not matter.
  ///   - needsTraining: the class has no other training images: one of these is for training, unless training has no
  ///     share at all.
  /// - Returns: the split of each.
  func splits(of paths: [String], needsTraining: Bool) -> [Split] {
    var splits = paths.map {
      withinTraining ? settings.splitWithinTraining(ofPath: $0) : settings.split(ofPath: $0)
    }
    var counts = SplitCounts()
    for split in splits { counts[split] += 1 }
    let targets = targets(counts, needsTraining: needsTraining)
    guard targets != counts else { return splits }

    for donor in Split.allCases where counts[donor] > targets[donor] {
      let order = paths.indices.filter { splits[$0] == donor }
        .map { (priority: Self.priority(paths[$0]), index: $0) }
        .sorted { $0.priority < $1.priority }
      // The one takes from the front, the other from the back, and each always from its own end: so neither depends on
      // how many the other takes, or whether it takes any.
      var members = order.map(\.index)[...]
      for (place, taker) in Split.allCases.filter({ $0 != donor }).enumerated() {
        while counts[donor] > targets[donor], counts[taker] < targets[taker],
          let member = place == 0 ? members.popFirst() : members.popLast()
        {
          splits[member] = taker
          counts[donor] -= 1
          counts[taker] += 1
        }
      }
    }
    return splits
  }

  /// How many images a split may have less than the whole number below its share, or more than the one above.
  static func slack(of count: Int) -> Int { max(0, count / 50 - 1) }

  /// The counts nearest to those the rule gave that are within the slack.
  private func targets(_ counts: SplitCounts, needsTraining: Bool) -> SplitCounts {
    let count = counts.total
    let whole = withinTraining ? settings.train + settings.validation : 100
    var targets = counts
    guard whole > 0 else { return targets }
    let slack = Self.slack(of: count)
    var least = SplitCounts()
    var most = SplitCounts()
    for split in Split.allCases {
      let share = share(split)
      least[split] = share == whole ? count : max(0, count * share / whole - slack)
      most[split] = share == 0 ? 0 : min(count, (count * share + whole - 1) / whole + slack)
      if split == .train, needsTraining, share > 0, count > 0 { least.train = max(1, least.train) }
      targets[split] = min(max(counts[split], least[split]), most[split])
    }
    // What is over or short goes to, or comes from, the split that is furthest from its share.
    func lack(_ split: Split) -> Int { count * share(split) - targets[split] * whole }
    while targets.total < count,
      let split = Split.allCases.filter({ targets[$0] < most[$0] }).max(by: { lack($0) < lack($1) })
    { targets[split] += 1 }
    while targets.total > count,
      let split = Split.allCases.filter({ targets[$0] > least[$0] }).min(by: { lack($0) < lack($1) })
    { targets[split] -= 1 }
    precondition(targets.total == count, "the limits of the splits enclose their shares")
    return targets
  }

  private func share(_ split: Split) -> Int {
    switch split {
    case .train: settings.train
    case .validation: settings.validation
    case .test: withinTraining ? 0 : settings.test
    }
  }

  private static func priority(_ path: String) -> UInt64 {
    var generator = RandomGenerator(stableHash(path), 2)
    return generator.next()
  }
}
