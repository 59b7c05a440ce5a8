// How the images of a dataset come to their splits. Lists win over folders named for splits, these over what a run
// recorded, and that over the rule. Finding the images is not done here.

import Messages

/// What decides about an image that is in no list.
enum SplitOrigin: Equatable {
  /// The name of a folder or a shard.
  case named(Split)
  /// The rule, on all images.
  case rule
  /// The rule, on images in a place of training images, of which some are for validation.
  case ruleWithinTraining
}

/// The splits of images as they were when a run was started, by their paths: where the rule decides, an image keeps its
/// split for all of the run, whatever is added to its class.
public struct RecordedSplits: Sendable {
  let splits: [(path: String, split: Split)]

  public init(_ splits: [(path: String, split: Split)]) { self.splits = splits }
}

/// An image before it has a split.
struct UndividedImage {
  var path: String
  var label: Int
  var origin: SplitOrigin
}

/// Divides the images of a dataset.
struct ImageDivision {
  let root: String
  let settings: SplitSettings
  let lists: SplitLists?
  let recorded: RecordedSplits?

  /// - Throws: what `SplitLists` throws.
  /// - Returns: the images in the same order, and what there is to say about the lists.
  func divided(
    _ images: [UndividedImage], classes: [String]
  ) throws(DatasetError) -> (items: [DatasetItem], findings: [DatasetFinding]) {
    var splits = [Split?](repeating: nil, count: images.count)
    var findings: [DatasetFinding] = []
    if let lists {
      (splits, findings) = try lists.resolved(
        for: images.map { ($0.path, classes[$0.label]) }, root: root)
    }
    for (index, image) in images.enumerated() where splits[index] == nil {
      if case .named(let split) = image.origin { splits[index] = split }
    }
    if let recorded { restore(recorded, images, &splits) }
    divideByRule(images, &splits)
    let items = zip(images, splits).map { image, split in
      // Every image is named, listed or divided by the rule.
      DatasetItem(path: image.path, label: image.label, split: split ?? .train)
    }
    return (items, findings)
  }

  private func restore(_ recorded: RecordedSplits, _ images: [UndividedImage], _ splits: inout [Split?]) {
    guard splits.contains(where: { $0 == nil }) else { return }
    var table = PathTable(images.map(\.path))
    for (path, split) in recorded.splits {
      if let place = table.place(of: path), splits[place] == nil { splits[place] = split }
    }
  }

  private func divideByRule(_ images: [UndividedImage], _ splits: inout [Split?]) {
    struct Group: Hashable {
      var label: Int
      var isWithinTraining: Bool
    }
    var groups: [Group: [Int]] = [:]
    var hasTraining: Set<Int> = []
    for (index, image) in images.enumerated() {
      if let split = splits[index] {
        if split == .train { hasTraining.insert(image.label) }
      } else {
        groups[Group(label: image.label, isWithinTraining: image.origin == .ruleWithinTraining), default: []]
          .append(index)
      }
    }
    for (group, members) in groups {
      let shares = SplitShares(settings, withinTraining: group.isWithinTraining)
      let found = shares.splits(
        of: members.map { images[$0].path }, needsTraining: !hasTraining.contains(group.label))
      for (index, split) in zip(members, found) { splits[index] = split }
    }
  }
}
