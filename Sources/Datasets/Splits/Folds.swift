// The folds of a cross-validation: parts of the images of which each is held out once (Stone 1974, "Cross-validatory
// choice and assessment of statistical predictions"), with every class spread evenly over them (Kohavi 1995, "A study of
// cross-validation and bootstrap") and groups kept whole. Which image is in which fold is a function of the images, the
// number of folds and the seed.

import Messages
import Support

extension DatasetIndex {
  /// The fold of each of `items`, from 0; nil for test images, which are in none.
  /// - Throws: `DatasetError.tooFewForFolds` where some fold would be empty.
  public func folds(_ count: Int, seed: UInt64) throws(DatasetError) -> [Int?] {
    var units: [ClassName: [Int]] = [:]
    for (index, item) in items.enumerated() where item.split != .test {
      // Of the name of a group no path is the name.
      units[ClassName(item.group.map { "/\($0)" } ?? item.path), default: []].append(index)
    }
    guard units.count >= count else {
      throw .tooFewForFolds(
        path: root, count: count, units: units.count, areGroups: items.contains { $0.group != nil })
    }
    var dealer = FoldDealer(folds: count, classes: classes.count)
    for (_, members) in units { for index in members { dealer.totals[items[index].label] += 1 } }
    let ordered = units.map { name, members in
      var generator = RandomGenerator(seed, stableHash(name.text), Self.foldPurpose)
      return (priority: generator.next(), members: members, label: items[members[0]].label)
    }.sorted { one, other in
      // The largest first: small ones then fill what they leave. Of equal ones a class at a time.
      (other.members.count, one.label, one.priority) < (one.members.count, other.label, other.priority)
    }
    var folds = [Int?](repeating: nil, count: items.count)
    for unit in ordered {
      let counts = Dictionary(grouping: unit.members, by: { items[$0].label }).mapValues(\.count)
      let fold = dealer.deal(counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      for index in unit.members { folds[index] = fold }
    }
    return folds
  }

  /// The same images with those of one fold for validation and the others for training.
  /// - Parameters:
  ///   - fold: from 0.
  ///   - folds: of each item.
  public func holdingOut(_ fold: Int, of folds: [Int?]) -> DatasetIndex {
    var divided = items
    for (index, own) in folds.enumerated() where own != nil {
      divided[index].split = own == fold ? .validation : .train
    }
    return DatasetIndex(
      root: root, classes: classes, items: divided, excluded: excluded, splitSource: .lists, findings: [])
  }

  /// Classes with fewer images, or groups, than folds: some fold is without them.
  public func rareClasses(folds: Int) -> [String] {
    var units = [Set<ClassName>](repeating: [], count: classes.count)
    for item in items where item.split != .test {
      units[item.label].insert(ClassName(item.group.map { "/\($0)" } ?? item.path))
    }
    return zip(classes, units).filter { $1.count < folds }.map(\.0)
  }

  private static let foldPurpose = stableHash("folds")
}

/// Deals images, or groups of them, to folds.
private struct FoldDealer {
  /// Images of each class in all folds together.
  var totals: [Int]
  private var images: [[Int]]
  private var sizes: [Int]

  init(folds: Int, classes: Int) {
    totals = Array(repeating: 0, count: classes)
    images = Array(repeating: totals, count: folds)
    sizes = Array(repeating: 0, count: folds)
  }

  /// Gives them to the fold with the smallest share of their classes; of equal ones to the one with the fewest images,
  /// then the first.
  /// - Parameter counts: images of each class that there are some of.
  mutating func deal(_ counts: [(label: Int, count: Int)]) -> Int {
    func share(_ fold: Int) -> Double {
      counts.reduce(0) { $0 + Double($1.count) * Double(images[fold][$1.label]) / Double(max(1, totals[$1.label])) }
    }
    let best =
      sizes.indices.map { (share: share($0), size: sizes[$0], fold: $0) }.min { $0 < $1 }?.fold ?? 0
    for (label, count) in counts {
      images[best][label] += count
      sizes[best] += count
    }
    return best
  }
}
