// The rule for groups: a split for each group, by a hash of its name, so that adding images to it never moves it. A few
// groups are large beside a few images, so the hash alone may leave a class far from its shares, or without any test
// image; then as few groups as will do are moved, each time the one that brings the classes' counts closest to their
// shares. Which ones follows from the groups alone, never from their order.

import Messages
import Support

/// The split of images by the rule where groups are kept whole.
struct GroupShares {
  private let settings: SplitSettings
  private let images: [UndividedImage]
  private let names: [String?]

  /// - Parameter names: the group of each image; nil for one that stands alone.
  init(_ settings: SplitSettings, _ images: [UndividedImage], _ names: [String?]) {
    self.settings = settings
    self.images = images
    self.names = names
  }

  /// Gives a split to each image that has none. Where some of a group have one, by lists or as a run recorded it, the
  /// others follow the most of them.
  func divide(_ splits: inout [Split?]) {
    divide(&splits, withinTraining: false)
    divide(&splits, withinTraining: true)
  }

  private func divide(_ splits: inout [Split?], withinTraining: Bool) {
    let part = Part(settings, withinTraining: withinTraining)
    var known: [ClassName: SplitCounts] = [:]
    var members: [ClassName: [Int]] = [:]
    for index in images.indices {
      // Of the name of a group no path is the name.
      let name = ClassName(names[index].map { "/\($0)" } ?? images[index].path)
      if let split = splits[index] {
        if names[index] != nil { known[name, default: SplitCounts()][split] += 1 }
      } else if (images[index].origin == .ruleWithinTraining) == withinTraining {
        members[name, default: []].append(index)
      }
    }
    guard !members.isEmpty else { return }
    let hasTraining = Set(images.indices.filter { splits[$0] == .train }.map { images[$0].label })
    var division = GroupDivision(part, hasTraining: hasTraining)
    for (name, indices) in members.sorted(by: { NaturalOrder.precedes($0.key.text, $1.key.text) }) {
      let counts = Dictionary(grouping: indices, by: { images[$0].label }).mapValues(\.count)
      let before = known[name].flatMap { counts in
        part.splits.filter { counts[$0] > 0 }.max { counts[$0] < counts[$1] }
      }
      division.add(name.text, members: indices, counts: counts, before: before)
    }
    division.balance()
    for group in division.groups {
      for index in group.members { splits[index] = group.split }
    }
  }

  /// What is divided, by which shares.
  struct Part {
    let settings: SplitSettings
    let withinTraining: Bool
    let whole: Int

    init(_ settings: SplitSettings, withinTraining: Bool) {
      self.settings = settings
      self.withinTraining = withinTraining
      let whole = withinTraining ? settings.train + settings.validation : 100
      self.whole = whole
    }

    func share(_ split: Split) -> Int {
      // Of nothing but test images those in a place of training images are for training all the same.
      if whole == 0 { return split == .train ? 1 : 0 }
      switch split {
      case .train: return settings.train
      case .validation: return settings.validation
      case .test: return withinTraining ? 0 : settings.test
      }
    }

    /// Those with a share.
    var splits: [Split] { Split.allCases.filter { share($0) > 0 } }

    func split(ofGroup name: String) -> Split {
      var generator = RandomGenerator(stableHash(name), 3)
      var place = generator.integer(below: max(1, whole))
      for split in splits {
        place -= share(split)
        if place < 0 { return split }
      }
      return splits.last ?? .train
    }
  }
}

/// Groups, and how the images of each class are divided with them.
private struct GroupDivision {
  struct Group {
    var members: [Int]
    /// Images of each class that has some.
    var counts: [(label: Int, count: Int)]
    var split: Split
    /// Whether it was in a split before.
    var isFixed: Bool
    /// Of groups that are as good to move, the one that is lower.
    var priority: UInt64
  }

  private let part: GroupShares.Part
  private(set) var groups: [Group] = []
  /// Images of each class in each split, and in all.
  private var images: [Int: SplitCounts] = [:]
  /// The groups with images of each class.
  private var byClass: [Int: [Int]] = [:]
  /// Classes that have training images besides.
  private let hasTraining: Set<Int>

  init(_ part: GroupShares.Part, hasTraining: Set<Int>) {
    self.part = part
    self.hasTraining = hasTraining
  }

  mutating func add(_ name: String, members: [Int], counts: [Int: Int], before: Split?) {
    let split = before ?? part.split(ofGroup: name)
    for (label, count) in counts {
      images[label, default: SplitCounts()][split] += count
      byClass[label, default: []].append(groups.count)
    }
    groups.append(
      Group(
        members: members, counts: counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, split: split,
        isFixed: before != nil, priority: stableHash(name)))
  }

  /// Moves groups until no class lacks a split that it could have, and none is far from its shares that a move, or an
  /// exchange of two groups, would bring closer. Each of these lowers the sum of all distances, so it comes to an end.
  mutating func balance() {
    fill()
    var isMoving = true
    while isMoving {
      isMoving = false
      for label in byClass.keys.sorted() {
        while part.splits.contains(where: { isOff(label, $0) }),
          let move = best(label, part.splits, isWanted: { $0.gain > 0 && !empties($0) })
        {
          apply(move)
          isMoving = true
        }
        if part.splits.contains(where: { isOff(label, $0) }), exchange(label) { isMoving = true }
      }
    }
  }

  /// Of more groups two need not change places: single ones do as well.
  private static let mostExchanged = 64

  /// Lets the two groups of a class change splits for which that helps most, as single moves cannot where each split has
  /// one group of it.
  /// - Returns: whether any did.
  private mutating func exchange(_ label: Int) -> Bool {
    let own = (byClass[label] ?? []).filter { !groups[$0].isFixed }
    guard own.count <= Self.mostExchanged else { return false }
    var best: (gain: Int, pair: (Int, Int))?
    for (place, one) in own.enumerated() {
      for other in own[(place + 1)...] where groups[one].split != groups[other].split {
        let before = presence(one, other)
        let gain = swapped(one, other)
        if gain > best?.gain ?? 0, before.isSubset(of: presence(one, other)) { best = (gain, (one, other)) }
        _ = swapped(one, other)
      }
    }
    guard let (one, other) = best?.pair else { return false }
    _ = swapped(one, other)
    return true
  }

  /// - Returns: by how much the counts came closer to their shares.
  private mutating func swapped(_ one: Int, _ other: Int) -> Int {
    let (first, second) = (groups[one].split, groups[other].split)
    let there = move(one, to: second)
    apply(there)
    let back = move(other, to: first)
    apply(back)
    return there.gain + back.gain
  }

  private struct Place: Hashable {
    var label: Int
    var split: Split
  }

  /// Where there are images of the two groups' classes.
  private func presence(_ one: Int, _ other: Int) -> Set<Place> {
    var places: Set<Place> = []
    for (label, _) in groups[one].counts + groups[other].counts {
      for split in part.splits where count(label, split) > 0 { places.insert(Place(label: label, split: split)) }
    }
    return places
  }

  private struct Move {
    var group: Int
    var split: Split
    /// By how much the counts come closer to their shares, in images times the whole.
    var gain: Int
    /// Among equal ones the first.
    var priority: UInt64

    static func better(_ one: Move, _ other: Move?) -> Bool {
      guard let other else { return true }
      return (other.gain, one.priority) < (one.gain, other.priority)
    }
  }

  private mutating func apply(_ move: Move) {
    for (label, count) in groups[move.group].counts {
      images[label, default: SplitCounts()][groups[move.group].split] -= count
      images[label, default: SplitCounts()][move.split] += count
    }
    groups[move.group].split = move.split
  }

  private func count(_ label: Int, _ split: Split) -> Int { images[label]?[split] ?? 0 }

  /// How far a class's images in a split are from its share, times the whole.
  private func distance(_ label: Int, _ split: Split, plus more: Int) -> Int {
    let total = images[label]?.total ?? 0
    return abs((count(label, split) + more) * max(1, part.whole) - total * part.share(split))
  }

  private func move(_ group: Int, to split: Split) -> Move {
    let own = groups[group]
    let gain = own.counts.reduce(0) { gain, part in
      let (label, count) = part
      return gain + distance(label, own.split, plus: 0) - distance(label, own.split, plus: -count)
        + distance(label, split, plus: 0) - distance(label, split, plus: count)
    }
    return Move(group: group, split: split, gain: gain, priority: own.priority)
  }

  /// Whether a move takes the last images of a class out of a split.
  private func empties(_ move: Move) -> Bool {
    let own = groups[move.group]
    return own.counts.contains { count($0.label, own.split) == $0.count }
  }

  /// A class that has no images in a split gets a group there if another split can spare one; for training, if that has
  /// no other images of the class, also the last one.
  private mutating func fill() {
    for split in part.splits {
      for label in byClass.keys.sorted() where count(label, split) == 0 {
        guard split != .train || !hasTraining.contains(label) else { continue }
        if let move = best(label, [split], isWanted: { !empties($0) })
          ?? (split == .train ? best(label, [split], isWanted: { _ in true }) : nil)
        {
          apply(move)
        }
      }
    }
  }

  /// The best move of a group with images of a class.
  private func best(_ label: Int, _ splits: [Split], isWanted: (Move) -> Bool) -> Move? {
    var best: Move?
    for index in byClass[label] ?? [] where !groups[index].isFixed {
      for split in splits where split != groups[index].split {
        let move = move(index, to: split)
        if Move.better(move, best), isWanted(move) { best = move }
      }
    }
    return best
  }

  /// Whether a class's images in a split are further from its share than chance may leave them.
  private func isOff(_ label: Int, _ split: Split) -> Bool {
    let total = images[label]?.total ?? 0
    return distance(label, split, plus: 0) > (SplitShares.slack(of: total) + 1) * max(1, part.whole)
  }
}
